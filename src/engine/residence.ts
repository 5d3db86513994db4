// The part of `run` that stays: looks after workers between commands. One that has gone is started again, one that does not
// answer any more is stopped first. Everything is decided by core/journey and core/flapping, as for any command.

import type { Application } from '../core/application.ts';
import type { KeptState, Tell } from '../core/event.ts';
import type { Failure } from '../core/failure.ts';
import { restAfterDeath } from '../core/flapping.ts';
import { isSettled } from '../core/journey.ts';
import { after, between, type Instant, type Millis, millis, type Port, seconds } from '../core/units.ts';
import type { ProcessIdentity, WorkerSpec } from '../core/worker.ts';
import type { Host, Starter } from '../host/host.ts';
import { Acquaintance } from './acquaintance.ts';
import { type Drive, type Interruption, type Member, restAfter, takeTurns, type Watch } from './drive.ts';
import { Observer } from './observe.ts';
import { Teller } from './telling.ts';
import { Vigil } from './vigil.ts';

/** A worker that is to be started again. */
interface Resting {
  readonly spec: WorkerSpec;
  readonly until: Instant;
}

/** Between two turns when there is nothing to do. */
const SELDOM = seconds(60);
/** After a turn in which the system refused something. */
const SECOND = millis(1000);

const NEVER: Interruption = { signal: undefined, arrived: new Promise(() => undefined) };

/** Who wants to know. */
export interface Listener {
  /** The number of workers that are ready may be another one. */
  changed(): void;
  /** The system has refused something: it is tried again. Throws what is a bug of ours. */
  failed(error: unknown): void;
}

/** Looks after the workers of one application. */
export class Residence implements Watch {
  readonly acquaintance = new Acquaintance();
  readonly #host: Host;
  readonly #tell: Tell;
  readonly #listener: Listener;
  #application: Application;
  #drive: Drive;
  readonly #vigil: Vigil;
  readonly #resting = new Map<Port, Resting>();
  readonly #moving = new Map<Port, Member>();
  /** Ports that the command that is at work has asked for. */
  readonly #lent = new Set<Port>();
  readonly #deaths = new Map<Port, number>();
  /** How long those had served that hung and are being stopped. */
  readonly #served = new Map<Port, Millis>();
  #turn: Promise<void> = Promise.resolve();
  #alarm = Promise.withResolvers<void>();
  #isOver = false;

