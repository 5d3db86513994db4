// The action `run`, until it has the lock: it listens to signals from the first moment, and waits for its turn as any command.

import type { Interruption } from '../engine/drive.ts';
import type { ReadAgain } from './act.ts';
import { explain, takeLock } from './application-lock.ts';
import { FAILED, OK } from './exit-status.ts';
import { prepare } from './preparation.ts';
import { Resident } from './resident.ts';
import { type Launch, typedOptions } from './sources.ts';
import type { Signal, World } from './world.ts';

/** What a `run` hears from its first moment on, until there is something to reload or to report. */
export interface Ears {
  /** Its end. */
  readonly interruption: Interruption;
  /** Whether what has been read may be out of date: a SIGHUP has come. */
  isOutdated: boolean;
  hear: (signal: Signal) => void;
}

/** Listens from now on. */
export function listen(world: World): Ears {
  const { promise, resolve } = Promise.withResolvers<void>();
  const interruption: Interruption = { signal: undefined, arrived: promise };
  const ears: Ears = {
    interruption,
    isOutdated: false,
    hear: (signal) => {
      if (signal === 'SIGHUP') ears.isOutdated = true;
      if (signal !== 'SIGINT' && signal !== 'SIGTERM') return;
      interruption.signal = signal;
      resolve();
    },
  };
  world.onSignal((signal) => ears.hear(signal));
  return ears;
}

/** Starts all workers, looks after them, and stops them when it is told to go; the result is the exit status. */
export async function stay(launch: Launch, readAgain: ReadAgain, world: World, ears: Ears): Promise<number> {
  // First of all, since a Python that reads the configuration must not have its socket either.
  const notifier = world.host.notifier();
  if (world.interruption.signal !== undefined) return OK;
  world.neverBlock();
  const { interruption } = ears;
  const early = { ...world, interruption };
  const first = await prepare('start', launch, early);
  if (first.kind === 'refused') return interruption.signal === undefined ? first.exit : OK;
  const taken = await takeLock('run', 'start', first.application, early);
  if (taken.kind === 'resident') {
    world.tell({ kind: 'resident-there' });
    return FAILED;
  }
  if (taken.kind === 'interrupted') return OK;
  if (taken.kind !== 'held') return explain(taken, first.application, early);
  try {
    const mustRead = taken.hasWaited || ears.isOutdated;
    ears.isOutdated = false;
    const again = mustRead ? await readAgain(interruption.arrived) : undefined;
    again?.accept();
    const prepared = again === undefined ? first : await prepare('start', again.launch, early);
    if (interruption.signal !== undefined) return OK;
    if (prepared.kind === 'refused') return prepared.exit;
    const resident = new Resident(prepared.application, typedOptions(launch), readAgain, world, notifier, taken.lock);
    ears.hear = (signal) => resident.hear(signal);
    if (ears.isOutdated) resident.hear('SIGHUP');
    return await resident.live();
  } finally {
    taken.lock.release();
  }
}
