// A `run` whose workers are on their way while something else happens: it does not forget them, nor what they have open.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulated } from '../support/adapters-world.ts';
import type { Sim } from '../support/sim.ts';
import type { Operation } from '../support/sim-host.ts';
import { survivors } from '../support/sim-invariants.ts';
import { holderOf, liveThrough, type Stage } from '../support/sim-resident.ts';
import type { Script } from '../support/sim-worker.ts';

const CHILD: Partial<Script> = { daemonizes: 'never' };

function machine(script: Partial<Script>): Sim {
  const sim = simulated();
  for (const port of [8000, 8001, 8002]) sim.scripts.set(port, script);
  return sim;
}

/** Those who wipe their words and their environment long before they listen. */
const WIPING: readonly (readonly [string, Partial<Script>])[] = [
  ['child', { daemonizes: 'never', writesPidfile: 110, renames: 200, listens: 2000, ready: 2500 }],
  [
    'child without a pidfile',
    { daemonizes: 'never', writesPidfile: 'never', renames: 200, listens: 2000, ready: 2500 },
  ],
  ['daemon', { daemonizes: 100, writesPidfile: 110, renames: 200, listens: 2000, ready: 2500 }],
];

for (const [who, script] of WIPING) {
  for (const what of ['start', 'restart', 'reload', 'SIGHUP', 'stop', 'SIGTERM'] as const) {
    test(`a ${who} that has wiped its words and boots again is not forgotten: ${what}`, async () => {
      const sim = machine(script);
      let serving: unknown;
      const lived = await liveThrough(
        sim,
        [
          [15_000, ({ kill }) => kill(8000)],
          [
            16_000,
            ({ order, signal }) => {
              if (what === 'SIGHUP' || what === 'SIGTERM') signal(what);
              else order(what);
            },
          ],
          [
            30_000,
            () => {
              if (what !== 'stop' && what !== 'SIGTERM')
                serving = [8000, 8001].map((port) => holderOf(sim, port).state);
              else serving = survivors(sim);
            },
          ],
          [31_000, ({ signal }) => signal('SIGTERM')],
        ],
        { words: ['--settle=0'] },
      );
      const story = lived.lines.join('\n');
      assert.deepEqual([sim.kernel.crimes, lived.exit, survivors(sim)], [[], 0, []], story);
      assert.deepEqual(serving ?? [], what === 'stop' || what === 'SIGTERM' ? [] : ['alive', 'alive'], story);
      assert.doesNotMatch(story, /is held by|failed to start/);
    });
  }

  test(`a ${who} that has wiped its words is not forgotten when the first start is interrupted`, async () => {
    const sim = machine(script);
    const lived = await liveThrough(sim, [[1000, ({ signal }) => signal('SIGTERM')]]);
    assert.deepEqual([sim.kernel.crimes, survivors(sim)], [[], []], lived.lines.join('\n'));
  });
}

test('a daemon that has wiped its words before anybody saw it is waited for', async () => {
  const sim = machine({ daemonizes: 100, writesPidfile: 103, renames: 101, listens: 2000, ready: 2500 });
  const lived = await liveThrough(sim, [
    [15_000, ({ order }) => order('stop')],
    [20_000, ({ order }) => order('launch')],
    [60_000, ({ signal }) => signal('SIGTERM')],
  ]);
  const story = lived.lines.join('\n');
  assert.deepEqual([sim.kernel.crimes, lived.exit, survivors(sim)], [[], 0, []], story);
  assert.doesNotMatch(story, /is held by|failed to start/);
});

const REFUSED: readonly (readonly [string, Operation, (stage: Stage) => void])[] = [
  ['order to restart', 'scan', ({ order }) => order('restart')],
  ['order to restart', 'inspect', ({ order }) => order('restart')],
  ['rolling restart', 'scan', ({ order }) => order('reload')],
  [
    'new start of two that are gone',
    'inspect',
    ({ kill }) => {
      kill(8000);
      kill(8001);
    },
  ],
];

