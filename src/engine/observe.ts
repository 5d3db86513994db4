// Looks at the machine and says how each worker stands. One pass over /proc serves all workers; while nothing changes, a
// process that is known is only asked whether it still lives.

import type { Application } from '../core/application.ts';
import { belongsTo, claimedPort, type Fleet, identify, type PortProcesses, stalePorts } from '../core/identity.ts';
import { asPid, type Millis, type Port } from '../core/units.ts';
import type { HttpSight, ListenerSight, PidfileSight, ProcessSight, Sighting, StarterSight } from '../core/worker.ts';
import type { Host, Listener, Starter } from '../host/host.ts';
import { Acquaintance } from './acquaintance.ts';
import { ConfigNames } from './config-names.ts';
import { Owners, Prober } from './readiness.ts';

/**
 * What is asked about one port: whether its processes live; whether the worker also answers; or, when it is to be started,
 * also who else has its place.
 */
export interface Question {
  readonly port: Port;
  readonly about: 'life' | 'answer' | 'place';
  readonly starter: Starter | undefined;
}

/** A worker of a user whose processes do not count. */
export interface LookAlike {
  readonly port: Port;
  readonly pid: number;
  readonly uid: number;
}

interface Known {
  readonly processes: PortProcesses;
  readonly pidfile: PidfileSight;
}

/**
 * The eyes of one command. Remembers only what makes the next look cheaper, the sessions that workers had, and whom it has met;
 * within a `run` the acquaintance outlives the command.
 */
export class Observer {
  readonly #application: Application;
  readonly #host: Host;
  readonly #prober: Prober;
  readonly #owners = new Owners();
  readonly #known = new Map<Port, Known>();
  readonly #sessions = new Map<Port, Set<number>>();
  readonly #acquaintance: Acquaintance;
  readonly #names: ConfigNames;
  #freshScan: readonly ProcessSight[] | undefined;

  constructor(application: Application, host: Host, acquaintance = new Acquaintance()) {
    this.#application = application;
    this.#acquaintance = acquaintance;
    this.#host = host;
    this.#prober = new Prober(application.readiness, host);
    this.#names = new ConfigNames(application, host.files);
  }

  /** Looks at the processes of some ports. */
  look(ports: readonly Port[]): Sighting[] {
    const questions = ports.map((port): Question => ({ port, about: 'life', starter: undefined }));
    this.#lookAtProcesses(questions);
    return this.#sightings(questions, new Map());
  }

  /** A fresh look at everything: all configured workers, whether they are ready, and the stale ones. */
  async lookAtAll(): Promise<{ readonly port: Port; readonly isStale: boolean; readonly sighting: Sighting }[]> {
    this.#known.clear();
    const configured = this.#application.specs.map((spec) => spec.port);
    // Workers think about their answers while we look at /proc.
    const begun = await this.#prober.begin(configured);
    const stale = this.findStale();
    const questions: Question[] = [
      ...configured.map((port) => ({ port, about: 'answer', starter: undefined }) as const),
      ...stale.map((port) => ({ port, about: 'life', starter: undefined }) as const),
    ];
    this.#lookAtProcesses(questions);
    const workers = this.#workersAsked(questions);
    this.#owners.check(workers, this.#host);
    const sightings = this.#sightings(questions, await this.#prober.finish([...workers.keys()], begun));
    return questions.flatMap(({ port, about }, index) => {
      const sighting = sightings[index];
      return sighting === undefined ? [] : [{ port, isStale: about === 'life', sighting }];
    });
  }

  /** Answers questions, in their order; a worker that does not answer within `wait` counts as silent for now. */
  async glance(questions: readonly Question[], wait: Millis): Promise<Sighting[]> {
    this.#lookAtProcesses(questions);
    const http = await this.#prober.latest(this.#workersAsked(questions), wait);
    return this.#sightings(questions, http);
  }

