// Looks at the machine and says how each worker stands. One pass over /proc serves all workers; while nothing changes, a
// process that is known is only asked whether it still lives.

import type { Application } from '../core/application.ts';
import {
  claimedPort,
  type Fleet,
  identify,
  type PortProcesses,
  parseMarker,
  seenFrom,
  stalePorts,
} from '../core/identity.ts';
import type { Instant, Millis, Port } from '../core/units.ts';
import type {
  HttpSight,
  ListenerSight,
  PidfileSight,
  ProcessIdentity,
  ProcessSight,
  Sighting,
} from '../core/worker.ts';
import type { Host, Listener, Starter } from '../host/host.ts';

/** Probes under way at once: more would make the workers of a small machine miss their second. */
const MOST_PROBES = 64;

/** What is asked about one port: whether its processes live, or also whether it is ready. */
export interface Question {
  readonly port: Port;
  readonly about: 'life' | 'readiness';
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

/** The eyes of one command. Remembers only what makes the next look cheaper, and the sessions that workers had. */
export class Observer {
  readonly #application: Application;
  readonly #host: Host;
  readonly #known = new Map<Port, Known>();
  readonly #sessions = new Map<Port, Set<number>>();
  readonly #configPaths: Set<string>;
  readonly #otherPaths = new Set<string>();
  readonly #asking = new Map<Port, Promise<void>>();
  readonly #answers = new Map<Port, HttpSight>();
  #freshScan: readonly ProcessSight[] | undefined;

  constructor(application: Application, host: Host) {
    this.#application = application;
    this.#host = host;
    const target = host.files.target(application.configPath);
    this.#configPaths = new Set([application.configPath, target]);
  }

  /** Answers all questions, in their order; waits for every worker that is asked whether it is ready. */
  async look(questions: readonly Question[]): Promise<Sighting[]> {
    const listeners = this.#lookAtProcesses(questions);
    const http = await this.#probeAll(questions.filter((question) => this.#isWorthProbing(question)));
    return this.#sightings(questions, listeners, http);
  }

