// One command from its words to its exit status.

import { exportFor } from '../config/export.ts';
import { unreadableApplication } from '../config/fleet.ts';
import type { Required, Settings } from '../config/settings.ts';
import type { Application } from '../core/application.ts';
import type { Tell } from '../core/event.ts';
import { longestCommand, longestReload } from '../core/patience.ts';
import type { Millis } from '../core/units.ts';
import { isAnyAlive, reload, restart, type Situation, start, status, stop, tellForbidden } from '../engine/commands.ts';
import type { Interruption } from '../engine/drive.ts';
import type { Host } from '../host/host.ts';
import { check } from './check.ts';
import {
  FAILED,
  NOT_PERMITTED,
  OK,
  problemVerdict,
  reloadVerdict,
  STATUS_UNKNOWN,
  signalVerdict,
  startVerdict,
  statusVerdict,
  stopVerdict,
} from './exit-status.ts';
import { parse } from './parse.ts';
import { gather, type Plan } from './plan.ts';
import { type Hindrance, preflight, withoutLaunch } from './preflight.ts';
import { type Launch, readLaunch, type Trouble } from './sources.ts';

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

type Goal = 'start' | 'stop' | 'restart' | 'restart-if-alive' | 'reload' | 'status';

const GOALS: ReadonlyMap<string, Goal> = new Map([
  ['start', 'start'],
  ['stop', 'stop'],
  ['restart', 'restart'],
  ['force-reload', 'restart'],
  ['try-restart', 'restart-if-alive'],
  ['condrestart', 'restart-if-alive'],
  ['reload', 'reload'],
  ['status', 'status'],
]);

/** Runs one command; `argv` is without the program's own name. The result is the exit status. */
export async function run(argv: readonly string[], world: World): Promise<number> {
  const line = parse(argv);
  if (line.kind === 'help' || line.kind === 'version') {
    world.print(line.kind === 'help' ? line.text : `frontik-supervisor ${world.version}\n`);
    return OK;
  }
  const launch = await readLaunch(argv, line, world.host, world.interruption.arrived);
  const { action = '' } = launch;
  if (action === 'check') return check(launch, world);
  if (action === 'export') return printExport(withoutJson(launch), world);
  const goal = GOALS.get(action);
  if (goal === undefined) {
    tellTroubles(launch.troubles, world.tell);
    world.tell({ kind: 'no-such-action', action: launch.action });
    return launch.troubles.length > 0 ? troubleVerdict(launch.troubles) : FAILED;
  }
  return act(goal, action, withoutJson(launch), world);
}

/** Prints what a proxy needs; touches nothing. */
async function printExport(launch: Launch, world: World): Promise<number> {
  const { host, interruption, tell } = world;
  const plan = await gather(launch, ['config'], host, interruption.arrived);
  if (interruption.signal !== undefined) return signalVerdict(interruption.signal);
  for (const { source, text } of plan.cautions) tell({ kind: 'caution', source, text });
  tellTroubles(plan.troubles, tell);
  if (plan.settings === undefined || launch.proxy === undefined) return troubleVerdict(plan.troubles);
  world.print(exportFor(launch.proxy, plan.settings));
  return OK;
}

async function act(goal: Goal, action: string, launch: Launch, world: World): Promise<number> {
  const { host, interruption } = world;
  const needed: Required = goal === 'stop' || goal === 'status' ? ['config'] : ['script', 'config'];
  const plan = await gather(launch, needed, host, interruption.arrived);
  if (interruption.signal !== undefined && plan.settings === undefined && plan.pythons.length > 0) {
    // A Python was asked what the settings are, and was stopped with us.
    return signalVerdict(interruption.signal);
  }
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

/** Only `check` has a document to print. */
function withoutJson(launch: Launch): Launch {
  const text = 'belongs to the action check';
  const troubles: Trouble[] = launch.flags.has('json') ? [{ origin: 'command-line', source: '--json', text }] : [];
  return { ...launch, troubles: [...launch.troubles, ...troubles] };
}

async function carryOut(goal: Goal, action: string, settings: Settings, plan: Plan, world: World): Promise<number> {
  const { host, tell } = world;
  const { account } = plan;
  const application = withoutLaunch(settings, plan.directory, account);
  if (goal === 'status' || goal === 'stop') return perform(goal, action, application, settings, world);
  const checked = preflight(settings, plan.directory, plan.isDaemonized, account, host, tell);
  if (checked.ok) return perform(goal, action, checked.application, settings, world);
  // Whoever may not touch the workers may mostly not write their files either: the former is what he must know.
  return tellForbidden({ ...world, application }) ? NOT_PERMITTED : hinder(goal, checked.hindrances, tell);
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
  const most = longest(goal, application);
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

function longest(goal: Goal, { patience, rolling, specs }: Application): Millis {
  return goal === 'reload' ? longestReload(patience, rolling, specs.length) : longestCommand(patience, specs.length);
}

async function achieve(goal: Exclude<Goal, 'status'>, situation: Situation): Promise<number> {
  switch (goal) {
    case 'start':
      return startVerdict(await start(situation));
    case 'stop':
      return stopVerdict(await stop(situation));
    case 'restart':
      return startVerdict(await restart(situation));
    case 'reload':
      return reloadVerdict(await reload(situation));
    case 'restart-if-alive':
      return isAnyAlive(situation) ? startVerdict(await restart(situation)) : OK;
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