for (const [what, op, happens] of REFUSED) {
  for (const after of [1, 2]) {
    test(`no log stays open when ${op} is refused after launch ${after} in the middle of a ${what}`, async () => {
      const sim = machine(CHILD);
      const open = new Set<number>();
      let launches = Number.NEGATIVE_INFINITY;
      let refused = 0;
      const lived = await liveThrough(
        sim,
        [
          [
            5000,
            (stage) => {
              launches = 0;
              happens(stage);
            },
          ],
          [60_000, ({ signal }) => signal('SIGTERM')],
        ],
        {
          onLaunch: (starter) => {
            launches += 1;
            open.add(starter.pid);
            const release = starter.release.bind(starter);
            Object.assign(starter, {
              release: () => {
                open.delete(starter.pid);
                release();
              },
            });
          },
          meddle: (call) => {
            if (call.op !== op || launches < after || refused > 0) return undefined;
            refused += 1;
            throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE', syscall: op });
          },
        },
      );
      const story = lived.lines.join('\n');
      assert.deepEqual([refused, lived.exit, [...open]], [1, 0, []], story);
    });
  }
}

function configuration(count: number): string {
  return `start_port = 8000\nworkers_count = ${count}\npidfile_template = '/run/app/%(port)s.pid'\n`;
}

/** Ends both workers, and those that are started again, until they are mended. */
function breakAll({ sim, kill }: Stage): void {
  for (const port of [8000, 8001]) sim.scripts.set(port, { ...CHILD, dies: 50 });
  kill(8000);
  kill(8001);
}

function mendAll({ sim }: Stage): void {
  for (const port of [8000, 8001]) sim.scripts.set(port, CHILD);
}

test('a port that is configured while all rest is started with the others, at once', async () => {
  const sim = machine(CHILD);
  const lived = await liveThrough(sim, [
    [12_000, breakAll],
    [
      14_000,
      (stage) => {
        mendAll(stage);
        stage.configure(configuration(3));
        stage.signal('SIGHUP');
      },
    ],
    [15_000, ({ signal }) => signal('SIGTERM')],
  ]);
  assert.equal(lived.notified.at(-3), 'STATUS=3/3 workers are running', lived.lines.join('\n'));
});

test('a reload ends the rest of those that are given up', async () => {
  const sim = machine(CHILD);
  const lived = await liveThrough(sim, [
    [12_000, breakAll],
    [
      100_000,
      (stage) => {
        mendAll(stage);
        stage.signal('SIGHUP');
      },
    ],
    [101_000, ({ signal }) => signal('SIGTERM')],
  ]);
  const story = lived.lines.join('\n');
  assert.match(story, /is given up/);
  assert.match(story, /^100\.\d info: worker on port 8000 is running again/m);
  assert.match(story, /^100\.\d info: worker on port 8001 is running again/m);
});

test('a reload whose first look, after those for its settings, is refused starts a port that is new', async () => {
  const sim = machine(CHILD);
  let passes = Number.NaN;
  const lived = await liveThrough(
    sim,
    [
      [
        12_000,
        ({ configure, signal }) => {
          passes = 0;
          configure(configuration(3));
          signal('SIGHUP');
        },
      ],
      [20_000, ({ signal }) => signal('SIGTERM')],
    ],
    {
      meddle: ({ op }) => {
        if (op !== 'scan') return undefined;
        passes += 1;
        if (passes !== 3) return undefined;
        throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE', syscall: op });
      },
    },
  );
  assert.match(lived.lines.join('\n'), /^12\.\d info: worker on port 8002 is running again/m);
});

test('nothing is started by a reload after a stop', async () => {
  const sim = machine(CHILD);
  const lived = await liveThrough(sim, [
    [12_000, ({ order }) => order('stop')],
    [
      13_000,
      ({ configure, signal }) => {
        configure(configuration(3));
        signal('SIGHUP');
      },
    ],
    [20_000, ({ signal }) => signal('SIGTERM')],
  ]);
  const later = lived.lines.slice(lived.lines.findIndex((line) => line.includes('SIGHUP')));
  assert.ok(later.some((line) => line.includes('nothing to reload')));
  assert.ok(!later.some((line) => line.includes('launch')), later.join('\n'));
});
