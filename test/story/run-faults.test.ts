// A `run` on a machine that refuses it something, or whose workers do not do what they are told: it forgets nobody.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulated } from '../support/adapters-world.ts';
import type { Sim } from '../support/sim.ts';
import type { Meddle } from '../support/sim-host.ts';
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
