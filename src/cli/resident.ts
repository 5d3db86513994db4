// A `run` that has the lock: starts the workers and stays, in the foreground. What one-shot commands do once, it does whenever it
// is asked to, by a signal or by another command; in between it looks after the workers.

import type { Application } from '../core/application.ts';
import { summarize, type Tell } from '../core/event.ts';
import { type Port, seconds } from '../core/units.ts';
import { isSame, type ProcessSight } from '../core/worker.ts';
import { type Outcome, type Situation, start, status, stop } from '../engine/commands.ts';
import type { Interruption, Member, Watch } from '../engine/drive.ts';
import { Observer } from '../engine/observe.ts';
import { Residence } from '../engine/residence.ts';
import type { Host, Lock, Notifier, Options, Order } from '../host/host.ts';
import { lines } from '../report/wording.ts';
import type { ReadAgain } from './act.ts';
import { namesOf } from './application-lock.ts';
import { FAILED, signalVerdict, stopVerdict, WRONG_ARGUMENTS } from './exit-status.ts';
import { achieve, type Goal, goalNamed, longest } from './goals.ts';
import { prepare } from './preparation.ts';
import type { Launch } from './sources.ts';
import type { Signal, World } from './world.ts';

/** Something to do, one after another. */
interface Job {
  readonly goal: Goal;
  /** Who has asked for it; nobody waits for what a signal has asked for. */
  readonly order: Order | undefined;
}

type EndSignal = 'SIGINT' | 'SIGTERM';

/** How long whoever has asked may look at what has come of it. */
const LOOKING = seconds(5);
/** How often the first start and the end are tried, and what is between two tries: there is no later time for them. */
const TRIES = 5;
const BETWEEN_TRIES = seconds(1);

/** The ports of workers of an application that would be none of another one's, and so neither missed nor ever stopped. */
function disowned(current: Application, next: Application, host: Host): Port[] {
  const [ours, theirs] = [workersOf(current, host), workersOf(next, host)];
  const isLost = ({ id }: ProcessSight): boolean =>
    !theirs.some(({ process }) => isSame(process.id, id)) && host.processes.isAlive(id);
  return [...new Set(ours.filter(({ process }) => isLost(process)).map(({ port }) => port))];
}

function workersOf(application: Application, host: Host): ReturnType<Observer['seen']> {
  const observer = new Observer(application, host);
  observer.look([...application.specs.map(({ port }) => port), ...observer.findStale()]);
  return observer.seen();
}

/** A `run` that has the lock. Lives once. */
export class Resident {
  readonly #options: Options;
  readonly #readAgain: ReadAgain;
  readonly #world: World;
  readonly #notifier: Notifier | undefined;
  readonly #lock: Lock;
  readonly #residence: Residence;
  readonly #jobs: Job[] = [];
  #application: Application;
  #saidStatus = '';
  /** Resolves with each new job, and with the end. */
  #news = Promise.withResolvers<void>();
  #isEnding = false;
  /** Ends the waiting of what is being done now. */
  #interrupt: (signal: EndSignal) => void = () => undefined;

