import type { Blow, Ending, Verb } from './soak-command.ts';
import { Machine } from './soak-machine.ts';
import type { Amounts } from './soak-urn.ts';

/** A promise that was not kept, with all that may explain it. */
export interface Report {
  readonly trial: string;
  readonly what: string;
  readonly transcript: string;
}

/** Commands at once in a round. */
export const COMMANDS_A_ROUND = 20;
/** First guesses at what a command takes that finds work to do, and one that does not. */
const WORKING = 500;
const LOOKING = 100;
const MEMORY = 8;

/** What a soak counts. */
export class Figures {
  trials = 0;
  readonly #machine = new Machine();
  readonly #began = performance.now();
  readonly #roundsAt: number[] = [];
  readonly #deathsAt: number[] = [];
  readonly violations: Report[] = [];
  readonly #commands = new Map<Verb, { count: number; longest: number }>();
  readonly #deaths = new Map<Blow, Map<Verb, number>>();
  readonly #moments = new Map<string, number>();
  readonly #usual = new Map<string, number[]>();
  #longestStatusBeside = 0;
  #longestConverging = 0;
  #longestLettingGo = 0;
  #probes = 0;
  #late = 0;

  get rounds(): number {
    return this.#roundsAt.length;
  }

  get deaths(): number {
    return this.#deathsAt.length;
  }

  get commands(): number {
    return [...this.#commands.values()].reduce((sum, { count }) => sum + count, this.deaths + this.#late);
  }

  get longest(): number {
    return Math.max(0, ...[...this.#commands.values()].map(({ longest }) => longest));
  }

  noteCommand(verb: Verb, { took }: Ending): void {
    const { count, longest } = this.#commands.get(verb) ?? { count: 0, longest: 0 };
    this.#commands.set(verb, { count: count + 1, longest: Math.max(longest, took) });
  }

  noteRound(): void {
    this.#roundsAt.push(this.#elapsed());
  }

  #elapsed(): number {
    return (performance.now() - this.#began) / 1000;
  }

  noteDeath(blow: Blow | 'too late', verb: Verb, said: string, lettingGo: number): void {
    if (blow === 'too late') {
      this.#late += 1;
      return;
    }
    this.#deathsAt.push(this.#elapsed());
    const byVerb = this.#deaths.get(blow) ?? new Map<Verb, number>();
    add(byVerb, verb);
    this.#deaths.set(blow, byVerb);
    add(this.#moments, `${verb}, ${momentOf(said)}`);
    if (blow === 'SIGTERM' || blow === 'SIGINT' || blow === 'SIGHUP') {
      this.#longestLettingGo = Math.max(this.#longestLettingGo, lettingGo);
    }
  }

  noteConverged(took: number): void {
    this.#longestConverging = Math.max(this.#longestConverging, took);
  }

  noteStatusBeside(took: number): void {
    this.#probes += 1;
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

  /** When so many had been reached: `200 rounds after 412 s`. */
  reached({ rounds, deaths }: Amounts): string {
    return [tellReached('rounds', rounds, this.#roundsAt), tellReached('deaths', deaths, this.#deathsAt)].join(', ');
  }

  /** How busy the machine was: what took too long on a starved one may be no fault of the product. */
  tellMachine(): string {
    return this.#machine.summary();
  }

  summary(): string {
    const commands = [...this.#commands].map(
      ([verb, { count, longest }]) => `${count} ${verb} (longest ${ms(longest)})`,
    );
    return [
      `rounds of races: ${this.rounds}, of ${COMMANDS_A_ROUND} commands at once, and status beside them`,
      `deaths: ${this.deaths}; signals that came too late, not counted: ${this.#late}`,
      ...this.#tellDeaths(),
      'when they died, by the last thing said:',
      ...table(this.#moments),
      `commands: ${this.commands}; undisturbed: ${commands.join(', ')}`,
      `longest command after a death: ${ms(this.#longestConverging)}`,
      `longest time from SIGTERM, SIGINT or SIGHUP to the end: ${ms(this.#longestLettingGo)}`,
      `status while another command held the lock: ${this.#probes}, longest ${ms(this.#longestStatusBeside)}`,
      this.tellMachine(),
      `violations: ${this.violations.length}`,
    ].join('\n');
  }

  /** A line for each signal, a column for each action. */
  #tellDeaths(): readonly string[] {
    const verbs = ['start', 'stop', 'restart'] as const;
    const rows = [...this.#deaths]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([blow, counts]) =>
        sumUp(
          blow,
          verbs.map((verb) => counts.get(verb) ?? 0),
        ),
      );
    const sums = verbs.map((verb) =>
      [...this.#deaths.values()].reduce((sum, counts) => sum + (counts.get(verb) ?? 0), 0),
    );
    return [row('', [...verbs, 'all']), ...rows, sumUp('all', sums)];
  }
}

function tellReached(what: string, wanted: number, at: readonly number[]): string {
  const seconds = at[wanted - 1];
  return seconds === undefined
    ? `only ${at.length} of ${wanted} ${what}`
    : `${wanted} ${what} after ${Math.round(seconds)} s`;
}

function sumUp(head: string, counts: readonly number[]): string {
  return row(head, [...counts, counts.reduce((sum, each) => sum + each, 0)]);
}

function row(head: string, cells: readonly (number | string)[]): string {
  return `    ${head.padEnd(14)}${cells.map((cell) => String(cell).padStart(9)).join('')}`;
}

function add<Key>(counts: Map<Key, number>, key: Key): void {
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
