// Where a worker is on its way, and the one decision of the program: what to do after a look.
//
//   start-due ──┬─ worker alive ──► starting(found) ──┬─ ready ───────────────────────────► up
//               ├─ port held ─────► failed            ├─ gone, once ──► starting(launched)
//               └─ nothing there ─► starting(launched)┘
//   starting(launched) ── ready ──► up;   died, or out of time ──► stopping, then failed
//   start-due ── only a dead worker's child on the port ──► stopping, then start-due
//   stop-due ──► stopping ── all gone ──► down;   survivors ──► failed
//   stopping: each process gets SIGTERM, its whole grace, SIGKILL, a last grace.

import type { Failure } from './failure.ts';
import { after, between, type Instant, millis } from './units.ts';
import { isSame, type Patience, type ProcessIdentity, type Sighting, type WorkerSpec } from './worker.ts';

/** A process on its way out. */
export interface Leaver {
  readonly id: ProcessIdentity;
  readonly sent: 'SIGTERM' | 'SIGKILL';
  /** When the signal's grace is over. It begins with the first look after the signal: the signal itself may be late. */
  readonly until: Instant | 'not-begun';
}

export interface Starting {
  readonly stage: 'starting';
  /** Launched by this command, or found alive and not ready yet. */
  readonly origin: 'launched' | 'found';
  readonly since: Instant;
  readonly deadline: Instant;
  /** It was given more time, since nobody had looked for a while. */
  readonly isProlonged?: true;
  readonly lookedAt: Instant;
  /** When to tell next that it is being waited for. */
  readonly tellAt: Instant;
  /** How many looks in a row saw no process: a daemon on its way can slip through one pass over /proc. */
  readonly unseen: number;
}

export interface Stopping {
  readonly stage: 'stopping';
  readonly leavers: readonly Leaver[];
  /** How many workers got a SIGTERM so far: one that something else keeps starting must not keep us for ever. */
  readonly waves: number;
  /** What this stop is for: to be down, to free the port for a start, or to tidy up after a start that failed. */
  readonly because: Failure | 'its-port' | undefined;
  /** How many looks in a row saw nobody any more. */
  readonly unseen: number;
}

export type Journey =
  /** `cleared`: what was left behind on the port has been ended once. */
  | { readonly stage: 'start-due'; readonly cleared?: true }
  | Starting
  | { readonly stage: 'up'; readonly id: ProcessIdentity }
  | { readonly stage: 'stop-due' }
  | Stopping
  | { readonly stage: 'down' }
  | { readonly stage: 'failed'; readonly failure: Failure };

/** What a decision wants done. */
export type Action =
  | { readonly do: 'launch' }
  | { readonly do: 'signal'; readonly id: ProcessIdentity; readonly signal: 'SIGTERM' | 'SIGKILL' }
  | { readonly do: 'tidy-pidfile' }
  | { readonly do: 'write-pidfile'; readonly id: ProcessIdentity };

/** What a decision wants told. */
export type Notice =
  | { readonly kind: 'launching' }
  | { readonly kind: 'already-started' }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'stopping' }
  | { readonly kind: 'failed-to-start'; readonly failure: Failure }
  | { readonly kind: 'failed-to-stop'; readonly failure: Failure };

export interface Turn {
  readonly journey: Journey;
  readonly actions: readonly Action[];
  readonly notices: readonly Notice[];
}

/** Looks that must agree before a worker that was launched is called dead. */
const SURE = 3;
/** Looks that must agree before a worker that was told to go is gone. */
const SURELY_GONE = 2;
/** Workers that may appear on a port during one stop. */
export const MOST_WAVES = 4;
const SECOND = millis(1000);

/** Whether nothing is left to be done for this worker. */
export function isSettled(journey: Journey): boolean {
  return journey.stage === 'up' || journey.stage === 'down' || journey.stage === 'failed';
}

/** Decides what follows from one look. Total and pure: what is done about it is the engine's. */
export function advance(journey: Journey, seen: Sighting, spec: WorkerSpec, patience: Patience): Turn {
  switch (journey.stage) {
    case 'start-due':
      return beginStart(journey, seen, spec, patience);
    case 'starting':
      return awaitReady(journey, seen, spec, patience);
    case 'stop-due':
      return stop({ stage: 'stopping', leavers: [], waves: 0, because: undefined, unseen: 0 }, seen, patience);
    case 'stopping':
      return stop(journey, seen, patience);
    case 'up':
    case 'down':
    case 'failed':
      return { journey, actions: [], notices: [] };
    default:
      return journey satisfies never;
  }
}

