// What people type, tried on a small fleet of its own: the functions that these commands use are compiled in advance.

import { randomInt } from 'node:crypto';
import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';

/** A command and the exit status that it must have. */
export type Command = readonly [exit: number, ...argv: readonly string[]];

// With the forms that real configurations have, so that the reader's functions for them are compiled in advance.
const CONFIG = String.raw`# coding=utf-8
import os

app = 'warm'
name = "warm" + '-' + 'app'
workers_count = int(os.environ.get('WARM_WORKERS', 2))
debug = False
nothing = None
syslog_address = '/dev/log'
log_format = '%s: %d' % (name, 1)
long_text = """several
lines"""
base = os.path.join(os.path.dirname('/warm/x'), 'run')
timeout_multiplier = 1.
handlers_count = 100 * 2 - -1
mask = 0x1f
rest = [1, 2.5, ('a', u'b', r'\d+'), {'key': 'value', 'other': [True, None]}, {1, 2}]
from warm.web import Application, Page as Start
urls = [
    # a comment inside
    (r'/(?P<id>\d+)/?', Application('warm', '/usr/share/warm')),
    ('/start', Start.handler),
]
suppressed_loggers = ['tornado.curl_httpclient']
if debug:
    log_level = 'debug'
else:
    log_level = 'info'
`;

/** Lays out the directory in which the commands run, with the Node of their workers; they name its files by relative paths. */
export function layOut(directory: string, workerNode: string): void {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  symlinkSync(workerNode, join(directory, 'node'));
  copyFileSync(join(import.meta.dirname, 'warm-worker.cjs'), join(directory, 'worker.cjs'));
  writeFileSync(join(directory, 'frontik.cfg'), CONFIG);
  // Every pid is smaller (proc_sys_kernel(5), pid_max): a worker that is gone.
  writeFileSync(join(directory, 'gone.pid'), '4194304');
  writeFileSync(
    join(directory, 'launcher'),
    `#!/usr/bin/frontik-supervisor
# coding=utf-8
from frontik.server.supervisor import supervisor
supervisor(script='./node ./worker.cjs', app='warm', config='./frontik.cfg')
`,
  );
}

/**
 * What a run is for: bytecode of everything, or of `status` alone, for which others start the fleet and stop it; or none,
 * to write what is known already in V8's own order.
 */
const WARMTHS = ['all', 'start', 'status', 'stop', 'none'] as const;
export type Warmth = (typeof WARMTHS)[number];

/** Whether a word names a warmth. */
export function isWarmth(word: string | undefined): word is Warmth {
  return WARMTHS.some((each) => each === word);
}

/** The commands, in order; those for everything leave nothing running. */
export function commands(firstPort: number, warmth: Warmth): readonly Command[] {
  const templates = [
    '--supervisor_start_timeout=15',
    `--start_port=${firstPort}`,
    '--pidfile_template=./%(port)s.pid',
    '--logfile_template=./%(port)s.log',
  ];
  const fleet = ['--script=./node ./worker.cjs', '--app=warm', '--config=./frontik.cfg', ...templates];
  const slow = ['--script=./node ./worker.cjs --slow', ...fleet.slice(1)];
  const launcher = ['./launcher', ...templates];
  // Processes come and go at random, and which functions that calls must be no matter of chance.
  const gone: Command = [3, ...fleet, '--workers_count=1', '--pidfile_template=./gone.pid', 'status'];
  switch (warmth) {
    case 'start':
    case 'stop':
      return [[0, ...fleet, warmth]];
    case 'status':
      return [[0, ...fleet, 'status'], [0, ...launcher, 'status'], gone];
    case 'none':
      return [];
    case 'all':
      return [...everything(fleet, slow, launcher), gone];
    default:
      return warmth satisfies never;
  }
}

function everything(
  fleet: readonly string[],
  slow: readonly string[],
  launcher: readonly string[],
): readonly Command[] {
  return [
    [0, '--version'],
    [0, '--help'],
    [1],
    [2, '--start_prt=1', 'start'],
    [2, 'restart'],
    [3, ...fleet, 'status'],
    [0, ...slow, 'start'],
    [0, ...fleet, 'status'],
    [0, ...launcher, 'status'],
    [0, ...launcher, 'start'],
    [0, ...launcher, 'restart'],
    [0, ...fleet, 'status'],
    [0, ...fleet, 'stop'],
    [0, ...fleet, 'stop'],
    [3, ...launcher, 'status'],
  ];
}

/** Below those that kernels give to outgoing connections, which come at any moment: ip(7), ip_local_port_range. */
const LOWEST = 10_000;
const HIGHEST = 19_998;

/** The first of two consecutive ports that nobody has. */
export async function findPorts(): Promise<number> {
  while (true) {
    const port = randomInt(LOWEST, HIGHEST);
    const servers = [await listen(port), await listen(port + 1)];
    await Promise.all(servers.map(close));
    if (!servers.includes(undefined)) return port;
  }
}

/** Undefined when somebody has the port. */
function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) =>
      'code' in error && error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function close(server: Server | undefined): Promise<void> {
  return new Promise((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
}
