// The actions, as goals over the loop. Each ends with a fresh survey; what it comes to in exit codes is cli/exit-status.ts.

import type { Application } from '../core/application.ts';
import { type Expectation, type Survey, summarize, type Tell } from '../core/event.ts';
import type { Failure } from '../core/failure.ts';
import type { Journey } from '../core/journey.ts';
import { after, between, type Millis, millis, type Port } from '../core/units.ts';
import type { Host, Starter } from '../host/host.ts';
import { type Drive, drive, type Interruption, type Member, type Watch } from './drive.ts';
import { Observer } from './observe.ts';
import { roll } from './roll.ts';
import { survey } from './survey.ts';

/** How a command ended: what it found afterwards, and what went wrong on the way. */
export interface Outcome {
  /** Undefined when the command ended before anything was done. */
  readonly survey: Survey | undefined;
  readonly failures: readonly Failure[];
}

/** What a command works with. */
export interface Situation {
  readonly application: Application;
  readonly host: Host;
  readonly tell: Tell;
  readonly interruption: Interruption;
  /** Who looks after the workers beside the command; nobody, unless the command is a part of `run`. */
  readonly watch?: Watch;
}

/** A fresh look, told; `expected` is what somebody else was to bring about. */
export async function status(situation: Situation, expected: Expectation = 'nothing'): Promise<Outcome> {
  return conclude(open(situation), situation, expected, []);
}

/** Between two looks of a status that waits. */
const GLANCE = millis(100);

/** Looks until all workers run, but no longer than `wait`; then as status. */
export async function statusWithin(situation: Situation, wait: Millis): Promise<Outcome> {
  const { host, interruption } = situation;
  const session = open(situation);
  const deadline = after(host.clock.now(), wait);
  while (interruption.signal === undefined && summarize(await survey(session.observer)) !== 'all-running') {
    const left = between(host.clock.now(), deadline);
    if (left <= 0) break;
    await Promise.race([host.clock.sleep(millis(Math.min(left, GLANCE))), interruption.arrived]);
  }
  return conclude(session, situation, 'nothing', []);
}

/** Starts every configured worker that is not alive, and does not wait until they are ready. */
export async function launch(situation: Situation): Promise<Outcome> {
  using session = open(situation);
  const forbidden = findForbidden(session, situation);
  if (forbidden.length > 0) return { survey: undefined, failures: forbidden };
  const members = await drive(configured(situation, { stage: 'start-due' }), session, 'launched');
  return { survey: undefined, failures: failuresOf(members) };
}

/** Starts every configured worker that is not alive, and waits until each is running or has failed. */
export async function start(situation: Situation): Promise<Outcome> {
  using session = open(situation);
  const forbidden = findForbidden(session, situation);
  if (forbidden.length > 0) return { survey: undefined, failures: forbidden };
  const members = await drive(configured(situation, { stage: 'start-due' }), session);
  return await conclude(session, situation, 'started', members);
}

/** Stops every worker, stale ones included; returns as soon as all are gone. */
export async function stop(situation: Situation): Promise<Outcome> {
  using session = open(situation);
  const forbidden = findForbidden(session, situation);
  if (forbidden.length > 0) return { survey: undefined, failures: forbidden };
  const members = await stopAll(session, situation);
  const failures = failuresOf(members);
  if (failures.length === 0) {
    const outcome = await conclude(session, situation, 'stopped', members);
    const { anyTemplate, configPath } = situation.application;
    if (!anyTemplate || session.observer.lookAlikes().length === 0) return outcome;
    // A configuration that cannot be read may say that they are.
    const text =
      'cannot be read, so it is not known whether the ignored processes are its workers: mend it, or give --user';
    situation.tell({ kind: 'problem', source: configPath, text });
    return { ...outcome, survey: undefined };
  }
  situation.tell({ kind: 'stop-failed' });
  return { survey: undefined, failures };
}

/** Stops all, then starts every port whose worker is gone: a second worker never starts beside a stuck first one. */
export async function restart(situation: Situation): Promise<Outcome> {
  using session = open(situation);
  const forbidden = findForbidden(session, situation);
  if (forbidden.length > 0) return { survey: undefined, failures: forbidden };
  const stopped = await stopAll(session, situation);
  const failures = failuresOf(stopped);
  if (failures.length > 0) situation.tell({ kind: 'stop-failed' });
  const ports = new Set(situation.application.specs.map((spec) => spec.port));
  const due = stopped
    .filter((member) => ports.has(member.spec.port))
    .map(
      (member): Member => (member.journey.stage === 'down' ? { ...member, journey: { stage: 'start-due' } } : member),
    );
  const members = await drive(due, session);
  tellLeftStopped(members, situation);
  const outcome = await conclude(session, situation, 'started', members);
  return { ...outcome, failures: [...failures, ...outcome.failures] };
}

/**
 * Replaces the workers one after another, so that the others serve meanwhile: missing ones are started first, stale ones
 * stopped last. The first that does not come up ends it; undefined when there is no worker to begin with.
 */
