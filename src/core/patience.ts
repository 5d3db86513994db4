// How long a whole command may take: every wait has a deadline, so their sum has one.

import { MOST_WAVES } from './journey.ts';
import { type Millis, millis } from './units.ts';
import type { Patience } from './worker.ts';

/** What launching and looking at one worker may cost on a slow machine, beside all waiting. */
const WORK_PER_WORKER = 200;
const WORK = 10_000;

/** An upper bound for any command on an application of so many workers. */
export function longestCommand({ startWithin, termGrace, killGrace }: Patience, workers: number): Millis {
  const stop = (MOST_WAVES + 1) * (termGrace + killGrace);
  // A worker that is found alive may go away at the end of its time, and is then launched anew, once.
  const start = 2 * startWithin + stop;
  return millis(stop + start + WORK + WORK_PER_WORKER * workers);
}
