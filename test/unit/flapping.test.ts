import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { restAfterDeath, STEADY } from '../../src/core/flapping.ts';
import { millis } from '../../src/core/units.ts';
import { trials } from '../support/fuzz.ts';

/** Rests of a worker that dies again and again, with the middle of all chances. */
function rests(lived: number, retries: number, times: number): string[] {
  const found: string[] = [];
  let deaths = 0;
  for (let time = 0; time < times; time += 1) {
    const rest = restAfterDeath(deaths, millis(lived), retries, 0.5);
    ({ deaths } = rest);
    found.push(`${rest.wait}${rest.isGivenUp ? ' given up' : ''}`);
  }
  return found;
}

test('one that was ready is back at once, then rests double, then it is given up', () => {
  assert.deepEqual(rests(1, 5, 7), ['0', '500', '1000', '2000', '4000', '300000 given up', '300000 given up']);
});

test('one that was never ready is not tried again at once', () => {
  assert.deepEqual(rests(0, 3, 4), ['500', '1000', '2000', '300000 given up']);
});

test('rests grow no further than half a minute', () => {
  assert.deepEqual(rests(1, 20, 12).slice(6), ['16000', '30000', '30000', '30000', '30000', '30000']);
});

test('one that has served for a while begins anew', () => {
  assert.deepEqual(restAfterDeath(5, STEADY, 5, 0.5), { deaths: 0, wait: 0, isGivenUp: false });
});

test('every rest has bounds, whatever the chance, and so have the starts within a time', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 0, max: STEADY - 1 }),
      (retries, chances, lived) => {
        let deaths = 0;
        let before = -1;
        for (const chance of chances) {
          const rest = restAfterDeath(deaths, millis(lived), retries, chance);
          assert.equal(rest.deaths, deaths + 1);
          assert.equal(rest.isGivenUp, rest.deaths > retries);
          assert.ok(Number.isSafeInteger(rest.wait));
          if (rest.isGivenUp) assert.ok(rest.wait >= 225_000 && rest.wait <= 375_000);
          else assert.ok(rest.wait >= 0 && rest.wait <= 37_500);
          // Doubling outweighs the spread as long as the rests double.
          if (!rest.isGivenUp && rest.wait < 20_000) assert.ok(rest.wait > before || rest.wait === 0);
          before = rest.wait;
          ({ deaths } = rest);
        }
      },
    ),
    trials(100),
  );
});
