// The simulated kernel as the program sees it: a Host. One SimHost is one life of the supervisor, which can end at any call.

import type { Failure } from '../../src/core/failure.ts';
import { asPid, type Instant, type Millis, type Pid, type Port } from '../../src/core/units.ts';
import type {
  Account,
  Holder,
  HttpSight,
  PidfileSight,
  ProcessIdentity,
  ProcessSight,
  StarterSight,
  WorkerSpec,
} from '../../src/core/worker.ts';
import type {
  Accounts,
  Clock,
  Control,
  Environment,
  Files,
  Hooks,
  Host,
  Installation,
  Listener,
  Locks,
  Obstacle,
  OpenFileLimits,
  Processes,
  Python,
  Result,
  ServiceManager,
  Sockets,
  Starter,
} from '../../src/host/host.ts';
import type { Kernel, SimProcess, Timer } from './sim-kernel.ts';
import { bear, type Script } from './sim-worker.ts';

/** What the program asks of its host, by name. */
export type Operation =
  | 'sleep'
  | 'scan'
  | 'inspect'
  | 'isAlive'
  | 'signal'
  | 'launch'
  | 'listeners'
  | 'holds'
  | 'holderOf'
  | 'probe'
  | 'readPidfile'
  | 'removePidfile'
  | 'createPidfile'
  | 'directoryOwner'
  | 'target'
  | 'hook';

/** The `nth` call of one operation, and the `count`th of all; both from 1. `about` is the process or port in question. */
export interface Call {
  readonly op: Operation;
  readonly nth: number;
  readonly count: number;
  readonly about: number | undefined;
}

/** What goes wrong at a call; undefined: nothing. It may also change the world just before the call. */
export type Meddle = (call: Call) => string | undefined;

/** Thrown out of the call at which the supervisor is killed. */
export class Killed extends Error {
  constructor() {
    super('the supervisor was killed');
  }
}

export interface Life {
  readonly kernel: Kernel;
  readonly supervisor: SimProcess;
  readonly scriptOf: (port: number) => Script;
  readonly killAt: number | undefined;
  readonly meddle: Meddle;
}

export class SimHost implements Host {
  /** Calls so far. */
  count = 0;
  readonly #life: Life;
  readonly #kernel: Kernel;
  readonly #counts = new Map<Operation, number>();
  readonly #open = new Set<Timer>();
  #isDead = false;
  #probes = 0;

  readonly clock: Clock;
  readonly processes: Processes;
  readonly sockets: Sockets;
  readonly files: Files;
  readonly accounts: Accounts;
  readonly locks: Locks;
  readonly environment: Environment = { get: () => undefined, set: () => undefined };
  /** There is no Python on the simulated machine. */
  readonly python: Python = {
    evaluate: async () => ({ kind: 'failed', how: { kind: 'not-started', code: 'ENOENT' }, printed: [] }),
  };

  readonly hooks: Hooks = {
    run: async (hook) => {
      const how = this.#enter('hook', undefined);
      this.#kernel.note(`run ${hook.join(' ')}`);
      return how === undefined ? { ok: true, value: undefined } : { ok: false, error: { how, words: [] } };
    },
  };

  readonly serviceManager: ServiceManager = {
    unitOf: () => undefined,
    pursue: async () => ({ ok: false, error: 'there is no systemd' }),
  };
  /** Nothing is installed there, and nothing can be. */
  readonly installation: Installation = {
    binary: '/usr/bin/frontik-supervisor',
    look: () => ({ kind: 'free' }),
    find: () => undefined,
    write: (path) => ({ path, code: 'EROFS' }),
    link: (path) => ({ path, code: 'EROFS' }),
    remove: (path) => ({ path, code: 'EROFS' }),
    run: async () => ({ ok: false, error: { how: 'could not be started: ENOENT', words: [] } }),
  };

  /** Nobody takes orders here, and no service manager wants to know. */
  readonly control: Control = {
    serve: async () => ({ ok: true, value: { close: () => undefined } }),
    ask: async () => ({ kind: 'absent' }),
  };

