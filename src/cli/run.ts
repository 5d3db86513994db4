// One command from its words to its exit status.

import { exportFor } from '../config/export.ts';
import type { Tell } from '../core/event.ts';
import { act, actStatus, type ReadAgain } from './act.ts';
import { check } from './check.ts';
import { FAILED, OK, STATUS_UNKNOWN, signalVerdict } from './exit-status.ts';
import { goalOf } from './goals.ts';
import { install } from './install.ts';
import { parse, writeHelp } from './parse.ts';
import { gather } from './plan.ts';
import { tellTroubles, troubleVerdict } from './preparation.ts';
import { beginReading } from './rereading.ts';
import { type Launch, readLaunch, type Trouble, takeCaller } from './sources.ts';
import { type Ears, listen, stay } from './stay.ts';
import { uninstall } from './uninstall.ts';
import type { Flag } from './words.ts';
import type { World } from './world.ts';

/** Runs one command; `argv` is without the program's own name. The result is the exit status. */
export async function run(argv: readonly string[], world: World): Promise<number> {
  let lost: string | undefined;
  const print = (text: string): string | undefined => {
    lost = world.print(text) ?? lost;
    return lost;
  };
  const exit = await perform(argv, { ...world, print });
  if (lost === undefined || READER_LEFT.has(lost)) return exit;
  // Half a configuration for a proxy is no success, whoever was to look at it.
  world.tell({ kind: 'problem', source: 'stdout', text: `cannot be written: ${lost}` });
  return exit === OK ? FAILED : exit;
}

/** What becomes of a pipe or socket whose reader has seen enough (`check | head`): write(2), tcp(7), unix(7). */
const READER_LEFT: ReadonlySet<string> = new Set(['EPIPE', 'ECONNRESET', 'ECONNREFUSED', 'ENOTCONN']);

async function perform(argv: readonly string[], given: World): Promise<number> {
  const line = parse(argv);
  if (line.kind === 'help' || line.kind === 'version') {
    given.print(line.kind === 'help' ? writeHelp(given.columns()) : `frontik-supervisor ${given.version}\n`);
    return OK;
  }
  // Before anything is read: what tells all others to end may tell a `run` to read it again.
  const ears = line.action === 'run' ? listen(given) : undefined;
  const { interruption } = ears ?? given;
  const caller = takeCaller(given.host);
  const { launch, host, readAgain } = await beginReading(
    async (by, interrupted) => withoutStrays(await readLaunch(argv, line, caller, by, interrupted)),
    given.host,
    interruption.arrived,
  );
  return carryOut(launch, readAgain, { ...given, host, interruption }, ears);
}

async function carryOut(launch: Launch, readAgain: ReadAgain, world: World, ears: Ears | undefined): Promise<number> {
  const { tell } = world;
  const { action = '' } = launch;
  const goal = goalOf(action);
  const told = { ...world, tell: once(tell) };
  try {
    if (action === 'status') return await actStatus(launch, world);
    if (goal !== undefined) {
      return await act(launch.flags.has('no_wait') ? 'launch' : goal, launch, readAgain, told);
    }
    if (action === 'check') return await check(launch, world);
    if (action === 'run') return await stay(launch, readAgain, world, ears ?? listen(world));
    if (action === 'export') return await printExport(launch, world);
    if (action === 'install') return await install(launch, world);
    if (action === 'uninstall') return await uninstall(launch, world);
  } catch (error) {
    // No descriptor or no memory left, /proc not mounted: nothing that a call in particular could have expected.
    const fault = world.faultOf(error);
    if (fault === undefined) throw error;
    tell({ kind: 'problem', source: action, text: fault });
    return action === 'status' ? STATUS_UNKNOWN : FAILED;
  }
  tellTroubles(launch.troubles, tell);
  tell({ kind: 'no-such-action', action: launch.action });
  return launch.troubles.length > 0 ? troubleVerdict(launch.troubles) : FAILED;
}

/** The actions to which flags belong; no Python may be wanted for any. */
const BELONGS: readonly (readonly [flag: Flag, name: string, ...actions: string[]])[] = [
  ['json', '--json', 'check'],
  ['wait', '--wait', 'status'],
  ['no_wait', '--no-wait', 'start'],
  ['dry_run', '--dry-run', 'install', 'uninstall'],
  ['shebang', '--shebang', 'install'],
];

/** A flag that another action knows is a mistake, and must not be passed over. */
function withoutStrays(launch: Launch): Launch {
  const { action = '', flags } = launch;
  const strays = BELONGS.filter(([flag, , ...actions]) => flags.has(flag) && !actions.includes(action));
  const troubles = strays.map(([, source, ...actions]): Trouble => {
    return { origin: 'command-line', source, text: `belongs to the action ${actions.join(' or ')}` };
  });
  return { ...launch, troubles: [...launch.troubles, ...troubles] };
}

/** What was read twice, because of a wait, is told once. */
function once(tell: Tell): Tell {
  const told = new Set<string>();
  return (event) => {
    if (event.kind === 'caution' || event.kind === 'python-chosen' || event.kind === 'soft-limit-lowered') {
      const text = JSON.stringify(event);
      if (told.has(text)) return;
      told.add(text);
    }
    tell(event);
  };
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
