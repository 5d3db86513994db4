// Every fault of every operation, during every action, on several machines: no exception, no crime, an end, an honest word,
// and the next command puts things right.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { summarize } from '../../src/core/event.ts';
import type { Ended, Sim, Verb } from '../support/sim.ts';
import { ACCIDENTS, accident, FAULTS, faulty, MACHINES, VERBS, WHEN } from '../support/sim-faults.ts';
import type { Meddle, Operation } from '../support/sim-host.ts';
import { checkInvariants, checkSurvey, survivors } from '../support/sim-invariants.ts';

const OPERATIONS = Object.keys(FAULTS) as Operation[];

/** Whether every configured port is held by a worker of ours. */
function allHeld(sim: Sim): boolean {
  return sim.settings.ports.every((port) =>
    sim.kernel.sockets.some((socket) => socket.port === port && [...socket.holders].some(({ truth }) => truth.ours)),
  );
}

/** A command that says that all went well must be right. */
function checkHonesty(sim: Sim, verb: Verb, { outcome }: Ended): void {
  if (outcome === 'killed' || outcome.failures.length > 0 || outcome.survey === undefined) return;
  if (verb === 'stop') assert.deepEqual(survivors(sim), []);
  // What dies while the command looks for the last time is seen by the next one.
  const isStill = sim.kernel.deaths.every(({ at }) => at < sim.kernel.scannedAt);
  if (isStill && summarize(outcome.survey) === 'all-running') assert.ok(allHeld(sim), 'not all run');
}

/** The next commands find the world as it is, and put it right. */
async function checkRecovery(sim: Sim): Promise<void> {
  sim.kernel.pass(100);
  const started = await sim.run('start');
  checkInvariants(sim, 'start', started);
  checkSurvey(sim, started);
  assert.deepEqual(started.outcome !== 'killed' && started.outcome.failures, []);
  assert.ok(allHeld(sim), 'start has not put things right');
  const stopped = await sim.run('stop');
  checkInvariants(sim, 'stop', stopped);
  assert.deepEqual(survivors(sim), []);
}

async function checkCell(machine: () => Sim, verb: Verb, meddle: (sim: Sim) => Meddle): Promise<void> {
  const sim = machine();
  const ended = await sim.run(verb, { meddle: meddle(sim) });
  checkInvariants(sim, verb, ended);
  checkHonesty(sim, verb, ended);
  await checkRecovery(sim);
}

for (const [name, machine] of Object.entries(MACHINES)) {
  suite(name, () => {
    for (const verb of VERBS) {
      for (const op of OPERATIONS) {
        for (const fault of FAULTS[op]) {
          test(`${verb}: ${op} ${fault}`, async () => {
            for (const when of WHEN) await checkCell(machine, verb, () => faulty(op, fault, when));
          });
        }
        test(`${verb}: accidents just before ${op}`, async () => {
          for (const kind of ACCIDENTS) {
            for (const nth of [1, 2, 4]) await checkCell(machine, verb, (sim) => accident(sim, kind, op, nth));
          }
        });
      }
    }
  });
}
