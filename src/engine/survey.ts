// A fresh look at all workers: the answer of `status`, and the base of every other command's exit status.

import type { Application } from '../core/application.ts';
import type { Survey } from '../core/event.ts';
import { classify } from '../core/worker.ts';
import type { Observer } from './observe.ts';

/** How every configured worker stands now, and which stale ones are alive. */
export async function survey(observer: Observer, application: Application): Promise<Survey> {
  observer.forget();
  const ports = application.specs.map((spec) => spec.port);
  const stale = observer.findStale();
  const sightings = await observer.look([
    ...ports.map((port) => ({ port, about: 'answer' as const, starter: undefined })),
    ...stale.map((port) => ({ port, about: 'life' as const, starter: undefined })),
  ]);
  const standings = sightings.map(classify);
  return {
    workers: ports.flatMap((port, index) => {
      const standing = standings[index];
      return standing === undefined ? [] : [{ port, standing }];
    }),
    stale: stale.flatMap((port, index) => {
      const id = sightings[ports.length + index]?.worker;
      return id === undefined ? [] : [{ port, id }];
    }),
  };
}
