// The loop: look at all workers together, decide for each, act, tell, wait; until every worker is settled.

import type { Tell } from '../core/event.ts';
import type { Failure } from '../core/failure.ts';
import { type Action, advance, isSettled, type Journey, type Notice, refuse } from '../core/journey.ts';
import { between, type Instant, type Millis, millis, type Port } from '../core/units.ts';
import type { Patience, WorkerSpec } from '../core/worker.ts';
import type { Host, Obstacle, Starter } from '../host/host.ts';
import type { Acquaintance } from './acquaintance.ts';
import type { Observer } from './observe.ts';
import { tidyPidfile } from './pidfile.ts';
import { Teller } from './telling.ts';

/** One worker on its way. */
export interface Member {
  readonly spec: WorkerSpec;
  readonly journey: Journey;
  /** What this command launched for it. */
  readonly starter: Starter | undefined;
}

/** Set by a signal to ourselves: the command stops waiting, and the workers live on. */
export interface Interruption {
  signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | undefined;
  /** Resolves when the signal comes. */
  readonly arrived: Promise<void>;
}

/** Whoever looks after workers between commands, and must not meddle with those that a command is at work on. */
export interface Watch {
  /** Whom it knows: a command that begins knows them, too. */
  readonly acquaintance: Acquaintance;
  /** Resolves when nothing is being done about these ports any more. */
  letGo(ports: readonly Port[]): Promise<void>;
  /** A worker that is settled: where it is now is where it should be, or its start has failed. */
  takeOver(member: Member): void;
}

/** What the loop works with. */
export interface Drive {
  readonly host: Host;
  readonly observer: Observer;
  readonly patience: Patience;
  readonly tell: Tell;
  readonly interruption: Interruption;
  readonly watch: Watch | undefined;
  /** What was launched, and has not been handed over: released, however this ends, or each would keep a log open. */
  readonly launched: Set<Starter>;
}

/** Rest between two looks. */
const POLL = millis(10);

/**
 * Takes every member to where it is settled, or as far as it got when the command was interrupted; with `launched`, only to
 * where it is on its way up.
 */
export async function drive(
  members: readonly Member[],
  with_: Drive,
  to: 'settled' | 'launched' = 'settled',
): Promise<readonly Member[]> {
  const isThere = ({ stage }: Journey): boolean => to === 'launched' && stage === 'starting';
  const { host, interruption, watch } = with_;
  await watch?.letGo(members.map(({ spec }) => spec.port));
  const teller = new Teller(with_.tell);
  let current = members;
  while (interruption.signal === undefined) {
    const begun = host.clock.now();
    const open = current.filter(({ journey }) => !isThere(journey));
    const turned = new Map((await takeTurns(open, with_, teller)).map((member, index) => [open[index], member]));
    for (const [before, member] of turned) {
      if (member !== before && isSettled(member.journey)) watch?.takeOver(member);
    }
    current = current.map((member) => turned.get(member) ?? member);
    teller.flush((port) => isDecidedBelow(port, current), host.clock.now());
    if (current.every(({ journey }) => isSettled(journey) || isThere(journey))) break;
    await Promise.race([host.clock.sleep(restAfter(begun, host.clock.now())), interruption.arrived]);
  }
  teller.flush(() => true, host.clock.now());
  for (const member of current) {
    if (watch === undefined || !isThere(member.journey)) continue;
    watch.takeOver(member);
    if (member.starter !== undefined) with_.launched.delete(member.starter);
  }
  return current;
}

/**
 * How long to rest after a turn. Looks that take long, with hundreds of workers, must not take a whole core from the workers
 * that boot. The wait for answers, up to one POLL, is no work.
 */
export function restAfter(begun: Instant, ended: Instant): Millis {
  return millis(Math.max(POLL, between(begun, ended) - POLL));
}

/** Waits, unless a signal ends the waiting. */
export async function pause(wait: Millis, { host, interruption }: Drive): Promise<void> {
  if (wait > 0) await Promise.race([host.clock.sleep(wait), interruption.arrived]);
}