  constructor(application: Application, host: Host, tell: Tell, listener: Listener) {
    this.#host = host;
    this.#tell = tell;
    this.#listener = listener;
    this.#application = application;
    this.#drive = this.#look(application);
    this.#vigil = new Vigil(host, tell, {
      lost: (spec, lived) => this.#rest(spec, lived),
      hung: (spec, served) => {
        this.#served.set(spec.port, served);
        this.#moving.set(spec.port, { spec, journey: { stage: 'stop-due' }, starter: undefined });
      },
      changed: () => listener.changed(),
      awake: () => this.#awake(),
    });
  }

  /** How many configured workers were ready when last asked. */
  get running(): number {
    return this.#application.specs.filter(({ port }) => this.#vigil.isReady(port)).length;
  }

  /**
   * Another application takes the place of the one before: the same one, with other settings. Whoever is not configured any
   * more is not missed; stop and reload find him without us. As long as anybody is looked after, those who are new or rest are
   * started when the command is over, whatever comes of it: the settings may be what they have failed by.
   */
  async adopt(application: Application): Promise<void> {
    const inHand = this.#ports();
    const before = new Set(this.#application.specs.map(({ port }) => port));
    this.#application = application;
    this.#drive = this.#look(application);
    const configured = application.specs.map(({ port }) => port);
    const others = inHand.filter((port) => !configured.includes(port));
    const added = inHand.length === 0 ? [] : configured.filter((port) => !before.has(port));
    await this.letGo([...others, ...added, ...this.#resting.keys()]);
  }

  async letGo(ports: readonly Port[]): Promise<void> {
    for (const port of ports) {
      this.#lent.add(port);
      this.#moving.get(port)?.starter?.release();
      this.#vigil.drop(port);
      for (const state of [this.#resting, this.#moving, this.#deaths, this.#served]) state.delete(port);
    }
    await this.#turn;
    this.#listener.changed();
  }

  takeOver({ spec, journey, starter }: Member): void {
    if (journey.stage === 'starting') this.#moving.set(spec.port, { spec, journey, starter });
    if (journey.stage === 'up') this.#keep(spec, journey.id, starter, 'ready');
    // One that is there although it was told to go is left to the end of the command: nothing is started beside it.
    if (journey.stage === 'failed' && !isAboutStopping(journey.failure.kind)) this.#takeFailed(spec, journey.failure);
    this.#awake();
  }

  /**
   * A command is over. Where it wanted its workers to run, whoever it has not handed back is started as soon as that can be:
   * the machine has refused it something in the middle of it, or a worker did not go when he was told to.
   */
  resume(wanted: 'running' | 'stopped'): void {
    const inHand = new Set(this.#ports());
    const lost = this.#application.specs.filter(({ port }) => this.#lent.has(port) && !inHand.has(port));
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
    await this.#vigil.end();
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
    const state = this.#vigil.stateOf(port);
    if (state !== undefined) return state;
    if (this.#moving.has(port)) return { kind: 'on-its-way' };
    const resting = this.#resting.get(port);
    if (resting === undefined) return { kind: 'stopped' };
    const wait = between(this.#host.clock.now(), resting.until);
    return { kind: 'resting', wait, deaths: this.#deaths.get(port) ?? 0 };
  }

  #look(application: Application): Drive {
    const observer = new Observer(application, this.#host, this.acquaintance);
    const [host, tell, launched] = [this.#host, this.#tell, new Set<Starter>()];
    const { patience } = application;
    return { host, observer, patience, tell, interruption: NEVER, watch: undefined, launched };
  }

  /** The ports of all who are looked after. */
  #ports(): Port[] {
    return [...this.#vigil.ports, ...this.#resting.keys(), ...this.#moving.keys()];
  }

  #awake(): void {
    this.#alarm.resolve();
  }

  async #takeTurn(): Promise<void> {
    this.#vigil.look(this.#application);
    const now = this.#host.clock.now();
    for (const { spec, until } of this.#resting.values()) {
      if (until > now) continue;
      this.#resting.delete(spec.port);
      this.#moving.set(spec.port, { spec, journey: { stage: 'start-due' }, starter: undefined });
    }
    if (this.#moving.size > 0) await this.#move();
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
    const launched = new Set<Starter>();
    const turned = await takeTurns(before, { ...this.#drive, launched }, teller).catch((error: unknown) => {
      for (const starter of launched) starter.release();
      throw error;
    });
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
    const served = this.#served.get(spec.port);
    this.#served.delete(spec.port);
    if (journey.stage === 'up') {
      this.#keep(spec, journey.id, starter, 'ready');
      this.#tell({ kind: 'worker-back', port: spec.port, pid: journey.id.pid });
    } else if (journey.stage === 'failed') this.#takeFailed(spec, journey.failure);
    // It hung, and is gone now.
    else this.#rest(spec, served ?? millis(0));
  }

  /** Looks after a worker; a command that has found it does not know that it is a child of ours. */
  #keep(spec: WorkerSpec, id: ProcessIdentity, starter: Starter | undefined, sight: 'ready' | 'unready'): void {
    const child = starter ?? this.acquaintance.childOf(spec.port);
    this.#vigil.keep(spec, id, child, sight, this.#application.readiness);
  }

  #takeFailed(spec: WorkerSpec, failure: Failure): void {
    // It is there, and may answer yet; if it does not, it hangs.
    if (failure.kind === 'alive-not-ready') this.#keep(spec, failure.id, undefined, 'unready');
    else this.#rest(spec, millis(0));
  }

  /** How long nothing needs to be done. */
  #pause(begun: Instant): Millis {
    const now = this.#host.clock.now();
    if (this.#moving.size > 0) return restAfter(begun, now);
    const due = [
      ...[...this.#resting.values()].map(({ until }) => until),
      this.#vigil.next ?? after(now, SELDOM),
      after(now, SELDOM),
    ];
    return millis(Math.max(0, Math.min(...due) - now));
  }
}

/** Whether it is still there although it was told to go: then nothing is started beside it. */
function isAboutStopping(kind: Failure['kind']): boolean {
  return kind === 'survived-sigkill' || kind === 'keeps-coming-back' || kind === 'not-permitted';
}
