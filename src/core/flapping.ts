// How long a worker that went away rests before it is started again. One that dies again and again must cost its machine
// little, and one that served for a while must be back at once.

import { type Millis, millis, seconds } from './units.ts';

/** A worker that has served for so long did not die quickly. */
export const STEADY = seconds(10);
const FIRST_REST = 500;
const LONGEST_REST = 30_000;
/** How long a worker is left alone that was given up. */
const LONG_PAUSE = 300_000;
/** Rests differ by up to this part, so that workers that died together do not all boot together. */
const SPREAD = 0.25;

/** What follows from a death. `deaths` counts quick ones in a row, this one included. */
export interface Rest {
  readonly deaths: number;
  readonly wait: Millis;
  readonly isGivenUp: boolean;
}

/**
 * What follows when a worker went away, or was ended since it hung, that had been ready for `lived` as far as is known (0: it
 * never was). `deaths` are its quick deaths before, `chance` is from 0 to 1. One that was ready is back at once; then rests
 * double, until it is given up for a long pause.
 */
export function restAfterDeath(deaths: number, lived: Millis, retries: number, chance: number): Rest {
  if (lived >= STEADY) return { deaths: 0, wait: millis(0), isGivenUp: false };
  const now = deaths + 1;
  if (now > retries) return { deaths: now, wait: spread(LONG_PAUSE, chance), isGivenUp: true };
  const doublings = lived > 0 ? now - 2 : now - 1;
  const rest = doublings < 0 ? 0 : Math.min(FIRST_REST * 2 ** doublings, LONGEST_REST);
  return { deaths: now, wait: spread(rest, chance), isGivenUp: false };
}

function spread(rest: number, chance: number): Millis {
  return millis(Math.round(rest * (1 - SPREAD + 2 * SPREAD * chance)));
}
