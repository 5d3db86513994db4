import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Front, fetchPage, type Switches } from './e2e.ts';
import { takePorts } from './e2e-ports.ts';
import { isAlive, type Seen, signal } from './e2e-processes.ts';
import { Command, type Gate, type Verb } from './soak-command.ts';
import { newcomers, newcomersMentioning } from './soak-processes.ts';

/** What the product promised and did not keep. */
export class Violation extends Error {}

/** What does not change in the life of one application. */
export interface Traits {
  readonly daemonize: boolean;
  readonly pidfiles: boolean;
}

/** The most workers an application has, whatever its configuration says at the moment. */
const MOST = 3;
const ROOT_MARKER = 'FRONTIK_SUPERVISOR_WORKER';
const SETTLED = 3000;
/** A round starts dozens of workers, so their boots would be most of what a soak does. */
const leanWorker = resolve(import.meta.dirname, '../fixtures/lean-worker');

/** One application in a directory of its own, and the end of all its processes. */
export class Application {
  readonly dir: string;
  readonly traits: Traits;
  readonly ports: readonly number[];
  readonly #first: number;
  readonly #release: () => Promise<void>;
  readonly #opened = performance.now();
  #commands: Command[] = [];
  #notes: string[] = [];
  #count = 2;

  private constructor(dir: string, first: number, release: () => Promise<void>, traits: Traits) {
    this.dir = dir;
    this.traits = traits;
    this.#first = first;
    this.#release = release;
    this.ports = Array.from({ length: MOST }, (_, index) => first + index);
    mkdirSync(join(dir, 'run'));
    mkdirSync(join(dir, 'log'));
    copyFileSync(leanWorker, this.#path('worker'));
    chmodSync(this.#path('worker'), 0o755);
    this.behave({});
    this.configure(2);
  }

  static async open(traits: Traits): Promise<Application> {
    const range = await takePorts();
    const dir = mkdtempSync(join(tmpdir(), 'frontik-soak-'));
    return new Application(dir, range.first, () => range.release(), traits);
  }

  #path(name: string): string {
    return join(this.dir, name);
  }

  /** The ports that the configuration names now. */
  get configured(): readonly number[] {
    return this.ports.slice(0, this.#count);
  }

  /** Puts another configuration in its place, as `mv` does. */
  configure(count: number): void {
    this.#count = count;
    const lines = [
      `start_port = ${this.#first}`,
      `workers_count = ${count}`,
      ...(this.traits.pidfiles ? [`pidfile_template = '${this.#path('run/%(port)s.pid')}'`] : []),
      `logfile_template = '${this.#path('log/%(port)s.log')}'`,
      'supervisor_sigterm_timeout = 1',
      `daemonize = ${this.traits.daemonize ? 'True' : 'False'}`,
      `test_control = '${this.#path('control.json')}'`,
    ];
    this.#replace('app.cfg', `${lines.join('\n')}\n`);
    this.note(`configuration with ${count} workers`);
  }

  /** Tells the workers how to behave from now on, all or by port. */
  behave(switches: Readonly<Record<string, Switches>>): void {
    this.#replace('control.json', JSON.stringify(switches));
    this.note(`switches ${JSON.stringify(switches)}`);
  }

  #replace(name: string, text: string): void {
    writeFileSync(this.#path(`${name}.new`), text);
    renameSync(this.#path(`${name}.new`), this.#path(name));
  }

  note(text: string): void {
    this.#notes.push(`${Math.round(performance.now() - this.#opened)} ms: ${text}`);
  }

  begin(verb: Verb, bound: number): Command {
    return this.#command(verb, bound, 'open');
  }

  /** A command that waits for its release, so that many can begin at one moment. */
  prepare(verb: Verb, bound: number): Command {
    return this.#command(verb, bound, 'closed');
  }

  #command(verb: Verb, bound: number, gate: Gate): Command {
    const words = [`--script=${this.#path('worker')}`, `--config=${this.#path('app.cfg')}`];
    const command = new Command(verb, words, this.dir, bound, gate);
    this.#commands.push(command);
    return command;
  }

  /** What is before this is of no use for understanding what comes. */
  forget(): void {
    this.#commands = this.#commands.filter((command) => !command.isOver);
    this.#notes = [];
  }

  /** The workers by port, among these processes: of all that match for a port, those whose parent does not. */
  workersAmong(processes: readonly Seen[]): ReadonlyMap<number, readonly Seen[]> {
    const config = this.#path('app.cfg');
    const found = new Map<number, readonly Seen[]>();
    for (const port of this.ports) {
      const matching = processes.filter(
        ({ argv, environment }) =>
          (argv.includes(`--port=${port}`) && argv.includes(`--config=${config}`)) ||
          environment.includes(`${ROOT_MARKER}=${config}:${port}`),
      );
      const roots = matching.filter((one) => !matching.some((other) => other.pid === one.parent));
      if (roots.length > 0) {
        found.set(port, roots);
      }
    }
    return found;
  }

  /** The ports that have more than one worker, in two looks: one look can see a process and, later, its successor. */
  async doubled(processes: readonly Seen[]): Promise<readonly string[]> {
    const suspects = [...this.workersAmong(processes)].filter(([, roots]) => roots.length > 1);
    if (suspects.length === 0) {
      return [];
    }
    await sleep(50);
    const now = this.workersAmong(newcomers());
    return suspects.flatMap(([port, roots]) => {
      const still = (now.get(port) ?? []).filter((one) => roots.some((root) => isSame(root, one)));
      return still.length > 1 ? [`port ${port} has ${still.length} workers: ${still.map(show).join('; ')}`] : [];
    });
  }

  /** The one worker of each port that has one. Throws when a port has two. */
  async workers(): Promise<ReadonlyMap<number, Seen>> {
    const processes = newcomers();
    const doubled = await this.doubled(processes);
    if (doubled.length > 0) {
      throw new Violation(doubled.join('\n'));
    }
    const found = this.workersAmong(processes);
    return new Map([...found].flatMap(([port, [worker]]) => (worker === undefined ? [] : [[port, worker]])));
  }

  /**
   * Every port of `must` has a worker that answers, others have one only if they are in `may`, and no process of the
   * application is anything else. One of `may` is perhaps on its way out: whoever told it to go has died.
   */
  async check(must: readonly number[], may: readonly number[]): Promise<void> {
    const workers = await this.workers();
    for (const port of this.ports) {
      const isThere = workers.has(port);
      if (must.includes(port) && !isThere) {
        throw new Violation(`port ${port} has no worker`);
      }
      if (isThere && !must.includes(port) && !may.includes(port)) {
        throw new Violation(`port ${port} has a worker: ${show(workers.get(port))}`);
      }
    }
    await Promise.all([...workers].map(([port, worker]) => this.#checkWorker(port, worker, must.includes(port))));
    const absent = this.configured.filter((port) => !workers.has(port) && existsSync(this.#pidfile(port)));
    if (absent.length > 0) {
      throw new Violation(`pidfiles of workers that are not there: ${absent.join(', ')}`);
    }
    await this.#checkOthers([...workers.values()]);
  }

  async #checkWorker(port: number, worker: Seen, isWanted: boolean): Promise<void> {
    const wrong = await this.#whatIsWrong(port, worker);
    if (wrong !== undefined && (isWanted || !(await hasGone(worker)))) {
      throw new Violation(wrong);
    }
  }

  async #whatIsWrong(port: number, worker: Seen): Promise<string | undefined> {
    let front: Front;
    try {
      front = JSON.parse((await fetchPage(port, '/')).body) as Front;
    } catch (error) {
      return `the worker on port ${port} does not answer: ${String(error)}`;
    }
    if (front.pid !== worker.pid) {
      return `on port ${port} answers process ${front.pid}, not its worker ${show(worker)}`;
    }
    const named = this.traits.pidfiles ? readIfThere(this.#pidfile(port)).trim() : String(worker.pid);
    return named === String(worker.pid) ? undefined : `the pidfile of port ${port} says "${named}", not ${worker.pid}`;
  }

  #pidfile(port: number): string {
    return this.#path(`run/${port}.pid`);
  }

  /** What is on its way out, such as the flock of a killed command, may take a moment. */
  async #checkOthers(workers: readonly Seen[]): Promise<void> {
    const deadline = performance.now() + SETTLED;
    while (true) {
      const others = newcomersMentioning(this.dir).filter((one) => !workers.some((worker) => isSame(worker, one)));
      if (others.length === 0) {
        return;
      }
      if (performance.now() > deadline) {
        throw new Violation(`processes that are no worker: ${others.map(show).join('; ')}`);
      }
      await sleep(20);
    }
  }

  /** Everything that may explain a violation. */
  get transcript(): string {
    const logs = this.ports.map((port) => `log of ${port}: ${readIfThere(this.#path(`log/${port}.log`)).slice(-500)}`);
    return [
      `application ${this.dir}, ${JSON.stringify(this.traits)}, ports ${this.ports.join(', ')}`,
      ...this.#notes,
      ...this.#commands.map((command) => command.tell(this.#opened)),
      'processes now:',
      ...newcomersMentioning(this.dir).map((one) => `    ${show(one)}`),
      ...logs,
    ].join('\n');
  }

  /** Ends what is left, by identity, and tells whether anything resisted. */
  async close(): Promise<void> {
    const deadline = performance.now() + SETTLED;
    this.#endAll();
    while (newcomersMentioning(this.dir).length > 0 && performance.now() < deadline) {
      await sleep(20);
      this.#endAll();
    }
    await this.#release();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** The same at once, for a soak that is itself being ended. */
  abandon(): void {
    // What is just being forked is not seen by one look.
    for (let looks = 0; looks < 3; looks += 1) {
      this.#endAll();
    }
    rmSync(this.dir, { recursive: true, force: true });
  }

  #endAll(): void {
    for (const command of this.#commands.filter((each) => !each.isOver)) {
      command.abandon();
    }
    for (const one of newcomersMentioning(this.dir)) {
      signal(one, 'SIGKILL');
    }
  }
}

async function hasGone(worker: Seen): Promise<boolean> {
  const deadline = performance.now() + SETTLED;
  while (isAlive(worker) && performance.now() < deadline) {
    await sleep(20);
  }
  return !isAlive(worker);
}

function isSame(one: Seen, other: Seen): boolean {
  return one.pid === other.pid && one.started === other.started;
}

function show(one: Seen | undefined): string {
  return one === undefined
    ? 'nobody'
    : `pid ${one.pid}, state ${one.state}, parent ${one.parent}, session ${one.session}, ${one.argv.join(' ')}`;
}

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
