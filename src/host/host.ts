// The operating system as this program needs it; interfaces only. Tests put a simulated kernel here.

import type { Hook, Readiness } from '../core/application.ts';
import type { Level } from '../core/event.ts';
import type { Failure } from '../core/failure.ts';
import type { Instant, Millis, Pid, Port } from '../core/units.ts';
import type {
  Account,
  Holder,
  HttpSight,
  PidfileSight,
  ProcessIdentity,
  ProcessSight,
  StarterSight,
  WorkerSpec,
} from '../core/worker.ts';

export type Result<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

export interface Clock {
  /** Monotonic: unmoved by a change of the wall clock. */
  now(): Instant;
  sleep(wait: Millis): Promise<void>;
  /** Lets what has begun take its next step: connections are made, questions go out. */
  turn(): Promise<void>;
}

/** A launched worker, seen from its parent. */
export interface Starter {
  readonly pid: Pid;
  /** Whether it has ended, and how in words: `exited with status 1`, `was killed by SIGSEGV`. */
  state(): StarterSight;
  /** What it wrote since its launch, by line, the last few only. Reads what has been kept; see WorkerSpec.firstWords. */
  lastWords(): readonly string[];
  /** Why its log file is not used, if it is not. */
  readonly logTrouble?: string;
  /** Lets go of what was kept. */
  release(): void;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
}

export interface Processes {
  /** This process and its ancestors, and who runs it. */
  readonly self: { readonly pids: ReadonlySet<number>; readonly uid: number };
  /**
   * One pass over /proc: every process of our pid namespace, zombies left out, that carries our marker or has an argument
   * `--port=`. What vanishes while it is read is left out.
   */
  scan(): readonly ProcessSight[];
  /** One process, whatever it is; undefined when absent, a zombie, or in another pid namespace. */
  inspect(pid: Pid): ProcessSight | undefined;
  /** Whether that very process still lives; a zombie does not. */
  isAlive(id: ProcessIdentity): boolean;
  /** Looks again that it is still that process, then signals it. */
  signal(id: ProcessIdentity, signal: 'SIGTERM' | 'SIGKILL'): Result<'sent' | 'already-gone', Failure>;
  /** Starts a worker, detached, through the ulimit wrapper. */
  launch(spec: WorkerSpec): Promise<Result<Starter, Failure>>;
}

/** A listening TCP socket; `inode` names it in /proc/PID/fd. */
export interface Listener {
  readonly port: Port;
  readonly inode: string;
  readonly uid: number;
}

export interface Sockets {
  /**
   * Listening TCP sockets, IPv4 first: all of them, or as many as it takes until `isEnough` says so. To find the end of
   * the list the kernel walks a table that is megabytes large, so ending early saves milliseconds.
   */
  listeners(isEnough?: (listener: Listener) => boolean): readonly Listener[];
  /** Whether a process has that socket; where its descriptors may not be read, whether it has the socket's owner. */
  holds(process: ProcessSight, listener: Listener): boolean;
  /** Whether a process has any socket at all; true where its descriptors may not be read. */
  holdsAny(process: ProcessSight): boolean;
  /** Which process has the socket, looking at all of them. */
  holderOf(listener: Listener): Holder;
  /** Asks a worker whether it is ready; a second for the whole exchange. */
  probe(port: Port, readiness: Readiness): Promise<HttpSight>;
  /** Calls `onEnd` when the worker on a port goes away, or before that; the result takes it back. */
  attend(port: Port, onEnd: () => void): () => void;
}

/** What stands in the way of starting a program. */
export type ProgramSight =
  | { readonly kind: 'runnable'; readonly path: string }
  | { readonly kind: 'needs-interpreter'; readonly path: string; readonly why: string }
  | { readonly kind: 'missing' };

export interface Files {
  /** The working directory; undefined when it has been removed. */
  cwd(): string | undefined;
  /** Where a path leads in the end; itself if it leads nowhere. */
  target(path: string): string;
  readPidfile(path: string): PidfileSight;
  /** Removes a pidfile unless it has changed since it was seen. */
  removePidfile(path: string, seen: PidfileSight): Obstacle | undefined;
  /** Creates a pidfile; never writes through an existing name. */
  createPidfile(path: string, pid: Pid, owner: Account | undefined): Obstacle | undefined;
  /** The owner of the directory that a file is in, if there is one. */
  directoryOwner(path: string): number | undefined;
  /** Creates missing directories for a file; a complaint if it cannot be put there. */
  prepareDirectory(path: string, owner: Account | undefined): Result<undefined, Obstacle>;
  /** Whether prepareDirectory would work, changing nothing. */
  checkDirectory(path: string, owner: Account | undefined): Result<undefined, Obstacle>;
  read(path: string): Result<Uint8Array, Obstacle>;
  /** Makes a directory the working directory, of what is started too. */
  enter(path: string): Result<undefined, Obstacle>;
  /** Why root must not execute what stands in a file: who else may change it, or put another one in its place. */
  distrust(path: string): { readonly path: string; readonly why: string } | undefined;
  /** Looks a program up: a path, or a bare word that is searched on PATH, then in the working directory. */
  program(word: string): ProgramSight;
}

