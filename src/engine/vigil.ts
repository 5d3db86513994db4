// The workers of a `run` that run, as far as is known: whether each is still there, and still answers.

import type { Application, Readiness } from '../core/application.ts';
import type { KeptState, Tell } from '../core/event.ts';
import { after, between, type Instant, type Millis, millis, type Pid, type Port, seconds } from '../core/units.ts';
import { type HttpSight, isSame, type ProcessIdentity, type WorkerSpec } from '../core/worker.ts';
import type { Host, Starter } from '../host/host.ts';
import { Prober } from './readiness.ts';

/** A worker that runs, as far as is known. */
interface Kept {
  readonly spec: WorkerSpec;
  readonly id: ProcessIdentity;
  /** Set if it is a child of ours: then its end is told by the kernel. */
  readonly child: Starter | undefined;
  /** How it says that it is ready; a newer configuration may be about its successor. */
  readonly readiness: Readiness;
  readonly since: Instant;
  /** Whether it was ready when last asked. */
  isReady: boolean;
  /** When it last answered as it should, and how many questions it owes an answer to. */
  answeredAt: Instant;
  owed: number;
  /** Hangs up the connection that tells us when a process ends that is no child; undefined when there is none. */
  hangUp: (() => void) | undefined;
  /** Until when it is looked at closely, since it has hung up. */
  doubtful: Instant | undefined;
}

/** Between two looks whether the processes are there that are not our children. */
const ROUND = millis(2000);
/** The same for one that has hung up, and how long that is a reason to look. */
const CLOSE_LOOK = millis(10);
const DOUBT = millis(1000);
/** Questions that a worker may leave unanswered before it hangs. */
const QUESTIONS = 3;
/** Between two questions where a worker may owe an answer for ever. */
const SELDOM = seconds(60);
/** Between two questions at least. */
const SECOND = millis(1000);

/** Who wants to know what is found; nobody is told of a worker twice. */
export interface Mourner {
  /** A worker is gone that was there for so long. */
  lost(spec: WorkerSpec, lived: Millis): void;
  /** A worker is there and does not answer any more; it did for so long. */
  hung(spec: WorkerSpec, served: Millis): void;
  /** The number of workers that are ready may be another one. */
  changed(): void;
  /** There is something to look at. */
  awake(): void;
}

/** Watches over workers, one a port, until they are dropped, lost or hung. */
export class Vigil {
  readonly #host: Host;
  readonly #tell: Tell;
  readonly #mourner: Mourner;
  readonly #kept = new Map<Port, Kept>();
  /** Those who were dropped last: that somebody says start often enough must not save one that hangs. */
  readonly #dropped = new Map<Port, Pick<Kept, 'id' | 'answeredAt'>>();
  /** Those of our children that live: a command that finds one alive does not know that it is our child. */
  readonly #children = new Map<Pid, Starter>();
  #askAt: Instant;
  /** Resolves when all have answered that were asked; undefined when nobody is being asked. */
  #asking: Promise<void> | undefined;
  /** Why workers could not be asked the last time. */
  #obstacle: string | undefined;
  /** What went wrong with a question, for the next look to throw. */
  #trouble: { readonly error: unknown } | undefined;

  constructor(host: Host, tell: Tell, mourner: Mourner) {
    this.#host = host;
    this.#tell = tell;
    this.#mourner = mourner;
    this.#askAt = host.clock.now();
  }

