// The whole stage of a story: a simulated machine, one application on it, and commands that are run there.

import type { Application } from '../../src/core/application.ts';
import type { Event } from '../../src/core/event.ts';
import { asPort, millis, type Port, seconds } from '../../src/core/units.ts';
import type { WorkerSpec } from '../../src/core/worker.ts';
import {
  isAnyAlive,
  type Outcome,
  reload,
  restart,
  type Situation,
  start,
  status,
  stop,
} from '../../src/engine/commands.ts';
import type { Interruption } from '../../src/engine/drive.ts';
import { Killed, type Meddle, SimHost } from './sim-host.ts';
import { Kernel, type SimProcess, type Truth } from './sim-kernel.ts';
import { describeEvent } from './sim-words.ts';
import { type Birth, bear, GOOD, type Script } from './sim-worker.ts';

export type Verb = 'start' | 'stop' | 'restart' | 'reload' | 'status';

export interface Settings {
  readonly ports: readonly number[];
  readonly config: string;
  readonly pidfileTemplate: string | undefined;
  readonly anyTemplate: boolean;
  readonly workerUid: number | undefined;
  /** In seconds, as the options are. */
  readonly startTimeout: number;
  readonly sigtermTimeout: number;
  readonly sigkillTimeout: number;
  /** What each worker that is launched does. */
  readonly scripts: Readonly<Record<number, Partial<Script>>>;
  /** Workers that `reload` replaces at a time, and seconds that it waits. */
  readonly batch: number;
  readonly settle: number;
  readonly drain: number;
  /** Whether ports have hooks. */
  readonly hooks: boolean;
  /** For `run`: quick deaths, and seconds until a silent worker hangs. */
  readonly retries: number;
  readonly hangs: number;
}

/** How one command is run. */
export interface Conditions {
  readonly uid?: number;
  /** The process that calls it. */
  readonly under?: SimProcess;
  /** The number of the host call that it does not survive. */
  readonly killAt?: number;
  readonly meddle?: Meddle;
  /** When it gets a SIGTERM, in milliseconds. */
  readonly interruptAt?: number;
}

export interface Ended {
  readonly outcome: Outcome | 'killed';
  /** Everything it told and did. */
  readonly lines: readonly string[];
  readonly events: readonly Event[];
  readonly took: number;
  readonly calls: number;
}

const DEFAULTS: Settings = {
  ports: [8000],
  config: '/etc/app/app.cfg',
  pidfileTemplate: '/run/app/%s.pid',
  anyTemplate: false,
  workerUid: undefined,
  startTimeout: 60,
  sigtermTimeout: 4,
  sigkillTimeout: 2,
  scripts: {},
  batch: 1,
  settle: 1,
  drain: 0,
  hooks: false,
  retries: 5,
  hangs: 30,
};

/** A reload that found nothing has nothing to tell either. */
async function reloaded(situation: Situation): Promise<Outcome> {
  return (await reload(situation)) ?? { survey: undefined, failures: [] };
}

const RUN = { start, stop, restart, status, reload: reloaded };

export function portOf(number: number): Port {
  const port = asPort(number);
  if (port === undefined) throw new Error(`${number} is no port`);
  return port;
}

export class Sim {
  readonly kernel = new Kernel();
  readonly settings: Settings;
  readonly application: Application;
  readonly scripts: Map<number, Partial<Script>>;

  constructor(settings: Partial<Settings> = {}) {
    this.settings = { ...DEFAULTS, ...settings };
    this.application = describeApplication(this.settings);
    this.scripts = new Map(Object.entries(this.settings.scripts).map(([port, script]) => [Number(port), script]));
  }

  /** Says what a worker that is launched from now on does. */
  scriptOf(port: number): Script {
    return { ...GOOD, ...this.scripts.get(port) };
  }

  /** Runs one command to its end. */
  async run(verb: Verb, conditions: Conditions = {}): Promise<Ended> {
    return this.#command(verb, conditions, RUN[verb]);
  }

