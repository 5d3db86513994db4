import { setTimeout as sleep } from 'node:timers/promises';
import { everyone } from './e2e-processes.ts';
import { Application, Violation } from './soak-application.ts';
import { Choices } from './soak-choices.ts';
import { death } from './soak-deaths.ts';
import { Figures } from './soak-figures.ts';
import { race, statusBeside } from './soak-races.ts';

/** How much of it, and which. */
export interface SoakOptions {
  readonly seed: string;
  readonly seconds: number;
  /** Applications side by side. */
  readonly lanes: number;
  /** Applications one after another in each lane; as many as the time allows when left out. */
  readonly applications?: number;
  /** What each application sees, in random order. */
  readonly rounds: number;
  readonly deaths: number;
  /** Hears of each violation at once. */
  readonly onViolation: (text: string) => void;
}

type Trial = (application: Application, choices: Choices, figures: Figures) => Promise<void>;

/** A lane that only fails tells nothing new. */
const MOST_VIOLATIONS = 10;
const BETWEEN_LOOKS = 250;

/** Real races and deaths on real workers, several applications side by side. */
export class Soak {
  readonly figures = new Figures();
  readonly #options: SoakOptions;
  readonly #deadline: number;
  readonly #open = new Set<Application>();
  readonly #doubled = new Map<Application, string>();
  #isEnding = false;

  constructor(options: SoakOptions) {
    this.#options = options;
    this.#deadline = performance.now() + options.seconds * 1000;
  }

  /** Ends when the time is over, or all applications have had their trials. */
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
    return this.#isEnding || performance.now() > this.#deadline || this.figures.violations.length >= MOST_VIOLATIONS;
  }

  async #lane(lane: number): Promise<void> {
    const { applications = Number.POSITIVE_INFINITY } = this.#options;
    for (let count = 0; count < applications && !this.#isOver(); count += 1) {
      await this.#live(`application ${lane}.${count}`);
    }
  }

  /** The life of one application. */
  async #live(name: string): Promise<void> {
    const choices = new Choices(`${this.#options.seed} ${name}`);
    const application = await Application.open({ daemonize: !choices.oneIn(3), pidfiles: !choices.oneIn(4) });
    this.#open.add(application);
    try {
      let { rounds, deaths } = this.#options;
      while (rounds + deaths > 0 && !this.#isOver()) {
        const isRace = choices.below(rounds + deaths) < rounds;
        const trial = isRace ? raceOrProbe : death;
        if (!(await this.#attempt(`${name}, ${rounds} rounds and ${deaths} deaths to go`, application, trial))) {
          break;
        }
        rounds -= isRace ? 1 : 0;
        deaths -= isRace ? 0 : 1;
      }
    } finally {
      await application.close();
      this.#open.delete(application);
    }
  }

  async #attempt(name: string, application: Application, trial: Trial): Promise<boolean> {
    this.figures.trials += 1;
    try {
      await trial(application, new Choices(`${this.#options.seed} ${name}`), this.figures);
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
      const transcript = application.transcript;
      this.figures.violations.push({ trial: name, what, transcript });
      this.#options.onViolation(`VIOLATION in ${name}, SOAK_SEED=${this.#options.seed}: ${what}\n${transcript}\n`);
      return false;
    }
  }

  /** Looks at all applications now and then, so that a port with two workers is seen while it has them. */
  async #watch(): Promise<void> {
    while (!this.#isEnding) {
      const processes = everyone();
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

/** Most of the time a race. */
async function raceOrProbe(application: Application, choices: Choices, figures: Figures): Promise<void> {
  if (choices.oneIn(10)) {
    await statusBeside(application, choices, figures);
  }
  await race(application, choices, figures);
  figures.rounds += 1;
}
