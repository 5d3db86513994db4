import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { get, type IncomingHttpHeaders } from 'node:http';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { environment, type Outcome, Running, type RunOptions, until } from './e2e-command.ts';
import { takePorts } from './e2e-ports.ts';
import {
  descriptorsOf,
  everyone,
  type Identity,
  isAlive,
  look,
  mentioning,
  type Seen,
  signal,
} from './e2e-processes.ts';

const { FRONTIK_SUPERVISOR_BIN: given = 'dist/frontik-supervisor' } = process.env;

/** The product, from outside: nothing of its source is imported here. */
export const binary: string = resolve(given);
export const fixture: string = resolve(import.meta.dirname, '../fixtures/worker');
export const python = '/usr/bin/python3';

/** Debian's user without rights. */
export const nobody = 65534;

/** Switches of test/fixtures/worker, which explains them. */
export interface Switches {
  readonly sleep_start?: number;
  readonly sleep_daemonized?: number;
  readonly sleep_bind?: number;
  readonly fail_start?: string;
  readonly fail_daemonized?: string;
  readonly fail_bind?: string;
  readonly daemonize?: boolean;
  readonly starter_stays?: boolean;
  readonly pidfile?: 'none' | 'lose' | 'write';
  readonly no_bind?: boolean;
  readonly ignore_sigterm?: boolean;
  readonly child?: 'exec' | 'fork';
  readonly rename?: 'start' | 'ready';
  readonly die_after?: number;
  readonly stop_timeout?: number;
  readonly dump?: string;
  readonly ledger?: string;
  readonly status?: number;
  readonly server?: string;
  readonly body?: number;
  readonly delay?: number;
  readonly redirect?: string;
  readonly drip?: boolean;
}

/** `null` leaves the line out. */
export type Configuration = Readonly<Record<string, string | number | boolean | null>>;

export interface StageOptions {
  readonly workers?: number;
  readonly config?: Configuration;
  readonly switches?: Switches;
  /** Whose the directory is; it is a reachable one in any case. */
  readonly owner?: number;
}

/** What a worker of ours says about itself; see `facts` in the fixture. */
export interface Facts {
  readonly pid: number;
  readonly ppid: number;
  readonly sid: number;
  readonly pgid: number;
  readonly env: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
  readonly fds: Readonly<Record<string, string>>;
  readonly status: Readonly<Record<string, string>>;
  readonly limits: string;
  readonly cwd: string;
}

