// A whole `run`, told as stories: what it does when workers go away, hang or flap, and how it ends.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulated, twoRunning } from '../support/adapters-world.ts';
import type { Sim } from '../support/sim.ts';
import { holderOf, type Lived, liveThrough, type TimeTable } from '../support/sim-resident.ts';
import { outdent } from '../support/sim-story.ts';
import type { Script } from '../support/sim-worker.ts';

/** Two workers that do not daemonize: they are children of the run. */
function children(script: Partial<Script> = {}): Sim {
  const sim = simulated();
  for (const port of [8000, 8001]) sim.scripts.set(port, { daemonizes: 'never', ...script });
  return sim;
}

/** What happens between the first and the last second of a run that comes up at 0.3 and is told to end at `end`. */
async function story(sim: Sim, end: number, table: TimeTable, words: readonly string[] = []): Promise<string> {
  const lived = await liveThrough(sim, [...table, [end, ({ signal }) => signal('SIGTERM')]], { words });
  assert.deepEqual([lived.exit, sim.kernel.crimes], [0, []]);
  return between(lived, 'info: all workers are running', 'SIGTERM');
}

function between({ lines }: Lived, from: string, to: string): string {
  const begin = lines.findIndex((line) => line.slice(line.indexOf(' ') + 1) === from);
  const end = lines.findLastIndex((line) => line.slice(line.indexOf(' ') + 1) === to);
  assert.ok(begin >= 0 && end > begin, lines.join('\n'));
  return lines.slice(begin + 1, end).join('\n');
}

test('it starts all, says so to the service manager, and ends orderly', async () => {
  const sim = children();
  const { exit, lines, notified } = await liveThrough(sim, [[5000, ({ signal }) => signal('SIGINT')]]);
  assert.equal(exit, 0);
  assert.equal(
    lines.join('\n'),
    outdent(`
      0.0 debug: start worker 8000
      0.0 launch 8000
      0.0 debug: start worker 8001
      0.0 launch 8001
      0.3 info: all workers are running
      5.0 SIGINT
      5.0 warning: some of the workers are running, trying to kill
      5.0 debug: stopping worker 8000
      5.0 SIGTERM worker 8000
      5.0 debug: stopping worker 8001
      5.0 SIGTERM worker 8001
      5.0 remove /run/app/8000.pid
      5.0 remove /run/app/8001.pid
      5.0 info: all workers are stopped
      5.0 close
      5.0 unlock`),
  );
  assert.deepEqual(notified, [
    'STATUS=0/2 workers are running',
    'STATUS=1/2 workers are running',
    'STATUS=2/2 workers are running',
    'READY=1 STATUS=2/2 workers are running',
    'STOPPING=1 EXTEND_TIMEOUT_USEC=220400000 STATUS=2/2 workers are running',
    'STATUS=0/2 workers are running',
  ]);
});

test('a child is killed: it is started again at once', async () => {
  assert.equal(
    await story(children(), 5000, [[2005, ({ kill }) => kill(8001)]]),
    outdent(`
      2.0 somebody kills worker 8001
      2.0 error: worker on port 8001 (pid 103) was killed by SIGKILL
      2.0 debug: start worker 8001
      2.0 remove /run/app/8001.pid
      2.0 launch 8001
      2.3 info: worker on port 8001 is running again (pid 104)`),
  );
});

test('a daemon is killed, which is no child: the end of its connection tells', async () => {
  assert.equal(
    await story(simulated(), 5000, [[2040, ({ kill }) => kill(8001)]]),
    outdent(`
      2.0 somebody kills worker 8001
      2.0 error: worker on port 8001 (pid 107) is gone
      2.0 debug: start worker 8001
      2.0 remove /run/app/8001.pid
      2.0 launch 8001
      2.4 info: worker on port 8001 is running again (pid 110)`),
  );
});

test('workers of an earlier run are adopted, and watched', async () => {
  const sim = twoRunning();
  const { lines } = await liveThrough(sim, [
    [2000, ({ kill }) => kill(8000)],
    [4000, ({ signal }) => signal('SIGTERM')],
  ]);
  assert.deepEqual(lines.slice(0, 3), [
    '0.0 warning: another worker already started on 8000',
    '0.0 warning: another worker already started on 8001',
    '0.0 info: all workers are running',
  ]);
  assert.ok(lines.some((line) => line.includes('worker on port 8000 is running again')));
});

test('one flaps: rests grow, it is given up, tried again after a long pause, and the others serve', async () => {
  const sim = children();
  const told = await story(
    sim,
    330_000,
    [
      [
        20_000,
        ({ kill }) => {
          sim.scripts.set(8000, { daemonizes: 'never', dies: 50 });
          kill(8000);
        },
      ],
      [300_000, () => sim.scripts.set(8000, { daemonizes: 'never' })],
    ],
    ['--start-retries=3'],
  );
  const failed = [
    'error: worker on port 8000 failed to start',
    'error: worker on port 8000: it exited with status 1 before it was ready',
  ];
  const again = (at: string, rest: string): string[] => [
    `${at} debug: start worker 8000`,
    `${at} launch 8000`,
    ...failed.map((line) => `${at} ${line}`),
    `${at} ${rest}`,
  ];
  const lines = told.split('\n').filter((line) => !line.includes('remove '));
  assert.deepEqual(lines, [
    '20.0 somebody kills worker 8000',
    '20.0 error: worker on port 8000 (pid 102) was killed by SIGKILL',
    ...again('20.0', 'warning: worker on port 8000 is started again in 0.5 s').map((line) =>
      line.replace(/^20\.0 (error|warning)/, '20.1 $1'),
    ),
    ...again('20.6', 'warning: worker on port 8000 is started again in 1.0 s'),
    ...again('21.6', 'warning: worker on port 8000 is started again in 2.0 s').map((line) =>
      line.replace(/^21\.6 (error|warning)/, '21.7 $1'),
    ),
    ...again(
      '23.7',
      'error: worker on port 8000 went away 4 times in a row and is given up: it is tried again in 300.0 s',
    ).map((line) => line.replace(/^23\.7 error/, '23.8 error')),
    '323.8 debug: start worker 8000',
    '323.8 launch 8000',
    '324.1 info: worker on port 8000 is running again (pid 108)',
  ]);
  assert.equal(lines.filter((line) => line.includes('8001')).length, 0);
});

