// How long a whole command may take: every wait has a deadline, so their sum has one.

import type { Rolling } from './application.ts';
import { MOST_WAVES } from './journey.ts';
import { type Millis, millis } from './units.ts';
import type { Patience } from './worker.ts';

/** What launching and looking at one worker may cost on a slow machine, beside all waiting. */
const WORK_PER_WORKER = 200;
const WORK = 10_000;

/** An upper bound for any command on an application of so many workers. */
export function longestCommand(patience: Patience, workers: number): Millis {
  return millis(longestStop(patience) + longestStart(patience) + WORK + WORK_PER_WORKER * workers);
}

/** An upper bound for a rolling restart: missing workers, then batch by batch, then stale workers, with their hooks. */
export function longestReload(patience: Patience, rolling: Rolling, workers: number): Millis {
  const { batch, settle, drain, hookWithin } = rolling;
  const rounds = Math.ceil(workers / batch) + 1;
  // Each hook once, and once more where a batch is put back into rotation.
  const round = drain + settle + longestStop(patience) + longestStart(patience) + 3 * batch * hookWithin;
  return millis(rounds * round + longestCommand(patience, workers));
}

function longestStop({ termGrace, killGrace }: Patience): number {
  return (MOST_WAVES + 1) * (termGrace + killGrace);
}

/** A worker that is found alive may go away at the end of its time, and is then launched anew, once. */
function longestStart(patience: Patience): number {
  return 2 * patience.startWithin + longestStop(patience);
}
