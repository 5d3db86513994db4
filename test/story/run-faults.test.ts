// A `run` on a machine that refuses it something, or whose workers do not do what they are told: it forgets nobody.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulated } from '../support/adapters-world.ts';
import type { Sim } from '../support/sim.ts';
import type { Meddle } from '../support/sim-host.ts';
import { survivors } from '../support/sim-invariants.ts';
import { type Lived, liveThrough, type TimeTable } from '../support/sim-resident.ts';
import type { Script } from '../support/sim-worker.ts';

function children(script: Partial<Script> = {}): Sim {
  const sim = simulated();
  for (const port of [8000, 8001]) sim.scripts.set(port, { daemonizes: 'never', ...script });
  return sim;
}

/** A machine that refuses so many looks in a row, from when it is told to. */
function refusing(times: number): { readonly meddle: Meddle; readonly begin: () => void } {
  let left = 0;
  return {
    begin: () => {
      left = times;
    },
    meddle: ({ op }) => {
      if (op !== 'scan' || left === 0) return undefined;
      left -= 1;
      throw Object.assign(new Error("EMFILE: too many open files, scandir '/proc'"), {
        code: 'EMFILE',
        syscall: 'scandir',
      });
    },
  };
}

/** The configured ports on which nobody listens. */
function unserved(sim: Sim): number[] {
  return [8000, 8001].filter((port) => !sim.kernel.sockets.some((socket) => socket.port === port));
}

/** A run that ends after a minute as it should; what it told comes out in one piece. */
async function aMinute(sim: Sim, table: TimeTable, meddle?: Meddle): Promise<Lived & { readonly text: string }> {
  const lived = await liveThrough(sim, [...table, [60_000, ({ signal }) => signal('SIGTERM')]], {
    words: ['--settle=0'],
    ...(meddle === undefined ? {} : { meddle }),
  });
  assert.deepEqual([lived.exit, sim.kernel.crimes], [0, []]);
  return { ...lived, text: lived.lines.join('\n') };
}

test('one look is refused during an order: the workers are looked after as before', async () => {
  const sim = children();
  const { meddle, begin } = refusing(1);
  const { text } = await aMinute(
    sim,
    [
      [
        5000,
        ({ order }) => {
          begin();
          order('start');
        },
      ],
      [10_000, ({ kill }) => kill(8001)],
    ],
    meddle,
  );
  assert.match(text, /5\.0 start: exit 1/);
  assert.match(text, /10\.\d info: worker on port 8001 is running again/);
});

for (const [what, outcome, expected] of [
  ['restart', 'all workers are back', []],
  ['reload', 'all workers are back', []],
  ['stop', 'nobody is started for it', [8000, 8001]],
] as const) {
  test(`one look is refused between the first signal and the end of a ${what}: ${outcome}`, async () => {
    const sim = children();
    const { meddle, begin } = refusing(1);
    let isSent = false;
    const missed: number[] = [];
    const { text } = await aMinute(
      sim,
      [
        [5000, ({ order }) => order(what)],
        [59_000, () => missed.push(...unserved(sim))],
      ],
      (call) => {
        if (call.op === 'signal' && !isSent) {
          isSent = true;
          begin();
        }
        return meddle(call);
      },
    );
    assert.match(text, new RegExp(`run: Error: EMFILE.*\\n5\\.0 ${what}: exit 1`));
    assert.deepEqual(missed, expected);
  });
}

test('a worker survives SIGKILL in a reload, and goes away later: it is back', async () => {
  const sim = children();
  sim.scripts.set(8000, { daemonizes: 'never', sigterm: 'never', sigkill: 20_000 });
  const missed: number[] = [];
  const { text } = await aMinute(sim, [
    [5000, ({ signal }) => signal('SIGHUP')],
    [6000, () => sim.scripts.set(8000, { daemonizes: 'never' })],
    [59_000, () => missed.push(...unserved(sim))],
  ]);
  assert.match(text, /process 102 survived SIGKILL/);
  assert.deepEqual(missed, []);
});