/** Whether it is known of all workers with lower ports how they end. */
function isDecidedBelow(port: Port, members: readonly Member[]): boolean {
  return members.every(
    ({ spec, journey }) =>
      spec.port >= port || isSettled(journey) || (journey.stage === 'stopping' && typeof journey.because === 'object'),
  );
}

/** One look at all members that are on their way, and one step of each. */
export async function takeTurns(members: readonly Member[], with_: Drive, teller: Teller): Promise<readonly Member[]> {
  const open = members.filter((member) => !isSettled(member.journey));
  const sightings = await with_.observer.glance(
    open.map(({ spec, journey, starter }) => ({
      port: spec.port,
      about: journey.stage === 'stopping' || journey.stage === 'stop-due' ? 'life' : 'place',
      starter,
    })),
    POLL,
  );
  const moved = new Map<Member, Member>();
  const isDecided = (port: Port): boolean =>
    isDecidedBelow(
      port,
      members.map((member) => moved.get(member) ?? member),
    );
  const hear: Hear = (member, notices) => {
    for (const notice of notices) {
      const lastWords = notice.kind === 'failed-to-start' ? (member.starter?.lastWords() ?? []) : [];
      const event = { kind: 'notice', port: member.spec.port, notice, lastWords } as const;
      teller.notice(event, isDecided, with_.host.clock.now());
    }
  };
  for (const [index, member] of open.entries()) {
    const sighting = sightings[index];
    if (sighting === undefined || with_.interruption.signal !== undefined) break;
    const { journey, actions, notices } = advance(member.journey, sighting, member.spec, with_.patience);
    hear(member, notices);
    moved.set(member, await performAll({ ...member, journey }, actions, with_, hear));
  }
  return members.map((member) => moved.get(member) ?? member);
}

type Hear = (member: Member, notices: readonly Notice[]) => void;

async function performAll(member: Member, actions: readonly Action[], with_: Drive, hear: Hear): Promise<Member> {
  let current = member;
  for (const action of actions) {
    const done = await perform(current, action, with_);
    if ('starter' in done) current = { ...current, starter: done.starter };
    if ('refused' in done) {
      const { journey, notices } = refuse(current.journey, done.refused);
      hear(current, notices);
      return { ...current, journey };
    }
  }
  return current;
}

type Done = Record<string, never> | { readonly starter: Starter } | { readonly refused: Failure };

async function perform(member: Member, action: Action, with_: Drive): Promise<Done> {
  const { spec } = member;
  const { host } = with_;
  switch (action.do) {
    case 'launch':
      return launch(spec, with_);
    case 'signal': {
      const sent = host.processes.signal(action.id, action.signal);
      return sent.ok ? {} : { refused: sent.error };
    }
    case 'tidy-pidfile':
      complain(tidyPidfile(spec, host), with_);
      return {};
    case 'write-pidfile':
      if (spec.pidfile !== undefined)
        complain(host.files.createPidfile(spec.pidfile, action.id.pid, spec.account), with_);
      return {};
    default:
      return action satisfies never;
  }
}

async function launch(spec: WorkerSpec, { host, observer, tell, launched: all }: Drive): Promise<Done> {
  for (const path of [spec.pidfile, spec.logfile]) {
    const prepared = path === undefined ? undefined : host.files.prepareDirectory(path, spec.account);
    if (prepared?.ok !== false) continue;
    return { refused: { kind: 'launch-refused', program: prepared.error.path, code: prepared.error.code } };
  }
  const launched = await host.processes.launch(spec);
  if (!launched.ok) return { refused: launched.error };
  const starter = launched.value;
  all.add(starter);
  observer.noteLaunch(spec.port, starter);
  if (starter.logTrouble !== undefined && spec.logfile !== undefined) {
    tell({ kind: 'log-unusable', port: spec.port, path: spec.logfile, why: starter.logTrouble });
  }
  return { starter };
}

/** A pidfile that cannot be written or removed is a nuisance, no failure: workers are found without it. */
function complain(obstacle: Obstacle | undefined, { tell }: Drive): void {
  if (obstacle !== undefined) tell({ kind: 'pidfile-stuck', ...obstacle });
}
