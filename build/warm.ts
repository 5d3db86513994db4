// usage: warm.ts APP CACHE
// Runs typical commands in this process and keeps the bytecode of all functions that were used on the way: start-up then
// compiles nothing. It must be the very Node that goes into the binary, for V8 takes bytecode of its own build only.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Script } from 'node:vm';

/** What may be loaded before main is called: cheap, or loaded by Node's own start anyway. */
const CHEAP = new Set(['node:fs', 'node:path', 'node:perf_hooks', 'node:util']);
const ROUNDS = 4;

type Wrapped = (
  exports: object,
  require: (name: string) => unknown,
  module: { exports: { main?: (argv: readonly string[]) => Promise<void> } },
) => void;

const [app, cache] = process.argv.slice(2);
if (app === undefined || cache === undefined) throw new Error('usage: warm.ts APP CACHE');

const builtin = createRequire(import.meta.url);
function requireCheap(name: string): unknown {
  const full = name.startsWith('node:') ? name : `node:${name}`;
  if (!CHEAP.has(full)) {
    throw new Error(`${full} is loaded at start: take it by process.getBuiltinModule where it is first needed`);
  }
  return builtin(full);
}

const script = new Script(readFileSync(app, 'latin1'), { filename: 'frontik-supervisor.js' });
const module_: Parameters<Wrapped>[2] = { exports: {} };
(script.runInThisContext() as Wrapped)(module_.exports, requireCheap, module_);
const { main } = module_.exports;
if (main === undefined) throw new Error('src/main.ts exports no main');

const place = mkdtempSync(join(tmpdir(), 'frontik-supervisor-warm-'));
try {
  for (const command of commands(place)) {
    for (let round = 0; round < ROUNDS; round += 1) await main(command);
  }
} finally {
  rmSync(place, { recursive: true });
}
writeFileSync(cache, script.createCachedData());
// The commands have left their own exit codes there.
process.exitCode = 0;

/** Harmless commands: a fleet of its own in an empty directory, with a script that is never a worker. */
function commands(directory: string): readonly (readonly string[])[] {
  const config = join(directory, 'frontik.cfg');
  writeFileSync(config, "start_port = 8000\nworkers_count = 4\ndebug = False\nsyslog_address = '/dev/log'\n");
  const fleet = [
    '--script=/bin/true',
    '--app=warm',
    `--config=${config}`,
    `--pidfile_template=${directory}/%(port)s.pid`,
    `--logfile_template=${directory}/%(port)s.log`,
    '--supervisor_start_timeout=1',
  ];
  return [
    [...fleet, 'status'],
    [...fleet, 'stop'],
    ['--version'],
    ['--help'],
    ['--start_prt=1', 'status'],
    ['restart'],
  ];
}
