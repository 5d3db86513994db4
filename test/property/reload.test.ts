// Rolling restarts of random fleets: somebody always serves, and each roll ends.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { longestReload } from '../../src/core/patience.ts';
import { trials } from '../support/fuzz.ts';
import { Sim } from '../support/sim.ts';
import { checkInvariants } from '../support/sim-invariants.ts';
import type { Script } from '../support/sim-worker.ts';

const FIRST = 8000;

/** Workers that come up, each in its own time, and go when they are told to, or after SIGKILL. */
const able: fc.Arbitrary<Partial<Script>> = fc.record({
  daemonizes: fc.constantFrom<Script['daemonizes']>('never', 100),
  listens: fc.integer({ min: 150, max: 400 }),
  ready: fc.integer({ min: 400, max: 1500 }),
  sigterm: fc.constantFrom<Script['sigterm']>(5, 300, 900, 'never'),
  hangsUp: fc.constantFrom<Script['hangsUp']>('at once', 'at the end'),
});

const broken: fc.Arbitrary<Partial<Script>> = fc.constantFrom<Partial<Script>>(
  { dies: 50 },
  { dies: 900 },
  { ready: 'never' },
  { listens: 'never', ready: 'never' },
);

const fleet = fc.record({
  scripts: fc.array(able, { minLength: 2, maxLength: 6 }),
  batch: fc.integer({ min: 1, max: 3 }),
  settle: fc.constantFrom(0, 1, 2),
  drain: fc.constantFrom(0, 0, 1),
  hooks: fc.boolean(),
});

interface Fleet {
  readonly scripts: readonly Partial<Script>[];
  readonly batch: number;
  readonly settle: number;
  readonly drain: number;
  readonly hooks: boolean;
}

function machine({ scripts, batch, ...rolling }: Fleet): Sim {
  const ports = scripts.map((_, index) => FIRST + index);
  const sim = new Sim({
    ...rolling,
    batch: Math.min(batch, ports.length - 1),
    ports,
    startTimeout: 3,
    sigtermTimeout: 1,
    scripts: Object.fromEntries(ports.map((port, index) => [port, scripts[index] ?? {}])),
  });
  sim.running(...ports);
  return sim;
}

/** How many ports answer as a ready worker does. */
function countReady(sim: Sim): number {
  return sim.kernel.sockets.filter(({ holders }) => {
    const [holder] = holders;
    return holder?.truth.ours === true && holder.answer().sight === 'ready' && holder.answer().after < 1000;
  }).length;
}

test('never fewer than all but a batch are ready, each worker is new afterwards, and it ends in time', async () => {
  await fc.assert(
    fc.asyncProperty(fleet, async (given) => {
      const sim = machine(given);
      const { ports, batch } = sim.settings;
      const before = new Set(sim.kernel.living().map(({ id }) => id.pid));
      let least = ports.length;
      const ended = await sim.run('reload', {
        meddle: () => {
          least = Math.min(least, countReady(sim));
          return undefined;
        },
      });
      checkInvariants(sim, 'reload', ended);
      assert.ok(least >= ports.length - batch, `only ${least} of ${ports.length} were ready, with a batch of ${batch}`);
      assert.equal(countReady(sim), ports.length);
      const old = sim.kernel.living().filter(({ id, truth }) => truth.role === 'worker' && before.has(id.pid));
      assert.deepEqual(old, []);
      const { patience, rolling, specs } = sim.application;
      assert.ok(ended.took <= longestReload(patience, rolling, specs.length));
    }),
    trials(150),
  );
});

test('new code that does not come up costs one batch, and the rest is as old as before', async () => {
  await fc.assert(
    fc.asyncProperty(fleet, broken, async (given, script) => {
      const sim = machine(given);
      const { ports, batch } = sim.settings;
      const before = new Map(sim.kernel.sockets.map(({ port, holders }) => [port, [...holders][0]?.id.pid]));
      for (const port of ports) sim.scripts.set(port, { ...script, sigterm: 5 });
      const ended = await sim.run('reload');
      checkInvariants(sim, 'reload', ended);
      const kept = sim.kernel.sockets.filter(({ port, holders }) => before.get(port) === [...holders][0]?.id.pid);
      // One that dies after a while may have been taken for a good one when nobody waited whether it stays.
      if (given.settle > 0 || script.dies !== 900)
        assert.ok(kept.length >= ports.length - batch, `${kept.length} kept`);
      assert.ok(ended.outcome === 'killed' || ended.outcome.failures.length > 0 || script.dies === 900);
    }),
    trials(120),
  );
});