test('one does not answer any more: it is stopped, killed if need be, and started again', async () => {
  const sim = children({ sigterm: 'never' });
  const told = await story(sim, 60_000, [
    [
      5000,
      () => {
        holderOf(sim, 8000).answer = () => ({ sight: 'ready', after: 60_000 });
      },
    ],
  ]);
  assert.equal(
    told,
    outdent(`
      31.3 error: worker on port 8000 (pid 102) has not answered for 31 s: it is restarted
      31.3 debug: stopping worker 8000
      31.3 SIGTERM worker 8000
      35.3 debug: stopping worker 8000
      35.3 SIGKILL worker 8000
      35.3 remove /run/app/8000.pid
      35.3 debug: start worker 8000
      35.3 launch 8000
      35.6 info: worker on port 8000 is running again (pid 104)`),
  );
});

test('somebody else has taken the port of a worker that died: it is tried again until the port is free', async () => {
  const sim = children();
  const told = await story(sim, 20_000, [
    [
      2000,
      ({ kill }) => {
        kill(8000);
        sim.stranger('nginx', { listens: 8000 });
      },
    ],
    [2300, ({ kill }) => kill(8000)],
  ]);
  assert.equal(
    told,
    outdent(`
      2.0 somebody kills worker 8000
      2.0 error: worker on port 8000 (pid 102) was killed by SIGKILL
      2.0 error: port 8000 is held by nginx (pid 104)
      2.0 warning: worker on port 8000 is started again in 1.0 s
      2.3 somebody kills nginx
      3.0 debug: start worker 8000
      3.0 remove /run/app/8000.pid
      3.0 launch 8000
      3.3 info: worker on port 8000 is running again (pid 105)`),
  );
});

test('none comes up: there is nothing to stay for', async () => {
  const { exit, lines, notified } = await liveThrough(children({ dies: 50 }), []);
  assert.equal(exit, 1);
  assert.deepEqual(lines.slice(-6), [
    '0.1 error: worker on port 8001: it exited with status 1 before it was ready',
    '0.1 error: all workers are stopped',
    '0.1 error: no worker has come up, so there is nothing to watch over',
    '0.1 info: all workers are stopped',
    '0.1 close',
    '0.1 unlock',
  ]);
  assert.ok(!notified.some((words) => words.includes('READY=1')));
});

test('one of two comes up: it stays, says how many, and goes on trying', async () => {
  const sim = children();
  sim.scripts.set(8001, { daemonizes: 'never', dies: 50 });
  const { exit, lines, notified } = await liveThrough(sim, [
    [800, () => sim.scripts.delete(8001)],
    [5000, ({ signal }) => signal('SIGTERM')],
  ]);
  assert.equal(exit, 0);
  assert.ok(notified.includes('READY=1 STATUS=1/2 workers are running'), notified.join('\n'));
  assert.ok(lines.some((line) => line.includes('worker on port 8001 is running again')));
});

test('told to end while it starts: what it has launched is stopped again', async () => {
  const { exit, lines } = await liveThrough(children({ ready: 5000 }), [[1500, ({ signal }) => signal('SIGTERM')]]);
  assert.equal(exit, 0);
  assert.equal(lines.at(-3), '1.5 info: all workers are stopped');
});

test('told to end while it waits for its turn: that is an orderly end, and nothing was done', async () => {
  const { exit, lines } = await liveThrough(twoRunning(), [], { machine: { lock: { kind: 'interrupted' } } });
  assert.deepEqual([exit, lines], [0, []]);
});

test('told to end twice: it does not wait for workers that take their time', async () => {
  const sim = children({ sigterm: 3000 });
  const { exit } = await liveThrough(sim, [
    [2000, ({ signal }) => signal('SIGTERM')],
    [2500, ({ signal }) => signal('SIGTERM')],
  ]);
  assert.equal(exit, 143);
  assert.deepEqual(sim.alive(8000), ['worker 8000']);
});

test('asked how it is: one line a worker', async () => {
  const sim = children();
  sim.scripts.set(8001, { daemonizes: 'never', dies: 50 });
  const { lines } = await liveThrough(sim, [
    [3500, ({ signal }) => signal('SIGUSR2')],
    [5000, ({ signal }) => signal('SIGTERM')],
  ]);
  const begin = lines.indexOf('3.5 SIGUSR2');
  assert.deepEqual(lines.slice(begin + 1, begin + 4), [
    '3.5 info: worker on port 8000: running for 3 s (pid 102)',
    '3.5 info: worker on port 8001: started again in 0.5 s, after 3 quick deaths',
    '3.5 warning: some workers are running!',
  ]);
});
