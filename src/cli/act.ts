// One action on the workers of an application: prepared, one at a time, by ourselves or by the `run` that has the application.

import type { Application } from '../core/application.ts';
import { between, millis, seconds } from '../core/units.ts';
import { isAnyAlive, status, statusWithin } from '../engine/commands.ts';
import type { Said } from '../host/host.ts';
import { explain, type Taken, takeLock, tellForeignRuns } from './application-lock.ts';
import { clearFor, startUnit, stopUnit, tellTyped, unitFor } from './by-manager.ts';
import { FAILED, OK, STATUS_UNKNOWN, signalVerdict, statusVerdict } from './exit-status.ts';
import { achieve, type Goal, judge, longest } from './goals.ts';
import { prepare } from './preparation.ts';
import { type Launch, typedOptions } from './sources.ts';
import type { World } from './world.ts';

/** Reads everything again that a launch goes by, until it is interrupted. */
export type ReadAgain = (interrupted: Promise<void>) => Promise<NewLaunch>;

/** What was read again. Until it is accepted, it may be refused: then what the launcher did before holds again. */
export interface NewLaunch {
  readonly launch: Launch;
  accept(): void;
  refuse(): void;
}

/** How often a `run` may have the application and not listen: it does so right after it has begun, and until it ends. */
const MOST_TRIES = 200;
const AGAIN = millis(50);
const HAS_LISTENED = seconds(1);

/** Looks, and changes nothing; with --wait until all workers run. */
export async function actStatus(launch: Launch, world: World): Promise<number> {
  const prepared = await prepare('status', launch, world);
  const { interruption } = world;
  if (prepared.kind === 'refused')
    return interruption.signal === undefined ? STATUS_UNKNOWN : signalVerdict(interruption.signal);
  const { application, settings } = prepared;
  const situation = { application, host: world.host, tell: world.tell, interruption };
  const wait = launch.flags.get('wait');
  const { survey } =
    wait === undefined
      ? await status(situation)
      : await statusWithin(situation, seconds(wait === '' ? settings.startTimeout : Number(wait)));
  if (interruption.signal !== undefined) return signalVerdict(interruption.signal);
  return survey === undefined ? STATUS_UNKNOWN : statusVerdict(survey, settings.partialStatus);
}

/** Pursues a goal; the result is the exit status. */
export async function act(goal: Goal, launch: Launch, readAgain: ReadAgain, world: World): Promise<number> {
  const { host, tell, interruption } = world;
  const prepared = await prepare(goal, launch, world);
  if (prepared.kind === 'refused') return prepared.exit;
  const { application } = prepared;
  const action = launch.action ?? goal;
  const unit = unitFor(goal, launch, world);
  if (unit !== undefined && goal === 'stop') await stopUnit(unit, application, world);
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const taken = await takeLock(action, goal, application, world);
    if (taken.kind === 'held') {
      tellForeignRuns(application, world);
      tellTyped(goal, unit, launch, world);
      return actWithLock(goal, application, unit, taken, readAgain, world);
    }
    if (taken.kind !== 'resident') return explain(taken, application, world);
    const askedAt = host.clock.now();
    const asked = await actBesideRun(taken, goal, unit, application, launch, world);
    if (asked !== undefined) return asked;
    // One that has let us wait, and then declined, has listened.
    if (between(askedAt, host.clock.now()) >= HAS_LISTENED) tries = 0;
    await Promise.race([host.clock.sleep(AGAIN), interruption.arrived]);
  }
  tell({ kind: 'lock-timed-out', holder: 'run' });
  return FAILED;
}

/** A restart is the unit's: it reads what its `run` cannot, the launcher's present words, and starts what is installed now. */
async function actBesideRun(
  run: Taken & { kind: 'resident' },
  goal: Goal,
  unit: string | undefined,
  application: Application,
  launch: Launch,
  world: World,
): Promise<number | undefined> {
  const isRestart = goal === 'restart' || goal === 'restart-if-alive';
  if (unit === undefined || !isRestart) return handOver(run, goal, application, launch, world);
  const { host, tell, interruption } = world;
  const isDue = goal === 'restart' || isAnyAlive({ application, host, tell, interruption });
  if (isDue) tellTyped(goal, unit, launch, world);
  return isDue ? startUnit(goal, unit, application, world) : OK;
}

async function actWithLock(
  goal: Goal,
  application: Application,
  unit: string | undefined,
  taken: Taken & { kind: 'held' },
  readAgain: ReadAgain,
  world: World,
): Promise<number> {
  const { host, tell, interruption } = world;
  const exit =
    unit === undefined || goal === 'stop'
      ? await actAlone(goal, application, taken, readAgain, world)
      : await clearFor(goal, { application, host, tell, interruption });
  taken.lock.release();
  if (interruption.signal !== undefined) return signalVerdict(interruption.signal);
  return exit === 'go on' && unit !== undefined ? startUnit(goal, unit, application, world) : Number(exit);
}

async function actAlone(
  goal: Goal,
  application: Application,
  { hasWaited }: Taken & { kind: 'held' },
  readAgain: ReadAgain,
  world: World,
): Promise<number> {
  const { host, tell, interruption } = world;
  // What was read before a wait may have been replaced meanwhile, by the very ones that were waited for.
  const prepared = hasWaited ? await prepare(goal, (await readAgain(interruption.arrived)).launch, world) : undefined;
  if (prepared?.kind === 'refused') return prepared.exit;
  return achieve(goal, { application: prepared?.application ?? application, host, tell, interruption });
}

/** Asks the `run` that has the application, and looks at what has come of it; undefined when nobody listens. */
async function handOver(
  { name, holder }: Taken & { kind: 'resident' },
  goal: Goal,
  application: Application,
  launch: Launch,
  { host, tell, interruption }: World,
): Promise<number | undefined> {
  const hear = ([level, text]: Said): void => tell({ kind: 'relayed', level, text });
  const order = { action: goal, options: typedOptions(launch) };
  // It may be at work on an order that came before.
  const most = millis(2 * longest(goal, application));
  const answer = await host.control.ask(name, order, most, hear, interruption.arrived, () => {
    tell({ kind: 'waiting-for-lock', holder });
  });
  const situation = { application, host, tell, interruption };
  switch (answer.kind) {
    case 'absent':
      return undefined;
    case 'interrupted':
      await status(situation);
      return interruption.signal === undefined ? FAILED : signalVerdict(interruption.signal);
    case 'late':
      tell({ kind: 'lock-timed-out', holder: 'run' });
      return FAILED;
    case 'lost':
      tell({ kind: 'resident-lost' });
      await status(situation);
      return FAILED;
    case 'done': {
      const { exit, hasLooked } = answer.result;
      if (!hasLooked) {
        answer.release();
        return exit;
      }
      const outcome = await status(situation, goal === 'stop' ? 'stopped' : 'started');
      answer.release();
      return exit === OK ? judge(goal, outcome) : exit;
    }
    default:
      return answer satisfies never;
  }
}