/** Why a file cannot be had, with the system's word for it. */
export interface Obstacle {
  readonly path: string;
  readonly code: string;
}

export interface Accounts {
  /** A user and group by name or number, as root would become them. */
  find(user: string | undefined, group: string | undefined): Result<Account, string>;
  /** The name of a user, or its number. */
  nameOf(uid: number): string;
}

export interface Environment {
  /** A variable of the environment; undefined when it is not set. */
  get(name: string): string | undefined;
  /** Sets a variable for this process and what it starts; removes it where there is no value. */
  set(name: string, value: string | undefined): void;
}

/** A file to be executed by a real Python. */
export interface PythonQuestion {
  readonly kind: 'config' | 'launcher';
  /** The interpreter: a path, or a word that PATH knows. */
  readonly python: string;
  /** The file. Its text is read anew, so that it is the one whose owner was looked at. */
  readonly path: string;
  /** The names that are wanted; all others are not told. */
  readonly names: readonly string[];
  /** `sys.argv`. */
  readonly argv: readonly string[];
  /** `sys.path[0]`: an absolute directory. */
  readonly importsFrom: string | undefined;
}

/** A value that Python told; of what no option takes, only its type and how Python writes it. */
export type PythonValue =
  | { readonly kind: 'none' }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'str'; readonly value: string }
  | { readonly kind: 'object'; readonly type: string; readonly repr: string };

/** A line and a column of a file, both from 1. */
export interface PythonPlace {
  readonly line: number;
  readonly col: number;
}

/** What the file came to when it was executed. */
export interface PythonResult {
  readonly values: readonly { readonly name: string; readonly value: PythonValue; readonly at: PythonPlace }[];
  /** Wanted names that have an annotation and no value. */
  readonly unset: readonly { readonly name: string; readonly at: PythonPlace }[];
  /** The module whose supervisor() was called. */
  readonly called: string | undefined;
  /** The first module of a supervisor that was imported. */
  readonly imported: string | undefined;
  /** What workers inherit: another directory, variables of the environment. */
  readonly effects: readonly (
    | { readonly kind: 'directory'; readonly path: string }
    | { readonly kind: 'variable'; readonly name: string; readonly value: string | undefined }
  )[];
  /** `sys.argv` in the end. */
  readonly argv: readonly string[];
}

/** What asking a Python came to. `printed` is what the file wrote to stdout and stderr, by line, the first few only. */
export type PythonAnswer =
  | { readonly kind: 'evaluated'; readonly result: PythonResult; readonly printed: readonly string[] }
  | {
      readonly kind: 'raised';
      readonly line: number;
      /** Of errors of syntax only. */
      readonly col: number | undefined;
      readonly text: string;
      /** Whether a module was missed. */
      readonly isImport: boolean;
      readonly printed: readonly string[];
    }
  | { readonly kind: 'failed'; readonly how: PythonFailure; readonly printed: readonly string[] }
  /** Root does not execute what others may write. */
  | { readonly kind: 'untrusted'; readonly path: string; readonly why: string }
  | { readonly kind: 'unreadable'; readonly obstacle: Obstacle }
  | { readonly kind: 'interrupted' };

/** Why a Python gave no answer. */
export type PythonFailure =
  | { readonly kind: 'not-started'; readonly code: string }
  | { readonly kind: 'late'; readonly limit: Millis }
  | { readonly kind: 'too-much' }
  | { readonly kind: 'ended'; readonly how: string };

export interface Python {
  /** Lets a Python execute a file, apart from everything of ours, and waits no longer than 10 s, and a second for its end. */
  evaluate(question: PythonQuestion, interrupted: Promise<void>): Promise<PythonAnswer>;
}

/** One line for a person, as it goes from a `run` to whoever has asked it for something. */
export type Said = readonly [level: Level, text: string];

/** Names and values of options. */
export type Options = ReadonlyMap<string, string>;

/** What somebody asks of a `run`. */
export interface Order {
  readonly action: string;
  /** The options on the command line of whoever asks, as they were typed. */
  readonly options: Options;
  /** Tells a line to whoever has asked. */
  say(line: Said): void;
  /** The order has been carried out, or refused. */
  done(result: OrderResult): void;
  /** The order is not taken: whoever has asked may do it himself when the lock is free. */
  decline(): void;
  /** Resolves when whoever has asked has heard and seen enough. */
  readonly closed: Promise<void>;
}

export interface OrderResult {
  readonly exit: number;
  /** Whether it ended with a look at all workers, so that whoever has asked should have one too. */
  readonly hasLooked: boolean;
}

