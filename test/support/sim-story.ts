// A story: one command on a simulated machine, and everything that it told and did, as text.

import assert from 'node:assert/strict';
import type { Conditions, Ended, Sim, Verb } from './sim.ts';

/** Runs a command and compares the whole of what it told and did. Each line begins with tenths of a second. */
export async function plays(sim: Sim, verb: Verb, expected: string, conditions: Conditions = {}): Promise<Ended> {
  const ended = await sim.run(verb, conditions);
  assert.equal(ended.lines.join('\n'), outdent(expected));
  assert.deepEqual(sim.kernel.crimes, []);
  return ended;
}

/** The kinds of failures that a command ended with. */
export function failuresOf({ outcome }: Ended): string[] {
  return outcome === 'killed' ? ['killed'] : outcome.failures.map((failure) => failure.kind);
}

/** Lines without what sets them in, and without empty ones. */
export function outdent(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n');
}
