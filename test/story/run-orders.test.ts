// A `run`, told as stories: what signals and other commands ask of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONFIG, SETTINGS, simulated } from '../support/adapters-world.ts';
import type { Sim } from '../support/sim.ts';
import { survivors } from '../support/sim-invariants.ts';
import { type Lived, liveThrough, type TimeTable } from '../support/sim-resident.ts';
import { outdent } from '../support/sim-story.ts';

const QUICK: readonly string[] = ['--settle=0'];

function children(): Sim {
  const sim = simulated();
  for (const port of [8000, 8001, 8002]) sim.scripts.set(port, { daemonizes: 'never' });
  return sim;
}

/** A run that comes up at 0.3 and is told to end after 20 seconds. */
async function orders(table: TimeTable, sim = children(), words = QUICK): Promise<Lived> {
  const lived = await liveThrough(sim, [...table, [20_000, ({ signal }) => signal('SIGTERM')]], { words });
  assert.deepEqual([lived.exit, sim.kernel.crimes], [0, []]);
  return lived;
}

/** What was told, done and heard in between; without what is done to pidfiles. */
function during({ lines }: Lived, from: number, to: number): string {
  return lines
    .filter((line) => Number.parseFloat(line) >= from && Number.parseFloat(line) < to && !line.includes(' remove '))
    .join('\n');
}

test('SIGHUP: a rolling restart, of which the service manager is told', async () => {
  const lived = await orders([[5000, ({ signal }) => signal('SIGHUP')]]);
  assert.equal(
    during(lived, 5, 20),
    outdent(`
      5.0 SIGHUP
      5.0 debug: stopping worker 8000
      5.0 SIGTERM worker 8000
      5.0 debug: start worker 8000
      5.0 launch 8000
      5.3 debug: stopping worker 8001
      5.3 SIGTERM worker 8001
      5.4 debug: start worker 8001
      5.4 launch 8001
      5.7 info: all workers are running`),
  );
  const reloading = lived.notified.findIndex((words) => words.startsWith('RELOADING=1'));
  assert.ok(reloading > 0 && lived.notified.indexOf('READY=1 STATUS=2/2 workers are running', reloading) > reloading);
});

test('SIGHUP with more workers: the new one comes first; with fewer: the one too many goes last', async () => {
  const lived = await orders([
    [
      5000,
      ({ configure, signal }) => {
        configure("start_port = 8000\nworkers_count = 3\npidfile_template = '/run/app/%(port)s.pid'\n");
        signal('SIGHUP');
      },
    ],
    [8000, ({ kill }) => kill(8002)],
    [
      10_000,
      ({ configure, signal }) => {
        configure("start_port = 8000\nworkers_count = 1\npidfile_template = '/run/app/%(port)s.pid'\n");
        signal('SIGHUP');
      },
    ],
  ]);
  const deeds = during(lived, 5, 20)
    .split('\n')
    .filter((line) => /launch|SIGTERM|info|kill/.test(line))
    .map((line) => line.replace(/^\S+ /, ''));
  assert.deepEqual(deeds, [
    'launch 8002',
    'SIGTERM worker 8000',
    'launch 8000',
    'SIGTERM worker 8001',
    'launch 8001',
    'info: all workers are running',
    'somebody kills worker 8002',
    'error: worker on port 8002 (pid 104) was killed by SIGKILL',
    'launch 8002',
    'info: worker on port 8002 is running again (pid 107)',
    'SIGTERM worker 8000 (2)',
    'launch 8000',
    'SIGTERM worker 8001 (2)',
    'SIGTERM worker 8002 (2)',
    'info: all workers are running',
  ]);
  assert.equal(lived.notified.at(-2), 'STOPPING=1 EXTEND_TIMEOUT_USEC=220200000 STATUS=1/1 workers are running');
});

test('SIGHUP with a configuration that is broken: it says so, and changes nothing', async () => {
  const lived = await orders([
    [
      5000,
      ({ configure, signal }) => {
        configure('workers_count = "many"\n');
        signal('SIGHUP');
      },
    ],
    [6000, ({ kill }) => kill(8001)],
  ]);
  assert.equal(
    during(lived, 5, 20),
    outdent(`
      5.0 SIGHUP
      5.0 error: /etc/app/app.cfg:1:17: workers_count must be an int, got str 'many'
      6.0 somebody kills worker 8001
      6.0 error: worker on port 8001 (pid 103) was killed by SIGKILL
      6.0 debug: start worker 8001
      6.0 launch 8001
      6.3 info: worker on port 8001 is running again (pid 104)`),
  );
});