  async isAnyAlive(): Promise<boolean> {
    let answer = false;
    await this.#command('try-restart', {}, async (situation) => {
      answer = isAnyAlive(situation);
      return { survey: undefined, failures: [] };
    });
    return answer;
  }

  async #command(
    word: string,
    { uid = 0, under, killAt, meddle = () => undefined, interruptAt }: Conditions,
    act: (situation: Situation) => Promise<Outcome>,
  ): Promise<Ended> {
    const { kernel, application } = this;
    const begun = kernel.now;
    const from = kernel.journal.length;
    const supervisor = this.#spawnSupervisor(word, uid, under);
    const scriptOf = (port: number): Script => this.scriptOf(port);
    const host = new SimHost({ kernel, supervisor, scriptOf, killAt, meddle });
    const interruption = this.#interruption(interruptAt);
    const events: Event[] = [];
    const tell = (event: Event): void => {
      events.push(event);
      for (const line of describeEvent(event)) kernel.note(line);
    };
    const outcome = await act({ application, host, tell, interruption }).catch(forgiveKilled);
    host.end();
    const lines = kernel.journal.slice(from).map(({ at, text }) => `${tenths(at - begun)} ${text}`);
    return { outcome, lines, events, took: kernel.now - begun, calls: host.count };
  }

  #spawnSupervisor(word: string, uid: number, under: SimProcess | undefined): SimProcess {
    const truth: Truth = { label: 'supervisor', ours: false, role: 'stranger', port: undefined };
    const argv = ['/usr/bin/frontik-supervisor', `--config=${this.settings.config}`, word];
    if (under === undefined) return this.kernel.spawn({ truth, argv, uids: [uid, uid] });
    const { session, marker } = under;
    return this.kernel.spawn({ truth, argv, uids: [uid, uid], parent: under.id.pid, session, marker });
  }

  #interruption(at: number | undefined): Interruption {
    const { promise, resolve } = Promise.withResolvers<void>();
    const interruption: Interruption = { signal: undefined, arrived: promise };
    if (at !== undefined) {
      this.kernel.in(at, () => {
        interruption.signal = 'SIGTERM';
        this.kernel.note('interrupted');
        this.kernel.wake();
        resolve();
      });
    }
    return interruption;
  }

  /** What a worker on a port is started with. */
  birth(port: number, changes: Partial<Birth> = {}): Birth {
    const { argv, marker, pidfile } = this.application.specOf(portOf(port));
    return { port, argv, marker, pidfile, parent: 1, uid: 0, cwd: '/', ...changes };
  }

  /** What a worker looks like from outside; anybody may start a process that does. */
  looks(port: number): Pick<SimProcess, 'argv' | 'marker'> {
    const { argv, marker } = this.birth(port);
    return { argv, marker };
  }

  /** A worker that somebody has just launched. */
  launch(port: number): void {
    bear(this.kernel, this.birth(port), this.scriptOf(port));
  }

  /** Workers that have been running for a while, started by an earlier command. */
  running(...ports: readonly number[]): void {
    for (const port of ports) this.launch(port);
    this.kernel.pass(10_000);
  }

  /** A process that is none of ours, whatever it looks like; it listens if a port is given. */
  stranger(
    label: string,
    fields: Partial<Omit<SimProcess, 'id' | 'truth'>> & { pid?: number; startTicks?: number; listens?: number } = {},
  ): SimProcess {
    const truth: Truth = { label, ours: false, role: 'stranger', port: undefined };
    const process = this.kernel.spawn({ ...fields, truth });
    if (fields.listens !== undefined) this.kernel.listen(fields.listens, process);
    return process;
  }

  /** The living processes of the application on a port, in the words of the journal. */
  alive(port: number): string[] {
    return this.kernel.living().flatMap(({ truth }) => (truth.port === port && truth.ours ? [truth.label] : []));
  }

  /** The only living process with that label. */
  find(label: string): SimProcess {
    const found = this.kernel.living().find(({ truth }) => truth.label === label);
    if (found === undefined) throw new Error(`there is no ${label}`);
    return found;
  }
}

function forgiveKilled(error: unknown): 'killed' {
  if (error instanceof Killed) return 'killed';
  throw error;
}

function tenths(duration: number): string {
  return (Math.floor(duration / 100) / 10).toFixed(1);
}

function describeApplication(settings: Settings): Application {
  const { config, pidfileTemplate, ports, anyTemplate, workerUid } = settings;
  const configPath = config.startsWith('/') ? config : `/srv/app/${config}`;
  const pidfileOf = (port: Port): string | undefined => pidfileTemplate?.replace('%s', String(port));
  const specOf = (port: Port): WorkerSpec => {
    const pidfile = pidfileOf(port);
    const words = [`--config=${config}`, `--port=${port}`, ...(pidfile === undefined ? [] : [`--pidfile=${pidfile}`])];
    return {
      port,
      argv: ['/usr/bin/frontik', ...words],
      marker: `${configPath}:${port}`,
      pidfile,
      logfile: undefined,
      firstWords: 'kept',
      openFiles: { soft: 4096, raiseHard: false },
      account: workerUid === undefined ? undefined : { user: 'app', uid: workerUid, gid: workerUid },
    };
  };
  return {
    config,
    configPath,
    specs: ports.map((port) => specOf(portOf(port))),
    specOf,
    pidfilesOf: (port) => [pidfileOf(port)].filter((path) => path !== undefined),
    anyTemplate,
    readiness: { path: '/status/', servers: ['TornadoServer', 'Frontik'] },
    workerUid,
    patience: {
      startWithin: millis(settings.startTimeout * 1000),
      termGrace: millis(settings.sigtermTimeout * 1000),
      killGrace: millis(settings.sigkillTimeout * 1000),
    },
    rolling: {
      batch: settings.batch,
      settle: seconds(settings.settle),
      drain: seconds(settings.drain),
      beforeStop: (port) => (settings.hooks ? ['/usr/bin/leave', String(port)] : undefined),
      afterStart: (port) => (settings.hooks ? ['/usr/bin/enter', String(port)] : undefined),
      hookWithin: seconds(10),
    },
    watching: { retries: settings.retries, hangsAfter: seconds(settings.hangs) },
  };
}
