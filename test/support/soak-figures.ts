import type { Blow, Ending, Verb } from './soak-command.ts';

/** A promise that was not kept, with all that may explain it. */
export interface Report {
  readonly trial: string;
  readonly what: string;
  readonly transcript: string;
}

/** First guesses at what a command takes that finds work to do, and one that does not. */
const WORKING = 500;
const LOOKING = 100;
const MEMORY = 8;

/** What a soak counts. */
export class Figures {
  rounds = 0;
  probes = 0;
  trials = 0;
  readonly violations: Report[] = [];
  readonly #commands = new Map<Verb, { count: number; longest: number }>();
  readonly #deaths = new Map<string, number>();
  readonly #moments = new Map<string, number>();
  readonly #usual = new Map<string, number[]>();
  #longestStatusBeside = 0;
  #longestConverging = 0;
  #longestLettingGo = 0;
  #dead = 0;
  #late = 0;

  get deaths(): number {
    return this.#dead;
  }

  get commands(): number {
    return [...this.#commands.values()].reduce((sum, { count }) => sum + count, this.#dead + this.#late);
  }

  get longest(): number {
    return Math.max(0, ...[...this.#commands.values()].map(({ longest }) => longest));
  }

  noteCommand(verb: Verb, { took }: Ending): void {
    const { count, longest } = this.#commands.get(verb) ?? { count: 0, longest: 0 };
    this.#commands.set(verb, { count: count + 1, longest: Math.max(longest, took) });
  }

  noteDeath(blow: Blow | 'too late', verb: Verb, said: string, lettingGo: number): void {
    if (blow === 'too late') {
      this.#late += 1;
      return;
    }
    this.#dead += 1;
    add(this.#deaths, `${blow} ${verb}`);
    add(this.#moments, `${verb}, ${momentOf(said)}`);
    if (blow === 'SIGTERM' || blow === 'SIGINT' || blow === 'SIGHUP') {
      this.#longestLettingGo = Math.max(this.#longestLettingGo, lettingGo);
    }
  }

  noteConverged(took: number): void {
    this.#longestConverging = Math.max(this.#longestConverging, took);
  }

  noteStatusBeside(took: number): void {
    this.probes += 1;
    this.#longestStatusBeside = Math.max(this.#longestStatusBeside, took);
  }

  noteUsual(verb: Verb, isRunning: boolean, took: number): void {
    const key = `${verb} ${isRunning}`;
    this.#usual.set(key, [...(this.#usual.get(key) ?? []), took].slice(-MEMORY));
  }

  /** How long such a command takes when nothing happens to it: the moments of death are spread over that. */
  usual(verb: Verb, isRunning: boolean): number {
    const seen = this.#usual.get(`${verb} ${isRunning}`) ?? [];
    if (seen.length > 0) {
      return seen.reduce((sum, each) => sum + each, 0) / seen.length;
    }
    return verb === (isRunning ? 'start' : 'stop') ? LOOKING : WORKING;
  }

  progress(seconds: number): string {
    return `${String(seconds).padStart(4)} s: ${this.rounds} rounds, ${this.deaths} deaths, ${this.commands} commands, longest ${ms(this.longest)}, ${this.violations.length} violations`;
  }

  summary(): string {
    const commands = [...this.#commands].map(
      ([verb, { count, longest }]) => `${count} ${verb} (longest ${ms(longest)})`,
    );
    return [
      `rounds of races: ${this.rounds}`,
      `deaths: ${this.deaths} (and ${this.#late} signals that came too late)`,
      ...table(this.#deaths),
      'when they died, by the last thing said:',
      ...table(this.#moments),
      `commands: ${this.commands}; undisturbed: ${commands.join(', ')}`,
      `longest command after a death: ${ms(this.#longestConverging)}`,
      `longest time from SIGTERM, SIGINT or SIGHUP to the end: ${ms(this.#longestLettingGo)}`,
      `status while another command held the lock: ${this.probes}, longest ${ms(this.#longestStatusBeside)}`,
      `violations: ${this.violations.length}`,
    ].join('\n');
  }
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function table(counts: ReadonlyMap<string, number>): readonly string[] {
  return [...counts]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([key, count]) => `${String(count).padStart(6)}  ${key}`);
}

function ms(duration: number): string {
  return `${Math.round(duration)} ms`;
}

function momentOf(said: string): string {
  const last = said.trimEnd().split('\n').at(-1) ?? '';
  const known = [
    'waiting for another command',
    'trying to kill',
    'stopping worker',
    'another worker already started',
    'start worker',
    'waiting for worker',
    'all workers are',
    'some workers are',
    'are stopped: run start',
  ].find((words) => last.includes(words));
  return known ?? (last === '' ? 'nothing yet' : last.replace(/^\S+ root\] /, '').replaceAll(/\d+/g, 'N'));
}
