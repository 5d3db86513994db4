// A `run`, told as stories: whom it takes for a worker that runs, and what it does about one that does not answer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CONFIG, simulated } from '../support/adapters-world.ts';
import { Sim } from '../support/sim.ts';
import { type Circumstances, holderOf, type Lived, liveThrough, type TimeTable } from '../support/sim-resident.ts';
import type { Script } from '../support/sim-worker.ts';

const HOUR = 3_600_000;
const UNREADY: Partial<Script> = { daemonizes: 'never', answer: { sight: 'unready', after: 2 } };

function children(ports: readonly number[] = [8000, 8001]): Sim {
  const sim = simulated();
  for (const port of ports) sim.scripts.set(port, { daemonizes: 'never' });
  return sim;
}

function configuration(count: number): string {
  return `start_port = 8000\nworkers_count = ${count}\npidfile_template = '/run/app/%(port)s.pid'\n`;
}

/** A run that is told to end at `end`, and does so as it should. */
async function until(end: number, sim: Sim, table: TimeTable, given: Circumstances = {}): Promise<Lived> {
  const lived = await liveThrough(sim, [...table, [end, ({ signal }) => signal('SIGTERM')]], given);
  assert.deepEqual([lived.exit, sim.kernel.crimes], [0, []], lived.lines.join('\n'));
  return lived;
}

/** Lets the worker of a port answer no more. */
function hang({ sim }: { readonly sim: Sim }): void {
  holderOf(sim, 8001).answer = () => ({ sight: 'ready', after: 1_000_000 });
}

/** The lines that match, without their times. */
function told({ lines }: Lived, what: RegExp): string[] {
  return lines.filter((line) => what.test(line)).map((line) => line.replace(/^\S+ /, ''));
}

test('one hangs once an hour: it is started again at once each time', async () => {
  const table = Array.from({ length: 7 }, (_, index): TimeTable[number] => [(index + 1) * HOUR, hang]);
  const lived = await until(8 * HOUR, children(), table, { words: ['--hang_timeout=5'] });
  assert.equal(told(lived, /has not answered/).length, 7);
  assert.equal(told(lived, /running again/).length, 7);
  assert.deepEqual(told(lived, /given up|started again in/), []);
});

test('one hangs as soon as it has come up: its rests grow, and it is given up', async () => {
  const sim = children();
  // Whatever comes up there answers the questions of a start, and hardly one that comes later.
  const soon = Array.from({ length: 600 }, (_, index): TimeTable[number] => [
    index * 1000,
    () => {
      const isUp = sim.kernel.sockets.some(({ port }) => port === 8001);
      if (isUp) hang({ sim });
    },
  ]);
  const lived = await until(600_000, sim, soon, { words: ['--start-retries=3'] });
  assert.deepEqual(told(lived, /given up|started again in/).slice(0, 3), [
    'warning: worker on port 8001 is started again in 1.0 s',
    'warning: worker on port 8001 is started again in 2.0 s',
    'error: worker on port 8001 went away 4 times in a row and is given up: it is tried again in 300.0 s',
  ]);
});

for (const every of [60_000, 85_000]) {
  test(`one hangs, and somebody says start every ${every / 1000} s: it is restarted all the same`, async () => {
    const starts = Array.from({ length: 8 }, (_, index): TimeTable[number] => [
      5000 + index * every,
      ({ order }) => order('start'),
    ]);
    const lived = await until(8 * every, children(), [[3000, hang], ...starts]);
    assert.equal(told(lived, /has not answered/).length, 1);
    assert.equal(told(lived, /running again/).length, 1);
  });
}

test('no local port is left for ten minutes: nobody is taken for one that hangs', async () => {
  const sim = children();
  let isShort = false;
  const table: TimeTable = [
    [60_000, () => (isShort = true)],
    [660_000, () => (isShort = false)],
  ];
  const lived = await until(700_000, sim, table, {
    meddle: ({ op }) => (op === 'probe' && isShort ? 'EADDRNOTAVAIL' : undefined),
  });
  assert.deepEqual(told(lived, /launch|cannot ask/), [
    'launch 8000',
    'launch 8001',
    'warning: run: this machine cannot ask workers whether they answer: EADDRNOTAVAIL',
  ]);
  assert.match(lived.notified.at(-2) ?? '', /STOPPING=1 .*STATUS=2\/2 workers are running$/);
});

