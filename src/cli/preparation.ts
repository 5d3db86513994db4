// From what was given to an application that can be acted on: everything that can be found wrong before a worker is touched is
// told here.

import { unreadableApplication } from '../config/fleet.ts';
import type { OptionName } from '../config/options.ts';
import type { Required, Settings } from '../config/settings.ts';
import type { Application } from '../core/application.ts';
import type { Tell } from '../core/event.ts';
import { tellForbidden } from '../engine/commands.ts';
import type { Host } from '../host/host.ts';
import { NOT_PERMITTED, problemVerdict, signalVerdict } from './exit-status.ts';
import type { Goal } from './goals.ts';
import { gather, type Plan } from './plan.ts';
import { findMissingHooks, preflight, withoutLaunch, withoutPidfiles } from './preflight.ts';
import type { Launch, Trouble } from './sources.ts';
import type { World } from './world.ts';

/** What an action has to go by, or with which exit status it ends before it has begun. */
export type Prepared =
  | { readonly kind: 'ready'; readonly application: Application; readonly settings: Settings }
  | { readonly kind: 'refused'; readonly exit: number };

type Surroundings = Pick<World, 'host' | 'tell' | 'interruption'>;

/** Reads the configuration and checks all that the action needs; tells what is wrong. */
export async function prepare(goal: Goal | 'status', launch: Launch, world: Surroundings): Promise<Prepared> {
  const { host, interruption, tell } = world;
  const startsNothing = goal === 'stop' || goal === 'status';
  const needed: Required = startsNothing ? ['config'] : ['script', 'config'];
  const plan = await gather(launch, needed, host, interruption.arrived);
  if (interruption.signal !== undefined && plan.settings === undefined && plan.pythons.length > 0) {
    // A Python was asked what the settings are, and was stopped with us.
    return { kind: 'refused', exit: signalVerdict(interruption.signal) };
  }
  const troubles = [...plan.troubles, ...distrustTroubles(plan, goal, host)];
  for (const { source, text } of plan.cautions) tell({ kind: 'caution', source, text });
  tellTroubles(troubles, tell);
  const { settings, withoutConfig, directory, account } = plan;
  if (settings === undefined || troubles.length > 0) {
    if (goal !== 'stop' || withoutConfig === undefined) return { kind: 'refused', exit: troubleVerdict(troubles) };
    return {
      kind: 'ready',
      application: unreadableApplication(directory, withoutConfig, account),
      settings: withoutConfig,
    };
  }
  if (!startsNothing) return prepareStart(goal, settings, plan, world);
  const application = withoutLaunch(settings, directory, account);
  const refused = goal === 'stop' ? refuseRights(plan, host) : [];
  for (const { source, text } of refused) tell({ kind: 'caution', source, text });
  // Workers are found without pidfiles, which stay where they are.
  return { kind: 'ready', application: refused.length > 0 ? withoutPidfiles(application) : application, settings };
}

function prepareStart(
  goal: Goal,
  settings: Settings,
  { directory, isDaemonized, account }: Plan,
  { host, tell, interruption }: Surroundings,
): Prepared {
  const checked = preflight(settings, directory, isDaemonized, account, host, tell);
  const missing = checked.ok && goal === 'reload' ? findMissingHooks(checked.application, settings, host) : [];
  if (checked.ok && missing.length === 0) return { kind: 'ready', application: checked.application, settings };
  // Whoever may not touch the workers may mostly not write their files either: the former is what he must know.
  const application = withoutLaunch(settings, directory, account);
  if (tellForbidden({ application, host, tell, interruption })) return { kind: 'refused', exit: NOT_PERMITTED };
  const hindrances = checked.ok ? missing : checked.hindrances;
  for (const { source, text } of hindrances) tell({ kind: 'problem', source, text });
  return { kind: 'refused', exit: Math.max(...hindrances.map(({ exit }) => exit)) };
}

const HOOKS = ['supervisor_before_stop', 'supervisor_after_start'] as const;
/** Where root makes, writes to and removes files, and what more its workers may do. */
const RIGHTS = ['pidfile_template', 'logfile_template', 'supervisor_group'] as const;

/** A configuration that others may change decides nothing by which they would be root. */
export function distrustTroubles(plan: Plan, goal: Goal | 'status', host: Host): Trouble[] {
  if (goal === 'stop' || goal === 'status') return [];
  return [
    ...(goal === 'reload' ? refuse(HOOKS, 'root runs no command that others may change', plan, host) : []),
    ...refuseRights(plan, host),
  ];
}

/**
 * Whoever may change a file that says whom the workers run as, or that nobody is named as, can have them run as root, and
 * needs no more rights. The user that the command line or the launcher names is to have no others than his own.
 */
function refuseRights(plan: Plan, host: Host): Trouble[] {
  const isBound = (plan.account?.uid ?? 0) !== 0 && plan.settings?.given.get('supervisor_user')?.origin !== 'config';
  return isBound ? refuse(RIGHTS, 'root takes it from no file that others may change', plan, host) : [];
}

function refuse(names: readonly OptionName[], rule: string, { settings }: Plan, host: Host): Trouble[] {
  if (settings === undefined || host.processes.self.uid !== 0) return [];
  const given = names.flatMap((name) => {
    const found = settings.given.get(name);
    return found?.origin === 'config' ? [{ name, source: found.source }] : [];
  });
  const distrust = given.length > 0 ? host.files.distrust(settings.config) : undefined;
  if (distrust === undefined) return [];
  const { path, why } = distrust;
  return given.map(({ name, source }) => ({
    origin: 'config',
    source,
    text: `${name}: ${rule}: ${path} ${why}; chown it to root and chmod it go-w, or give the option on the command line or in the launcher`,
  }));
}

/** Tells everything that is wrong. */
export function tellTroubles(troubles: readonly Trouble[], tell: Tell): void {
  for (const { source, text } of troubles) tell({ kind: 'problem', source, text });
}

/** The exit status of what is wrong; the command line comes first. */
export function troubleVerdict(troubles: readonly Trouble[]): number {
  const isCommandLine = troubles.some(({ origin }) => origin === 'command-line');
  return (
    (isCommandLine ? undefined : troubles.find(({ exit }) => exit !== undefined)?.exit) ?? problemVerdict(troubles)
  );
}
