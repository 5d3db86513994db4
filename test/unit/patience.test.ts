import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { longestCommand } from '../../src/core/patience.ts';
import { seconds } from '../../src/core/units.ts';
import type { Patience } from '../../src/core/worker.ts';
import { trials } from '../support/fuzz.ts';

const USUAL: Patience = { startWithin: seconds(60), termGrace: seconds(4), killGrace: seconds(5) };

test('the longest command under the defaults takes some minutes', () => {
  assert.equal(longestCommand(USUAL, 4), 220_800);
});

test('its bound is that of a restart in which everything takes its whole time', () => {
  const times = fc.integer({ min: 0, max: 86_400 });
  fc.assert(
    fc.property(times, times, times, fc.integer({ min: 0, max: 65_535 }), (start, term, kill, workers) => {
      const patience = { startWithin: seconds(start), termGrace: seconds(term), killGrace: seconds(kill) };
      const most = longestCommand(patience, workers);
      // Stop (SIGTERM, SIGKILL), start, a worker that is found alive and dies at the end, and what is stopped again.
      assert(most >= 1000 * (term + kill + 2 * start + term + kill));
      assert(Number.isSafeInteger(most));
      assert(most < longestCommand(patience, workers + 1));
    }),
    trials(100),
  );
});
