// A whole command on a simulated machine: files are texts, programs and users are lists, and what is told is what people read.

import { run } from '../../src/cli/run.ts';
import type { Event } from '../../src/core/event.ts';
import type { Account } from '../../src/core/worker.ts';
import type { Interruption } from '../../src/engine/drive.ts';
import type {
  Control,
  ForeignRun,
  Host,
  Installation,
  LockNote,
  LockResult,
  OpenFileLimits,
  ProgramSight,
  PythonAnswer,
  PythonQuestion,
  Result,
  ServiceManager,
} from '../../src/host/host.ts';
import { lines } from '../../src/report/wording.ts';
import { Sim } from './sim.ts';
import { type Meddle, SimHost } from './sim-host.ts';

/** What the machine is like; what is left out is as on a machine where all is well. */
export interface Machine {
  /** What files hold; a number is the errno of reading one. */
  readonly files?: Readonly<Record<string, string | { readonly code: string }>>;
  /** Programs that are not simply there. */
  readonly programs?: Readonly<Record<string, ProgramSight>>;
  readonly users?: Readonly<Record<string, Account>>;
  /** Directories that nothing can be put into, with the errno. */
  readonly closed?: Readonly<Record<string, string>>;
  readonly limits?: OpenFileLimits;
  readonly uid?: number;
  /** The working directory; undefined: it has gone. */
  readonly cwd?: string | undefined;
  readonly lock?: LockResult;
  /** The `run`s of other users on an application. */
  readonly foreignRuns?: (name: string) => readonly ForeignRun[];
  /** What happens while it waits for the lock. */
  readonly whileWaiting?: () => void;
  /** The `run` that has the application. */
  readonly control?: Control;
  readonly serviceManager?: ServiceManager;
  readonly installation?: Installation;
  /** What others may change, with all that is below it. */
  readonly distrusted?: { readonly path: string; readonly why: string };
  readonly environment?: Readonly<Record<string, string>>;
  /** What a Python says of a file; without it there is no Python. */
  readonly python?: (question: PythonQuestion) => PythonAnswer;
  /** Somebody waits for the lock that this one holds. */
  readonly waitsFor?: string;
  /** The signal that has come. */
  readonly signal?: 'SIGHUP' | 'SIGINT' | 'SIGTERM';
  /** The errno of what is printed. */
  readonly stdoutLoses?: string;
  /** The columns of the terminal that stdout is. */
  readonly columns?: number;
  /** What a signal that comes in the middle of it changes, in its place. */
  readonly interruption?: Interruption;
}

export interface Ended {
  readonly exit: number;
  /** `level: text`, as people read it. */
  readonly told: readonly string[];
  readonly printed: string;
  readonly locked: readonly (LockNote & { readonly name: string })[];
  /** Directories that became the working directory, and variables that were set, in order. */
  readonly effects: readonly string[];
}

export const CONFIG = '/etc/app/app.cfg';
export const SETTINGS = "start_port = 8000\nworkers_count = 2\npidfile_template = '/run/app/%(port)s.pid'\n";

export const SCRIPT = '--script=/usr/bin/frontik';
export const GIVEN: readonly string[] = [SCRIPT, `--config=${CONFIG}`];
export const LAUNCHER = '/etc/init.d/app';
export const CALL = `#!/usr/bin/frontik-supervisor
from frontik.server.supervisor import supervisor
supervisor(script='/usr/bin/frontik', config='${CONFIG}')
`;

/** Two workers, configured as a Sim's own are. */
export function simulated(): Sim {
  return new Sim({ ports: [8000, 8001] });
}

export function twoRunning(): Sim {
  const sim = simulated();
  sim.running(8000, 8001);
  return sim;
}

/** What becomes of a command; see Life of the simulated host. */
export interface Fate {
  readonly killAt?: number | undefined;
  readonly meddle?: Meddle | undefined;
  /** Is given what ends its life. */
  readonly onBirth?: (end: () => void) => void;
}

