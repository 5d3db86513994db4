// usage: warm.ts APP PORT WARMTH WORKER_NODE [CACHE]
// Runs typical commands in this process and adds the bytecode of all functions that were used on the way to the cache:
// start-up then compiles nothing. It must be the very Node that goes into the binary, for V8 takes bytecode of its own
// build only. Reading bytecode takes time as well, so `status`, which is run most, has a cache with what it needs.

import fs, { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import { commands, isWarmth, layOut } from './warm-commands.ts';

/** What may be loaded before main is called: cheap, or loaded by Node's own start anyway. */
const CHEAP = new Set(['node:fs', 'node:path', 'node:util']);

interface Bundle {
  exports: { main?: (argv: readonly string[]) => Promise<void> };
}
type Wrapped = (exports: object, require: (name: string) => unknown, module: Bundle) => void;

/** What V8 notes in bytecode about how often and how recently it was run, which is never twice the same. */
const NOTES = ['sparkplug', 'maglev', 'opt', 'flush-bytecode'];

const [appPath, port, warmth, workerNode, cachePath] = process.argv.slice(2);
if (appPath === undefined || workerNode === undefined || !isWarmth(warmth)) {
  throw new Error('usage: warm.ts APP PORT WARMTH WORKER_NODE [CACHE]');
}
const app = resolve(appPath);
const cache = cachePath === undefined ? undefined : resolve(cachePath);

/** The command line of a process that could be a worker. */
const candidate = `${app}.cmdline`;
writeFileSync(candidate, 'node\0--port=0\0');

// V8 notes in bytecode which functions and handlers were ever used. What depends on who else is on the machine is always there
// in here: a process that vanishes while /proc is read; one that could be a worker, and is none; another user of this program.
const files = new Proxy(fs, {
  get: (real, name): unknown => {
    if (name === 'openSync') return open;
    return name === 'readdirSync' ? readDirectory : Reflect.get(real, name);
  },
});
function open(...words: Parameters<typeof fs.openSync>): number {
  const [path, ...more] = words;
  if (path === `/proc/${process.pid}/cmdline`) return fs.openSync(candidate, 'r');
  // A directory can be opened, and not be read.
  return fs.openSync(path === '/proc/1/cmdline' ? '/' : path, ...more);
}
function readDirectory(path: string): string[] {
  if (path === '/run/user') return ['0'];
  return path === '/tmp' ? ['frontik-supervisor-0'] : fs.readdirSync(path);
}

const builtin = createRequire(import.meta.url);
function requireCheap(name: string): unknown {
  const full = name.startsWith('node:') ? name : `node:${name}`;
  if (!CHEAP.has(full)) {
    throw new Error(`${full} is loaded at start: take it by process.getBuiltinModule where it is first needed`);
  }
  return full === 'node:fs' ? files : builtin(full);
}

const script = new Script(readFileSync(app, 'latin1'), {
  filename: 'frontik-supervisor.js',
  ...(cache !== undefined && existsSync(cache) ? { cachedData: readFileSync(cache) } : {}),
});
if (script.cachedDataRejected) throw new Error('V8 does not take the bytecode');
// A cache is for the flags under which it is read and written, and the binary has V8's own: only the run has others.
for (const note of NOTES) setFlagsFromString(`--no-${note}`);
const bundle: Bundle = { exports: {} };
(script.runInThisContext() as Wrapped)(bundle.exports, requireCheap, bundle);
const { main } = bundle.exports;
if (main === undefined) throw new Error('src/main.ts exports no main');

// Always the same place: the program names its lock after the configuration's path, and keeps the file.
const place = join(import.meta.dirname, '../dist/build/warm');
if (warmth === 'all' || warmth === 'start') layOut(place, workerNode);
process.chdir(place);
const failed: string[] = [];
for (const [exit, ...argv] of commands(Number(port), warmth)) {
  await main(argv);
  if (process.exitCode !== exit) failed.push(`${argv.join(' ')}: exit status ${process.exitCode} instead of ${exit}`);
}
for (const note of NOTES) setFlagsFromString(`--${note}`);
if (cache !== undefined) writeFileSync(cache, script.createCachedData());
if (failed.length > 0) throw new Error(failed.join('\n'));
process.exit(0);
