// What an action that starts workers must know of the machine, and everything that can be found wrong before it touches any.

import { application, type LaunchPlan, NO_LAUNCH } from '../config/fleet.ts';
import type { Problem } from '../config/given.ts';
import type { OptionName } from '../config/options.ts';
import type { Settings } from '../config/settings.ts';
import type { Application } from '../core/application.ts';
import type { Tell } from '../core/event.ts';
import type { Port } from '../core/units.ts';
import type { Account, OpenFiles, WorkerSpec } from '../core/worker.ts';
import type { Host } from '../host/host.ts';
import { FAILED, NOT_INSTALLED, NOT_PERMITTED, problemVerdict } from './exit-status.ts';

/** Something that keeps workers from being started. */
export interface Hindrance {
  readonly source: string;
  readonly text: string;
  readonly exit: number;
}

export type Preflight =
  | { readonly ok: true; readonly application: Application }
  | { readonly ok: false; readonly hindrances: readonly Hindrance[] };

/** What follows from the settings for actions that start nothing. */
export function withoutLaunch(settings: Settings, directory: string, account: Account | undefined): Application {
  return application(settings, directory, { ...NO_LAUNCH, account });
}

/** The same workers, whose pidfiles are neither read nor removed. */
export function withoutPidfiles(application: Application): Application {
  const specOf = (port: Port): WorkerSpec => ({ ...application.specOf(port), pidfile: undefined });
  return { ...application, specOf, specs: application.specs.map(({ port }) => specOf(port)) };
}

/** The user that workers run as when root starts them, if the settings name one; or why there is none. */
export function findAccount(
  settings: Settings,
  host: Host,
): { readonly account: Account | undefined } | { readonly problem: Problem } {
  const { user, group } = settings;
  if (user === undefined && group === undefined) return { account: undefined };
  const who = user ?? String(host.processes.self.uid);
  const known = host.accounts.find(who, undefined);
  if (!known.ok) return { problem: blame('supervisor_user', known.error, settings) };
  const found = host.accounts.find(who, group);
  return found.ok ? { account: found.value } : { problem: blame('supervisor_group', found.error, settings) };
}

/** What is wrong with an option, told of the place that gave it; of the command line where none did. */
function blame(name: OptionName, text: string, { given }: Settings): Problem {
  const place = given.get(name) ?? { origin: 'command-line', source: `--${name}` };
  const isNamed = place.source === `--${name}`;
  return { origin: place.origin, source: place.source, text: isNamed ? text : `${name}: ${text}` };
}

/** Checks everything that can be checked, and makes the application ready to be launched. */
export function preflight(
  settings: Settings,
  directory: string,
  isDaemonized: boolean,
  account: Account | undefined,
  host: Host,
  tell: Tell,
): Preflight {
  const hindrances: Hindrance[] = [];
  const hinder = (name: OptionName, text: string, exit: number): void => {
    const { source, text: words } = blame(name, text, settings);
    hindrances.push({ source, text: words, exit });
  };
  const command = findCommand(settings, host, tell, hinder);
  const { uid } = host.processes.self;
  if (account !== undefined && uid !== 0) {
    if (account.uid !== uid) {
      hinder('supervisor_user', `only root can start workers as ${account.user}`, NOT_PERMITTED);
    } else if (settings.group !== undefined) {
      hinder('supervisor_group', `only root can start workers with the group ${settings.group}`, NOT_PERMITTED);
    }
  }
  const plan: LaunchPlan = {
    command: command ?? [''],
    openFiles: decideOpenFiles(settings.nofileSoftLimit, host, tell),
    account: uid === 0 ? account : undefined,
    firstWords: (saysDaemonize(settings.script) ?? isDaemonized) ? 'kept' : 'dropped',
  };
  const made = application(settings, directory, plan);
  const paths = made.specs.flatMap(({ pidfile, logfile }) => [pidfile, logfile].filter((path) => path !== undefined));
  // One complaint a directory, not one a worker.
  for (const path of new Map(paths.map((path) => [path.slice(0, path.lastIndexOf('/')), path])).values()) {
    const checked = host.files.checkDirectory(path, account);
    if (!checked.ok) {
      const { code } = checked.error;
      const exit = code === 'EACCES' || code === 'EPERM' || code === 'EROFS' ? NOT_PERMITTED : FAILED;
      hindrances.push({ source: checked.error.path, text: `${DIRECTORY_WORDS[code] ?? code}: workers need it`, exit });
    }
  }
  return hindrances.length > 0 ? { ok: false, hindrances } : { ok: true, application: made };
}