test('looks are refused at the end: it is tried again until no worker is left', async () => {
  const sim = children();
  const { meddle, begin } = refusing(3);
  const { exit, lines } = await liveThrough(
    sim,
    [
      [
        5000,
        ({ signal }) => {
          begin();
          signal('SIGTERM');
        },
      ],
    ],
    { meddle },
  );
  const fault = "error: run: Error: EMFILE: too many open files, scandir '/proc'";
  assert.deepEqual(lines.slice(lines.indexOf('5.0 SIGTERM')), [
    '5.0 SIGTERM',
    `5.0 ${fault}`,
    `6.0 ${fault}`,
    `7.0 ${fault}`,
    '8.0 warning: some of the workers are running, trying to kill',
    '8.0 debug: stopping worker 8000',
    '8.0 SIGTERM worker 8000',
    '8.0 debug: stopping worker 8001',
    '8.0 SIGTERM worker 8001',
    '8.0 remove /run/app/8000.pid',
    '8.0 remove /run/app/8001.pid',
    '8.0 info: all workers are stopped',
    '8.0 close',
    '8.0 unlock',
  ]);
  assert.deepEqual([exit, survivors(sim)], [0, []]);
});

test('every look is refused at the end: it says so five times and fails, sooner if it is told twice', async () => {
  for (const [again, expected] of [
    [[], { exit: 1, faults: 5 }],
    [[[6500, ({ signal }) => signal('SIGTERM')]], { exit: 143, faults: 2 }],
  ] as const satisfies (readonly [TimeTable, unknown])[]) {
    const { meddle, begin } = refusing(Number.POSITIVE_INFINITY);
    const ending: TimeTable[number] = [
      5000,
      ({ signal }) => {
        begin();
        signal('SIGTERM');
      },
    ];
    const { exit, lines } = await liveThrough(children(), [ending, ...again], { meddle });
    assert.deepEqual({ exit, faults: lines.filter((line) => line.includes('EMFILE')).length }, expected);
  }
});

test('looks are refused during the first start: it is tried again, and what was launched is looked after', async () => {
  const sim = children();
  const { meddle, begin } = refusing(2);
  let isLaunched = false;
  const { text, notified } = await aMinute(sim, [[10_000, ({ kill }) => kill(8000)]], (call) => {
    if (call.op === 'launch' && !isLaunched) {
      isLaunched = true;
      begin();
    }
    return meddle(call);
  });
  assert.match(text, /EMFILE/);
  assert.match(text, /10\.\d info: worker on port 8000 is running again/);
  assert.ok(notified.includes('READY=1 STATUS=2/2 workers are running'), notified.join('\n'));
});

function configuration(count: number): string {
  return `start_port = 8000\nworkers_count = ${count}\npidfile_template = '/run/app/%(port)s.pid'\n`;
}

test('a port is not configured any more, whose worker rests: it is not started again', async () => {
  const sim = children();
  sim.scripts.set(8002, { daemonizes: 'never', dies: 50 });
  const { text } = await aMinute(sim, [
    [
      5000,
      ({ configure, signal }) => {
        configure(configuration(3));
        signal('SIGHUP');
      },
    ],
    [
      7000,
      ({ configure, signal }) => {
        configure(configuration(2));
        signal('SIGHUP');
      },
    ],
  ]);
  const reloads = text.split('SIGHUP');
  assert.deepEqual(
    reloads.map((part) => part.includes('launch 8002')),
    [false, true, false],
  );
});

test('the same while it ends: none is started in the middle of the stop, and none is left', async () => {
  const sim = children({ sigterm: 'never' });
  sim.scripts.set(8002, { daemonizes: 'never', dies: 50 });
  const { exit } = await liveThrough(sim, [
    [
      5000,
      ({ configure, order }) => {
        configure(configuration(3));
        order('start');
      },
    ],
    [
      5800,
      ({ configure, order }) => {
        configure(configuration(2));
        order('start');
        sim.scripts.set(8002, { daemonizes: 'never' });
      },
    ],
    [5900, ({ signal }) => signal('SIGTERM')],
  ]);
  assert.deepEqual([exit, survivors(sim)], [0, []]);
});