test('somebody else starts a worker in the place of a dead one, which never gets ready: it is stopped and replaced', async () => {
  const sim = children();
  const lived = await until(
    120_000,
    sim,
    [
      [
        5000,
        ({ kill }) => {
          kill(8001);
          sim.scripts.set(8001, UNREADY);
          sim.launch(8001);
          sim.scripts.set(8001, { daemonizes: 'never' });
        },
      ],
    ],
    { words: ['--start_timeout=5'] },
  );
  assert.deepEqual(told(lived, /has not answered|SIGTERM worker 8001|launch 8001|again/), [
    'launch 8001',
    'error: worker on port 8001 (pid 104) has not answered for 30 s: it is restarted',
    'SIGTERM worker 8001 (2)',
    'warning: worker on port 8001 is started again in 1.0 s',
    'launch 8001',
    'info: worker on port 8001 is running again (pid 105)',
    'SIGTERM worker 8001 (3)',
  ]);
});

test('fewer workers are configured, and the others run on: they do not count', async () => {
  const lived = await until(20_000, children([8000, 8001, 8002]), [
    [
      4000,
      ({ configure, order }) => {
        configure(configuration(3));
        order('start');
      },
    ],
    [
      8000,
      ({ configure, order }) => {
        configure(configuration(1));
        order('start');
      },
    ],
  ]);
  assert.deepEqual(lived.notified.slice(-3), [
    'STATUS=1/1 workers are running',
    'STOPPING=1 EXTEND_TIMEOUT_USEC=220200000 STATUS=1/1 workers are running',
    'STATUS=0/1 workers are running',
  ]);
});

test('one is alive and not ready: it counts when it is', async () => {
  const sim = children();
  sim.scripts.set(8001, UNREADY);
  sim.running(8001);
  const lived = await until(
    80_000,
    sim,
    [
      [40_000, ({ signal }) => signal('SIGUSR2')],
      [
        50_000,
        () => {
          holderOf(sim, 8001).answer = () => ({ sight: 'ready', after: 2 });
        },
      ],
    ],
    { words: ['--start_timeout=5', '--hang_timeout=60'] },
  );
  assert.ok(
    lived.lines.includes('40.0 info: worker on port 8001: alive (pid 101) but not ready'),
    lived.lines.join('\n'),
  );
  const statuses = lived.notified.map((words) => /STATUS=(\S+)/.exec(words)?.[1]);
  assert.deepEqual(
    statuses.filter((status, index) => status !== statuses[index - 1]),
    ['0/2', '1/2', '2/2', '0/2'],
  );
});

test('a hundred workers that run: no more are asked at once than by a command', async () => {
  const ports = Array.from({ length: 100 }, (_, index) => 8000 + index);
  const sim = new Sim({ ports });
  for (const port of ports) sim.scripts.set(port, { daemonizes: 'never', answer: { sight: 'ready', after: 50 } });
  const coming = (): void => {
    sim.kernel.mostProbes = 0;
  };
  await until(40_000, sim, [[20_000, coming]], { machine: { files: { [CONFIG]: configuration(100) } } });
  assert.equal(sim.kernel.mostProbes, 64);
});

test('workers that were replaced are forgotten', async () => {
  setFlagsFromString('--expose-gc');
  const launched: WeakRef<object>[] = [];
  let left = 0;
  const restarts = Array.from({ length: 20 }, (_, index): TimeTable[number] => [
    5000 + index * 2000,
    ({ order }) => order('restart'),
  ]);
  const counting: TimeTable[number] = [
    59_000,
    () => {
      runInNewContext('gc()');
      left = launched.filter((each) => each.deref() !== undefined).length;
    },
  ];
  await until(60_000, children(), [...restarts, counting], {
    onLaunch: (starter) => launched.push(new WeakRef(starter)),
  });
  assert.deepEqual([launched.length, left], [42, 2]);
});
