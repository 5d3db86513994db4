import { setTimeout as sleep } from 'node:timers/promises';
import { Application, Violation } from './soak-application.ts';
import { Choices } from './soak-choices.ts';
import { death } from './soak-deaths.ts';
import { Figures } from './soak-figures.ts';
import { newcomers } from './soak-processes.ts';
import { raceOrProbe } from './soak-races.ts';
import { type Amounts, type Kind, Urn } from './soak-urn.ts';

/** How much of it, and which. */
export interface SoakOptions {
  readonly seed: string;
  readonly seconds: number;
  /** Applications side by side. */
  readonly lanes: number;
  /** How many of them should be in a round at one time: a machine with too many commands at once misses their deadlines. */
  readonly races: number;
  readonly wanted: Amounts;
  /** Whether there is an end before the time is over. */
  readonly whenMet: 'end' | 'begin again';
  /** Hears of each violation at once. */
  readonly onViolation: (text: string) => void;
}

/** Trials in the life of an application; then comes another one, of other traits. */
const LIFE = 8;
/** A lane that only fails tells nothing new. */
const MOST_VIOLATIONS = 10;
const BETWEEN_LOOKS = 250;
const BETWEEN_LANES = 500;

/** Real races and deaths on real workers, several applications side by side. */
export class Soak {
  readonly figures = new Figures();
  readonly #options: SoakOptions;
  readonly #deadline: number;
  readonly #urn: Urn;
  readonly #open = new Set<Application>();
  readonly #doubled = new Map<Application, string>();
  #races = 0;
  #isEnding = false;

  constructor(options: SoakOptions) {
    this.#options = options;
    this.#deadline = performance.now() + options.seconds * 1000;
    this.#urn = new Urn(options.wanted);
  }

  /** Ends when the time is over, or, if asked to, when there has been as much as was wanted. */
  async run(): Promise<Figures> {
    const lanes = Array.from({ length: this.#options.lanes }, (_, index) => this.#lane(index));
    const watch = this.#watch();
    try {
      await Promise.all(lanes);
    } finally {
      this.#isEnding = true;
      await watch;
    }
    return this.figures;
  }

  /** Ends everything at once, for a process that is itself being ended. */
  abandon(): void {
    this.#isEnding = true;
    for (const application of this.#open) {
      application.abandon();
    }
  }

  #isOver(): boolean {
    const isMet = this.#options.whenMet === 'end' && this.#urn.isEmpty;
    const isHopeless = this.figures.violations.length >= MOST_VIOLATIONS;
    return this.#isEnding || isMet || isHopeless || performance.now() > this.#deadline;
  }

  async #lane(lane: number): Promise<void> {
    // Not all at once: it is the commands of one application that are to race.
    await sleep(lane * BETWEEN_LANES);
    for (let count = 0; !this.#isOver(); count += 1) {
      await this.#live(`application ${lane}.${count}`);
    }
  }

  /** The life of one application. */
  async #live(name: string): Promise<void> {
    const choices = new Choices(`${this.#options.seed} ${name}`);
    const application = await Application.open({ daemonize: !choices.oneIn(3), pidfiles: !choices.oneIn(4) });
    this.#open.add(application);
    try {
      for (let trial = 1; trial <= LIFE && !this.#isOver(); trial += 1) {
        const kind = this.#urn.draw(choices, this.#races < this.#options.races ? 'any' : 'death');
        if (!(await this.#attempt(`${name}, trial ${trial}, ${kind}`, application, kind))) {
          break;
        }
      }
    } finally {
      await application.close();
      this.#open.delete(application);
    }
  }

  async #attempt(name: string, application: Application, kind: Kind): Promise<boolean> {
    this.figures.trials += 1;
    this.#races += kind === 'round' ? 1 : 0;
    try {
      const choices = new Choices(`${this.#options.seed} ${name}`);
      const isDone = await (kind === 'round' ? raceOrProbe : death)(application, choices, this.figures);
      if (!isDone) {
        this.#urn.putBack(kind);
      }
      const doubled = this.#doubled.get(application);
      if (doubled !== undefined) {
        throw new Violation(doubled);
      }
      return true;
    } catch (error) {
      if (this.#isEnding) {
        return false;
      }
      const what = error instanceof Violation ? error.message : String(error instanceof Error ? error.stack : error);
      const transcript = `${application.transcript}\n${this.figures.tellMachine()}`;
      this.figures.violations.push({ trial: name, what, transcript });
      this.#options.onViolation(`VIOLATION in ${name}, SOAK_SEED=${this.#options.seed}: ${what}\n${transcript}\n`);
      return false;
    } finally {
      this.#races -= kind === 'round' ? 1 : 0;
    }
  }

  /** Looks at all applications now and then, so that a port with two workers is seen while it has them. */
  async #watch(): Promise<void> {
    while (!this.#isEnding) {
      const processes = newcomers();
      for (const application of this.#open) {
        const [doubled] = await application.doubled(processes);
        if (doubled !== undefined && !this.#doubled.has(application)) {
          this.#doubled.set(application, `while commands ran, ${doubled}`);
        }
      }
      await sleep(BETWEEN_LOOKS);
    }
  }
}