  /**
   * The same, but no worker holds up the others: one that has not answered within `wait` counts as silent in this look,
   * and its answer goes to a later one.
   */
  async glance(questions: readonly Question[], wait: Millis): Promise<Sighting[]> {
    const listeners = this.#lookAtProcesses(questions);
    const asked = questions.filter((question) => this.#isWorthProbing(question)).map(({ port }) => port);
    const pending = asked.flatMap((port) => this.#ask(port) ?? []);
    if (pending.length > 0) await Promise.race([Promise.all(pending), this.#host.clock.sleep(wait)]);
    const http = new Map(asked.map((port) => [port, this.#answers.get(port) ?? 'silent']));
    this.#answers.clear();
    return this.#sightings(questions, listeners, http);
  }

  /** Ports outside the configured range on which workers of this application are; the next look shares its pass. */
  findStale(): Port[] {
    const processes = this.#host.processes.scan();
    this.#freshScan = processes;
    this.#learnPaths(processes);
    return stalePorts(processes, this.#fleet(), new Set(this.#application.specs.map((spec) => spec.port)));
  }

  /** Makes the next look a fresh one. */
  forget(): void {
    this.#known.clear();
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
  }

  #noteSession(port: Port, session: number): void {
    const sessions = this.#sessions.get(port) ?? new Set<number>();
    this.#sessions.set(port, sessions.add(session));
  }

  #isUnchanged(question: Question, listeners: ReadonlyMap<Port, readonly Listener[]>): boolean {
    const known = this.#known.get(question.port);
    if (known === undefined) return false;
    const { worker, rivals, leftBehind } = known.processes;
    const all = [...(worker === undefined ? [] : [worker]), ...rivals, ...leftBehind];
    if (all.length === 0 || !all.every((process) => this.#host.processes.isAlive(process.id))) return false;
    if (question.about === 'life') return true;
    const open = listeners.get(question.port) ?? [];
    // A port held by a child of the worker, or by a stranger, takes the whole picture.
    if (worker === undefined || !open.every((listener) => this.#host.sockets.holds(worker, listener))) return false;
    const listener = open.length > 0 ? 'worker' : 'none';
    this.#known.set(question.port, { ...known, processes: { ...known.processes, listener } });
    return true;
  }

  #scan(questions: readonly Question[], listeners: ReadonlyMap<Port, readonly Listener[]>): void {
    const processes = this.#freshScan ?? this.#host.processes.scan();
    this.#freshScan = undefined;
    this.#learnPaths(processes);
    const fleet = this.#fleet();
    const matching = Map.groupBy(processes, (process) => claimedPort(process, fleet));
    for (const { port, starter } of questions) {
      const pidfile = this.#readPidfile(port);
      const candidates = matching.get(port) ?? [];
      const named = pidfile.kind === 'names' ? this.#find(pidfile, candidates) : undefined;
      const open = listeners.get(port) ?? [];
      const holders = [...candidates, ...(named === undefined || candidates.includes(named) ? [] : [named])];
      const facts = {
        pidfile,
        listening: new Set<number>(
          holders
            .filter((process) => open.some((listener) => this.#host.sockets.holds(process, listener)))
            .map((process) => process.id.pid),
        ),
        isOpen: open.length > 0,
        sessions: this.#sessions.get(port) ?? new Set<number>(),
        starter: starter?.pid,
      };
      const trust = { uids: this.#trustedUids(port), ownPids: this.#host.processes.self.pids };
      const found = identify(port, processes, named, facts, fleet, trust);
      for (const process of [found.worker, ...found.rivals]) {
        if (process !== undefined) this.#noteSession(port, process.session);
      }
      this.#known.set(port, { processes: found, pidfile });
    }
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

  /** Other names of our configuration, by which the processes that were found were started. */
  #learnPaths(processes: readonly ProcessSight[]): void {
    for (const process of processes) {
      const marker = process.marker === undefined ? undefined : parseMarker(process.marker)?.path;
      const relative = process.argv.includes(`--config=${this.#application.config}`)
        ? seenFrom(process.cwd, this.#application.config)
        : undefined;
      for (const path of [marker, relative]) {
        if (path === undefined || this.#configPaths.has(path) || this.#otherPaths.has(path)) continue;
        const isOurs = this.#configPaths.has(this.#host.files.target(path));
        (isOurs ? this.#configPaths : this.#otherPaths).add(path);
      }
    }
  }

  #fleet(): Fleet {
    const { config, pidfilesOf, anyTemplate } = this.#application;
    return { config, configPaths: this.#configPaths, pidfilesOf, anyTemplate };
  }

  #isWorthProbing({ port, about }: Question): boolean {
    const processes = this.#known.get(port)?.processes;
    return about === 'readiness' && processes?.worker !== undefined && processes.listener === 'worker';
  }

  /** Asks a worker, unless it still owes an answer or too many do. */
  #ask(port: Port): Promise<void> | undefined {
    const owed = this.#asking.get(port);
    if (owed !== undefined || this.#asking.size >= MOST_PROBES) return owed;
    const asking = this.#host.sockets.probe(port, this.#application.readiness).then((sight) => {
      this.#answers.set(port, sight);
      this.#asking.delete(port);
    });
    this.#asking.set(port, asking);
    return asking;
  }

  async #probeAll(questions: readonly Question[]): Promise<ReadonlyMap<Port, HttpSight>> {
    const answers = new Map<Port, HttpSight>();
    const queue = questions.values();
    const probeNext = async (): Promise<void> => {
      for (const { port } of queue)
        answers.set(port, await this.#host.sockets.probe(port, this.#application.readiness));
    };
    await Promise.all(Array.from({ length: Math.min(MOST_PROBES, questions.length) }, probeNext));
    return answers;
  }

  #lookAtProcesses(questions: readonly Question[]): Map<Port, Listener[]> {
    const listeners = questions.length > 0 ? byPort(this.#host.sockets.listeners()) : new Map<Port, Listener[]>();
    const unknown = questions.filter((question) => !this.#isUnchanged(question, listeners));
    if (unknown.length > 0) this.#scan(unknown, listeners);
    return listeners;
  }

  #sightings(
    questions: readonly Question[],
    listeners: ReadonlyMap<Port, readonly Listener[]>,
    http: ReadonlyMap<Port, HttpSight>,
  ): Sighting[] {
    const at = this.#host.clock.now();
    return questions.map((question) => this.#sighting(question, at, listeners, http));
  }

  #sighting(
    { port, about, starter }: Question,
    at: Instant,
    listeners: ReadonlyMap<Port, readonly Listener[]>,
    http: ReadonlyMap<Port, HttpSight>,
  ): Sighting {
    const { processes, pidfile } = this.#known.get(port) ?? NOTHING_KNOWN;
    return {
      at,
      worker: processes.worker?.id,
      rivals: processes.rivals.map(idOf),
      leftBehind: processes.leftBehind.map(idOf),
      listener: this.#listenerSight(processes.listener, listeners.get(port) ?? []),
      http: http.get(port) ?? 'unasked',
      // A worker writes its pidfile on its way up, long after its first sight.
      pidfile: about === 'readiness' && processes.listener === 'worker' ? this.#readPidfile(port) : pidfile,
      starter: starter?.state() ?? { kind: 'never' },
    };
  }

  #listenerSight(kind: PortProcesses['listener'], open: readonly Listener[]): ListenerSight {
    if (kind !== 'stranger') return { kind };
    const [listener] = open;
    return { kind, holder: listener === undefined ? undefined : this.#host.sockets.holderOf(listener) };
  }

  #untrusted(port: Port, process: ProcessSight): number {
    const trusted = this.#trustedUids(port);
    return process.uids.find((uid) => !trusted.has(uid)) ?? process.uids[0];
  }
}

const NOTHING_KNOWN: Known = {
  processes: { worker: undefined, rivals: [], leftBehind: [], ignored: [], listener: 'none' },
  pidfile: { kind: 'none' },
};

function idOf(process: ProcessSight): ProcessIdentity {
  return process.id;
}

function byPort(listeners: readonly Listener[]): Map<Port, Listener[]> {
  return Map.groupBy(listeners, (listener) => listener.port);
}