/** Hooks that could not be run, or that root should not run: a roll must not find that out when a port is out of rotation already. */
export function findMissingHooks({ rolling, specs }: Application, settings: Settings, host: Host): Hindrance[] {
  const [spec] = specs;
  if (spec === undefined) return [];
  return (['beforeStop', 'afterStart'] as const).flatMap((hook) => {
    const [program] = rolling[hook](spec.port) ?? [];
    if (program === undefined) return [];
    if (host.files.program(program).kind !== 'runnable') {
      const { source, text } = blame(HOOK_OPTIONS[hook], `${program} is not installed, or no program`, settings);
      return [{ source, text, exit: NOT_INSTALLED }];
    }
    const place = program.includes('/') ? program : host.installation.find(program);
    const distrust = host.processes.self.uid === 0 && place !== undefined ? host.files.distrust(place) : undefined;
    if (distrust === undefined) return [];
    const why = `root runs no program that others may change: ${distrust.path} ${distrust.why}; chown it to root and chmod it go-w`;
    const problem = blame(HOOK_OPTIONS[hook], why, settings);
    return [{ ...problem, exit: problemVerdict([problem]) }];
  });
}

const HOOK_OPTIONS = { beforeStop: 'supervisor_before_stop', afterStart: 'supervisor_after_start' } as const;

/** What the script's own words say of `daemonize`, which wins over the configuration, as in Tornado. */
function saysDaemonize(script: readonly string[]): boolean | undefined {
  const said = script
    .slice(1)
    .flatMap((word) => /^--?daemonize(?:=(.*))?$/i.exec(word)?.[1] ?? (/^--?daemonize$/i.test(word) ? 'true' : []));
  const last = said.at(-1);
  return last === undefined ? undefined : !/^(false|0|f)$/i.test(last);
}

const DIRECTORY_WORDS: Readonly<Record<string, string>> = {
  EACCES: 'no permission to write to this directory',
  EPERM: 'no permission to write to this directory',
  EROFS: 'this directory is on a read-only file system',
  ENOTDIR: 'this is no directory',
  ENOENT: 'this directory does not exist and cannot be made',
};

type Command = readonly [string, ...string[]];

type Hinder = (name: OptionName, text: string, exit: number) => void;

function findCommand(settings: Settings, host: Host, tell: Tell, hinder: Hinder): Command | undefined {
  const missing = (name: OptionName, path: string): undefined => {
    hinder(name, `${path} is not installed`, NOT_INSTALLED);
  };
  const [script = '', ...rest] = settings.script;
  const found = host.files.program(script);
  if (found.kind === 'missing') return missing('script', script);
  const words: Command = [found.path, ...rest];
  const { python } = settings;
  if (python !== undefined) {
    const chosen = host.files.program(python);
    if (chosen.kind !== 'runnable') return missing('supervisor_python', python);
    return settings.withCoverage ? [chosen.path, '-m', 'coverage', 'run', ...words] : [chosen.path, ...words];
  }
  if (settings.withCoverage) {
    return host.files.program('coverage').kind === 'runnable'
      ? ['coverage', 'run', ...words]
      : missing('with_coverage', 'coverage');
  }
  if (found.kind === 'runnable') return words;
  if (host.files.program('python3').kind !== 'runnable') return missing('supervisor_python', 'python3');
  tell({ kind: 'python-chosen', script, why: found.why });
  return ['python3', ...words];
}

/** Lowers the limit to what the kernel lets us give: getrlimit(2), CAP_SYS_RESOURCE in capabilities(7), proc_sys_fs(5). */
function decideOpenFiles(wanted: number, host: Host, tell: Tell): OpenFiles {
  const { hard, kernelMost, mayRaise } = host.openFileLimits();
  if (wanted <= hard) return { soft: wanted, raiseHard: false };
  if (!mayRaise) {
    tell({ kind: 'soft-limit-lowered', limit: hard, cause: 'capability' });
    return { soft: hard, raiseHard: false };
  }
  if (wanted > kernelMost) tell({ kind: 'soft-limit-lowered', limit: kernelMost, cause: 'kernel' });
  return { soft: Math.min(wanted, kernelMost), raiseHard: true };
}
