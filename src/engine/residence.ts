// The part of `run` that stays: looks after workers between commands. One that has gone is started again, one that does not
// answer any more is stopped first. Everything is decided by core/journey and core/flapping, as for any command.

import type { Application } from '../core/application.ts';
import type { KeptState, Tell } from '../core/event.ts';
import type { Failure } from '../core/failure.ts';
import { restAfterDeath } from '../core/flapping.ts';
import { isSettled } from '../core/journey.ts';
import { after, between, type Instant, type Millis, millis, type Pid, type Port, seconds } from '../core/units.ts';
import type { ProcessIdentity, WorkerSpec } from '../core/worker.ts';
import type { Host, Starter } from '../host/host.ts';
import { type Drive, type Interruption, type Member, restAfter, takeTurns, type Watch } from './drive.ts';
import { Observer } from './observe.ts';
import { Teller } from './telling.ts';

/** A worker that runs, as far as is known. */
interface Kept {
  readonly spec: WorkerSpec;
  readonly id: ProcessIdentity;
  /** Set if it is a child of ours: then its end is told by the kernel. */
  readonly child: Starter | undefined;
  readonly since: Instant;
  /** When it last answered as it should, and how many questions it owes an answer to. */
  answeredAt: Instant;
  owed: number;
  /** Hangs up the connection that tells us when a process ends that is no child; undefined when there is none. */
  hangUp: (() => void) | undefined;
  /** Until when it is looked at closely, since it has hung up. */
  doubtful: Instant | undefined;
}

/** A worker that is to be started again. */
interface Resting {
  readonly spec: WorkerSpec;
  readonly until: Instant;
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

/** An answer may take so long, and nobody is asked twice at once. */
const SECOND = millis(1000);

const NEVER: Interruption = { signal: undefined, arrived: new Promise(() => undefined) };

/** Who wants to know. */
export interface Listener {
  /** The number of workers that run may be another one. */
  changed(): void;
  /** The system has refused something: it is tried again. Throws what is a bug of ours. */
  failed(error: unknown): void;
}

/** Looks after the workers of one application. */
export class Residence implements Watch {
  readonly #host: Host;
  readonly #tell: Tell;
  readonly #listener: Listener;
  #application: Application;
  #drive: Drive;
  readonly #up = new Map<Port, Kept>();
  readonly #resting = new Map<Port, Resting>();
  readonly #moving = new Map<Port, Member>();
  /** Ports that the command that is at work has asked for. */
  readonly #lent = new Set<Port>();
  readonly #deaths = new Map<Port, number>();
  readonly #children = new Map<Pid, Starter>();
  #askAt: Instant;
  #asking: Promise<void> = Promise.resolve();
  /** What went wrong with a question, for the next turn to tell. */
  #trouble: { readonly error: unknown } | undefined;
  #turn: Promise<void> = Promise.resolve();
  #alarm = Promise.withResolvers<void>();
  #isOver = false;

  constructor(application: Application, host: Host, tell: Tell, listener: Listener) {
    this.#host = host;
    this.#tell = tell;
    this.#listener = listener;
    this.#application = application;
    this.#drive = this.#look(application);
    this.#askAt = host.clock.now();
  }

  /** Workers that run. */
  get running(): number {
    return this.#up.size;
  }