test('many SIGHUPs while one is at work: one more roll', async () => {
  const lived = await orders([
    [5000, ({ signal }) => signal('SIGHUP')],
    [5100, ({ signal }) => signal('SIGHUP')],
    [5200, ({ signal }) => signal('SIGHUP')],
  ]);
  assert.equal(during(lived, 5, 20).match(/launch 8000/g)?.length, 2);
});

test('stop, and start: the run stays, watches nobody, and watches again', async () => {
  const lived = await orders([
    [5000, ({ order }) => order('stop')],
    [9000, ({ order }) => order('start')],
    [12_000, ({ kill }) => kill(8000)],
  ]);
  assert.equal(
    during(lived, 5, 12),
    outdent(`
      5.0 warning: some of the workers are running, trying to kill
      5.0 > warning: some of the workers are running, trying to kill
      5.0 debug: stopping worker 8000
      5.0 > debug: stopping worker 8000
      5.0 SIGTERM worker 8000
      5.0 debug: stopping worker 8001
      5.0 > debug: stopping worker 8001
      5.0 SIGTERM worker 8001
      5.0 info: all workers are stopped
      5.0 stop: exit 0
      9.0 debug: start worker 8000
      9.0 > debug: start worker 8000
      9.0 launch 8000
      9.0 debug: start worker 8001
      9.0 > debug: start worker 8001
      9.0 launch 8001
      9.3 info: all workers are running
      9.3 start: exit 0`),
  );
  assert.match(during(lived, 12, 20), /worker on port 8000 is running again/);
});

test('orders are carried out one after another', async () => {
  const lived = await orders([
    [
      5000,
      ({ order }) => {
        order('restart');
        order('reload');
        order('restart-if-alive');
        order('launch');
      },
    ],
  ]);
  const ends = during(lived, 5, 20)
    .split('\n')
    .filter((line) => line.includes(': exit '));
  assert.deepEqual(
    ends.map((line) => line.replace(/^\S+ /, '')),
    ['restart: exit 0', 'reload: exit 0', 'restart-if-alive: exit 0', 'launch: exit 0, without a look'],
  );
});

test('what is no order, and an order with options that are not those of the run', async () => {
  const lived = await orders([
    [5000, ({ order }) => order('status')],
    [
      5500,
      ({ order }) =>
        order('launch', { script: '/usr/bin/frontik', config: '/etc/app/app.cfg', supervisor_settle: '9' }),
    ],
  ]);
  assert.equal(
    during(lived, 5, 20),
    outdent(`
      5.0 status: exit 1, without a look
      5.5 > warning: --supervisor_settle: the run goes by its own options, and not by this one: end it and start it anew
      5.5 warning: another worker already started on 8000
      5.5 > warning: another worker already started on 8000
      5.5 warning: another worker already started on 8001
      5.5 > warning: another worker already started on 8001
      5.5 launch: exit 0, without a look`),
  );
});

test('workers that are only launched are looked after all the same', async () => {
  const sim = children();
  const lived = await orders(
    [
      [5000, ({ order }) => order('stop')],
      [
        6000,
        ({ order }) => {
          sim.scripts.set(8000, { daemonizes: 'never', dies: 200 });
          order('launch');
        },
      ],
      [6300, () => sim.scripts.set(8000, { daemonizes: 'never' })],
    ],
    sim,
  );
  const told = during(lived, 6, 20);
  assert.match(told, /6\.0 launch: exit 0/);
  assert.match(told, /6\.2 error: worker on port 8000 failed to start/);
  assert.match(told, /worker on port 8000 is running again/);
  assert.match(told, /worker on port 8001 is running again/);
});

test('a roll that does not come up: the rest is as it was, and the broken one is tried again', async () => {
  const sim = children();
  const lived = await orders(
    [
      [
        5000,
        ({ order }) => {
          sim.scripts.set(8000, { daemonizes: 'never', dies: 50 });
          order('reload');
        },
      ],
      [5300, () => sim.scripts.set(8000, { daemonizes: 'never' })],
    ],
    sim,
  );
  const told = during(lived, 5, 20);
  assert.match(told, /> error: reload has stopped: 8000 is not running; 8001 is old/);
  assert.match(told, /reload: exit 1/);
  assert.match(told, /worker on port 8000 is running again/);
  assert.doesNotMatch(told, /SIGTERM worker 8001/);
});

