// Settings → the workers of an application. Pure.

import type { Application, Hook } from '../core/application.ts';
import { resolveFrom } from '../core/path.ts';
import { asPort, type Port, seconds } from '../core/units.ts';
import type { Account, OpenFiles, WorkerSpec } from '../core/worker.ts';
import type { Batch, Settings, TemplateOf } from './settings.ts';
import { expand } from './template.ts';

/** What only actions that start have to find out about the machine. */
export interface LaunchPlan {
  /** The interpreter or tool in front, the script, and its arguments. */
  readonly command: readonly [program: string, ...args: string[]];
  readonly openFiles: OpenFiles;
  readonly account: Account | undefined;
  readonly firstWords: WorkerSpec['firstWords'];
}

/** Seconds that a process has to disappear after SIGKILL. It needs none, unless the kernel holds it in a system call. */
const KILL_GRACE = 5;

/** The ports of all configured workers. */
export function portsOf({ startPort, workersCount }: Settings): readonly Port[] {
  return Array.from({ length: workersCount }, (_, index) => asPort(startPort + index)).filter(
    (port) => port !== undefined,
  );
}

/** The application that the settings describe. Relative paths are seen from `directory`; `config` stays as written. */
export function application(settings: Settings, directory: string, plan: LaunchPlan): Application {
  const configPath = resolveFrom(directory, settings.config);
  const fill = (template: TemplateOf | undefined, port: Port): string | undefined =>
    template === undefined ? undefined : resolveFrom(directory, expand(template.template, port));
  const specOf = (port: Port): WorkerSpec => {
    const pidfile = fill(settings.pidfileTemplate, port);
    const logfile = fill(settings.logfileTemplate, port);
    return {
      port,
      argv: [
        ...plan.command,
        `--config=${settings.config}`,
        `--port=${port}`,
        ...(pidfile === undefined ? [] : [`--pidfile=${pidfile}`]),
        ...(settings.app === undefined ? [] : [`--app=${settings.app}`]),
        ...(logfile === undefined ? [] : [`--logfile=${logfile}`]),
      ],
      marker: `${configPath}:${port}`,
      pidfile,
      logfile,
      firstWords: plan.firstWords,
      openFiles: plan.openFiles,
      account: plan.account,
    };
  };
  return {
    config: settings.config,
    configPath,
    specs: portsOf(settings).map(specOf),
    specOf,
    pidfilesOf: (port) => {
      const { pidfileTemplate } = settings;
      // The original handed a relative template on as it was; its workers' argv still has it so.
      const written = pidfileTemplate === undefined ? undefined : expand(pidfileTemplate.template, port);
      return written === undefined ? [] : [...new Set([resolveFrom(directory, written), written])];
    },
    anyTemplate: false,
    readiness: { path: settings.statusPath, servers: settings.statusServers },
    workerUid: plan.account?.uid,
    patience: {
      startWithin: seconds(settings.startTimeout),
      termGrace: seconds(settings.sigtermTimeout),
      killGrace: seconds(KILL_GRACE),
    },
    rolling: {
      batch: batchOf(settings.batch, settings.workersCount),
      settle: seconds(settings.settle),
      drain: seconds(settings.drain),
      beforeStop: (port) => hook(settings.beforeStop, port),
      afterStart: (port) => hook(settings.afterStart, port),
      hookWithin: seconds(settings.hookTimeout),
    },
    watching: {
      retries: settings.startRetries,
      hangsAfter: settings.hangTimeout === 0 ? undefined : seconds(settings.hangTimeout),
    },
  };
}

/** Never all workers at once: somebody must answer meanwhile. A lone worker is all there is. */
function batchOf(batch: Batch, workers: number): number {
  const wanted = 'count' in batch ? batch.count : Math.floor((workers * batch.percent) / 100);
  return Math.max(1, Math.min(wanted, workers - 1));
}

/** Split on whitespace, as the script is. */
function hook(template: TemplateOf | undefined, port: Port): Hook | undefined {
  if (template === undefined) return undefined;
  const [program, ...args] = expand(template.template, port)
    .split(/\s+/)
    .filter((word) => word !== '');
  return program === undefined ? undefined : [program, ...args];
}

/** What a plan says for actions that start nothing. */
export const NO_LAUNCH: LaunchPlan = {
  command: [''],
  openFiles: { soft: 0, raiseHard: false },
  account: undefined,
  firstWords: 'dropped',
};

/** The application of a configuration that cannot be read: none of its workers is configured, all of them are ours. */
export function unreadableApplication(
  directory: string,
  settings: Settings,
  account: Account | undefined,
): Application {
  const bare = { ...settings, pidfileTemplate: undefined, logfileTemplate: undefined };
  return { ...application(bare, directory, { ...NO_LAUNCH, account }), specs: [], anyTemplate: true };
}