  constructor(life: Life) {
    this.#life = life;
    this.#kernel = life.kernel;
    this.clock = {
      now: () => this.#kernel.now as Instant,
      sleep: (wait) => this.#sleep(wait),
      turn: async () => undefined,
    };
    this.processes = {
      self: { pids: new Set(this.#ancestors()), uid: life.supervisor.uids[1] },
      scan: () => this.#scan(),
      inspect: (pid) => this.#inspect(pid),
      isAlive: (id) => {
        this.#enter('isAlive', id.pid);
        return this.#kernel.find(id) !== undefined;
      },
      signal: (id, signal) => this.#signal(id, signal),
      launch: (spec) => this.#launch(spec),
    };
    this.sockets = {
      listeners: (isEnough) => this.#listeners(isEnough),
      holds: (process, listener) => this.#holds(process, listener),
      holdsAny: (process) =>
        this.#kernel.sockets.some(({ holders }) => [...holders].some(({ id }) => id.pid === process.id.pid)),
      holderOf: (listener) => this.#holderOf(listener),
      probe: (port) => this.#probe(port),
      attend: (port, onEnd) => this.#attend(port, onEnd),
    };
    this.files = {
      cwd: () => life.supervisor.cwd,
      target: (path) => {
        this.#enter('target', undefined);
        return this.#kernel.links.get(path) ?? path;
      },
      readPidfile: (path) => this.#readPidfile(path),
      removePidfile: (path, seen) => this.#removePidfile(path, seen),
      createPidfile: (path, pid, owner) => this.#createPidfile(path, pid, owner),
      directoryOwner: (path) => {
        if (this.#enter('directoryOwner', undefined) !== undefined) return undefined;
        return this.#kernel.directories.get(path.slice(0, path.lastIndexOf('/'))) ?? 0;
      },
      prepareDirectory: () => ({ ok: true, value: undefined }),
      checkDirectory: () => ({ ok: true, value: undefined }),
      read: (path) => ({ ok: false, error: { path, code: 'ENOENT' } }),
      distrust: () => undefined,
      enter: (path) => ({ ok: false, error: { path, code: 'ENOENT' } }),
      program: (path) => ({ kind: 'runnable', path }),
    };
    this.accounts = {
      find: (user) => ({ ok: false, error: `no user ${user}` }),
      nameOf: (uid) => (uid === 0 ? 'root' : `user${uid}`),
    };
    this.locks = {
      take: async () => ({
        kind: 'held',
        hasWaited: false,
        lock: { relabel: () => undefined, release: () => this.#kernel.note('unlock') },
      }),
      foreignRuns: () => [],
    };
  }

  notifier(): undefined {
    return undefined;
  }

  random(): number {
    return 0.5;
  }

  openFileLimits(): OpenFileLimits {
    return { hard: 1_048_576, kernelMost: 1_048_576, mayRaise: true };
  }

  /** Ends this life of the supervisor: nothing that it waits for comes any more. */
  end(): void {
    this.#isDead = true;
    this.#kernel.abandon(this.#open);
    this.#kernel.end(this.#life.supervisor, 'exited');
  }

  #enter(op: Operation, about: number | undefined): string | undefined {
    if (this.#isDead) throw new Killed();
    this.count += 1;
    const nth = (this.#counts.get(op) ?? 0) + 1;
    this.#counts.set(op, nth);
    if (this.count === this.#life.killAt) {
      this.end();
      throw new Killed();
    }
    return this.#life.meddle({ op, nth, count: this.count, about });
  }

  #ancestors(): number[] {
    const pids: number[] = [];
    let current: SimProcess | undefined = this.#life.supervisor;
    while (current !== undefined) {
      pids.push(current.id.pid);
      current = this.#kernel.processes.get(current.parent);
    }
    return pids;
  }

  async #sleep(wait: Millis): Promise<void> {
    const late = this.#enter('sleep', undefined);
    await this.#kernel.wait(late === undefined ? wait : wait + Number(late), this.#open);
  }

  /** Root sees into every process, others into their own. */
  #maySee(process: SimProcess): boolean {
    const { uids } = this.#life.supervisor;
    return uids[1] === 0 || process.uids.every((uid) => uid === uids[1]);
  }

  #sight(process: SimProcess): ProcessSight {
    const { id, parent, session, argv, uids } = process;
    const isVisible = this.#maySee(process);
    return {
      id,
      parent,
      session,
      argv,
      uids,
      marker: isVisible ? process.marker : undefined,
      cwd: isVisible ? process.cwd : undefined,
    };
  }

  #scan(): readonly ProcessSight[] {
    const missed = this.#enter('scan', undefined);
    this.#kernel.scannedAt = this.#kernel.now;
    return this.#kernel
      .living()
      .map((process) => this.#sight(process))
      .filter(({ marker, argv }) => marker !== undefined || argv.some((word) => word.startsWith('--port=')))
      .filter(({ id }) => missed !== 'all' && String(id.pid) !== missed);
  }

  #inspect(pid: Pid): ProcessSight | undefined {
    const isMissed = this.#enter('inspect', pid) !== undefined;
    const process = this.#kernel.processes.get(pid);
    return process?.state === 'alive' && !isMissed ? this.#sight(process) : undefined;
  }