/** What follows when an action was refused: the worker's journey ends there, whatever its neighbours do. */
export function refuse(journey: Journey, failure: Failure): Turn {
  const notice: Notice = { kind: journey.stage === 'starting' ? 'failed-to-start' : 'failed-to-stop', failure };
  return { journey: { stage: 'failed', failure }, actions: [], notices: [notice] };
}

function beginStart(
  { cleared }: Journey & { stage: 'start-due' },
  seen: Sighting,
  spec: WorkerSpec,
  patience: Patience,
): Turn {
  if (seen.worker === undefined) return cleared === true ? launch(seen, patience) : clearAndLaunch(seen, patience);
  const turn = awaitReady(starting('found', seen, patience), seen, spec, patience);
  return { ...turn, notices: [{ kind: 'already-started' }, ...turn.notices] };
}

/** The child of a worker that is no more may sit on its port: no stranger, and no reason to stay down. */
function clearAndLaunch(seen: Sighting, patience: Patience): Turn {
  if (!isHeldByRemains(seen)) return launch(seen, patience);
  return stop({ stage: 'stopping', leavers: [], waves: 0, because: 'its-port', unseen: 0 }, seen, patience);
}

function isHeldByRemains({ leftBehind, listener }: Sighting): boolean {
  const holder = listener.kind === 'stranger' ? listener.holder : undefined;
  return leftBehind.some((id) => id.pid === holder?.pid);
}

function launch(seen: Sighting, patience: Patience): Turn {
  if (seen.listener.kind === 'stranger') return fail({ kind: 'port-held', holder: seen.listener.holder });
  return {
    journey: starting('launched', seen, patience),
    actions: [{ do: 'tidy-pidfile' }, { do: 'launch' }],
    notices: [{ kind: 'launching' }],
  };
}

function starting(origin: Starting['origin'], seen: Sighting, patience: Patience): Starting {
  const deadline = after(seen.at, patience.startWithin);
  const { at } = seen;
  return { stage: 'starting', origin, since: at, deadline, lookedAt: at, tellAt: after(at, SECOND), unseen: 0 };
}

function awaitReady(before: Starting, seen: Sighting, spec: WorkerSpec, patience: Patience): Turn {
  const journey = look(before, seen);
  const { worker } = seen;
  if (worker === undefined) return awaitSight(journey, seen, patience);
  if (seen.listener.kind === 'worker' && seen.http === 'ready') {
    const isPidfileMissing = spec.pidfile !== undefined && seen.pidfile.kind === 'none';
    const actions: Action[] = isPidfileMissing ? [{ do: 'write-pidfile', id: worker }] : [];
    return { journey: { stage: 'up', id: worker }, actions, notices: [] };
  }
  // The worker will never get its port, but a failed bind leaves it alive: there is nothing to wait for.
  if (seen.listener.kind === 'stranger') {
    return giveUp(journey, { kind: 'port-held', holder: seen.listener.holder }, seen, patience);
  }
  if (seen.at < journey.deadline) return wait({ ...journey, unseen: 0 }, seen);
  const waited = patience.startWithin;
  return giveUp(journey, { kind: 'not-ready-in-time', waited, id: worker, http: seen.http }, seen, patience);
}

/**
 * Whoever was stopped himself (SIGSTOP, a paused machine) has not seen what became of the worker meanwhile: the answer that he
 * has is from before. He takes one more second, once, so that he ends in any case.
 */
function look(journey: Starting, { at }: Sighting): Starting {
  const isBlind = at >= journey.deadline && between(journey.lookedAt, at) > SECOND;
  if (!isBlind || journey.isProlonged === true) return { ...journey, lookedAt: at };
  return { ...journey, lookedAt: at, deadline: after(at, SECOND), isProlonged: true };
}

