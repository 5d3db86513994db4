// Commands while the world moves: workers crash, pids are reused, pidfiles are stolen, ports are taken, at any call.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { trials } from '../support/fuzz.ts';
import { Sim, type Verb } from '../support/sim.ts';
import { PORTS, type Scene, scene, setScene } from '../support/sim-arbitraries.ts';
import { checkInvariants, survivors } from '../support/sim-invariants.ts';
import { mischief, runDisturbed } from '../support/sim-mischief.ts';

const verb: fc.Arbitrary<Verb> = fc.constantFrom('start', 'stop', 'restart', 'reload', 'status');
// A renamed worker is known by its pidfile alone: who loses that is lost, which the contract says.
const scenes = fc.array(
  scene.filter(({ temper }) => temper.name !== 'renamed'),
  { minLength: 1, maxLength: 4 },
);

function machine(all: readonly Scene[]): Sim {
  const ports = PORTS.slice(0, all.length);
  const sim = new Sim({ ports, startTimeout: 2, sigtermTimeout: 1, sigkillTimeout: 1 });
  for (const [index, one] of all.entries()) setScene(sim, PORTS[index] ?? 0, one);
  return sim;
}

test('whatever happens at whatever call: no stranger is hurt, nothing is doubled, each command ends', async () => {
  await fc.assert(
    fc.asyncProperty(
      scenes,
      fc.array(fc.tuple(verb, fc.array(mischief, { maxLength: 3 })), { minLength: 1, maxLength: 3 }),
      async (all, commands) => {
        const sim = machine(all);
        for (const [word, disturbances] of commands) {
          checkInvariants(sim, word, await runDisturbed(sim, word, disturbances));
        }
      },
    ),
    trials(250),
  );
});

test('when the world has come to rest, stop leaves nothing and start brings all that can run', async () => {
  await fc.assert(
    fc.asyncProperty(scenes, verb, fc.array(mischief, { maxLength: 3 }), async (all, word, disturbances) => {
      const sim = machine(all.filter(({ temper }) => temper.able));
      await runDisturbed(
        sim,
        word,
        disturbances.filter(({ deed }) => deed !== 'take port'),
      );
      sim.kernel.pass(100);
      const stopped = await sim.run('stop');
      checkInvariants(sim, 'stop', stopped);
      assert.deepEqual(survivors(sim), []);
      const started = await sim.run('start');
      checkInvariants(sim, 'start', started);
      assert.deepEqual(started.outcome !== 'killed' && started.outcome.failures, []);
    }),
    trials(150),
  );
});

test('interrupted at any moment: nothing is signalled, launched or removed afterwards, and it ends at once', async () => {
  await fc.assert(
    fc.asyncProperty(scenes, verb, fc.integer({ min: 0, max: 4000 }), async (all, word, interruptAt) => {
      const sim = machine(all);
      const ended = await sim.run(word, { interruptAt });
      checkInvariants(sim, word, ended);
      const when = ended.lines.findIndex((line) => line.endsWith(' interrupted'));
      if (when < 0) return;
      assert.deepEqual(
        ended.lines.slice(when).filter((line) => /SIG|launch|remove|write/.test(line)),
        [],
      );
      assert.ok(ended.took <= interruptAt + 1100, `interrupted at ${interruptAt}, ended at ${ended.took}`);
    }),
    trials(150),
  );
});