export type OrderAnswer =
  /** `release` tells it that it may do something else now. */
  | { readonly kind: 'done'; readonly result: OrderResult; release(): void }
  /** Nobody listens, or takes orders: it is about to begin, or to end. */
  | { readonly kind: 'absent' }
  /** It has ended in the middle of it. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'late' }
  | { readonly kind: 'interrupted' };

/** The control socket of a `run`, named like its lock; unix(7), open to its own user only. */
export interface Control {
  /** Takes orders, in the order in which they come, until it is closed. */
  serve(name: string, take: (order: Order) => void): Promise<Result<{ close(): void }, Obstacle>>;
  /** Gives an order, and waits no longer than `most`. Tells of the wait when nothing has been heard for a second. */
  ask(
    name: string,
    order: Pick<Order, 'action' | 'options'>,
    most: Millis,
    hear: (line: Said) => void,
    interrupted: Promise<void>,
    onSilence: () => void,
  ): Promise<OrderAnswer>;
}

/** What is at a path where a file is to be installed; links are not followed. */
export type Place =
  | { readonly kind: 'free' }
  | { readonly kind: 'file'; readonly text: string; readonly mode: number }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'directory' }
  | { readonly kind: 'other'; readonly why: string };

/** The system's own directories, and what registers in them. */
export interface Installation {
  /** The program that runs, where it really is. */
  readonly binary: string;
  look(path: string): Place;
  /** Where on PATH a program is. */
  find(word: string): string | undefined;
  /** Puts a file there at once, in the place of another one if there is one; makes missing directories. */
  write(path: string, text: string, mode: number): Obstacle | undefined;
  /** Makes a symbolic link where there is nothing, and missing directories. */
  link(path: string, target: string): Obstacle | undefined;
  remove(path: string): Obstacle | undefined;
  /** Runs a program to its end, no longer than a minute. */
  run(words: readonly [program: string, ...args: string[]]): Promise<Result<undefined, HookFailure>>;
}

/** systemd as the system's service manager; systemctl(1). */
export interface ServiceManager {
  /**
   * The unit of a launcher that is called by hand: a loaded one, named as the script in /etc/init.d is, on a system that
   * systemd has booted.
   */
  unitOf(launcher: string): string | undefined;
  /** Has a unit started or stopped, and waits for it, no longer than `most`; an error is what systemctl says. */
  pursue(
    verb: 'start' | 'stop' | 'restart',
    unit: string,
    most: Millis,
    interrupted: Promise<void>,
  ): Promise<Result<undefined, string>>;
}

/** A service manager that wants to be told how we are: sd_notify(3). */
export interface Notifier {
  /** Tells assignments such as `READY=1`, in the order of the calls. */
  tell(assignments: readonly string[]): void;
  /** Resolves when all has been told. */
  settled(): Promise<void>;
}

/** How a hook ended that did not end well, and what it wrote, by line, the last few only. */
export interface HookFailure {
  readonly how: string;
  readonly words: readonly string[];
}

export interface Hooks {
  /**
   * Runs a command, no longer than `within`; then it and all it has started in its process group are killed. One that cannot be
   * killed, as by sudo(8), is not waited for longer than a second more.
   */
  run(hook: Hook, within: Millis): Promise<Result<undefined, HookFailure>>;
}

/** What the kernel allows for open files. */
export interface OpenFileLimits {
  readonly hard: number;
  readonly kernelMost: number;
  readonly mayRaise: boolean;
}

export interface Lock {
  /** Writes something else into it. */
  relabel(note: LockNote): void;
  release(): void;
}

export interface Locks {
  /**
   * Takes the lock of an application, named by the path of its configuration, and writes what we are into it. Waits for
   * a command that has it, but no longer than that command may take; tells of the wait after a second.
   */
  take(
    name: string,
    note: LockNote,
    interrupted: Promise<void>,
    onWait: (holder: string | undefined) => void,
  ): Promise<LockResult>;
  /** The `run`s of other users that say to look after that application. Who asks may not see all of them, unless he is root. */
  foreignRuns(name: string): readonly ForeignRun[];
}

/** A `run` of another user, which hears only him and root's signals. */
export interface ForeignRun {
  readonly pid: number;
  readonly uid: number;
}

/** What the holder of a lock says of itself: its action, and how long it may take at most. */
export interface LockNote {
  readonly action: string;
  readonly most: Millis;
}

export type LockResult =
  /** `hasWaited`: another command has been at work until now, and things may have changed. */
  | { readonly kind: 'held'; readonly hasWaited: boolean; readonly lock: Lock }
  /** A `run` has it, which does not end: it must be asked. */
  | { readonly kind: 'resident'; readonly holder: string | undefined }
  | { readonly kind: 'timed-out'; readonly holder: string | undefined }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'unusable'; readonly obstacle: Obstacle };

export interface Host {
  readonly clock: Clock;
  readonly processes: Processes;
  readonly sockets: Sockets;
  readonly files: Files;
  readonly accounts: Accounts;
  readonly locks: Locks;
  readonly environment: Environment;
  readonly python: Python;
  readonly hooks: Hooks;
  readonly control: Control;
  readonly serviceManager: ServiceManager;
  readonly installation: Installation;
  /** The service manager that has started us, if one wants to know. What we start must not speak to it. */
  notifier(): Notifier | undefined;
  /** From 0 to 1, without 1. */
  random(): number;
  openFileLimits(): OpenFileLimits;
}
