// Random fleets among random strangers, and commands that are killed at any point: what must hold, holds.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { trials } from '../support/fuzz.ts';
import { Sim, type Verb } from '../support/sim.ts';
import {
  admit,
  command,
  PORTS,
  type Scene,
  type Stranger,
  scene,
  setScene,
  stranger,
} from '../support/sim-arbitraries.ts';
import { checkInvariants, checkStop, checkSurvey, isDeed, survivors } from '../support/sim-invariants.ts';

const scenes = fc.array(scene, { minLength: 1, maxLength: 6 });
const strangers = fc.array(stranger, { maxLength: 3 });

/** A machine on which the last scene may be that of a stale worker. */
function machine(all: readonly Scene[], isLastStale: boolean, who: readonly Stranger[]): Sim {
  // A renamed worker is known by its pidfile alone, and no configured port leads there when it is stale.
  const mayBeStale = isLastStale && all.length > 1 && all.at(-1)?.temper.name !== 'renamed';
  const count = mayBeStale ? all.length - 1 : all.length;
  const ports = PORTS.slice(0, count);
  const sim = new Sim({ ports, startTimeout: 2, sigtermTimeout: 1, sigkillTimeout: 1 });
  for (const [index, one] of all.entries()) setScene(sim, PORTS[index] ?? 0, one);
  for (const one of who) admit(sim, one);
  return sim;
}

async function run(sim: Sim, verb: Verb, killAt?: number): ReturnType<Sim['run']> {
  const ended = await sim.run(verb, killAt === undefined ? {} : { killAt });
  checkInvariants(sim, verb, ended);
  checkSurvey(sim, ended);
  if (verb === 'stop') checkStop(sim, ended);
  return ended;
}

test('any commands in any order, killed or not: no stranger is hurt, no worker is doubled, each ends in time', async () => {
  await fc.assert(
    fc.asyncProperty(
      scenes,
      fc.boolean(),
      strangers,
      fc.array(command, { minLength: 1, maxLength: 4 }),
      async (all, isLastStale, who, commands) => {
        const sim = machine(all, isLastStale, who);
        for (const { verb, killAt, pause } of commands) {
          await run(sim, verb, killAt);
          sim.kernel.pass(pause);
        }
      },
    ),
    trials(200),
  );
});

test('stop after any prefix of start or restart leaves nothing', async () => {
  await fc.assert(
    fc.asyncProperty(
      scenes,
      strangers,
      fc.constantFrom('start' as const, 'restart' as const),
      fc.integer({ min: 1, max: 400 }),
      fc.constantFrom(0, 7, 150),
      async (all, who, verb, killAt, pause) => {
        const sim = machine(all, false, who);
        await run(sim, verb, killAt);
        sim.kernel.pass(pause);
        const stopped = await run(sim, 'stop');
        // What somebody else starts again after the stop has ended is nobody's fault.
        const isPossible = all.every(
          ({ temper: { name, script } }) => name !== 'unkillable' && (script.respawnsAfter ?? 0) === 0,
        );
        if (isPossible) assert.deepEqual(stopped.outcome !== 'killed' && stopped.outcome.failures, []);
        sim.kernel.pass(3000);
        if (isPossible) assert.deepEqual(survivors(sim), []);
      },
    ),
    trials(120),
  );
});

test('start after a command that was killed leaves every port running whose worker is able to', async () => {
  await fc.assert(
    fc.asyncProperty(
      scenes,
      fc.constantFrom('start' as const, 'stop' as const, 'restart' as const),
      fc.integer({ min: 1, max: 400 }),
      async (all, verb, killAt) => {
        const sim = machine(all, false, []);
        const killed = await run(sim, verb, killAt);
        // A worker that answers until the moment it goes cannot be told from one that stays: it is let go first.
        const isGoing = killed.lines.some((line) => line.includes(' SIGTERM '));
        if (isGoing) sim.kernel.pass(30);
        const ended = await run(sim, 'start');
        sim.kernel.pass(3000);
        for (const [index, { temper }] of all.entries()) {
          if (!temper.able) continue;
          const port = PORTS[index] ?? 0;
          const survey = ended.outcome === 'killed' ? undefined : ended.outcome.survey;
          const standing = survey?.workers.find((worker) => worker.port === port)?.standing.kind;
          assert.equal(standing, 'running', `${port}, ${temper.name}`);
          const { lines } = await run(sim, 'status');
          assert.match(lines.join(), new RegExp(`${port} running`));
        }
      },
    ),
    trials(120),
  );
});

test('start twice is start once', async () => {
  await fc.assert(
    fc.asyncProperty(scenes, strangers, async (all, who) => {
      const sim = machine(all, false, who);
      const first = await run(sim, 'start');
      const running = first.outcome === 'killed' ? [] : (first.outcome.survey?.workers ?? []);
      sim.kernel.pass(500);
      const second = await run(sim, 'start');
      for (const { port, standing } of running) {
        if (standing.kind !== 'running' || !all[port - PORTS[0]]?.temper.able) continue;
        // A pidfile that was lost meanwhile is written again.
        const deeds = second.lines.filter(
          (line) => isDeed(line) && line.includes(`${port}`) && !line.includes(' write '),
        );
        assert.deepEqual(deeds, []);
      }
    }),
    trials(100),
  );
});

test('status changes nothing, and says the same twice', async () => {
  await fc.assert(
    fc.asyncProperty(scenes, fc.boolean(), strangers, async (all, isLastStale, who) => {
      const sim = machine(all, isLastStale, who);
      // Until whoever ends by himself, and comes back, has done so for the last time.
      sim.kernel.pass(60_000);
      const files = JSON.stringify([...sim.kernel.files]);
      const first = await run(sim, 'status');
      const second = await run(sim, 'status');
      assert.deepEqual(second.lines, first.lines);
      assert.equal(JSON.stringify([...sim.kernel.files]), files);
    }),
    trials(100),
  );
});