/** The worker's front page. */
export interface Front {
  readonly port: number;
  readonly pid: number;
  readonly app: string | null;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export function fetchPage(port: number, path: string): Promise<Answer> {
  return new Promise((resolve_, reject) => {
    const request = get({ host: '127.0.0.1', port, path, agent: false, timeout: 5000 }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve_({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    request.once('timeout', () => request.destroy(new Error(`port ${port} does not answer`)));
    request.once('error', reject);
  });
}

/** The literal of a test, without the indentation that all its lines share. */
export function lines(text: string): string {
  const wanted = text.split('\n').filter((line) => line.trim() !== '');
  const indentation = Math.min(...wanted.map((line) => line.search(/\S/)));
  return wanted.map((line) => line.slice(indentation)).join('\n');
}

function literal(value: string | number | boolean): string {
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  return JSON.stringify(value);
}

/** One application in a directory of its own: its config, its ports, its commands, and the end of all its processes. */
export class Stage {
  readonly dir: string;
  readonly first: number;
  readonly workers: number;
  readonly config: string;
  readonly script: string;
  readonly #release: () => Promise<void>;
  readonly #running: Running[] = [];
  readonly #strangers: { readonly child: ChildProcess; readonly id: Identity }[] = [];
  readonly #servers: Server[] = [];
  readonly #transcript: string[] = [];
  readonly #settings: Record<string, string | number | boolean | null>;
  #switches: Record<string, Switches>;

  private constructor(dir: string, first: number, release: () => Promise<void>, options: StageOptions) {
    this.dir = dir;
    this.first = first;
    this.#release = release;
    this.workers = options.workers ?? 2;
    this.config = join(dir, 'app.cfg');
    this.script = join(dir, 'worker');
    this.#switches = options.switches === undefined ? {} : { all: options.switches };
    this.#settings = {
      start_port: first,
      workers_count: this.workers,
      pidfile_template: join(dir, 'run/app.%(port)s.pid'),
      logfile_template: join(dir, 'log/app.%(port)s.log'),
      test_control: join(dir, 'control.json'),
      ...options.config,
    };
    mkdirSync(join(dir, 'run'));
    mkdirSync(join(dir, 'log'));
    copyFileSync(fixture, this.script);
    chmodSync(this.script, 0o755);
    for (const path of [dir, join(dir, 'run'), join(dir, 'log')]) {
      chmodSync(path, 0o755);
      if (options.owner !== undefined) {
        chownSync(path, options.owner, options.owner);
      }
    }
    this.configure({});
    this.#writeSwitches();
  }

  static async open(options: StageOptions): Promise<Stage> {
    const ports = await takePorts();
    return new Stage(mkdtempSync(join(tmpdir(), 'fse-')), ports.first, () => ports.release(), options);
  }

  port(index: number): number {
    return this.first + index;
  }

  pidfile(index: number): string {
    return join(this.dir, `run/app.${this.port(index)}.pid`);
  }

  logfile(index: number): string {
    return join(this.dir, `log/app.${this.port(index)}.log`);
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  write(name: string, text: string, mode = 0o644): string {
    writeFileSync(this.path(name), text);
    chmodSync(this.path(name), mode);
    return this.path(name);
  }

  directory(name: string): string {
    mkdirSync(this.path(name), { recursive: true });
    return this.path(name);
  }

  read(path: string): string {
    return readFileSync(path, 'utf8');
  }

  /** Changes settings of the config file; `text` is added to it as it is. */
  configure(changes: Configuration, text = ''): void {
    Object.assign(this.#settings, changes);
    const wanted = Object.entries(this.#settings).filter(
      (entry): entry is [string, string | number | boolean] => entry[1] !== null,
    );
    this.write('app.cfg', `${wanted.map(([name, value]) => `${name} = ${literal(value)}`).join('\n')}\n${text}`);
  }

  /** Tells one worker, or all, how to behave from now on. */
  behave(switches: Switches, index?: number): void {
    this.#switches = { ...this.#switches, [index === undefined ? 'all' : String(this.port(index))]: switches };
    this.#writeSwitches();
  }

  #writeSwitches(): void {
    this.write('control.json.new', JSON.stringify(this.#switches));
    renameSync(this.path('control.json.new'), this.path('control.json'));
  }

  /** The options that every command here has. */
  get settings(): readonly string[] {
    return [`--script=${this.script}`, `--config=${this.config}`];
  }

  /** A command of the binary with exactly these words. */
  call(words: readonly string[], options: RunOptions = {}): Running {
    return this.program([binary, ...words], options);
  }

  /** Any program, watched as a command is. */
  program(argv: readonly string[], options: RunOptions = {}): Running {
    const running = new Running(argv, { cwd: this.dir, ...options });
    this.#running.push(running);
    running.outcome.then(
      (outcome) =>
        this.#transcript.push(`$ ${argv.join(' ')}`, outcome.stdout + outcome.stderr + this.#ending(outcome)),
      (error: unknown) => this.#transcript.push(`$ ${argv.join(' ')}`, String(error)),
    );
    return running;
  }

  /** The whole command line of an action with this stage's script and config. */
  command(words: string): readonly string[] {
    return [binary, ...this.settings, ...words.split(' ')];
  }

  /** An action under way. */
  begin(words: string, options: RunOptions = {}): Running {
    return this.program(this.command(words), options);
  }

  run(words: string, options: RunOptions = {}): Promise<Outcome> {
    return this.begin(words, options).outcome;
  }

  /** Runs an action and compares everything it says, and how it ends, with the literal. */
  async expect(words: string, transcript: string, options: RunOptions = {}): Promise<Outcome> {
    const outcome = await this.run(words, options);
    assert.equal(this.tell(outcome, options), lines(transcript));
    return outcome;
  }

  /** The whole of what a command said, with what differs between two runs replaced, and its ending as the last line. */
  tell(outcome: Outcome, options: RunOptions = {}): string {
    const said = (outcome.stdout + outcome.stderr)
      .replaceAll(/^\[\d\d:\d\d:\d\d root\]/gm, '[T]')
      .replaceAll(/\b(pid|process) \d+/g, '$1 PID')
      .replaceAll(this.dir, 'DIR')
      .replaceAll(/(?<!\d)\d{5}(?!\d)/g, (text) => this.#portName(Number(text)) ?? text)
      .split('\n')
      .filter((line) => line !== '')
      .filter((line) => options.keepWaiting === true || !/^\[T\] waiting for worker on port P\d+ to start$/.test(line));
    return [...said, this.#ending(outcome)].join('\n');
  }

  #portName(port: number): string | undefined {
    return port >= this.first && port < this.first + 31 ? `P${port - this.first}` : undefined;
  }

  #ending(outcome: Outcome): string {
    return outcome.signal === null ? `exit ${outcome.code}` : `killed by ${outcome.signal}`;
  }

  /** Starts the workers, as a test's first act. */
  async started(words = 'start'): Promise<this> {
    const outcome = await this.run(words);
    assert.equal(outcome.code, 0, this.tell(outcome));
    return this;
  }

  /** The workers on a port, found as the kernel shows them; a worker's own children are not among them. */
  workersOn(index: number): readonly Seen[] {
    const candidates = everyone().filter(
      (one) => one.argv.includes(`--port=${this.port(index)}`) && one.argv.some((word) => word.includes(this.dir)),
    );
    return candidates.filter((one) => !candidates.some((other) => other.pid === one.parent));
  }

  /** The one worker on a port. */
  worker(index: number): Seen {
    const [worker, ...others] = this.workersOn(index);
    assert(worker !== undefined, `no worker on P${index}`);
    assert.equal(others.length, 0, `more than one worker on P${index}`);
    return worker;
  }

  /** Exactly these ports have a worker, one each, and it answers. */
  async assertServing(...indexes: readonly number[]): Promise<void> {
    const alive = Array.from({ length: 31 }, (_, index) => index).filter((index) => this.workersOn(index).length > 0);
    assert.deepEqual(alive, indexes, 'the ports that have a worker');
    for (const index of indexes) {
      const worker = this.worker(index);
      assert.equal((await this.facts(index)).pid, worker.pid, `who answers on P${index}`);
    }
  }

  /** No process of this stage is left, not even a helper of a worker. */
  assertNobody(): void {
    const left = mentioning(this.dir).filter((one) => !this.#running.some((running) => running.pid === one.pid));
    assert.deepEqual(
      left.map((one) => `${one.pid} ${one.argv.join(' ')}`),
      [],
    );
  }

  page(index: number, path: string): Promise<Answer> {
    return fetchPage(this.port(index), path);
  }

  /** What the worker is now, from outside and inside. */
  async facts(index: number): Promise<Front> {
    return JSON.parse((await this.page(index, '/')).body) as Front;
  }

  /** What the worker's very first process had, before it daemonized. */
  async born(index: number): Promise<Facts> {
    return JSON.parse((await this.page(index, '/born')).body) as Facts;
  }

  /** Ends a worker behind the supervisor's back, and waits until it is gone. */
  async killWorker(index: number): Promise<void> {
    const worker = this.worker(index);
    signal(worker, 'SIGKILL');
    await until(() => assert(!isAlive(worker)));
  }

  /** A process that has nothing to do with us, and is ended with the stage. */
  async stranger(argv: readonly string[] = ['/bin/sleep', '600'], options: RunOptions = {}): Promise<Identity> {
    const [program, ...args] = argv;
    assert(program !== undefined);
    const child = spawn(program, args, {
      stdio: 'ignore',
      env: { ...(options.env ?? environment) },
      cwd: options.cwd ?? '/',
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    });
    child.on('error', () => undefined);
    const id = look(child.pid ?? 0);
    assert(id !== undefined, `${program} did not start`);
    this.#strangers.push({ child, id });
    return id;
  }

  /** A worker started by hand, as the Python supervisor or an operator would: without our marker. Returns when it answers. */
  async byHand(index: number, words: readonly string[], options: RunOptions = {}): Promise<void> {
    const outcome = await this.program([this.script, ...words], {
      ...options,
      under: ['/usr/bin/setsid', '-w', 'sh', '-c', 'exec "$@" </dev/null >/dev/null 2>&1', 'sh'],
    }).outcome;
    assert.equal(outcome.code, 0, outcome.stderr);
    await until(async () => assert.equal((await this.page(index, '/status/')).status, 200));
  }

  /** Listens in this very process until the stage is over. */
  async listen(server: Server, index: number): Promise<void> {
    await new Promise<void>((resolve_, reject) => {
      server.once('error', reject);
      server.listen(this.port(index), '127.0.0.1', () => resolve_());
    });
    this.#servers.push(server);
  }

  /** A foreign process that holds a port; the words are Python for what it does with its listening socket `s`. */
  async squatter(index: number, words = 'time.sleep(600)'): Promise<Identity> {
    const code = `import socket, time\ns = socket.create_server(('127.0.0.1', ${this.port(index)}))\n${words}\n`;
    const id = await this.stranger([python, '-c', code]);
    await until(() => assert(Object.values(descriptorsOf(id.pid)).some((target) => target.startsWith('socket:'))));
    return id;
  }

  get transcript(): string {
    const logs = Array.from({ length: this.workers }, (_, index) => this.logfile(index)).filter((path) =>
      existsSync(path),
    );
    return [...this.#transcript, ...logs.map((path) => `== ${path}\n${this.read(path)}`)].join('\n');
  }

  /** Ends every process of this stage by its identity and proves that none is left. */
  async close(): Promise<void> {
    for (const server of this.#servers) {
      server.close();
    }
    try {
      await until(() => {
        this.#endProcesses();
        this.assertNobody();
        assert(!this.#strangers.some(({ id }) => isAlive(id)));
      });
    } finally {
      await this.#release();
      rmSync(this.dir, { recursive: true, force: true });
    }
  }

  /** The same at once and without proof, for a test run that is itself being ended. */
  abandon(): void {
    // What is just being forked is not seen by one look.
    for (let looks = 0; looks < 3; looks += 1) {
      this.#endProcesses();
    }
    rmSync(this.dir, { recursive: true, force: true });
  }

  #endProcesses(): void {
    for (const running of this.#running) {
      running.kill('SIGKILL');
    }
    for (const { child } of this.#strangers) {
      child.kill('SIGKILL');
    }
    for (const one of mentioning(this.dir)) {
      signal(one, 'SIGKILL');
    }
  }
}

const openStages = new Set<Stage>();

function abandonAll(): void {
  for (const stage of openStages) {
    stage.abandon();
  }
  process.exit(1);
}

/** A test on a stage of its own; when it fails it shows every command and log. */
export function onStage(options: StageOptions, body: (stage: Stage, t: TestContext) => Promise<void>) {
  return async (t: TestContext): Promise<void> => {
    if (process.listenerCount('SIGTERM', abandonAll) === 0) {
      process.on('SIGTERM', abandonAll).on('SIGINT', abandonAll).on('SIGHUP', abandonAll);
    }
    const stage = await Stage.open(options);
    openStages.add(stage);
    try {
      await body(stage, t);
    } catch (error) {
      t.diagnostic(stage.transcript);
      throw error;
    } finally {
      await stage.close();
      openStages.delete(stage);
    }
  };
}

/** Why a test that becomes another user cannot run here; undefined when it can. */
export function whyNotAnotherUser(): string | undefined {
  if (process.getuid?.() !== 0) {
    return 'only root can become another user';
  }
  if ((statSync('/dev/null').mode & 0o006) !== 0o006) {
    return '/dev/null is closed to other users on this machine';
  }
  return undefined;
}

/** The binary where another user can reach it, which a checkout below a home directory is not. */
export function reachable(stage: Stage): string {
  const copy = stage.path('frontik-supervisor');
  copyFileSync(binary, copy);
  chmodSync(copy, 0o755);
  return copy;
}
