// One command from its words to its exit status.

import { unreadableApplication } from '../config/fleet.ts';
import { type Layer, type Problem, type Required, type Settings, settle } from '../config/settings.ts';
import type { Application } from '../core/application.ts';
import type { Tell } from '../core/event.ts';
import { longestCommand } from '../core/patience.ts';
import type { Account } from '../core/worker.ts';
import { isAnyAlive, restart, type Situation, start, status, stop, tellForbidden } from '../engine/commands.ts';
import type { Interruption } from '../engine/drive.ts';
import type { Host } from '../host/host.ts';
import {
  FAILED,
  NOT_PERMITTED,
  OK,
  problemVerdict,
  STATUS_UNKNOWN,
  signalVerdict,
  startVerdict,
  statusVerdict,
  stopVerdict,
} from './exit-status.ts';
import { parse } from './parse.ts';
import { findAccount, type Hindrance, preflight, withoutLaunch } from './preflight.ts';
import { type Launch, readConfigSource, readLaunch, type Trouble } from './sources.ts';

/** What a command has to do with. */
export interface World {
  /** `VERSION (commit …)`. */
  readonly version: string;
  readonly host: Host;
  readonly tell: Tell;
  readonly interruption: Interruption;
  /** Writes what was asked for to stdout. */
  print(text: string): void;
  /** What the system refused, in words, if the error is of its making; undefined for a bug of ours. */
  faultOf(error: unknown): string | undefined;
}

type Goal = 'start' | 'stop' | 'restart' | 'restart-if-alive' | 'status';

const GOALS: ReadonlyMap<string, Goal> = new Map([
  ['start', 'start'],
  ['stop', 'stop'],
  ['restart', 'restart'],
  ['force-reload', 'restart'],
  ['try-restart', 'restart-if-alive'],
  ['condrestart', 'restart-if-alive'],
  ['status', 'status'],
]);

/** Runs one command; `argv` is without the program's own name. The result is the exit status. */
export async function run(argv: readonly string[], world: World): Promise<number> {
  const line = parse(argv);
  if (line.kind === 'help' || line.kind === 'version') {
    world.print(line.kind === 'help' ? line.text : `frontik-supervisor ${world.version}\n`);
    return OK;
  }
  const launch = readLaunch(argv, line, world.host);
  const { action = '' } = launch;
  const goal = GOALS.get(action);
  if (goal === undefined) {
    tellTroubles(launch.troubles, world.tell);
    world.tell({ kind: 'no-such-action', action: launch.action });
    return launch.troubles.length > 0 ? troubleVerdict(launch.troubles) : FAILED;
  }
  const plan = gather(launch, goal, world.host);
  for (const { source, text } of plan.cautions) world.tell({ kind: 'caution', source, text });
  tellTroubles(plan.troubles, world.tell);
  try {
    if (plan.settings !== undefined) return await carryOut(goal, action, plan.settings, plan, world);
    if (goal === 'stop' && plan.withoutConfig !== undefined) {
      const application = unreadableApplication(plan.directory, plan.withoutConfig);
      return await perform(goal, action, application, plan.withoutConfig, world);
    }
  } catch (error) {
    // No descriptor or no memory left, /proc not mounted: nothing that a call in particular could have expected.
    const fault = world.faultOf(error);
    if (fault === undefined) throw error;
    world.tell({ kind: 'problem', source: action, text: fault });
    return goal === 'status' ? STATUS_UNKNOWN : FAILED;
  }
  return goal === 'status' ? STATUS_UNKNOWN : troubleVerdict(plan.troubles);
}

/** All that was given, put together. */
interface Plan {
  /** Undefined when anything is wrong. */
  readonly settings: Settings | undefined;
  /** What launcher and command line say alone, when only the configuration is wrong. */
  readonly withoutConfig: Settings | undefined;
  readonly isDaemonized: boolean;
  readonly account: Account | undefined;
  /** The working directory; `/` when it is gone and nothing needs it. */
  readonly directory: string;
  readonly troubles: readonly Trouble[];
  readonly cautions: readonly Problem[];
}

function gather(launch: Launch, goal: Goal, host: Host): Plan {
  const needed: Required = goal === 'stop' || goal === 'status' ? ['config'] : ['script', 'config'];
  // What a launcher that cannot be read would have said is not missing.
  const required = launch.troubles.some(({ origin }) => origin === 'launcher') ? [] : needed;
  const given: readonly Layer[] = [launch.launcher, launch.commandLine];
  const alone = settle(given, required);
  const path = configPath(launch);
  const file = path === undefined ? undefined : readConfigSource(path, launch.generation, host);
  const settled = settle(file === undefined ? given : [file.layer, ...given], required);
  const directory = host.files.cwd();
  const found = settled.ok ? findAccount(settled.settings, host) : { account: undefined };
  const troubles = [
    ...launch.troubles,
    ...(file?.troubles ?? []),
    ...(settled.ok ? directoryTroubles(settled.settings, directory) : settled.problems),
    ...('problem' in found ? [found.problem] : []),
  ];
  return {
    settings: settled.ok && troubles.length === 0 ? settled.settings : undefined,
    withoutConfig: alone.ok && troubles.every(({ origin }) => origin === 'config') ? alone.settings : undefined,
    isDaemonized: file?.isDaemonized ?? false,
    account: 'account' in found ? found.account : undefined,
    directory: directory ?? '/',
    troubles,
    cautions: [...launch.cautions, ...(file?.cautions ?? []), ...settled.cautions],
  };
}