  constructor(
    application: Application,
    options: Options,
    readAgain: ReadAgain,
    world: World,
    notifier: Notifier | undefined,
    lock: Lock,
  ) {
    this.#application = application;
    this.#options = options;
    this.#readAgain = readAgain;
    this.#world = world;
    this.#notifier = notifier;
    this.#lock = lock;
    this.#residence = new Residence(application, world.host, world.tell, {
      changed: () => this.#tellManager([]),
      failed: (error) => this.#tellFault(error),
    });
  }

  async live(): Promise<number> {
    const { host, tell } = this.#world;
    const controls: { close(): void }[] = [];
    const close = (): void => {
      for (const control of controls) control.close();
    };
    for (const name of namesOf(this.#application, host)) {
      const control = await host.control.serve(name, (order) => this.#receive(order));
      if (!control.ok) {
        const { path, code } = control.error;
        tell({ kind: 'problem', source: path, text: `cannot listen for commands: ${code}` });
        close();
        return FAILED;
      }
      controls.push(control.value);
    }
    const work = this.#work().finally(() => this.#residence.leave());
    const [exit] = await Promise.all([work, this.#residence.live()]).finally(close);
    await this.#notifier?.settled();
    return exit;
  }

  async #work(): Promise<number> {
    // Told to end before it has begun: then there is only what an earlier run has left.
    const hasCome = !this.#isEnding && (await this.#begin());
    if (hasCome) while (!this.#isEnding) await this.#next();
    const isVain = !this.#isEnding;
    this.#isEnding = true;
    const exit = await this.#end();
    return isVain ? FAILED : exit;
  }

  /** The first start; whether there is anything to look after now. */
  async #begin(): Promise<boolean> {
    const failed = new Map<Port, Member>();
    // Whoever has failed is tried again only if there is something to stay for.
    const watch: Watch = {
      acquaintance: this.#residence.acquaintance,
      letGo: (ports) => {
        for (const port of ports) failed.delete(port);
        return this.#residence.letGo(ports);
      },
      takeOver: (member) => {
        if (member.journey.stage === 'failed') failed.set(member.spec.port, member);
        else this.#residence.takeOver(member);
      },
    };
    const outcome = await this.#insist({ ...this.#situate(this.#world.tell), watch }, start);
    const survey = outcome?.survey;
    const hasCome = survey !== undefined && summarize(survey) !== 'all-stopped';
    if (hasCome) {
      this.#tellManager(['READY=1']);
      for (const member of failed.values()) this.#residence.takeOver(member);
      this.#residence.resume(this.#isEnding ? 'stopped' : 'running');
    } else if (!this.#isEnding) this.#world.tell({ kind: 'none-came-up' });
    return hasCome;
  }

  async #next(): Promise<void> {
    const job = this.#jobs.shift();
    if (job !== undefined) return this.#carryOut(job);
    this.#news = Promise.withResolvers();
    await this.#news.promise;
  }

  async #carryOut({ goal, order }: Job): Promise<void> {
    let hasLooked = false;
    const tell: Tell = (event) => {
      this.#world.tell(event);
      // Whoever has asked looks at the workers himself in the end: his settings may be others than ours.
      if (event.kind === 'surveyed') hasLooked = true;
      else for (const line of lines(event)) order?.say(line);
    };
    if (goal === 'reload') this.#tellManager(['RELOADING=1']);
    let exit = FAILED;
    let refused: number | undefined;
    const situation = this.#situate(tell);
    try {
      refused = goal === 'stop' ? undefined : await this.#readSettings(goal, situation);
      exit = refused ?? (await achieve(goal, { ...situation, application: this.#application }));
    } catch (error) {
      this.#tellFault(error);
    }
    this.#residence.resume(goal === 'stop' || this.#isEnding ? 'stopped' : 'running');
    if (goal === 'reload') this.#tellManager(['READY=1']);
    // Nothing was begun: he does it himself, as those behind him.
    if (refused !== undefined && this.#isEnding) order?.decline();
    else order?.done({ exit, hasLooked });
    // What comes next must not change what he sees; our end does not wait for him.
    if (order === undefined) return;
    await Promise.race([order.closed, this.#world.host.clock.sleep(LOOKING), situation.interruption.arrived]);
  }

  /** Orderly: what is being done ends, then all workers are stopped. */
  async #end(): Promise<number> {
    const most = longest('stop', this.#application);
    // Whoever asks now waits for the lock, and does it himself.
    this.#lock.relabel({ action: 'stop', most });
    for (const { order } of this.#jobs.splice(0)) order?.decline();
    this.#tellManager(['STOPPING=1', `EXTEND_TIMEOUT_USEC=${most * 1000}`]);
    const situation = this.#situate(this.#world.tell);
    const outcome = await this.#insist(situation, stop);
    const { signal } = situation.interruption;
    if (signal !== undefined) return signalVerdict(signal);
    return outcome === undefined ? FAILED : stopVerdict(outcome);
  }

  /** What is done with the workers now goes by this; a signal that ends us interrupts it. */
  #situate(tell: Tell): Situation {
    const { promise, resolve } = Promise.withResolvers<void>();
    const interruption: Interruption = { signal: undefined, arrived: promise };
    this.#interrupt = (signal) => {
      interruption.signal = signal;
      resolve();
    };
    const { host } = this.#world;
    return { application: this.#application, host, tell, interruption, watch: this.#residence };
  }

  /** Does what cannot be left; undefined: the machine has refused it each time, or a signal came before the next try. */
  async #insist(situation: Situation, act: (situation: Situation) => Promise<Outcome>): Promise<Outcome | undefined> {
    const { host, interruption } = situation;
    for (let tries = 1; interruption.signal === undefined; tries += 1) {
      try {
        return await act(situation);
      } catch (error) {
        this.#tellFault(error);
      }
      if (tries === TRIES) break;
      await Promise.race([host.clock.sleep(BETWEEN_TRIES), interruption.arrived]);
    }
    return undefined;
  }

  /** Reads everything again; what is wrong changes nothing, and is the exit status. */
  async #readSettings(goal: Goal, situation: Situation): Promise<number | undefined> {
    const again = await this.#readAgain(situation.interruption.arrived);
    let application: Application | number | undefined;
    try {
      application = await this.#examine(goal, again.launch, situation);
    } finally {
      if (typeof application === 'object') again.accept();
      else again.refuse();
    }
    if (typeof application === 'number') return application;
    this.#application = application;
    await this.#residence.adopt(application);
    return undefined;
  }

  /** The application that a launch means now, or the exit status when it cannot take the place of ours. */
  async #examine(goal: Goal, launch: Launch, { tell, interruption }: Situation): Promise<Application | number> {
    const { host } = this.#world;
    const prepared = await prepare(goal, launch, { host, tell, interruption });
    if (prepared.kind === 'refused') return prepared.exit;
    const { application } = prepared;
    const { configPath } = this.#application;
    const refuse = (text: string): number => {
      tell({ kind: 'problem', source: application.configPath, text });
      return WRONG_ARGUMENTS;
    };
    if (application.configPath !== configPath)
      return refuse(`is another configuration than the one of this run, ${configPath}: start it anew`);
    const lost = disowned(this.#application, application, host);
    if (lost.length === 0) return application;
    return refuse(
      `by these settings the workers on ${lost.join(', ')} would be nobody's (is pidfile_template or supervisor_user another one?): stop them first, or start the run anew`,
    );
  }

  /** A signal, and what it asks for. */
  hear(signal: Signal): void {
    switch (signal) {
      case 'SIGHUP':
        // A roll that has yet to begin reads what all have changed.
        if (!this.#jobs.some(({ goal }) => goal === 'reload')) this.#add({ goal: 'reload', order: undefined });
        break;
      case 'SIGUSR2':
        void this.#report();
        break;
      case 'SIGINT':
      case 'SIGTERM':
        this.#isEnding = true;
        this.#interrupt(signal);
        this.#news.resolve();
        break;
      default:
        signal satisfies never;
    }
  }

  #receive(order: Order): void {
    const goal = goalNamed(order.action);
    if (goal === undefined) order.done({ exit: FAILED, hasLooked: false });
    else if (this.#isEnding) order.decline();
    else {
      this.#compareOptions(order);
      this.#add({ goal, order });
    }
  }

  /** Whoever thinks that he has told us how to do it must learn that we go by what we were told ourselves. */
  #compareOptions(order: Order): void {
    // By whatever name, the configuration is the same: else nobody would have found us.
    const differing = [...order.options].filter(
      ([name, value]) => name !== 'config' && this.#options.get(name) !== value,
    );
    for (const [name] of differing) {
      const text = `--${name}: the run goes by its own options, and not by this one: end it and start it anew`;
      order.say(['warning', text]);
    }
  }

  #add(job: Job): void {
    this.#jobs.push(job);
    this.#news.resolve();
  }

  async #report(): Promise<void> {
    const { host, tell, interruption } = this.#world;
    for (const { port, state } of this.#residence.report()) tell({ kind: 'report', port, state });
    try {
      await status({ application: this.#application, host, tell, interruption });
    } catch (error) {
      this.#tellFault(error);
    }
  }

  /** No descriptor or no memory left: that passes, and those who serve go on. */
  #tellFault(error: unknown): void {
    const fault = this.#world.faultOf(error);
    if (fault === undefined) throw error;
    this.#world.tell({ kind: 'problem', source: 'run', text: fault });
  }

  #tellManager(assignments: readonly string[]): void {
    const text = `STATUS=${this.#residence.running}/${this.#application.specs.length} workers are running`;
    if (assignments.length === 0 && text === this.#saidStatus) return;
    this.#saidStatus = text;
    this.#notifier?.tell([...assignments, text]);
  }
}