  /**
   * Another application takes the place of the one before: the same one, with other settings. Whoever is not configured any
   * more is not missed; stop and reload find him without us.
   */
  async adopt(application: Application): Promise<void> {
    this.#application = application;
    this.#drive = this.#look(application);
    const ports = [this.#up, this.#resting, this.#moving, this.#deaths].flatMap((state) => [...state.keys()]);
    const configured = new Set(application.specs.map(({ port }) => port));
    await this.letGo(ports.filter((port) => !configured.has(port)));
  }

  async letGo(ports: readonly Port[]): Promise<void> {
    for (const port of ports) {
      this.#lent.add(port);
      this.#moving.get(port)?.starter?.release();
      this.#drop(port);
      for (const state of [this.#resting, this.#moving, this.#deaths]) state.delete(port);
    }
    await this.#turn;
    this.#listener.changed();
  }

  takeOver({ spec, journey, starter }: Member): void {
    if (journey.stage === 'starting') this.#moving.set(spec.port, { spec, journey, starter });
    if (journey.stage === 'up') this.#keep(spec, journey.id, starter);
    if (journey.stage === 'failed') {
      const { failure } = journey;
      // It is there, and may answer yet; if it does not, it hangs.
      if (failure.kind === 'alive-not-ready') this.#keep(spec, failure.id, starter);
      else if (!isAboutStopping(failure.kind)) this.#rest(spec, millis(0));
    }
    this.#awake();
  }

  /**
   * A command is over. Where it wanted its workers to run, whoever it has not handed back is started as soon as that can be:
   * the machine has refused it something in the middle of it, or a worker did not go when he was told to.
   */
  resume(wanted: 'running' | 'stopped'): void {
    const isInHand = (port: Port): boolean => [this.#up, this.#resting, this.#moving].some((state) => state.has(port));
    const lost = this.#application.specs.filter(({ port }) => this.#lent.has(port) && !isInHand(port));
    this.#lent.clear();
    if (wanted === 'stopped') return;
    for (const spec of lost) this.#moving.set(spec.port, { spec, journey: { stage: 'start-due' }, starter: undefined });
    this.#awake();
  }

  /** Looks after the workers until it is told to leave. */
  async live(): Promise<void> {
    while (!this.#isOver) {
      const begun = this.#host.clock.now();
      this.#alarm = Promise.withResolvers();
      this.#turn = this.#takeTurn().catch((error: unknown) => {
        this.#listener.failed(error);
        return this.#host.clock.sleep(SECOND);
      });
      await this.#turn;
      if (!this.#isOver) await Promise.race([this.#host.clock.sleep(this.#pause(begun)), this.#alarm.promise]);
    }
    await this.#asking;
  }

  /** Ends live(). */
  leave(): void {
    this.#isOver = true;
    this.#awake();
  }

  /** How each configured worker stands. */
  report(): readonly { readonly port: Port; readonly state: KeptState }[] {
    return this.#application.specs.map(({ port }) => ({ port, state: this.#stateOf(port) }));
  }

  #stateOf(port: Port): KeptState {
    const now = this.#host.clock.now();
    const kept = this.#up.get(port);
    if (kept !== undefined) return { kind: 'running', pid: kept.id.pid, since: between(kept.since, now) };
    if (this.#moving.has(port)) return { kind: 'on-its-way' };
    const resting = this.#resting.get(port);
    if (resting === undefined) return { kind: 'stopped' };
    return { kind: 'resting', wait: between(now, resting.until), deaths: this.#deaths.get(port) ?? 0 };
  }

  #look(application: Application): Drive {
    const observer = new Observer(application, this.#host);
    const tell = this.#tell;
    return { host: this.#host, observer, patience: application.patience, tell, interruption: NEVER, watch: undefined };
  }

  #keep(spec: WorkerSpec, id: ProcessIdentity, starter: Starter | undefined): void {
    const now = this.#host.clock.now();
    // A command that finds it alive does not know that it is our child.
    const child = starter?.pid === id.pid ? starter : this.#children.get(id.pid);
    if (child !== undefined) this.#children.set(id.pid, child);
    const kept: Kept = {
      spec,
      id,
      child,
      since: now,
      answeredAt: now,
      owed: 0,
      hangUp: undefined,
      doubtful: undefined,
    };
    this.#drop(spec.port);
    this.#up.set(spec.port, kept);
    if (child === undefined) this.#attend(kept);
    else void child.ended.then(() => this.#awake());
    this.#listener.changed();
  }

  #drop(port: Port): void {
    this.#up.get(port)?.hangUp?.();
    this.#up.delete(port);
  }

  /** The kernel ends a process's connections with it: so its end is known at once, and needs no looking. */
  #attend(kept: Kept): void {
    kept.hangUp = this.#host.sockets.attend(kept.spec.port, () => {
      kept.hangUp = undefined;
      kept.doubtful = after(this.#host.clock.now(), DOUBT);
      this.#awake();
    });
  }

  #awake(): void {
    this.#alarm.resolve();
  }

  async #takeTurn(): Promise<void> {
    const trouble = this.#trouble;
    this.#trouble = undefined;
    if (trouble !== undefined) throw trouble.error;
    for (const kept of this.#up.values()) this.#examine(kept);
    const now = this.#host.clock.now();
    for (const { spec, until } of this.#resting.values()) {
      if (until > now) continue;
      this.#resting.delete(spec.port);
      this.#moving.set(spec.port, { spec, journey: { stage: 'start-due' }, starter: undefined });
    }
    if (now >= this.#askAt && this.#up.size > 0) this.#askAll(now);
    if (this.#moving.size > 0) await this.#move();
  }

  /** Whether a worker is still there, and still answers. */
  #examine(kept: Kept): void {
    const { spec, id, child, since, answeredAt, owed } = kept;
    const now = this.#host.clock.now();
    const state = child?.state();
    if (child === undefined ? !this.#host.processes.isAlive(id) : state?.kind === 'exited') {
      this.#mourn(kept, state?.kind === 'exited' ? state.how : 'is gone', between(since, now));
      return;
    }
    const { hangsAfter } = this.#application.watching;
    // The time alone tells nothing: it may have been we who were stopped.
    if (hangsAfter === undefined || owed < QUESTIONS || between(answeredAt, now) < hangsAfter) return;
    this.#tell({ kind: 'worker-hangs', port: spec.port, pid: id.pid, silent: between(answeredAt, now) });
    this.#drop(spec.port);
    this.#moving.set(spec.port, { spec, journey: { stage: 'stop-due' }, starter: undefined });
    this.#listener.changed();
  }

  #mourn({ spec, id }: Kept, how: string, lived: Millis): void {
    this.#drop(spec.port);
    this.#children.delete(id.pid);
    this.#tell({ kind: 'worker-lost', port: spec.port, pid: id.pid, how });
    this.#rest(spec, lived);
    this.#listener.changed();
  }

  /** A worker that is not there is started again, sooner or later, as it is configured now. */
  #rest({ port }: WorkerSpec, lived: Millis): void {
    const spec = this.#application.specs.find((each) => each.port === port);
    if (spec === undefined) return;
    const { retries } = this.#application.watching;
    const { deaths, wait, isGivenUp } = restAfterDeath(
      this.#deaths.get(port) ?? 0,
      lived,
      retries,
      this.#host.random(),
    );
    this.#deaths.set(port, deaths);
    this.#resting.set(port, { spec, until: after(this.#host.clock.now(), wait) });
    if (wait > 0) this.#tell({ kind: 'worker-rests', port, wait, deaths, isGivenUp });
  }