export async function reload(situation: Situation): Promise<(Outcome & { readonly isComplete: boolean }) | undefined> {
  const { application, tell } = situation;
  using session = open(situation);
  const forbidden = findForbidden(session, situation);
  if (forbidden.length > 0) return { survey: undefined, failures: forbidden, isComplete: false };
  const before = await survey(session.observer);
  if (situation.interruption.signal !== undefined) {
    tell({ kind: 'surveyed', survey: before, expected: 'nothing', told: new Set() });
    return { survey: before, failures: [], isComplete: false };
  }
  if (summarize(before) === 'all-stopped' && before.stale.length === 0) {
    tell({ kind: 'nothing-to-reload' });
    return undefined;
  }
  const { isComplete, members, old, out } = await roll(before, application, session);
  if (!isComplete) {
    const isUp = ({ journey }: Member): boolean => journey.stage === 'up';
    const portOf = ({ spec }: Member): Port => spec.port;
    const [renewed, down] = [members.filter(isUp), members.filter((member) => !isUp(member))];
    tell({ kind: 'roll-stopped', renewed: renewed.map(portOf), down: down.map(portOf), old });
    if (out.length > 0) tell({ kind: 'out-of-rotation', ports: out });
  }
  tellLeftStopped(members, situation);
  return { ...(await conclude(session, situation, 'started', members)), isComplete };
}

function tellLeftStopped(members: readonly Member[], { interruption, tell }: Situation): void {
  if (interruption.signal === undefined) return;
  const left = members.filter((member) => wasStopped(member.journey)).map((member) => member.spec.port);
  if (left.length > 0) tell({ kind: 'left-stopped', ports: left });
}

/** Whether a worker was told to go, and nothing has been launched in its place. */
function wasStopped(journey: Journey): boolean {
  return journey.stage === 'start-due' || (journey.stage === 'stopping' && typeof journey.because !== 'object');
}

/** Tells whether there are workers that the caller may not signal, and who they are. */
export function tellForbidden(situation: Situation): boolean {
  return findForbidden(open(situation), situation).length > 0;
}

/** Whether any worker of the application is alive, stale ones included. */
export function isAnyAlive(situation: Situation): boolean {
  const session = open(situation);
  session.observer.look(portsOf(situation, session.observer.findStale()));
  return session.observer.seen().length > 0;
}

/** What a command launches keeps its log open until the end of it, however it ends. */
function open({ application, host, tell, interruption, watch }: Situation): Drive & Disposable {
  const observer = new Observer(application, host, watch?.acquaintance);
  const launched = new Set<Starter>();
  return {
    host,
    observer,
    patience: application.patience,
    tell,
    interruption,
    watch,
    launched,
    [Symbol.dispose]: () => {
      for (const starter of launched) starter.release();
    },
  };
}

function configured({ application }: Situation, journey: Journey): Member[] {
  return application.specs.map((spec) => ({ spec, journey, starter: undefined }));
}

function portsOf({ application }: Situation, stale: readonly Port[]): Port[] {
  return [...application.specs.map((spec) => spec.port), ...stale];
}

async function stopAll(session: Drive, situation: Situation): Promise<readonly Member[]> {
  const stale = session.observer.findStale();
  session.observer.look(portsOf(situation, stale));
  if (session.observer.seen().length > 0) situation.tell({ kind: 'killing' });
  const { specOf } = situation.application;
  const staleMembers = stale.map(
    (port): Member => ({ spec: specOf(port), journey: { stage: 'stop-due' }, starter: undefined }),
  );
  const all = [...configured(situation, { stage: 'stop-due' }), ...staleMembers];
  return drive(
    all.toSorted((one, other) => one.spec.port - other.spec.port),
    session,
  );
}

/** Tells of workers that the caller may not signal: a command that could only do half of its work does none. */
function findForbidden(session: Drive, situation: Situation): Failure[] {
  const { host, tell } = situation;
  const { uid } = host.processes.self;
  if (uid === 0) return [];
  session.observer.look(portsOf(situation, session.observer.findStale()));
  const forbidden = session.observer.seen().filter(({ process }) => process.uids[0] !== uid);
  return forbidden.map(({ port, process }) => {
    tell({ kind: 'forbidden', port, pid: process.id.pid, user: host.accounts.nameOf(process.uids[0]) });
    return { kind: 'not-permitted', id: process.id };
  });
}

function failuresOf(members: readonly Member[]): Failure[] {
  return members.flatMap(({ journey }) => (journey.stage === 'failed' ? [journey.failure] : []));
}

/** Anybody can have any number of them. */
const MOST_LOOK_ALIKES = 5;

function tellLookAlikes({ observer }: Drive, { host, tell }: Situation): void {
  const all = observer.lookAlikes();
  for (const { port, pid, uid } of all.slice(0, MOST_LOOK_ALIKES)) {
    tell({ kind: 'look-alike', port, pid, user: host.accounts.nameOf(uid) });
  }
  if (all.length > MOST_LOOK_ALIKES) tell({ kind: 'more-look-alikes', count: all.length - MOST_LOOK_ALIKES });
}

async function conclude(
  session: Drive,
  situation: Situation,
  expected: Expectation,
  members: readonly Member[],
): Promise<Outcome> {
  const found = await survey(session.observer);
  tellLookAlikes(session, situation);
  const told = new Set(
    members.flatMap(({ spec, journey }) =>
      journey.stage === 'failed' && journey.failure.kind === 'alive-not-ready' ? [spec.port] : [],
    ),
  );
  const isInterrupted = situation.interruption.signal !== undefined;
  situation.tell({ kind: 'surveyed', survey: found, expected: isInterrupted ? 'nothing' : expected, told });
  return { survey: found, failures: failuresOf(members) };
}