test('told to end during a roll: the roll ends first, then all are stopped', async () => {
  const sim = children();
  const { exit, lines } = await liveThrough(sim, [
    [5000, ({ order }) => order('reload')],
    [6000, ({ order }) => order('start')],
    [6500, ({ signal }) => signal('SIGTERM')],
  ]);
  assert.equal(exit, 0);
  const answers = lines.filter((line) => /: exit |has stopped|declined/.test(line));
  assert.deepEqual(
    answers.map((line) => line.replace(/^\S+ /, '')),
    [
      'error: reload has stopped: 8000 is new; 8001 is not running',
      '> error: reload has stopped: 8000 is new; 8001 is not running',
      'reload: exit 1',
      'start: declined',
    ],
  );
  assert.deepEqual(
    sim.kernel.living().filter(({ truth }) => truth.ours),
    [],
  );
});

for (const [what, text] of [
  ['another pidfile template', "pidfile_template = '/run/other/%(port)s.pid'\n"],
  ['no pidfile template any more', ''],
] as const) {
  test(`${what}: refused while workers are there that nobody would know; taken when they are stopped`, async () => {
    const sim = children();
    const change: TimeTable[number][1] = ({ configure }) => configure(`start_port = 8000\nworkers_count = 2\n${text}`);
    const lived = await orders(
      [
        [4000, change],
        [5000, ({ signal }) => signal('SIGHUP')],
        [6000, ({ order }) => order('start')],
        [7000, ({ kill }) => kill(8000)],
        [9000, ({ order }) => order('stop')],
        [10_000, ({ order }) => order('start')],
      ],
      sim,
    );
    const refusal =
      "error: /etc/app/app.cfg: by these settings the workers on 8000, 8001 would be nobody's (is pidfile_template or supervisor_user another one?): stop them first, or start the run anew";
    assert.equal(
      during(lived, 5, 7),
      outdent(`
        5.0 SIGHUP
        5.0 ${refusal}
        6.0 ${refusal}
        6.0 > ${refusal}
        6.0 start: exit 2, without a look`),
    );
    assert.match(during(lived, 7, 9), /worker on port 8000 is running again/);
    assert.match(during(lived, 9, 10), /stop: exit 0$/);
    assert.match(during(lived, 10, 20), /start: exit 0$/);
    assert.deepEqual(survivors(sim), []);
  });
}

test('another user for the workers: refused while the old ones are there', async () => {
  const sim = children();
  const users = { app: { user: 'app', uid: 1000, gid: 1000 }, web: { user: 'web', uid: 1001, gid: 1001 } };
  const text = (user: string): string => `${SETTINGS}supervisor_user = '${user}'\n`;
  const lived = await liveThrough(
    sim,
    [
      [5000, ({ configure, signal }) => [configure(text('web')), signal('SIGHUP')]],
      [9000, ({ signal }) => signal('SIGTERM')],
    ],
    { machine: { users, files: { [CONFIG]: text('app') } } },
  );
  assert.match(during(lived, 5, 9), /^5\.0 SIGHUP\n5\.0 error: .* the workers on 8000, 8001 would be nobody's .*$/);
  assert.deepEqual([lived.exit, survivors(sim), sim.kernel.crimes], [0, [], []]);
});

test('a pidfile template where there was none: the workers are known without it, and are replaced', async () => {
  const sim = children();
  const lived = await liveThrough(
    sim,
    [
      [5000, ({ configure, signal }) => [configure(SETTINGS), signal('SIGHUP')]],
      [20_000, ({ signal }) => signal('SIGTERM')],
    ],
    { machine: { files: { [CONFIG]: 'start_port = 8000\nworkers_count = 2\n' } }, words: QUICK },
  );
  assert.equal(during(lived, 5, 20).match(/SIGTERM worker|launch/g)?.length, 4);
  assert.deepEqual([lived.exit, survivors(sim), sim.kernel.crimes], [0, [], []]);
});

test('told to end while somebody keeps hold of his answer: he is not waited for', async () => {
  const { exit, lines } = await liveThrough(children(), [
    [5000, ({ order }) => order('start', {}, 'never')],
    [6000, ({ signal }) => signal('SIGTERM')],
  ]);
  assert.deepEqual([exit, lines.at(-1)?.split(' ')[0]], [0, '6.0']);
});

test('no worker has come up, and the end takes its time: an order is declined, and not forgotten', async () => {
  const sim = simulated();
  for (const port of [8000, 8001]) sim.scripts.set(port, { dies: 50 });
  sim.scripts.set(8007, { sigterm: 3000 });
  sim.running(8007);
  const { exit, lines } = await liveThrough(sim, [[2000, ({ order }) => order('start')]]);
  assert.equal(exit, 1);
  assert(lines.includes('2.0 start: declined'), lines.join('\n'));
});