  /** One step of all that are being started or stopped. */
  async #move(): Promise<void> {
    const before = [...this.#moving.values()];
    const teller = new Teller(this.#tell);
    const turned = await takeTurns(before, this.#drive, teller);
    teller.flush(() => true, this.#host.clock.now());
    for (const [index, member] of turned.entries()) {
      const { port } = member.spec;
      // A command may have taken it over meanwhile.
      if (this.#moving.get(port) !== before[index]) member.starter?.release();
      else if (isSettled(member.journey)) this.#settle(member);
      else this.#moving.set(port, member);
    }
  }

  #settle(member: Member): void {
    const { spec, journey, starter } = member;
    this.#moving.delete(spec.port);
    starter?.release();
    if (journey.stage === 'up') {
      this.#keep(spec, journey.id, starter);
      this.#tell({ kind: 'worker-back', port: spec.port, pid: journey.id.pid });
    } else if (journey.stage === 'down') {
      // It hung, and is gone now.
      this.#rest(spec, this.#application.watching.hangsAfter ?? millis(0));
    } else this.#rest(spec, millis(0));
  }

  /** Asks all workers whether they are ready. Nobody waits for the answers. */
  #askAll(now: Instant): void {
    this.#askAt = after(now, this.#askEvery());
    const { readiness } = this.#application;
    const asked = [...this.#up.values()].map(async (kept) => {
      // A worker may end a connection on which nothing is said.
      if (kept.child === undefined && kept.hangUp === undefined) this.#attend(kept);
      const sight = await this.#host.sockets.probe(kept.spec.port, readiness);
      if (sight === 'ready') {
        kept.answeredAt = this.#host.clock.now();
        kept.owed = 0;
        return;
      }
      kept.owed += 1;
    });
    this.#asking = Promise.all(asked).then(
      () => this.#awake(),
      (error: unknown) => {
        this.#trouble = { error };
        this.#awake();
      },
    );
  }

  #askEvery(): Millis {
    const { hangsAfter } = this.#application.watching;
    return hangsAfter === undefined ? SELDOM : millis(Math.max(SECOND, Math.ceil(hangsAfter / QUESTIONS)));
  }

  /** How long nothing needs to be done. */
  #pause(begun: Instant): Millis {
    const now = this.#host.clock.now();
    if (this.#moving.size > 0) return restAfter(begun, now);
    const polled = [...this.#up.values()].filter(({ child }) => child === undefined);
    const isDoubtful = polled.some(({ doubtful }) => doubtful !== undefined && doubtful > now);
    const due = [
      ...(this.#up.size > 0 ? [this.#askAt] : []),
      ...[...this.#resting.values()].map(({ until }) => until),
      ...(polled.length > 0 ? [after(now, isDoubtful ? CLOSE_LOOK : ROUND)] : []),
      after(now, SELDOM),
    ];
    return millis(Math.max(0, Math.min(...due) - now));
  }
}

/** Whether it is still there although it was told to go: then nothing is started beside it. */
function isAboutStopping(kind: Failure['kind']): boolean {
  return kind === 'survived-sigkill' || kind === 'keeps-coming-back' || kind === 'not-permitted';
}
