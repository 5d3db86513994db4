// Whom a command, or a whole `run`, has launched and seen. A worker may wipe its words and its environment long before it
// listens: then nothing that it shows tells whose it is, but it is the same process as before.

import { isWiped } from '../core/identity.ts';
import type { Port } from '../core/units.ts';
import { isSame, type ProcessIdentity, type ProcessSight } from '../core/worker.ts';
import type { Processes, Starter } from '../host/host.ts';

interface Launched {
  readonly starter: Starter;
  /** When it started, in clock ticks since boot; undefined where the system would not tell. */
  startTicks: number | undefined;
}

/** Remembers the last launch and the last worker of each port. */
export class Acquaintance {
  readonly #launched = new Map<Port, Launched>();
  readonly #seen = new Map<Port, ProcessIdentity>();

  /** Remembers a launch, even if the system refuses a look at it; throws then. */
  noteLaunch(port: Port, starter: Starter, processes: Processes): void {
    const launched: Launched = { starter, startTicks: undefined };
    this.#launched.set(port, launched);
    launched.startTicks = processes.inspect(starter.pid)?.id.startTicks;
  }

  /** Remembers whom a look has found. */
  noteSeen(port: Port, { id }: ProcessSight): void {
    this.#seen.set(port, id);
  }

  /** When the last launch of a port was, in clock ticks since boot. */
  launchedAt(port: Port): number | undefined {
    return this.#launched.get(port)?.startTicks;
  }

  /** The child of ours on a port, as long as it lives. */
  childOf(port: Port): Starter | undefined {
    const starter = this.#launched.get(port)?.starter;
    return starter?.state().kind === 'running' ? starter : undefined;
  }

  /** A process that is known to be the worker of a port although it does not say so any more. */
  findWiped(port: Port, processes: Processes): ProcessSight | undefined {
    const child = this.childOf(port);
    // The pid of a child is nobody else's before we have heard of its end.
    const own = child === undefined ? undefined : processes.inspect(child.pid);
    if (own !== undefined && isWiped(own)) return own;
    const seen = this.#seen.get(port);
    const again = seen === undefined ? undefined : processes.inspect(seen.pid);
    return again !== undefined && seen !== undefined && isSame(again.id, seen) && isWiped(again) ? again : undefined;
  }
}
