// What a worker is, and what one look at the machine can tell about it. Values only.

import type { Instant, Millis, Pid, Port } from './units.ts';

/** A process, not just its number: pids are reused, the pair of pid and start time is not. */
export interface ProcessIdentity {
  readonly pid: Pid;
  /** Clock ticks between boot and the start of the process: field 22 of proc_pid_stat(5). */
  readonly startTicks: number;
}

/** Everything needed to launch one worker, and to know it again. */
export interface WorkerSpec {
  readonly port: Port;
  /** Program and arguments, without the ulimit wrapper. */
  readonly argv: readonly [program: string, ...args: string[]];
  /** The value of our environment marker: absolute path of the configuration, colon, port. */
  readonly marker: string;
  /** Absolute path, or undefined without a template. */
  readonly pidfile: string | undefined;
  readonly logfile: string | undefined;
  /** Where its first words go when there is no log file. */
  readonly firstWords: 'kept' | 'dropped';
  readonly openFiles: OpenFiles;
  readonly account: Account | undefined;
}

/** RLIMIT_NOFILE of a worker; see getrlimit(2). */
export interface OpenFiles {
  readonly soft: number;
  /** Whether the hard limit must be raised to the soft one, which takes CAP_SYS_RESOURCE. */
  readonly raiseHard: boolean;
}

/** Whom root becomes before a worker's program starts, as numbers. */
export interface Account {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
}

/** A process as /proc shows it. Missing on purpose: comm and exe, which are no identity. */
export interface ProcessSight {
  readonly id: ProcessIdentity;
  readonly parent: number;
  readonly session: number;
  readonly argv: readonly string[];
  /** The value of our environment marker, if it could be read and is there. */
  readonly marker: string | undefined;
  /** Real and effective user. */
  readonly uids: readonly [real: number, effective: number];
  /** Its working directory; read only where a relative path in its argv makes it matter. */
  readonly cwd: string | undefined;
}

/**
 * What lies at a pidfile's path. Unusable is what is no small regular file; garbled is one that names no process, an empty
 * one included. `writtenTicks` is when it was written, in clock ticks since boot, `writer` the user whose file it is.
 */
export type PidfileSight =
  | { readonly kind: 'none' }
  | { readonly kind: 'unusable'; readonly why: string }
  | { readonly kind: 'garbled' }
  | { readonly kind: 'names'; readonly pid: Pid; readonly writtenTicks: number; readonly writer: number };

/** Who listens on a TCP port. */
export type ListenerSight =
  | { readonly kind: 'none' }
  | { readonly kind: 'worker' }
  | { readonly kind: 'stranger'; readonly holder: Holder };

/** A process that holds a port and is no worker of ours; undefined where we may not see it. */
export type Holder = { readonly pid: number; readonly name: string } | undefined;

/** This machine would not connect to the worker, which may be well: the errno (no local port, no descriptor, no memory). */
export interface Unaskable {
  readonly unaskable: string;
}

/** How a worker answered: within time and as it should, otherwise, not at all; `unasked` if nothing listens on its port. */
export type HttpSight = 'unasked' | 'silent' | 'unready' | 'ready' | Unaskable;

/** All that one look tells about one port. */
export interface Sighting {
  readonly at: Instant;
  /** The worker, if it is alive. */
  readonly worker: ProcessIdentity | undefined;
  /** Further workers on the same port: two commands of the original could start them. */
  readonly rivals: readonly ProcessIdentity[];
  /** Processes with our marker in a session that a worker had. Never alive, and ended by `stop`. */
  readonly leftBehind: readonly ProcessIdentity[];
  readonly listener: ListenerSight;
  readonly http: HttpSight;
  readonly pidfile: PidfileSight;
  /** The process that this command launched here. */
  readonly starter: StarterSight;
}

export type StarterSight =
  | { readonly kind: 'never' }
  | { readonly kind: 'running' }
  | { readonly kind: 'exited'; readonly how: string };

/** How a worker stands: the only cases that exit codes know. Of one that could not be asked nobody knows whether it is ready. */
export type Standing =
  | { readonly kind: 'down' }
  | { readonly kind: 'unaskable'; readonly id: ProcessIdentity; readonly code: string }
  | { readonly kind: 'alive'; readonly id: ProcessIdentity }
  | { readonly kind: 'running'; readonly id: ProcessIdentity };

/** Says how a worker stands. A port that answers but is not held by the worker is not running. */
export function classify({ worker, listener, http }: Sighting): Standing {
  if (worker === undefined) return { kind: 'down' };
  if (typeof http === 'object') return { kind: 'unaskable', id: worker, code: http.unaskable };
  return { kind: listener.kind === 'worker' && http === 'ready' ? 'running' : 'alive', id: worker };
}

/** Whether both are the same process. */
export function isSame(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return one.pid === other.pid && one.startTicks === other.startTicks;
}

/** How long to wait for what. Every deadline of a command comes from these. */
export interface Patience {
  readonly startWithin: Millis;
  readonly termGrace: Millis;
  readonly killGrace: Millis;
}
