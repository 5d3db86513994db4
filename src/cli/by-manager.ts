// An init script called by hand on a system that systemd runs: what it starts belongs into its unit, and what it stops must leave
// the unit inactive. Whatever systemd says, we look ourselves afterwards.

import type { Application } from '../core/application.ts';
import type { Event, Tell } from '../core/event.ts';
import { millis } from '../core/units.ts';
import { isAnyAlive, type Situation, status, stop } from '../engine/commands.ts';
import { OK, signalVerdict, stopVerdict } from './exit-status.ts';
import { type Goal, judge, longest } from './goals.ts';
import { parseOptions } from './parse.ts';
import type { Launch } from './sources.ts';
import type { World } from './world.ts';

/** What systemd itself may take for a job, beside what the workers need. */
const JOB = 10_000;

/** The unit that an action by hand concerns; only root may have it started or stopped. */
export function unitFor(goal: Goal, { script }: Launch, { host }: World): string | undefined {
  // A rolling restart is the matter of the unit's own `run`, which is asked by its socket.
  if (script === undefined || goal === 'reload' || host.processes.self.uid !== 0) return undefined;
  return host.serviceManager.unitOf(script);
}

/** Warns of options that were typed for what the unit is to do, which goes by its own. Those before the action may be the script's. */
export function tellTyped(goal: Goal, unit: string | undefined, { action = '', argv }: Launch, { tell }: World): void {
  if (unit === undefined || goal === 'stop') return;
  const typed = [...parseOptions(argv.slice(argv.indexOf(action) + 1)).given.keys()].map((name) => `--${name}`);
  if (typed.length === 0) return;
  tell({ kind: 'caution', source: unit, text: `goes by the launcher's own options, and not by ${typed.join(', ')}` });
}

/** Has the unit stopped, before anything else is: its `run` would bring back what somebody else stops. */
export async function stopUnit(unit: string, application: Application, world: World): Promise<void> {
  await pursue('stop', unit, application, world);
}

/** With the lock: what a restart has to end that is not the unit's. An exit status if nothing is to be started afterwards. */
export async function clearFor(goal: Goal, situation: Situation): Promise<number | 'go on'> {
  if (goal === 'start' || goal === 'launch') return 'go on';
  if (goal === 'restart-if-alive' && !isAnyAlive(situation)) return OK;
  const { tell } = situation;
  // That all are stopped is no news in the middle of a restart.
  const quiet: Tell = (event) => event.kind === 'surveyed' || tell(event);
  const exit = stopVerdict(await stop({ ...situation, tell: quiet }));
  return exit === OK ? 'go on' : exit;
}

/** Has the unit started, and looks at what has come of it. */
export async function startUnit(goal: Goal, unit: string, application: Application, world: World): Promise<number> {
  const { host, tell, interruption } = world;
  const verb = goal === 'start' || goal === 'launch' ? 'start' : 'restart';
  await pursue(verb, unit, application, world);
  const seen: Event[] = [];
  const outcome = await status({ application, host, tell: (event) => seen.push(event), interruption }, 'started');
  const exit = interruption.signal === undefined ? judge('start', outcome) : signalVerdict(interruption.signal);
  if (exit !== OK && interruption.signal === undefined) {
    // What the unit had to say, and the last words of its workers.
    tell({ kind: 'problem', source: unit, text: `journalctl -u ${unit} -n 50 says why` });
  }
  // As without systemd, it comes last how the workers are.
  for (const event of seen) tell(event);
  return exit;
}

async function pursue(
  verb: 'start' | 'stop' | 'restart',
  unit: string,
  application: Application,
  { host, tell, interruption }: World,
): Promise<void> {
  const most = millis(longest(verb, application) + JOB);
  const done = await host.serviceManager.pursue(verb, unit, most, interruption.arrived);
  if (!done.ok && interruption.signal === undefined) {
    tell({ kind: 'problem', source: `systemctl ${verb} ${unit}`, text: done.error });
  }
}