/** The host of one command on that machine. */
export function hostOn(
  sim: Sim,
  machine: Machine,
  locked: (LockNote & { readonly name: string })[] = [],
  effects: string[] = [],
  fate: Fate = {},
): Host {
  const { uid = 0, files = { [CONFIG]: SETTINGS }, programs = {}, users = {}, closed = {} } = machine;
  const environment = new Map(Object.entries(machine.environment ?? {}));
  let cwd = 'cwd' in machine ? machine.cwd : '/srv';
  const supervisor = sim.kernel.spawn({
    truth: { label: 'supervisor', ours: false, role: 'stranger', port: undefined },
    uids: [uid, uid],
  });
  const base = new SimHost({
    kernel: sim.kernel,
    supervisor,
    scriptOf: (port) => sim.scriptOf(port),
    killAt: fate.killAt,
    meddle: fate.meddle ?? (() => undefined),
  });
  fate.onBirth?.(() => base.end());
  const check = (path: string): Result<undefined, { path: string; code: string }> => {
    const directory = path.slice(0, path.lastIndexOf('/'));
    const code = closed[directory];
    return code === undefined ? { ok: true, value: undefined } : { ok: false, error: { path: directory, code } };
  };
  return {
    clock: base.clock,
    processes: base.processes,
    sockets: base.sockets,
    files: {
      ...base.files,
      cwd: () => cwd,
      enter: (path) => {
        const code = closed[path];
        if (code !== undefined) return { ok: false, error: { path, code } };
        cwd = path;
        effects.push(`cd ${path}`);
        return { ok: true, value: undefined };
      },
      checkDirectory: check,
      distrust: (path) => (path.startsWith(machine.distrusted?.path ?? '\0') ? machine.distrusted : undefined),
      program: (word) => programs[word] ?? { kind: 'runnable', path: word },
      read: (path) => {
        const text = files[path] ?? { code: 'ENOENT' };
        return typeof text === 'string'
          ? { ok: true, value: new TextEncoder().encode(text) }
          : { ok: false, error: { path, code: text.code } };
      },
    },
    accounts: {
      find: (user, group) => {
        const found = users[user ?? 'root'];
        if (found === undefined) return { ok: false, error: `there is no user ${user ?? 'root'}` };
        const gid = group === undefined ? found.gid : users[group]?.gid;
        return gid === undefined
          ? { ok: false, error: `there is no group ${group}` }
          : { ok: true, value: { ...found, gid } };
      },
      nameOf: (uid) => base.accounts.nameOf(uid),
    },
    locks: {
      take: async (name, note, interrupted, onWait) => {
        locked.push({ name, ...note });
        machine.whileWaiting?.();
        if (machine.waitsFor !== undefined) onWait(machine.waitsFor);
        return machine.lock ?? base.locks.take(name, note, interrupted, onWait);
      },
      foreignRuns: (name) => machine.foreignRuns?.(name) ?? [],
    },
    environment: {
      get: (name) => environment.get(name),
      set: (name, value) => {
        if (value === undefined) environment.delete(name);
        else environment.set(name, value);
        effects.push(value === undefined ? `unset ${name}` : `${name}=${value}`);
      },
    },
    python: {
      evaluate: async (question, interrupted) =>
        machine.python?.(question) ?? base.python.evaluate(question, interrupted),
    },
    hooks: base.hooks,
    serviceManager: machine.serviceManager ?? base.serviceManager,
    installation: machine.installation ?? base.installation,
    control: machine.control ?? base.control,
    notifier: () => base.notifier(),
    random: () => base.random(),
    openFileLimits: () => machine.limits ?? base.openFileLimits(),
  };
}

/** Runs a command line to its end. */
export async function command(words: readonly string[], machine: Machine = {}, sim: Sim = simulated()): Promise<Ended> {
  const told: string[] = [];
  const locked: (LockNote & { readonly name: string })[] = [];
  const effects: string[] = [];
  let printed = '';
  const interruption: Interruption = machine.interruption ?? {
    signal: machine.signal,
    arrived: machine.signal === undefined ? new Promise(() => undefined) : Promise.resolve(),
  };
  const exit = await run(words, {
    version: '1.2.3 (commit abcdef1)',
    host: hostOn(sim, machine, locked, effects),
    tell: (event: Event) => {
      for (const [level, text] of lines(event)) told.push(`${level}: ${text}`);
    },
    interruption,
    onSignal: () => undefined,
    neverBlock: () => undefined,
    print: (text) => {
      printed += text;
      return machine.stdoutLoses;
    },
    columns: () => machine.columns,
    faultOf: () => undefined,
  });
  return { exit, told, printed, locked, effects };
}