function configPath({ launcher, commandLine }: Launch): string | undefined {
  const value = (commandLine.get('config') ?? launcher.get('config'))?.value;
  return (value?.kind === 'text' || value?.kind === 'str') && value.value !== '' ? value.value : undefined;
}

/** Without a working directory no relative path means anything. */
function directoryTroubles(settings: Settings, directory: string | undefined): Trouble[] {
  const paths = [settings.config, settings.pidfileTemplate?.text, settings.logfileTemplate?.text];
  const relative = paths.find((path) => path !== undefined && !path.startsWith('/'));
  if (directory !== undefined || relative === undefined) return [];
  return [
    { origin: 'command-line', source: relative, text: 'is relative to a working directory that no longer exists' },
  ];
}

async function carryOut(goal: Goal, action: string, settings: Settings, plan: Plan, world: World): Promise<number> {
  const { host, tell } = world;
  const { account } = plan;
  const application = withoutLaunch(settings, plan.directory, account);
  if (goal === 'status' || goal === 'stop') return perform(goal, action, application, settings, world);
  const checked = preflight(settings, plan.directory, plan.isDaemonized, account, host, tell);
  if (checked.ok) return perform(goal, action, checked.application, settings, world);
  // Whoever may not touch the workers may mostly not write their files either: the former is what he must know.
  return (await tellForbidden({ ...world, application })) ? NOT_PERMITTED : hinder(goal, checked.hindrances, tell);
}

async function perform(
  goal: Goal,
  action: string,
  application: Application,
  settings: Settings,
  world: World,
): Promise<number> {
  const { host, tell, interruption } = world;
  const situation: Situation = { application, host, tell, interruption };
  if (goal === 'status') {
    const { survey } = await status(situation);
    if (interruption.signal !== undefined) return signalVerdict(interruption.signal);
    return survey === undefined ? STATUS_UNKNOWN : statusVerdict(survey, settings.partialStatus);
  }
  const most = longestCommand(application.patience, application.specs.length);
  const taken = await host.locks.take(application.configPath, { action, most }, interruption.arrived, (holder) => {
    tell({ kind: 'waiting-for-lock', holder });
  });
  switch (taken.kind) {
    case 'interrupted':
      await status(situation);
      return interruption.signal === undefined ? FAILED : signalVerdict(interruption.signal);
    case 'timed-out':
      tell({ kind: 'lock-timed-out', holder: taken.holder });
      return FAILED;
    case 'unusable':
      tell({
        kind: 'problem',
        source: taken.obstacle.path,
        text: `cannot lock this application: ${taken.obstacle.code}`,
      });
      return taken.obstacle.code === 'EACCES' || taken.obstacle.code === 'EPERM' ? NOT_PERMITTED : FAILED;
    case 'held': {
      const exit = await achieve(goal, situation);
      taken.lock.release();
      return interruption.signal === undefined ? exit : signalVerdict(interruption.signal);
    }
    default:
      return taken satisfies never;
  }
}

async function achieve(goal: Exclude<Goal, 'status'>, situation: Situation): Promise<number> {
  switch (goal) {
    case 'start':
      return startVerdict(await start(situation));
    case 'stop':
      return stopVerdict(await stop(situation));
    case 'restart':
      return startVerdict(await restart(situation));
    case 'restart-if-alive':
      return (await isAnyAlive(situation)) ? startVerdict(await restart(situation)) : OK;
    default:
      return goal satisfies never;
  }
}

function hinder(goal: Goal, hindrances: readonly Hindrance[], tell: Tell): number {
  for (const { source, text } of hindrances) tell({ kind: 'problem', source, text });
  return goal === 'status' ? STATUS_UNKNOWN : Math.max(...hindrances.map(({ exit }) => exit));
}

function tellTroubles(troubles: readonly Trouble[], tell: Tell): void {
  for (const { source, text } of troubles) tell({ kind: 'problem', source, text });
}

function troubleVerdict(troubles: readonly Trouble[]): number {
  const isCommandLine = troubles.some(({ origin }) => origin === 'command-line');
  return (
    (isCommandLine ? undefined : troubles.find(({ exit }) => exit !== undefined)?.exit) ?? problemVerdict(troubles)
  );
}
