// usage: version.ts FILE
// Writes `VERSION (commit abcdef1)` into the file, but leaves a file that says so already alone: make builds anew what
// depends on it only when the text changes.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
/** What ends up in the binary; a change elsewhere does not make it another program. */
const INPUTS = ['src', 'build', 'package.json', 'package-lock.json'];

function git(...args: readonly string[]): string | undefined {
  try {
    return execFileSync('git', ['-C', ROOT, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch (error) {
    // Not a checkout, a checkout of somebody else (git refuses it), or no git: all of them mean that we cannot know.
    if (error instanceof Error && ('status' in error || ('code' in error && error.code === 'ENOENT'))) return undefined;
    throw error;
  }
}

function commit(): string {
  // A tarball unpacked inside another checkout must not take that one's commit.
  const top = git('rev-parse', '--show-toplevel');
  if (top === undefined || realpathSync(top) !== realpathSync(ROOT)) return 'unknown';
  const hash = git('rev-parse', '--short=7', 'HEAD');
  if (hash === undefined) return 'unknown';
  return git('status', '--porcelain', '--', ...INPUTS) === '' ? hash : `${hash}-dirty`;
}

function version(): string {
  const { version: number } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  return `${number} (commit ${commit()})`;
}

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: version.ts FILE');
const text = `${version()}\n`;
mkdirSync(dirname(file), { recursive: true });
if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
