// usage: warm.ts APP PORT WARMTH [CACHE]
// Runs typical commands in this process and keeps the bytecode of all functions that were used on the way: start-up then
// compiles nothing. It must be the very Node that goes into the binary, for V8 takes bytecode of its own build only.
// Reading bytecode takes time as well, so `status`, which is run most, has a cache of its own with what it needs.

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { Script } from 'node:vm';
import { commands, isWarmth, layOut } from './warm-commands.ts';

/** What may be loaded before main is called: cheap, or loaded by Node's own start anyway. */
const CHEAP = new Set(['node:fs', 'node:path', 'node:util']);

interface Bundle {
  exports: { main?: (argv: readonly string[]) => Promise<void> };
}
type Wrapped = (exports: object, require: (name: string) => unknown, module: Bundle) => void;

const [appPath, port, warmth, cachePath] = process.argv.slice(2);
if (appPath === undefined || !isWarmth(warmth)) throw new Error('usage: warm.ts APP PORT WARMTH [CACHE]');
const app = resolve(appPath);
const cache = cachePath === undefined ? undefined : resolve(cachePath);

const builtin = createRequire(import.meta.url);
function requireCheap(name: string): unknown {
  const full = name.startsWith('node:') ? name : `node:${name}`;
  if (!CHEAP.has(full)) {
    throw new Error(`${full} is loaded at start: take it by process.getBuiltinModule where it is first needed`);
  }
  return builtin(full);
}

const script = new Script(readFileSync(app, 'latin1'), { filename: 'frontik-supervisor.js' });
const bundle: Bundle = { exports: {} };
(script.runInThisContext() as Wrapped)(bundle.exports, requireCheap, bundle);
const { main } = bundle.exports;
if (main === undefined) throw new Error('src/main.ts exports no main');

// Always the same place: the program names its lock after the configuration's path, and keeps the file.
const place = join(import.meta.dirname, '../dist/build/warm');
if (warmth !== 'status' && warmth !== 'stop') layOut(place);
process.chdir(place);
const failed: string[] = [];
for (const [exit, ...argv] of commands(Number(port), warmth)) {
  await main(argv);
  if (process.exitCode !== exit) failed.push(`${argv.join(' ')}: exit status ${process.exitCode} instead of ${exit}`);
}
if (cache !== undefined) writeFileSync(cache, script.createCachedData());
if (failed.length > 0) throw new Error(failed.join('\n'));
process.exit(0);
