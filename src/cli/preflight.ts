// What an action that starts workers must know of the machine, and everything that can be found wrong before it touches any.

import { application, type LaunchPlan, NO_LAUNCH } from '../config/fleet.ts';
import type { Settings } from '../config/settings.ts';
import type { Application } from '../core/application.ts';
import type { Tell } from '../core/event.ts';
import type { Account, OpenFiles } from '../core/worker.ts';
import type { Host } from '../host/host.ts';
import { FAILED, NOT_CONFIGURED, NOT_INSTALLED, NOT_PERMITTED } from './exit-status.ts';

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

/** The user that workers run as when root starts them; undefined when they keep the caller's. */
export function findAccount(settings: Settings, host: Host): Account | Hindrance | undefined {
  const { user, group } = settings;
  if (user === undefined && group === undefined) return undefined;
  const found = host.accounts.find(user, group);
  if (!found.ok) return { source: '--supervisor_user', text: found.error, exit: NOT_CONFIGURED };
  const { uid } = host.processes.self;
  if (uid === found.value.uid && group === undefined) return undefined;
  if (uid === 0) return found.value;
  return {
    source: '--supervisor_user',
    text: `only root can start workers as ${found.value.user}`,
    exit: NOT_PERMITTED,
  };
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
  const command = findCommand(settings, host, tell, hindrances);
  const words = settings.script.slice(1).map((word) => word.toLowerCase().replaceAll('-', '_'));
  const saysDaemonize = words.some((word) => word === '__daemonize' || /^__daemonize=(true|1|t)$/.test(word));
  const plan: LaunchPlan = {
    command: command ?? [''],
    openFiles: decideOpenFiles(settings.nofileSoftLimit, host, tell),
    account,
    firstWords: isDaemonized || saysDaemonize ? 'kept' : 'dropped',
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

const DIRECTORY_WORDS: Readonly<Record<string, string>> = {
  EACCES: 'no permission to write to this directory',
  EPERM: 'no permission to write to this directory',
  EROFS: 'this directory is on a read-only file system',
  ENOTDIR: 'this is no directory',
  ENOENT: 'this directory does not exist and cannot be made',
};

type Command = readonly [string, ...string[]];

function findCommand(settings: Settings, host: Host, tell: Tell, hindrances: Hindrance[]): Command | undefined {
  const missing = (source: string, path: string): undefined => {
    hindrances.push({ source, text: `${path} is not installed`, exit: NOT_INSTALLED });
  };
  const [script = '', ...rest] = settings.script;
  const found = host.files.program(script);
  if (found.kind === 'missing') return missing('--script', script);
  const words: Command = [found.path, ...rest];
  const { python } = settings;
  if (python !== undefined) {
    const chosen = host.files.program(python);
    if (chosen.kind !== 'runnable') return missing('--supervisor_python', python);
    return settings.withCoverage ? [chosen.path, '-m', 'coverage', 'run', ...words] : [chosen.path, ...words];
  }
  if (settings.withCoverage) {
    return host.files.program('coverage').kind === 'runnable'
      ? ['coverage', 'run', ...words]
      : missing('--with_coverage', 'coverage');
  }
  if (found.kind === 'runnable') return words;
  if (host.files.program('python3').kind !== 'runnable') return missing('--supervisor_python', 'python3');
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
