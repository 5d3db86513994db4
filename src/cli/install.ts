// The action `install`: an init script for an application that is given on the command line and checked as a start would check it.

import { type DropIn, shebangProblem, writeShebangForm, writeShellForm } from '../config/drop-in.ts';
import type { Settings } from '../config/settings.ts';
import type { Tell } from '../core/event.ts';
import type { Host } from '../host/host.ts';
import { FAILED, NOT_PERMITTED, OK, signalVerdict, WRONG_ARGUMENTS } from './exit-status.ts';
import { planInstallation } from './footprint.ts';
import { gather, type Plan } from './plan.ts';
import { preflight } from './preflight.ts';
import { tellTroubles, troubleVerdict } from './preparation.ts';
import type { Launch, Trouble } from './sources.ts';
import { describeSteps, takeSteps } from './steps.ts';
import { findSplit, makeAbsolute, tellFilesHere } from './whole-paths.ts';
import type { World } from './world.ts';

/** Writes the init script and registers it; starts nothing. The result is the exit status. */
export async function install(launch: Launch, world: World): Promise<number> {
  const { host, interruption, tell } = world;
  const isDry = launch.flags.has('dry_run');
  if (!isDry && refusesUser('install', host, tell)) return NOT_PERMITTED;
  const troubles = [...launch.troubles, ...findMisplaced(launch)];
  const plan = await gather({ ...launch, troubles }, ['script', 'config'], host, interruption.arrived);
  if (interruption.signal !== undefined) return signalVerdict(interruption.signal);
  for (const { source, text } of plan.cautions) tell({ kind: 'caution', source, text });
  tellTroubles(plan.troubles, tell);
  const { name, commandLine, flags } = launch;
  if (plan.settings === undefined || name === undefined) return troubleVerdict(plan.troubles);
  const hindered = findHindrance(plan.settings, plan, host, tell);
  if (hindered !== undefined) return hindered;
  tellRelative(plan.settings, tell);
  const { installation } = host;
  tellDistrust(installation.binary, host, tell);
  const wrong = flags.has('shebang') ? shebangProblem(installation.binary) : undefined;
  if (wrong !== undefined) {
    tell({ kind: 'problem', source: '--shebang', text: wrong });
    return WRONG_ARGUMENTS;
  }
  const options = makeAbsolute(commandLine, plan.directory, host);
  const split = findSplit(commandLine, options, plan.directory);
  if (split !== undefined) {
    tell({ kind: 'problem', ...split });
    return WRONG_ARGUMENTS;
  }
  tellFilesHere(commandLine, host, tell);
  const dropIn: DropIn = {
    name,
    binary: installation.binary,
    options,
    python: flags.has('no_python') ? 'forbidden' : 'allowed',
  };
  const text = flags.has('shebang') ? writeShebangForm(dropIn) : writeShellForm(dropIn);
  const steps = planInstallation(dropIn, text, installation);
  if ('taken' in steps) {
    tell({ kind: 'problem', source: steps.taken, text: 'is there, and install has not written it: nothing was done' });
    return FAILED;
  }
  if (isDry) {
    world.print(describeSteps(steps));
    return OK;
  }
  return (await takeSteps(steps, installation, tell)) ? OK : FAILED;
}

/** Whether it is refused to whoever calls; tells him. */
export function refusesUser(action: string, { processes }: Host, tell: Tell): boolean {
  if (processes.self.uid === 0) return false;
  tell({ kind: 'problem', source: action, text: 'only root can do that; --dry-run shows what would be done' });
  return true;
}

/** What has no place on the command line of this action: a launcher has its own options, which would be lost. */
export function findMisplaced({ script, action = '' }: Launch): Trouble[] {
  const text = `an init script has no action ${action}: call frontik-supervisor itself`;
  return script === undefined ? [] : [{ origin: 'command-line', source: script, text }];
}

/** Tells everything that a start would stumble over, as far as it can be known now; what it comes to as an exit status. */
function findHindrance(
  settings: Settings,
  { directory, isDaemonized, account }: Plan,
  host: Host,
  tell: Tell,
): number | undefined {
  const checked = preflight(settings, directory, isDaemonized, account, host, (event) => {
    // The limits are ours, and not those of the init script.
    if (event.kind !== 'soft-limit-lowered') tell(event);
  });
  // It is root who will run it.
  const isRoot = host.processes.self.uid === 0;
  const hindrances = checked.ok ? [] : checked.hindrances.filter(({ exit }) => isRoot || exit !== NOT_PERMITTED);
  for (const { source, text } of hindrances) tell({ kind: 'problem', source, text });
  return hindrances.length === 0 ? undefined : Math.max(...hindrances.map(({ exit }) => exit));
}

/** Warns of paths in the configuration that mean something else in every directory: they are not ours to be made absolute. */
function tellRelative({ given, pidfileTemplate, logfileTemplate }: Settings, tell: Tell): void {
  for (const [name, path] of [
    ['pidfile_template', pidfileTemplate],
    ['logfile_template', logfileTemplate],
  ] as const) {
    const winner = given.get(name);
    if (winner?.origin !== 'config' || path === undefined || path.text.startsWith('/')) continue;
    const text = `${name} is relative, and an init script is called from anywhere: write the whole path`;
    tell({ kind: 'caution', source: winner.source, text });
  }
}

/** Warns of a program that others may change: root will run it at every boot. */
function tellDistrust(binary: string, { files }: Host, tell: Tell): void {
  const found = files.distrust(binary);
  if (found !== undefined)
    tell({ kind: 'caution', source: binary, text: `root will run it, and ${found.path} ${found.why}` });
}
