// The action `run`, until it has the lock: it listens to signals from the first moment, and waits for its turn as any command.

import type { Interruption } from '../engine/drive.ts';
import type { ReadAgain } from './act.ts';
import { explain, takeLock } from './application-lock.ts';
import { FAILED, OK, signalVerdict } from './exit-status.ts';
import { prepare } from './preparation.ts';
import { Resident } from './resident.ts';
import { type Launch, typedOptions } from './sources.ts';
import type { Signal, World } from './world.ts';

/** Starts all workers, looks after them, and stops them when it is told to go; the result is the exit status. */
export async function stay(launch: Launch, readAgain: ReadAgain, world: World): Promise<number> {
  // First of all, since a Python that reads the configuration must not have its socket either.
  const notifier = world.host.notifier();
  const { promise, resolve } = Promise.withResolvers<void>();
  const interruption: Interruption = { signal: undefined, arrived: promise };
  // Until there is something to reload or to report, only the end matters.
  let hear = (signal: Signal): void => {
    if (signal !== 'SIGINT' && signal !== 'SIGTERM') return;
    interruption.signal = signal;
    resolve();
  };
  if (world.interruption.signal !== undefined) return signalVerdict(world.interruption.signal);
  world.onSignal((signal) => hear(signal));
  world.neverBlock();
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
    const again = taken.hasWaited ? await readAgain() : undefined;
    again?.accept();
    const prepared = again === undefined ? first : await prepare('start', again.launch, early);
    if (interruption.signal !== undefined) return OK;
    if (prepared.kind === 'refused') return prepared.exit;
    const resident = new Resident(prepared.application, typedOptions(launch), readAgain, world, notifier, taken.lock);
    hear = (signal) => resident.hear(signal);
    return await resident.live();
  } finally {
    taken.lock.release();
  }
}
