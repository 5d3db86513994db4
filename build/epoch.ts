// usage: epoch.ts
// What everything in a package is dated, so that it does not tell when it was built: reproducible-builds.org's rule.

import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/** SOURCE_DATE_EPOCH, else the date of the commit, else that of package.json (a tarball keeps it). Seconds since 1970. */
export function findEpoch(): number {
  const given = process.env['SOURCE_DATE_EPOCH'];
  if (given !== undefined) {
    if (!/^\d+$/.test(given)) throw new Error(`SOURCE_DATE_EPOCH should be a number of seconds, not "${given}"`);
    return Number(given);
  }
  try {
    return Number(execFileSync('git', ['-C', ROOT, 'log', '-1', '--format=%ct'], { encoding: 'utf8', stdio: 'pipe' }));
  } catch (error) {
    // Not a checkout, a checkout of somebody else (git refuses it), or no git.
    if (error instanceof Error && ('status' in error || ('code' in error && error.code === 'ENOENT'))) {
      return Math.floor(statSync(join(ROOT, 'package.json')).mtimeMs / 1000);
    }
    throw error;
  }
}

if (import.meta.main) process.stdout.write(`${findEpoch()}\n`);
