// One application: everything that the engine must know of its settings.

import type { Port } from './units.ts';
import type { Patience, WorkerSpec } from './worker.ts';

/** How a worker says that it is ready: the path it is asked for, and how its Server header may begin (empty: any). */
export interface Readiness {
  readonly path: string;
  readonly servers: readonly string[];
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
}
