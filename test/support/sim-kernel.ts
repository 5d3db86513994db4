// A small deterministic kernel: virtual time, processes, sockets and files, and a journal of all that happened. It knows the
// truth about every process, whatever the process looks like.

import { asPid, asPort, type Pid, type Port } from '../../src/core/units.ts';
import type { HttpSight, PidfileSight, ProcessIdentity } from '../../src/core/worker.ts';

/** What a process is in truth. `ours`: of the application under test, so that signalling it is no crime. */
export interface Truth {
  readonly label: string;
  readonly ours: boolean;
  /** A starter, a worker, or what a worker left: whatever keeps a port busy. */
  readonly role: 'worker' | 'child' | 'stranger';
  readonly port: number | undefined;
}

/** How a process answers on its port: what is heard, after so many milliseconds. */
export interface Answer {
  readonly sight: HttpSight;
  readonly after: number;
}

export interface SimProcess {
  readonly id: ProcessIdentity;
  readonly truth: Truth;
  parent: number;
  session: number;
  argv: readonly string[];
  marker: string | undefined;
  uids: readonly [real: number, effective: number];
  cwd: string;
  name: string;
  state: 'alive' | 'zombie' | 'gone';
  /** How it ended, in words. */
  ending: string;
  onSignal: (signal: 'SIGTERM' | 'SIGKILL') => void;
  answer: () => Answer;
  /** Who is told when it ends. */
  readonly mourners: (() => void)[];
}

interface Socket {
  readonly port: Port;
  readonly inode: string;
  readonly uid: number;
  readonly holders: Set<SimProcess>;
}

interface SimFile {
  readonly content: { readonly pid: number } | { readonly unusable: string } | 'garbled';
  readonly writtenTicks: number;
  readonly owner: number;
}

export interface Timer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** A signal that reached a process, with the truth about it. */
export interface SentSignal {
  readonly at: number;
  readonly signal: 'SIGTERM' | 'SIGKILL';
  readonly process: SimProcess;
}

/** Processes are told apart by start time in ticks; a tick is 10 ms. */
const TICK = 10;
const FIRST_PID = 100;
const INIT = 1;

export class Kernel {
  now = 1_000_000;
  readonly processes = new Map<number, SimProcess>();
  readonly sockets: Socket[] = [];
  readonly files = new Map<string, SimFile>();
  /** Owners of directories; root where nothing is said. */
  readonly directories = new Map<string, number>();
  /** Where paths lead that are symbolic links. */
  readonly links = new Map<string, string>();
  readonly signals: SentSignal[] = [];
  readonly deaths: { readonly at: number; readonly process: SimProcess }[] = [];
  /** How many workers were asked at once, at most. */
  mostProbes = 0;
  /** When the processes were last looked at. */
  scannedAt = 0;
  /** What happened, in order. */
  readonly journal: { readonly at: number; readonly text: string }[] = [];
  /** What must never happen. */
  readonly crimes: string[] = [];
  readonly #timers: Timer[] = [];
  #waiters = 0;
  #pumping = false;
  #woken = false;
  #order = 0;
  #nextPid = FIRST_PID;
  #nextInode = 5000;

  get ticks(): number {
    return this.ticksAt(this.now);
  }

  ticksAt(moment: number): number {
    return Math.floor(moment / TICK);
  }

  note(text: string): void {
    this.journal.push({ at: this.now, text });
  }

