// Commands on one application take turns: its lock, by whatever name its configuration is called.

import type { Application } from '../core/application.ts';
import { millis } from '../core/units.ts';
import { status } from '../engine/commands.ts';
import type { Host, Lock, LockNote, LockResult } from '../host/host.ts';
import { FAILED, NOT_PERMITTED, signalVerdict } from './exit-status.ts';
import { type Goal, longest } from './goals.ts';
import type { World } from './world.ts';

/** The application is ours, or it is not, and why. */
export type Taken =
  | (LockResult & { readonly kind: 'held' })
  /** `name` is the one under which the `run` that has the application can be asked. */
  | (LockResult & { readonly kind: 'resident' } & { readonly name: string })
  | Untaken;
type Untaken = Exclude<LockResult, { kind: 'held' | 'resident' }>;

/**
 * The names of an application's locks and sockets, in the order in which they are taken: its configuration's path, which stays
 * the same when a link in it is changed, and the file to which that leads, which all links to it have in common.
 */
export function namesOf({ configPath }: Application, { files }: Host): readonly string[] {
  return [...new Set([configPath, files.target(configPath)])];
}

/** Takes the lock of an application, or finds out who has it. */
export async function takeLock(action: string, goal: Goal, application: Application, world: World): Promise<Taken> {
  const { host, tell, interruption } = world;
  const note: LockNote = { action, most: action === 'run' ? millis(0) : longest(goal, application) };
  const locks: Lock[] = [];
  const release = (): void => {
    for (const lock of locks) lock.release();
  };
  let hasWaited = false;
  for (const name of namesOf(application, host)) {
    const taken = await host.locks.take(name, note, interruption.arrived, (holder) => {
      tell({ kind: 'waiting-for-lock', holder });
    });
    if (taken.kind !== 'held') {
      release();
      return taken.kind === 'resident' ? { ...taken, name } : taken;
    }
    locks.push(taken.lock);
    hasWaited ||= taken.hasWaited;
  }
  const relabel = (other: LockNote): void => {
    for (const lock of locks) lock.relabel(other);
  };
  return { kind: 'held', hasWaited, lock: { relabel, release } };
}

/** Why a lock could not be had. */
export async function explain(
  taken: Untaken,
  application: Application,
  { host, tell, interruption }: World,
): Promise<number> {
  switch (taken.kind) {
    case 'interrupted':
      await status({ application, host, tell, interruption });
      return interruption.signal === undefined ? FAILED : signalVerdict(interruption.signal);
    case 'timed-out':
      tell({ kind: 'lock-timed-out', holder: taken.holder });
      return FAILED;
    case 'unusable': {
      const { path, code } = taken.obstacle;
      const why = code === 'EPERM' ? 'this is not ours alone: remove it' : code;
      tell({ kind: 'problem', source: path, text: `cannot lock this application: ${why}` });
      return code === 'EACCES' || code === 'EPERM' ? NOT_PERMITTED : FAILED;
    }
    default:
      return taken satisfies never;
  }
}

/** Root may do as he likes with the workers of others, but their `run` would undo it. */
export function tellForeignRuns(application: Application, { host, tell }: World): void {
  if (host.processes.self.uid !== 0) return;
  const runs = namesOf(application, host).flatMap((name) => host.locks.foreignRuns(name));
  for (const [pid, uid] of new Map(runs.map((run) => [run.pid, run.uid])))
    tell({ kind: 'foreign-run', pid, user: host.accounts.nameOf(uid) });
}
