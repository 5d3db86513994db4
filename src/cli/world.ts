// What a command has to do with: the machine, the people, and whoever sends it signals.

import type { Tell } from '../core/event.ts';
import type { Interruption } from '../engine/drive.ts';
import type { Host } from '../host/host.ts';

/** Signals that a program may be sent to say something to it. */
export type Signal = 'SIGHUP' | 'SIGINT' | 'SIGTERM' | 'SIGUSR2';

/** What a command has to do with. */
export interface World {
  /** `VERSION (commit …)`. */
  readonly version: string;
  readonly host: Host;
  readonly tell: Tell;
  readonly interruption: Interruption;
  /** From now on signals are handed over, and do not interrupt any more. */
  onSignal(take: (signal: Signal) => void): void;
  /** From now on a reader of our messages that does not read them loses some, and holds nobody up. */
  neverBlock(): void;
  /** Writes what was asked for to stdout; the errno of what has lost any of it, else undefined. */
  print(text: string): string | undefined;
  /** The columns of the terminal that stdout is; undefined: it is none, or does not say. */
  columns(): number | undefined;
  /** What the system refused, in words, if the error is of its making; undefined for a bug of ours. */
  faultOf(error: unknown): string | undefined;
}