  /** Runs something `delay` milliseconds from now. */
  in(delay: number, run: () => void): Timer {
    const timer = { at: this.now + Math.max(0, delay), order: this.#order, run, cancelled: false };
    this.#order += 1;
    const index = this.#timers.findIndex((other) => other.at > timer.at);
    this.#timers.splice(index < 0 ? this.#timers.length : index, 0, timer);
    return timer;
  }

  /** A promise of a time to come. Time moves on only while somebody waits, and only when nobody has anything else to do. */
  wait(delay: number, open: Set<Timer>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.in(delay, () => {
        this.#waiters -= 1;
        open.delete(timer);
        this.wake();
        resolve();
      });
      open.add(timer);
      this.#waiters += 1;
      this.#pump();
    });
  }

  /** Lets those who wait run before time moves on. */
  wake(): void {
    this.#woken = true;
  }

  /** Forgets the waits of a supervisor that is no more. */
  abandon(open: Set<Timer>): void {
    for (const timer of open) timer.cancelled = true;
    this.#waiters -= open.size;
    open.clear();
  }

  /** Lets time pass while no command runs. */
  pass(duration: number): void {
    const end = this.now + duration;
    while ((this.#timers[0]?.at ?? Number.POSITIVE_INFINITY) <= end) this.#step();
    this.now = end;
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      this.#woken = false;
      while (this.#waiters > 0 && !this.#woken) this.#step();
      if (this.#waiters > 0) this.#pump();
    });
  }

  #step(): void {
    const timer = this.#timers.shift();
    if (timer === undefined) throw new Error('somebody waits for ever');
    if (timer.cancelled) return;
    this.now = Math.max(this.now, timer.at);
    timer.run();
  }

  spawn(
    fields: Partial<Omit<SimProcess, 'id'>> & {
      readonly truth: Truth;
      readonly pid?: number;
      readonly startTicks?: number;
    },
  ): SimProcess {
    const pid = asPid(fields.pid ?? this.#takePid());
    if (pid === undefined || this.processes.has(pid)) throw new Error(`pid ${fields.pid} cannot be used`);
    const process: SimProcess = {
      parent: INIT,
      session: pid,
      argv: [fields.truth.label],
      marker: undefined,
      uids: [0, 0],
      cwd: '/',
      name: fields.truth.label.split(' ')[0] ?? '',
      state: 'alive',
      ending: '',
      onSignal: () => this.end(process, 'was killed'),
      answer: () => ({ sight: 'unready', after: 1 }),
      mourners: [],
      ...fields,
      id: { pid, startTicks: fields.startTicks ?? this.ticks },
    };
    this.processes.set(pid, process);
    return process;
  }

  /** Skips a pid, as a process that lived only for a moment does. */
  skipPid(): Pid {
    return asPid(this.#takePid()) ?? (INIT as Pid);
  }

  #takePid(): number {
    this.#nextPid += 1;
    return this.#nextPid;
  }

  /** Ends a process: its sockets close with their last holder, its children are init's. */
  end(process: SimProcess, how: string, reaped: 'reaped' | 'zombie' = 'reaped'): void {
    if (process.state !== 'alive') return;
    process.state = reaped === 'reaped' ? 'gone' : 'zombie';
    process.ending = how;
    this.deaths.push({ at: this.now, process });
    this.hangUp(process);
    for (const tell of process.mourners) tell();
    if (process.mourners.length > 0) this.wake();
    if (reaped === 'reaped') this.processes.delete(process.id.pid);
    for (const other of this.processes.values()) if (other.parent === process.id.pid) other.parent = INIT;
  }

  find(id: ProcessIdentity): SimProcess | undefined {
    const process = this.processes.get(id.pid);
    return process?.state === 'alive' && process.id.startTicks === id.startTicks ? process : undefined;
  }

  living(): SimProcess[] {
    return [...this.processes.values()].filter((process) => process.state === 'alive');
  }

  /** Whether the socket could be had. */
  listen(port: number, process: SimProcess): boolean {
    const named = asPort(port);
    if (named === undefined || this.sockets.some((socket) => socket.port === named)) return false;
    this.#nextInode += 1;
    const inode = String(this.#nextInode);
    this.sockets.push({ port: named, inode, uid: process.uids[1], holders: new Set([process]) });
    return true;
  }

  /** Gives a child its parent's sockets. */
  share(parent: SimProcess, child: SimProcess): void {
    for (const socket of this.sockets) if (socket.holders.has(parent)) socket.holders.add(child);
  }

  hangUp(process: SimProcess): void {
    for (const socket of this.sockets) socket.holders.delete(process);
    const open = this.sockets.filter((socket) => socket.holders.size > 0);
    this.sockets.splice(0, this.sockets.length, ...open);
  }

  write(path: string, content: SimFile['content'], owner = 0): void {
    this.files.set(path, { content, writtenTicks: this.ticks, owner });
  }

  pidfile(path: string): PidfileSight {
    const file = this.files.get(path);
    if (file === undefined) return { kind: 'none' };
    const { content, writtenTicks, owner } = file;
    if (content === 'garbled') return { kind: 'garbled' };
    if ('unusable' in content) return { kind: 'unusable', why: content.unusable };
    const pid = asPid(content.pid);
    return pid === undefined
      ? { kind: 'unusable', why: 'no pid' }
      : { kind: 'names', pid, writtenTicks, writer: owner };
  }
}
