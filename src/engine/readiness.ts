// Whether workers answer, and whether it is really they who do: who holds the port. Asks no more often than it must, since a
// booting worker has better things to do, and nobody waits for a worker that owes an answer.

import type { Readiness } from '../core/application.ts';
import { after, type Instant, type Millis, millis, type Port } from '../core/units.ts';
import { type HttpSight, isSame, type ProcessSight } from '../core/worker.ts';
import type { Host } from '../host/host.ts';

/** Probes under way at once: more would make the workers of a small machine miss their second. */
const MOST_PROBES = 64;
/** Between two questions to one worker. */
const PAUSE = millis(25);
/** The same for one that has no socket: a child of it may have the port, but hardly. */
const LONG_PAUSE = millis(250);

/** What workers were asked and have yet to answer. */
type Owed = ReadonlyMap<Port, Promise<HttpSight>>;

/** The probes of one command. */
export class Prober {
  readonly #host: Host;
  readonly #readiness: Readiness;
  readonly #owed = new Map<Port, Promise<HttpSight>>();
  readonly #answers = new Map<Port, HttpSight>();
  readonly #askedAt = new Map<Port, Instant>();

  constructor(readiness: Readiness, host: Host) {
    this.#readiness = readiness;
    this.#host = host;
  }

  /** Another process has the port now: earlier answers mean nothing. */
  forget(port: Port): void {
    this.#answers.delete(port);
    this.#askedAt.delete(port);
    this.#owed.delete(port);
  }

  /** Asks as many as may be asked at once, and lets the questions go out: what is done next is done while they answer. */
  async begin(ports: readonly Port[]): Promise<Owed> {
    const begun = new Map<Port, Promise<HttpSight>>();
    for (const port of ports) {
      const owed = this.#owed.get(port) ?? (this.#owed.size < MOST_PROBES ? this.#ask(port) : undefined);
      if (owed !== undefined) begun.set(port, owed);
    }
    if (begun.size > 0) await this.#host.clock.turn();
    return begun;
  }

  /** Asks all who have not been asked, and waits until each has answered or had its second. */
  async finish(ports: readonly Port[], begun: Owed): Promise<ReadonlyMap<Port, HttpSight>> {
    const answers = new Map<Port, HttpSight>();
    const isOwed = (port: Port): number => Number(begun.has(port) || this.#owed.has(port));
    const queue = ports.toSorted((one, other) => isOwed(other) - isOwed(one)).values();
    const askNext = async (): Promise<void> => {
      // An answer that is still owed is as fresh as a new one, and nobody is asked twice at once.
      for (const port of queue) answers.set(port, await (begun.get(port) ?? this.#owed.get(port) ?? this.#ask(port)));
    };
    await Promise.all(Array.from({ length: Math.min(MOST_PROBES, ports.length) }, askNext));
    return answers;
  }

  /** The latest answers. Waits up to `wait` for those that are due; a worker that owes one for longer is silent. */
  async latest(workers: ReadonlyMap<Port, ProcessSight>, wait: Millis): Promise<ReadonlyMap<Port, HttpSight>> {
    // Whoever was asked longest ago comes first, so that silent workers do not keep the others from being asked.
    const queue = [...workers].toSorted(([one], [other]) => this.#lastAsked(one) - this.#lastAsked(other));
    for (const [port, worker] of queue) if (this.#isDue(port, worker)) void this.#ask(port);
    const owed = [...workers.keys()].flatMap((port) => this.#owed.get(port) ?? []);
    if (owed.length > 0) await Promise.race([Promise.all(owed), this.#host.clock.sleep(wait)]);
    return new Map(
      [...workers.keys()].map((port) => [
        port,
        this.#answers.get(port) ?? (this.#owed.has(port) ? 'silent' : 'unasked'),
      ]),
    );
  }

  #lastAsked(port: Port): number {
    return this.#askedAt.get(port) ?? -1;
  }

  #isDue(port: Port, worker: ProcessSight): boolean {
    const askedAt = this.#askedAt.get(port);
    if (this.#owed.has(port) || this.#owed.size >= MOST_PROBES) return false;
    if (askedAt === undefined) return true;
    const now = this.#host.clock.now();
    if (now < after(askedAt, PAUSE)) return false;
    return now >= after(askedAt, LONG_PAUSE) || this.#host.sockets.holdsAny(worker);
  }

  #ask(port: Port): Promise<HttpSight> {
    this.#askedAt.set(port, this.#host.clock.now());
    const asking = this.#host.sockets.probe(port, this.#readiness);
    this.#owed.set(port, asking);
    const settle = (sight?: HttpSight): void => {
      // A question to an earlier process on the port: forget() has been called since.
      if (this.#owed.get(port) !== asking) return;
      this.#owed.delete(port);
      if (sight !== undefined) this.#answers.set(port, sight);
    };
    // What goes wrong with it is told to whoever waits for it; the next look asks again.
    asking.then(settle, () => settle());
    return asking;
  }
}

/** Which workers are known to hold their ports: a worker that listens goes on doing so. */
export class Owners {
  readonly #known = new Map<Port, ProcessSight>();

  /** Whether the worker is known to hold its port. */
  isKnown(port: Port, worker: ProcessSight): boolean {
    const known = this.#known.get(port);
    return known !== undefined && isSame(known.id, worker.id);
  }

  /** Looks the workers' ports up; as little of the list as it takes. What is returned is not held by its worker itself. */
  check(workers: ReadonlyMap<Port, ProcessSight>, host: Host): Map<Port, ProcessSight> {
    const open = new Map([...workers].filter(([port, worker]) => !this.isKnown(port, worker)));
    if (open.size === 0) return open;
    host.sockets.listeners((listener) => {
      const worker = open.get(listener.port);
      if (worker !== undefined && host.sockets.holds(worker, listener)) {
        this.#known.set(listener.port, worker);
        open.delete(listener.port);
      }
      return open.size === 0;
    });
    return open;
  }
}
