// usage: bench-run.ts [SECONDS [ROUNDS]]
// What `run` costs while nothing happens, with 16 real workers, and how soon a worker is back that was killed, compared with
// the same worker started by hand in turn: so a machine that is busy with something else slows both.

import { readdirSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Stage } from '../test/support/e2e.ts';
import { type Running, until } from '../test/support/e2e-command.ts';
import { isAlive, signal } from '../test/support/e2e-processes.ts';

const SECONDS = Number(process.argv[2] ?? 20);
const ROUNDS = Number(process.argv[3] ?? 8);
const WORKERS = 16;
/** A port beyond those of the fleet, for the worker that is started by hand. */
const SPARE = WORKERS + 4;
/** A worker that was ready for longer did not die quickly: core/flapping. */
const STEADY = 10_000;

/** Milliseconds that all threads of a process have been on a CPU: proc_pid_schedstat, first field. */
function cpuOf(pid: number): number {
  const times = readdirSync(`/proc/${pid}/task`).map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  );
  return times.reduce((sum, time) => sum + time, 0) / 1e6;
}

/** Megabytes: a field of proc_pid_status(5) or proc_pid_smaps(5). */
function megabytes(file: string, field: string): string {
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(file, 'utf8'))?.[1];
  return (Number(kilobytes) / 1024).toFixed(0);
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/status/', agent: false, timeout: 5000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
  });
}

/** Milliseconds until a port answers. */
async function untilReady(port: number): Promise<number> {
  const began = performance.now();
  while (!(await isReady(port))) await sleep(2);
  return performance.now() - began;
}

async function byHand(stage: Stage): Promise<number> {
  const words = [`--config=${stage.config}`, `--port=${stage.port(SPARE)}`, `--pidfile=${stage.pidfile(SPARE)}`];
  const under = ['/usr/bin/setsid', 'sh', '-c', 'exec "$@" </dev/null >/dev/null 2>&1', 'sh'];
  stage.program([stage.script, ...words], { under });
  const took = await untilReady(stage.port(SPARE));
  const worker = stage.worker(SPARE);
  signal(worker, 'SIGKILL');
  await until(() => !isAlive(worker) || Promise.reject(new Error('it does not end')));
  return took;
}

function killed(stage: Stage, index: number): Promise<number> {
  signal(stage.worker(index), 'SIGKILL');
  return untilReady(stage.port(index));
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

async function rest(run: Running): Promise<void> {
  await sleep(STEADY + 1000);
  const before = cpuOf(run.pid);
  await sleep(SECONDS * 1000);
  const spent = cpuOf(run.pid) - before;
  const share = (spent / (SECONDS * 1000)) * 100;
  console.log(`  at rest for ${SECONDS} s: ${spent.toFixed(1)} ms of CPU, ${share.toFixed(3)} % of a core`);
  const [status, maps] = [`/proc/${run.pid}/status`, `/proc/${run.pid}/smaps_rollup`];
  console.log(
    `  memory: RSS ${megabytes(status, 'VmRSS')} MB, of it anonymous ${megabytes(status, 'RssAnon')} MB; PSS ${megabytes(maps, 'Pss')} MB`,
  );
}

async function recover(stage: Stage): Promise<void> {
  const own: number[] = [];
  const back: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    own.push(await byHand(stage));
    back.push(await killed(stage, round % WORKERS));
  }
  const more = back.map((took, round) => took - (own[round] ?? Number.NaN));
  const shown = [median(own), median(back), median(more), Math.max(...more)].map((time) => time.toFixed(0));
  console.log(
    `  kill -9, ${ROUNDS} times: by hand ${shown[0]} ms, back after ${shown[1]} ms (medians); longer by ${shown[2]} ms, at most ${shown[3]} ms`,
  );
}

for (const daemonize of [false, true]) {
  const stage = await Stage.open({ workers: WORKERS, config: { daemonize } });
  try {
    const run = stage.begin('run', { limit: 600_000 });
    await run.said('all workers are running');
    console.log(`${WORKERS} workers, ${daemonize ? 'daemonized' : 'children of run'}`);
    await rest(run);
    await recover(stage);
    run.kill('SIGTERM');
    await run.outcome;
  } finally {
    await stage.close();
  }
}
