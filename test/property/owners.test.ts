// Whoever calls, whoever owns the workers: nobody's process is touched by one who may not, and nothing is half done.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { trials } from '../support/fuzz.ts';
import { Sim, type Verb } from '../support/sim.ts';
import { PORTS } from '../support/sim-arbitraries.ts';
import { checkInvariants, checkStop, isDeed } from '../support/sim-invariants.ts';
import { bear } from '../support/sim-worker.ts';

const APP = 700;
const CALLER = 500;
const MALLORY = 666;

const verb: fc.Arbitrary<Verb> = fc.constantFrom('start', 'stop', 'restart', 'status');
const owner = fc.constantFrom(undefined, 0, CALLER, APP, MALLORY);

interface Stage {
  readonly owners: readonly (number | undefined)[];
  readonly directoryOwner: number;
  readonly workerUid: number | undefined;
}

const stage: fc.Arbitrary<Stage> = fc.record({
  owners: fc.array(owner, { minLength: 1, maxLength: 4 }),
  directoryOwner: fc.constantFrom(0, APP),
  workerUid: fc.constantFrom(undefined, APP),
});

/** Workers of several owners; one of an owner who does not count is a stranger that looks like a worker. */
function machine({ owners, directoryOwner, workerUid }: Stage, caller: number): Sim {
  const ports = PORTS.slice(0, owners.length);
  const sim = new Sim({ ports, workerUid, startTimeout: 2, sigtermTimeout: 1, sigkillTimeout: 1 });
  sim.kernel.directories.set('/run/app', directoryOwner);
  const trusted = new Set([0, caller, directoryOwner, workerUid]);
  for (const [index, uid] of owners.entries()) {
    const port = PORTS[index] ?? 0;
    if (uid === undefined) continue;
    if (trusted.has(uid)) bear(sim.kernel, sim.birth(port, { uid }), sim.scriptOf(port));
    else sim.stranger(`look-alike on ${port}`, { ...sim.looks(port), uids: [uid, uid] });
  }
  sim.kernel.pass(1000);
  return sim;
}

test('root acts on all that count, and on nobody else', async () => {
  await fc.assert(
    fc.asyncProperty(stage, verb, async (setting, word) => {
      const sim = machine(setting, 0);
      const ended = await sim.run(word);
      checkInvariants(sim, word, ended);
      if (word === 'stop') checkStop(sim, ended);
      const looks = setting.owners.some(
        (uid) => uid !== undefined && ![0, setting.directoryOwner, setting.workerUid].includes(uid),
      );
      assert.equal(
        ended.events.some(({ kind }) => kind === 'look-alike'),
        looks,
      );
    }),
    trials(100),
  );
});

test('an ordinary user acts on his own workers only, and does all or nothing', async () => {
  await fc.assert(
    fc.asyncProperty(stage, verb, async (setting, word) => {
      const sim = machine({ ...setting, workerUid: undefined }, CALLER);
      const others = setting.owners.filter((uid) => uid === 0 || (uid === APP && setting.directoryOwner === APP));
      const ended = await sim.run(word, { uid: CALLER });
      checkInvariants(sim, word, ended);
      const forbidden = ended.events.filter(({ kind }) => kind === 'forbidden');
      assert.equal(forbidden.length, word === 'status' ? 0 : others.length);
      if (forbidden.length > 0) assert.deepEqual(ended.lines.filter(isDeed), []);
      assert.ok(sim.kernel.signals.every(({ process }) => process.uids[0] === CALLER));
    }),
    trials(100),
  );
});