/** No worker can be seen: it may be between two processes, or dead. */
function awaitSight(journey: Starting, seen: Sighting, patience: Patience): Turn {
  const unseen = journey.unseen + 1;
  const isOver = seen.at >= journey.deadline;
  if (seen.starter.kind === 'running' && !isOver) return wait({ ...journey, unseen: 0 }, seen);
  if (unseen < SURE && !isOver) return wait({ ...journey, unseen }, seen);
  // It was told to stop by a command that is no more: its port is free now, and ours to fill.
  if (journey.origin === 'found') return clearAndLaunch(seen, patience);
  const how = seen.starter.kind === 'exited' ? seen.starter.how : 'died';
  return giveUp(journey, { kind: 'died-while-starting', how }, seen, patience);
}

function wait(journey: Starting, seen: Sighting): Turn {
  if (seen.at < journey.tellAt) return { journey, actions: [], notices: [] };
  return { journey: { ...journey, tellAt: after(seen.at, SECOND) }, actions: [], notices: [{ kind: 'waiting' }] };
}

/** Ends a start that failed. What this command launched is stopped again, so that it does not block the next start. */
function giveUp(journey: Starting, failure: Failure, seen: Sighting, patience: Patience): Turn {
  if (journey.origin === 'found') {
    const isHeld = failure.kind === 'port-held' || seen.worker === undefined;
    return fail(isHeld ? failure : { kind: 'alive-not-ready', id: seen.worker });
  }
  const turn = stop({ stage: 'stopping', leavers: [], waves: 0, because: failure, unseen: 0 }, seen, patience);
  return { ...turn, notices: [{ kind: 'failed-to-start', failure }, ...turn.notices] };
}

function fail(failure: Failure): Turn {
  return { journey: { stage: 'failed', failure }, actions: [], notices: [{ kind: 'failed-to-start', failure }] };
}

/** One step of a stop: every process that is still there takes one step on its way out. */
function stop(journey: Stopping, seen: Sighting, patience: Patience): Turn {
  // Somebody else has started it meanwhile: there is nothing to clear for.
  if (journey.because === 'its-port' && seen.worker !== undefined) {
    return { journey: endOf(journey), actions: [], notices: [] };
  }
  const workers = seen.worker === undefined ? seen.rivals : [seen.worker, ...seen.rivals];
  const present = workers.length > 0 ? workers : seen.leftBehind;
  if (present.length === 0) {
    const unseen = journey.unseen + 1;
    // One that starts itself anew, or is between two processes, is back a moment later.
    if (journey.waves > 0 && unseen < SURELY_GONE) return { journey: { ...journey, unseen }, actions: [], notices: [] };
    return { journey: endOf(journey), actions: [{ do: 'tidy-pidfile' }], notices: [] };
  }
  const leavers: Leaver[] = [];
  const actions: Action[] = [];
  for (const id of present) {
    const before = journey.leavers.find((leaver) => isSame(leaver.id, id));
    const now = usher(id, before, seen.at, patience);
    if (now === 'survived') return refuse(journey, { kind: 'survived-sigkill', id });
    leavers.push(now);
    if (now.sent !== before?.sent) actions.push({ do: 'signal', id, signal: now.sent });
  }
  const isNewWave = actions.some((action) => action.do === 'signal' && action.signal === 'SIGTERM');
  const waves = journey.waves + (isNewWave ? 1 : 0);
  if (waves > MOST_WAVES) return refuse(journey, { kind: 'keeps-coming-back', times: MOST_WAVES });
  return {
    journey: { ...journey, leavers, waves, unseen: 0 },
    actions,
    notices: actions.length > 0 ? [{ kind: 'stopping' }] : [],
  };
}

function endOf({ because }: Stopping): Journey {
  if (because === undefined) return { stage: 'down' };
  return because === 'its-port' ? { stage: 'start-due', cleared: true } : { stage: 'failed', failure: because };
}

/** SIGTERM to whom has not had it, SIGKILL to whom had it and its whole grace. */
function usher(
  id: ProcessIdentity,
  before: Leaver | undefined,
  now: Instant,
  { termGrace, killGrace }: Patience,
): Leaver | 'survived' {
  if (before === undefined) return { id, sent: 'SIGTERM', until: 'not-begun' };
  if (before.until === 'not-begun') {
    return { ...before, until: after(now, before.sent === 'SIGTERM' ? termGrace : killGrace) };
  }
  if (now < before.until) return before;
  return before.sent === 'SIGTERM' ? { id, sent: 'SIGKILL', until: 'not-begun' } : 'survived';
}
