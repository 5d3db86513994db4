// A fresh look at all workers: the answer of `status`, and the base of every other command's exit status.

import type { Survey } from '../core/event.ts';
import { classify } from '../core/worker.ts';
import type { Observer } from './observe.ts';

/** How every configured worker stands now, and which stale ones are alive. */
export async function survey(observer: Observer): Promise<Survey> {
  const seen = await observer.lookAtAll();
  return {
    workers: seen
      .filter(({ isStale }) => !isStale)
      .map(({ port, sighting }) => ({ port, standing: classify(sighting) })),
    stale: seen.flatMap(({ port, isStale, sighting: { worker } }) =>
      isStale && worker !== undefined ? [{ port, id: worker }] : [],
    ),
  };
}