  /** Ports outside the configured range on which workers of this application are; the next look shares its pass. */
  findStale(): Port[] {
    const processes = this.#host.processes.scan();
    this.#freshScan = processes;
    this.#names.learn(processes);
    return stalePorts(processes, this.#fleet(), new Set(this.#application.specs.map((spec) => spec.port)));
  }

  /** What the last looks took for workers, by port, with their owners. */
  seen(): { readonly port: Port; readonly process: ProcessSight }[] {
    return [...this.#known].flatMap(([port, { processes }]) =>
      [processes.worker, ...processes.rivals].flatMap((process) => (process === undefined ? [] : [{ port, process }])),
    );
  }

  /** Look-alikes that the last looks ignored. */
  lookAlikes(): LookAlike[] {
    return [...this.#known].flatMap(([port, { processes }]) =>
      processes.ignored.map((process) => ({ port, pid: process.id.pid, uid: this.#untrusted(port, process) })),
    );
  }

  /** Whatever this command launches on a port has a session of its own, by which its remains are known. */
  noteLaunch(port: Port, starter: Starter): void {
    this.#noteSession(port, starter.pid);
    this.#known.delete(port);
    this.#prober.forget(port);
    this.#acquaintance.noteLaunch(port, starter, this.#host.processes);
  }

  #noteSession(port: Port, session: number): void {
    const sessions = this.#sessions.get(port) ?? new Set<number>();
    this.#sessions.set(port, sessions.add(session));
  }

  #lookAtProcesses(questions: readonly Question[]): void {
    const unknown = questions.filter(({ port }) => !this.#isUnchanged(port));
    if (unknown.length > 0) this.#scan(unknown);
    // What was seen before this look is no longer fresh for the next one.
    this.#freshScan = undefined;
  }

  #isUnchanged(port: Port): boolean {
    const { worker, rivals, leftBehind } = this.#known.get(port)?.processes ?? NOBODY;
    const all = [...(worker === undefined ? [] : [worker]), ...rivals, ...leftBehind];
    return all.length > 0 && all.every((process) => this.#host.processes.isAlive(process.id));
  }

  #scan(questions: readonly Question[]): void {
    const processes = this.#freshScan ?? this.#host.processes.scan();
    this.#names.learn(processes);
    const fleet = this.#fleet();
    const matching = Map.groupBy(processes, (process) => claimedPort(process, fleet));
    const listeners = once(() => Map.groupBy(this.#host.sockets.listeners(), (listener) => listener.port));
    for (const { port, starter } of questions) {
      const pidfile = this.#readPidfile(port);
      const candidates = matching.get(port) ?? [];
      const named = pidfile.kind === 'names' ? this.#find(pidfile, candidates) : undefined;
      const facts = {
        pidfile,
        listening: once(() => this.#holders([...candidates, ...(named ? [named] : [])], listeners().get(port) ?? [])),
        sessions: this.#sessions.get(port) ?? new Set<number>(),
        isLed: (session: number) => this.#isLed(session),
        starter: starter?.pid,
      };
      const trust = { uids: this.#trustedUids(port), ownPids: this.#host.processes.self.pids };
      const shown = identify(port, processes, named, facts, fleet, trust);
      const wiped = shown.worker === undefined ? this.#acquaintance.findWiped(port, this.#host.processes) : undefined;
      const found = wiped === undefined ? shown : { ...shown, worker: wiped, leftBehind: [] };
      if (found.worker !== undefined) this.#acquaintance.noteSeen(port, found.worker);
      for (const process of [found.worker, ...found.rivals]) {
        if (process !== undefined) this.#noteSession(port, process.session);
      }
      this.#known.set(port, { processes: found, pidfile });
    }
  }

  #holders(processes: readonly ProcessSight[], listeners: readonly Listener[]): ReadonlySet<number> {
    const holders = processes.filter((process) => listeners.some((each) => this.#host.sockets.holds(process, each)));
    return new Set(holders.map((process) => process.id.pid));
  }

  #isLed(session: number): boolean {
    const leader = asPid(session);
    return leader !== undefined && this.#host.processes.inspect(leader) !== undefined;
  }

  #find(pidfile: PidfileSight & { kind: 'names' }, candidates: readonly ProcessSight[]): ProcessSight | undefined {
    return candidates.find((process) => process.id.pid === pidfile.pid) ?? this.#host.processes.inspect(pidfile.pid);
  }

  #readPidfile(port: Port): PidfileSight {
    const { pidfile } = this.#application.specOf(port);
    return pidfile === undefined ? { kind: 'none' } : this.#host.files.readPidfile(pidfile);
  }

  #trustedUids(port: Port): ReadonlySet<number> {
    const { pidfile } = this.#application.specOf(port);
    const owner = pidfile === undefined ? undefined : this.#host.files.directoryOwner(pidfile);
    const { workerUid } = this.#application;
    return new Set([0, this.#host.processes.self.uid, ...[owner, workerUid].filter((uid) => uid !== undefined)]);
  }

  #untrusted(port: Port, process: ProcessSight): number {
    const trusted = this.#trustedUids(port);
    return process.uids.find((uid) => !trusted.has(uid)) ?? process.uids[0];
  }

  #fleet(): Fleet {
    const { config, pidfilesOf, anyTemplate } = this.#application;
    return { config, configPaths: this.#names.paths, pidfilesOf, anyTemplate };
  }

  #workersAsked(questions: readonly Question[]): Map<Port, ProcessSight> {
    const workers = new Map<Port, ProcessSight>();
    for (const { port, about } of questions) {
      const worker = this.#known.get(port)?.processes.worker;
      if (about !== 'life' && worker !== undefined) workers.set(port, worker);
    }
    return workers;
  }

  #sightings(questions: readonly Question[], http: ReadonlyMap<Port, HttpSight>): Sighting[] {
    const holders = this.#findHolders(questions, http);
    const at = this.#host.clock.now();
    return questions.map(({ port, about, starter }) => {
      const { processes, pidfile } = this.#known.get(port) ?? { processes: NOBODY, pidfile: { kind: 'none' } };
      const { worker } = processes;
      const answer = http.get(port) ?? 'unasked';
      const isOwn = worker !== undefined && answer !== 'unasked' && this.#owners.isKnown(port, worker);
      const listener: ListenerSight = holders.get(port) ?? { kind: isOwn ? 'worker' : 'none' };
      return {
        at,
        worker: worker?.id,
        rivals: processes.rivals.map((process) => process.id),
        leftBehind: processes.leftBehind.map((process) => process.id),
        listener,
        http: answer,
        // A worker writes its pidfile on its way up, long after its first sight.
        pidfile: about === 'place' && answer === 'ready' ? this.#readPidfile(port) : pidfile,
        starter: this.#starterSight(port, pidfile, starter),
      };
    });
  }

  /**
   * A daemon may wipe its argv and environment long before it listens, and is no worker of ours until then. While the
   * pidfile names a process that is younger than our launch, it is on its way; that is reason to wait, not to signal it.
   */
  #starterSight(port: Port, pidfile: PidfileSight, starter: Starter | undefined): StarterSight {
    const state = starter?.state() ?? { kind: 'never' };
    if (state.kind !== 'exited' || pidfile.kind !== 'names') return state;
    const named = this.#host.processes.inspect(pidfile.pid);
    const isOnItsWay =
      named !== undefined && named.id.startTicks >= (this.#acquaintance.launchedAt(port) ?? Number.POSITIVE_INFINITY);
    return isOnItsWay ? { kind: 'running' } : state;
  }

  /** Whose the ports are that a worker does not hold itself, as far as it matters. */
  #findHolders(questions: readonly Question[], http: ReadonlyMap<Port, HttpSight>): Map<Port, ListenerSight> {
    const workers = this.#workersAsked(questions);
    const answering = new Map([...workers].filter(([port]) => (http.get(port) ?? 'unasked') !== 'unasked'));
    const doubtful = this.#owners.check(answering, this.#host);
    const due = questions.filter(({ port, about }) => doubtful.has(port) || (about === 'place' && !workers.has(port)));
    if (due.length === 0) return new Map();
    // The worker may be another process by now, or have left its port to a child.
    if (doubtful.size > 0) this.#scan(due.filter(({ port }) => doubtful.has(port)));
    const listeners = Map.groupBy(this.#host.sockets.listeners(), (listener) => listener.port);
    return new Map(due.map(({ port }) => [port, this.#whose(port, listeners.get(port) ?? [])]));
  }

  /** A port is the worker's, too, if a process that descends from it has the socket. */
  #whose(port: Port, open: readonly Listener[]): ListenerSight {
    const [listener] = open;
    if (listener === undefined) return { kind: 'none' };
    const { worker, matching } = this.#known.get(port)?.processes ?? NOBODY;
    const isOwn =
      worker !== undefined &&
      [...this.#holders([worker, ...matching], open)].some((pid) => belongsTo(worker, pid, matching));
    return isOwn ? { kind: 'worker' } : { kind: 'stranger', holder: this.#host.sockets.holderOf(listener) };
  }
}

const NOBODY: PortProcesses = { worker: undefined, rivals: [], leftBehind: [], ignored: [], matching: [] };

/** A value that is made when it is first asked for. */
function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
