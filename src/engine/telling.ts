// The order in which a person reads what happens to many workers at once: by port, without holding anything back for long.

import type { Event, Tell } from '../core/event.ts';
import { after, type Instant, millis, type Port } from '../core/units.ts';

/** How long the words on a failed worker may wait for those on its lower neighbours. */
const HOLD = millis(1000);

interface Held {
  readonly until: Instant;
  readonly events: Event[];
}

/** Tells what is noticed of workers. That one died on its way up waits for its lower neighbours, for they often follow. */
export class Teller {
  readonly #tell: Tell;
  readonly #held = new Map<Port, Held>();

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  /** Tells an event, unless it has to wait, or to follow one that does. */
  notice(event: Event & { kind: 'notice' }, isDecidedBelow: (port: Port) => boolean, now: Instant): void {
    const held = this.#held.get(event.port);
    if (held !== undefined) held.events.push(event);
    else if (isAboutDeath(event) && !isDecidedBelow(event.port))
      this.#held.set(event.port, { until: after(now, HOLD), events: [event] });
    else this.#tell(event);
  }

  /** Tells what need not wait any more; `isDecided` says it of every port below. */
  flush(isDecidedBelow: (port: Port) => boolean, now: Instant): void {
    for (const [port, { until, events }] of [...this.#held].toSorted(([one], [other]) => one - other)) {
      if (now < until && !isDecidedBelow(port)) continue;
      this.#held.delete(port);
      for (const event of events) this.#tell(event);
    }
  }
}

function isAboutDeath({ notice }: Event & { kind: 'notice' }): boolean {
  return (
    notice.kind === 'failed-to-start' &&
    (notice.failure.kind === 'died-while-starting' || notice.failure.kind === 'not-ready-in-time')
  );
}
