// One application: everything that the engine must know of its settings.

import type { Millis, Port } from './units.ts';
import type { Patience, WorkerSpec } from './worker.ts';

/** How a worker says that it is ready: the path it is asked for, and how its Server header may begin (empty: any). */
export interface Readiness {
  readonly path: string;
  readonly servers: readonly string[];
}

/** A command that is run for one port: program and arguments, without a shell. */
export type Hook = readonly [program: string, ...args: string[]];

/** How workers are replaced one after another. */
export interface Rolling {
  /** Workers replaced at a time: at least one, and never all, unless there is but one. */
  readonly batch: number;
  /** How long a new worker must stay alive before the next one is replaced. */
  readonly settle: Millis;
  /** Between the hook before a stop and SIGTERM. */
  readonly drain: Millis;
  readonly beforeStop: (port: Port) => Hook | undefined;
  readonly afterStart: (port: Port) => Hook | undefined;
  readonly hookWithin: Millis;
}

/** How workers are watched over by `run`. */
export interface Watching {
  /** Quick deaths in a row after which a worker is given up for a while. */
  readonly retries: number;
  /** How long a worker may owe an answer; undefined: for ever. */
  readonly hangsAfter: Millis | undefined;
}

export interface Application {
  /** The configuration's path as it is written, and made absolute. */
  readonly config: string;
  readonly configPath: string;
  /** The configured workers, by port. */
  readonly specs: readonly WorkerSpec[];
  /** What a worker on any port would be, for stale ones. */
  readonly specOf: (port: Port) => WorkerSpec;
  /** The names that a worker's pidfile may have in its argv; empty without a template. */
  readonly pidfilesOf: (port: Port) => readonly string[];
  /** Set when the configuration could not be read: then every worker of it is ours, whatever its template. */
  readonly anyTemplate: boolean;
  readonly readiness: Readiness;
  /** Whom workers run as, when root starts them as somebody else. */
  readonly workerUid: number | undefined;
  readonly patience: Patience;
  readonly rolling: Rolling;
  readonly watching: Watching;
}