  #signal(id: ProcessIdentity, signal: 'SIGTERM' | 'SIGKILL'): Result<'sent' | 'already-gone', Failure> {
    const refusal = this.#enter('signal', id.pid);
    const process = this.#kernel.find(id);
    if (process === undefined) return { ok: true, value: 'already-gone' };
    if (refusal !== undefined || !this.#mayTouch(process)) return { ok: false, error: { kind: 'not-permitted', id } };
    this.#kernel.note(`${signal} ${process.truth.label}`);
    this.#kernel.signals.push({ at: this.#kernel.now, signal, process });
    if (!process.truth.ours) this.#kernel.crimes.push(`${signal} sent to ${process.truth.label}`);
    process.onSignal(signal);
    return { ok: true, value: 'sent' };
  }

  #mayTouch(process: SimProcess): boolean {
    const { uids } = this.#life.supervisor;
    return uids[1] === 0 || process.uids[0] === uids[1];
  }

  async #launch(spec: WorkerSpec): Promise<Result<Starter, Failure>> {
    const { port, argv, marker, pidfile, account } = spec;
    const code = this.#enter('launch', port);
    const kernel = this.#kernel;
    if (code !== undefined) return { ok: false, error: { kind: 'launch-refused', program: argv[0], code } };
    for (const { truth, id } of kernel.living()) {
      // What somebody else starts between the look and the launch cannot be seen: our own commands have a lock.
      if (id.startTicks >= kernel.ticksAt(kernel.scannedAt)) continue;
      if (truth.role === 'worker' && truth.port === port) kernel.crimes.push(`launched ${port} beside ${truth.label}`);
    }
    const { id, uids, cwd } = this.#life.supervisor;
    const uid = account?.uid ?? uids[1];
    const script = this.#life.scriptOf(port);
    const process = bear(kernel, { port, argv, marker, pidfile, parent: id.pid, uid, cwd }, script);
    kernel.note(`launch ${port}`);
    let isReleased = false;
    const state = (): StarterSight =>
      process.state === 'alive' ? { kind: 'running' } : { kind: 'exited', how: process.ending };
    return {
      ok: true,
      value: {
        pid: process.id.pid,
        state,
        lastWords: () => (isReleased ? [] : script.words),
        release: () => {
          isReleased = true;
        },
        ended: new Promise((resolve) => process.mourners.push(resolve)),
      },
    };
  }

  #listeners(isEnough: (listener: Listener) => boolean = () => false): readonly Listener[] {
    if (this.#enter('listeners', undefined) !== undefined) return [];
    const all = this.#kernel.sockets.map(({ port, inode, uid }) => ({ port, inode, uid }));
    const last = all.findIndex(isEnough);
    return last === -1 ? all : all.slice(0, last + 1);
  }

  #holds(process: ProcessSight, listener: Listener): boolean {
    if (this.#enter('holds', process.id.pid) !== undefined) return false;
    const real = this.#kernel.find(process.id);
    if (real === undefined) return false;
    if (!this.#maySee(real)) return real.uids[1] === listener.uid;
    return this.#kernel.sockets.some(({ inode, holders }) => inode === listener.inode && holders.has(real));
  }

  #holderOf(listener: Listener): Holder {
    if (this.#enter('holderOf', listener.port) !== undefined) return undefined;
    const socket = this.#kernel.sockets.find(({ inode }) => inode === listener.inode);
    const holder = [...(socket?.holders ?? [])].find((process) => this.#maySee(process));
    return holder === undefined ? undefined : { pid: holder.id.pid, name: holder.name };
  }

  async #probe(port: Port): Promise<HttpSight> {
    const spoiled = this.#enter('probe', port);
    if (spoiled?.startsWith('E') === true) return { unaskable: spoiled };
    const socket = this.#kernel.sockets.find((other) => other.port === port);
    const [holder] = socket?.holders ?? [];
    if (holder === undefined) return 'unasked';
    const answer = spoiled === 'silent' ? { sight: 'silent' as const, after: SECOND } : holder.answer();
    this.#probes += 1;
    this.#kernel.mostProbes = Math.max(this.#kernel.mostProbes, this.#probes);
    await this.#kernel.wait(Math.min(answer.after, SECOND), this.#open);
    this.#probes -= 1;
    if (this.#isDead) throw new Killed();
    if (holder.state !== 'alive' || answer.after >= SECOND) return 'silent';
    return spoiled === 'unready' ? 'unready' : answer.sight;
  }

  #attend(port: Port, onEnd: () => void): () => void {
    let isOpen = true;
    const socket = this.#kernel.sockets.find((other) => other.port === port);
    const [holder] = socket?.holders ?? [];
    holder?.mourners.push(() => {
      if (isOpen) onEnd();
    });
    return () => {
      isOpen = false;
    };
  }

  #readPidfile(path: string): PidfileSight {
    const spoiled = this.#enter('readPidfile', undefined);
    switch (spoiled) {
      case undefined:
        return this.#kernel.pidfile(path);
      case 'none':
      case 'garbled':
        return { kind: spoiled };
      case 'EACCES':
        return { kind: 'unusable', why: spoiled };
      default:
        return {
          kind: 'names',
          pid: asPid(Number(spoiled)) ?? (2 as Pid),
          writtenTicks: this.#kernel.ticks,
          writer: 0,
        };
    }
  }

  #removePidfile(path: string, seen: PidfileSight): Obstacle | undefined {
    const code = this.#enter('removePidfile', undefined);
    if (code !== undefined) return { path, code };
    const now = this.#kernel.pidfile(path);
    if (JSON.stringify(now) !== JSON.stringify(seen)) return undefined;
    this.#kernel.note(`remove ${path}`);
    if (now.kind === 'names') this.#accuseOfTheft(path, now.pid);
    this.#kernel.files.delete(path);
    return undefined;
  }

  #accuseOfTheft(path: string, pid: Pid): void {
    const named = this.#kernel.processes.get(pid);
    if (named?.state !== 'alive') return;
    if (named.argv.includes(`--pidfile=${path}`))
      this.#kernel.crimes.push(`removed the pidfile of ${named.truth.label}`);
  }

  #createPidfile(path: string, pid: Pid, owner: Account | undefined): Obstacle | undefined {
    const code = this.#enter('createPidfile', pid);
    if (code !== undefined) return { path, code };
    if (this.#kernel.files.has(path)) return { path, code: 'EEXIST' };
    this.#kernel.note(`write ${path}`);
    this.#kernel.write(path, { pid }, owner?.uid ?? this.#life.supervisor.uids[1]);
    return undefined;
  }
}

const SECOND = 1000;
