// usage: bench-startup.ts [ROUNDS]
// What a command costs over a bare "hello" of the same recipe. All are run in turn, in an order that changes every round,
// and compared within their round: so a machine that gets slower meanwhile slows all of them.

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { takePorts } from '../test/support/e2e-ports.ts';

const ROOT = join(import.meta.dirname, '..');
const ROUNDS = Number(process.argv[2] ?? 41);
const WORKERS = 4;
const WARM_UP = 3;

interface Subject {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly exit: number;
}

function once({ name, command: [program, ...args], exit }: Subject): number {
  const began = process.hrtime.bigint();
  const { status } = spawnSync(program, args, { stdio: 'ignore' });
  const took = Number(process.hrtime.bigint() - began) / 1e6;
  if (status !== exit) throw new Error(`${name} ended with ${status} instead of ${exit}`);
  return took;
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function measure(subjects: readonly Subject[]): void {
  const times = subjects.map((): number[] => []);
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    for (let turn = 0; turn < subjects.length; turn += 1) {
      const at = (turn + round + WARM_UP) % subjects.length;
      const subject = subjects[at];
      if (subject === undefined) continue;
      const took = once(subject);
      if (round >= 0) times[at]?.push(took);
    }
  }
  const base = times[0] ?? [];
  console.log(`${'median of '.padStart(32)}${ROUNDS} rounds      ms   ratio`);
  for (const [at, { name }] of subjects.entries()) {
    const own = times[at] ?? [];
    const ratio = median(own.map((took, round) => took / (base[round] ?? Number.NaN)));
    console.log(`${name.padEnd(42)}${median(own).toFixed(1).padStart(10)}${ratio.toFixed(3).padStart(8)}`);
  }
}

const directory = mkdtempSync(join(tmpdir(), 'bench-'));
/** How a program lies in the page cache makes a tenth of its start: all are copies, written one after another. */
function copied(program: string): string {
  const copy = join(directory, basename(program));
  copyFileSync(program, copy);
  return copy;
}
const hello = copied(join(ROOT, 'dist/bench/hello'));
const helloWrite = copied(join(ROOT, 'dist/bench/hello-write'));
const BINARY = copied(process.env['FRONTIK_SUPERVISOR_BIN'] ?? join(ROOT, 'dist/frontik-supervisor'));
const ports = await takePorts();
const fleet = [
  `--script=${join(ROOT, 'test/fixtures/worker')}`,
  `--config=${join(directory, 'frontik.cfg')}`,
  `--start_port=${ports.first}`,
  `--workers_count=${WORKERS}`,
  `--pidfile_template=${directory}/%(port)s.pid`,
  `--logfile_template=${directory}/%(port)s.log`,
];
const command = (action: string): Subject['command'] => [BINARY, ...fleet, action];
try {
  writeFileSync(join(directory, 'frontik.cfg'), 'daemonize = True\n');
  const bases: readonly Subject[] = [
    { name: 'hello (console.log)', command: [hello], exit: 0 },
    { name: 'hello (fs.writeSync)', command: [helloWrite], exit: 0 },
  ];
  measure([
    ...bases,
    { name: '--version', command: [BINARY, '--version'], exit: 0 },
    { name: '--help', command: [BINARY, '--help'], exit: 0 },
    { name: 'wrong option', command: [BINARY, '--bogus', 'start'], exit: 2 },
    { name: `status of ${WORKERS} stopped workers`, command: command('status'), exit: 3 },
  ]);
  once({ name: 'start', command: command('start'), exit: 0 });
  measure([...bases, { name: `status of ${WORKERS} running workers`, command: command('status'), exit: 0 }]);
} finally {
  spawnSync(BINARY, [...fleet, 'stop'], { stdio: 'inherit' });
  await ports.release();
  rmSync(directory, { recursive: true });
}