  /** The ports that are watched over. */
  get ports(): readonly Port[] {
    return [...this.#kept.keys()];
  }

  /** Whether the worker of a port was ready when last asked. */
  isReady(port: Port): boolean {
    return this.#kept.get(port)?.isReady === true;
  }

  /** How the worker of a port stands; undefined if none is watched over there. */
  stateOf(port: Port): KeptState | undefined {
    const kept = this.#kept.get(port);
    if (kept === undefined) return undefined;
    if (!kept.isReady) return { kind: 'unready', pid: kept.id.pid };
    return { kind: 'running', pid: kept.id.pid, since: between(kept.since, this.#host.clock.now()) };
  }

  /** Watches over a worker from now on, one that is ready or may be yet; `starter` may have launched it. */
  keep(
    spec: WorkerSpec,
    id: ProcessIdentity,
    starter: Starter | undefined,
    sight: 'ready' | 'unready',
    readiness: Readiness,
  ): void {
    const now = this.#host.clock.now();
    const child = this.#childOf(id, starter);
    const isReady = sight === 'ready';
    this.drop(spec.port);
    const before = this.#dropped.get(spec.port);
    this.#dropped.delete(spec.port);
    // A command has asked it all the while.
    const isSilent = !isReady && before !== undefined && isSame(before.id, id);
    const kept: Kept = {
      spec,
      id,
      child,
      readiness,
      since: now,
      isReady,
      answeredAt: isSilent ? before.answeredAt : now,
      owed: isSilent ? QUESTIONS : 0,
      hangUp: undefined,
      doubtful: undefined,
    };
    this.#kept.set(spec.port, kept);
    if (child === undefined) this.#attend(kept);
    this.#mourner.changed();
  }

  /** Watches over the worker of a port no more. */
  drop(port: Port): void {
    const kept = this.#kept.get(port);
    if (kept === undefined) return;
    kept.hangUp?.();
    this.#kept.delete(port);
    this.#dropped.set(port, kept);
  }

  /** Looks at all, and asks them when it is time; nobody waits for their answers. Throws what the system refuses. */
  look({ watching }: Application): void {
    const trouble = this.#trouble;
    this.#trouble = undefined;
    if (trouble !== undefined) throw trouble.error;
    for (const kept of this.#kept.values()) this.#examine(kept, watching.hangsAfter);
    const now = this.#host.clock.now();
    if (now < this.#askAt || this.#asking !== undefined || this.#kept.size === 0) return;
    this.#askAt = after(now, askEvery(watching.hangsAfter));
    this.#asking = this.#askAll();
  }

  /** When to look next, unless somebody awakes us before; undefined: whenever. */
  get next(): Instant | undefined {
    if (this.#kept.size === 0) return undefined;
    const now = this.#host.clock.now();
    const polled = [...this.#kept.values()].filter(({ child }) => child === undefined);
    const isDoubtful = polled.some(({ doubtful }) => doubtful !== undefined && doubtful > now);
    const due = [
      ...(this.#asking === undefined ? [this.#askAt] : []),
      ...(polled.length > 0 ? [after(now, isDoubtful ? CLOSE_LOOK : ROUND)] : []),
    ];
    return due.toSorted((one, other) => one - other)[0];
  }

  /** Resolves when nobody owes an answer any more. */
  async end(): Promise<void> {
    await this.#asking;
  }

  #childOf({ pid }: ProcessIdentity, starter: Starter | undefined): Starter | undefined {
    const known = this.#children.get(pid);
    if (known !== undefined || starter?.pid !== pid) return known;
    this.#children.set(pid, starter);
    void starter.ended.then(() => {
      // Its pid may soon be somebody else's.
      this.#children.delete(pid);
      this.#mourner.awake();
    });
    return starter;
  }

  /** The kernel ends a process's connections with it: so its end is known at once, and needs no looking. */
  #attend(kept: Kept): void {
    kept.hangUp = this.#host.sockets.attend(kept.spec.port, () => {
      kept.hangUp = undefined;
      kept.doubtful = after(this.#host.clock.now(), DOUBT);
      this.#mourner.awake();
    });
  }

  /** Whether a worker is still there, and still answers. */
  #examine({ spec, id, child, since, answeredAt, owed }: Kept, hangsAfter: Millis | undefined): void {
    const { port } = spec;
    const now = this.#host.clock.now();
    const state = child?.state();
    if (child === undefined ? !this.#host.processes.isAlive(id) : state?.kind === 'exited') {
      this.drop(port);
      this.#tell({
        kind: 'worker-lost',
        port,
        pid: id.pid,
        how: state?.kind === 'exited' ? state.how : 'is gone',
      });
      this.#mourner.lost(spec, between(since, now));
      this.#mourner.changed();
      return;
    }
    // The time alone tells nothing: it may have been we who were stopped.
    if (hangsAfter === undefined || owed < QUESTIONS || between(answeredAt, now) < hangsAfter) return;
    this.drop(port);
    this.#tell({ kind: 'worker-hangs', port, pid: id.pid, silent: between(answeredAt, now) });
    this.#mourner.hung(spec, between(since, answeredAt));
    this.#mourner.changed();
  }

  /** Asks all workers whether they are ready; nobody is asked twice at once. */
  async #askAll(): Promise<void> {
    const asked = [...this.#kept.values()];
    // A worker may end a connection on which nothing is said.
    for (const kept of asked) if (kept.child === undefined && kept.hangUp === undefined) this.#attend(kept);
    try {
      const groups = [...Map.groupBy(asked, ({ readiness }) => readiness)];
      const answers = await Promise.all(groups.map(([readiness, group]) => this.#askAlike(readiness, group)));
      this.#noteObstacle(answers.flat());
    } catch (error) {
      this.#trouble = { error };
    }
    this.#asking = undefined;
    this.#mourner.awake();
  }

  async #askAlike(readiness: Readiness, asked: readonly Kept[]): Promise<readonly HttpSight[]> {
    const ports = asked.map(({ spec }) => spec.port);
    const answers = await new Prober(readiness, this.#host).finish(ports, new Map());
    for (const kept of asked) this.#hear(kept, answers.get(kept.spec.port));
    return [...answers.values()];
  }

  /** Says once that nobody can be asked: until that is over, nobody who hangs is found. */
  #noteObstacle(answers: readonly HttpSight[]): void {
    const code = answers.find((sight) => typeof sight === 'object')?.unaskable;
    if (code !== undefined && code !== this.#obstacle) {
      this.#tell({
        kind: 'caution',
        source: 'run',
        text: `this machine cannot ask workers whether they answer: ${code}`,
      });
    }
    this.#obstacle = code;
  }

  #hear(kept: Kept, sight: HttpSight | undefined): void {
    // That nobody can be asked is not the worker's fault: he is not taken for one that hangs.
    if (typeof sight === 'object') return;
    const isReady = sight === 'ready';
    if (isReady) kept.answeredAt = this.#host.clock.now();
    kept.owed = isReady ? 0 : kept.owed + 1;
    if (kept.isReady === isReady) return;
    kept.isReady = isReady;
    this.#mourner.changed();
  }
}

function askEvery(hangsAfter: Millis | undefined): Millis {
  return hangsAfter === undefined ? SELDOM : millis(Math.max(SECOND, Math.ceil(hangsAfter / QUESTIONS)));
}
