// A rolling restart: batch by batch out of rotation, stop, start, see that it stays, back into rotation. Whatever goes wrong
// ends it there, so that the rest goes on serving.

import type { Application } from '../core/application.ts';
import type { Survey } from '../core/event.ts';
import type { Failure } from '../core/failure.ts';
import type { Journey } from '../core/journey.ts';
import type { Millis, Port } from '../core/units.ts';
import type { WorkerSpec } from '../core/worker.ts';
import { type Drive, drive, type Member } from './drive.ts';

/** How far a rolling restart has come. */
export interface Roll {
  readonly isComplete: boolean;
  /** The workers that were touched, as they are now. */
  readonly members: readonly Member[];
  /** Ports whose workers were not touched. */
  readonly old: readonly Port[];
}

/** Replaces all workers that a survey has found: missing ones are started first, stale ones stopped last. */
export async function roll({ workers, stale }: Survey, application: Application, with_: Drive): Promise<Roll> {
  const portsThat = (kind: Survey['workers'][number]['standing']['kind']): Port[] =>
    workers.filter(({ standing }) => standing.kind === kind).map(({ port }) => port);
  // Whoever does not serve is replaced first: that costs nothing, and shows whether the new code works.
  const present = [...portsThat('alive'), ...portsThat('running')];
  const missing = portsThat('down');
  const { batch } = application.rolling;
  const steps = [
    ...(missing.length > 0 ? [{ ports: missing, step: bringUp }] : []),
    ...inBatches(present, batch).map((ports) => ({ ports, step: renew })),
    ...inBatches(
      stale.map(({ port }) => port),
      batch,
    ).map((ports) => ({ ports, step: takeDown })),
  ];
  const members: Member[] = [];
  for (const { ports, step } of steps) {
    const done = await step(ports.map(application.specOf), application, with_);
    members.push(...done.members);
    if (!done.isComplete) {
      const touched = new Set(members.map(({ spec }) => spec.port));
      return { isComplete: false, members, old: present.filter((port) => !touched.has(port)) };
    }
  }
  return { isComplete: true, members, old: [] };
}

interface Step {
  readonly isComplete: boolean;
  readonly members: readonly Member[];
}

type Specs = readonly WorkerSpec[];

async function renew(specs: Specs, application: Application, with_: Drive): Promise<Step> {
  const stopped = await takeDown(specs, application, with_);
  if (stopped.members.length === 0) return stopped;
  const gone = stopped.members.filter(({ journey }) => journey.stage === 'down').map(({ spec }) => spec);
  // One that survived SIGKILL keeps its port; its neighbours of the batch are not left down for it.
  const started = await bringUp(gone, application, with_);
  const stuck = stopped.members.filter(({ journey }) => journey.stage !== 'down');
  return { isComplete: stopped.isComplete && started.isComplete, members: [...stuck, ...started.members] };
}

/** Takes workers out of rotation and stops them; none is touched if a hook forbids it. */
async function takeDown(specs: Specs, application: Application, with_: Drive): Promise<Step> {
  if (!(await leaveRotation(specs, application, with_))) return { isComplete: false, members: [] };
  const members = await drive(specs.map(due({ stage: 'stop-due' })), with_);
  return { isComplete: members.every(({ journey }) => journey.stage === 'down'), members };
}

/** Starts workers, sees that they stay, and puts them into rotation. */
async function bringUp(specs: Specs, application: Application, with_: Drive): Promise<Step> {
  if (specs.length === 0) return { isComplete: true, members: [] };
  const started = await drive(specs.map(due({ stage: 'start-due' })), with_);
  const { settle } = application.rolling;
  // Once one has failed, the roll is over, and nobody needs to wait for its neighbours.
  if (started.every(({ journey }) => journey.stage === 'up')) await pause(settle, with_);
  const members = started.map((member) => seeThatItStays(member, settle, with_));
  const up = members.filter(({ journey }) => journey.stage === 'up');
  const isBack = await enterRotation(
    up.map(({ spec }) => spec),
    application,
    with_,
  );
  const isComplete = isBack && up.length === members.length && with_.interruption.signal === undefined;
  return { isComplete, members };
}

function due(journey: Journey): (spec: WorkerSpec) => Member {
  return (spec) => ({ spec, journey, starter: undefined });
}

function seeThatItStays(member: Member, settle: Millis, { host, tell }: Drive): Member {
  const { journey, spec, starter } = member;
  if (journey.stage !== 'up' || host.processes.isAlive(journey.id)) return member;
  const failure: Failure = { kind: 'did-not-stay', within: settle };
  tell({
    kind: 'notice',
    port: spec.port,
    notice: { kind: 'failed-to-start', failure },
    lastWords: starter?.lastWords() ?? [],
  });
  return { ...member, journey: { stage: 'failed', failure } };
}

/** Whether all are out of rotation; if not, those that were are put back. */
async function leaveRotation(specs: Specs, application: Application, with_: Drive): Promise<boolean> {
  const { drain } = application.rolling;
  const left: WorkerSpec[] = [];
  for (const spec of specs) {
    if (with_.interruption.signal !== undefined) break;
    if (!(await runHook('before_stop', spec.port, application, with_))) break;
    left.push(spec);
  }
  if (left.length === specs.length) await pause(drain, with_);
  if (left.length === specs.length && with_.interruption.signal === undefined) return true;
  await enterRotation(left, application, with_);
  return false;
}

async function enterRotation(specs: Specs, application: Application, with_: Drive): Promise<boolean> {
  let isIn = true;
  for (const { port } of specs) isIn = (await runHook('after_start', port, application, with_)) && isIn;
  return isIn;
}

async function runHook(
  hook: 'before_stop' | 'after_start',
  port: Port,
  { rolling }: Application,
  { host, tell }: Drive,
): Promise<boolean> {
  const command = hook === 'before_stop' ? rolling.beforeStop(port) : rolling.afterStart(port);
  if (command === undefined) return true;
  const ran = await host.hooks.run(command, rolling.hookWithin);
  if (!ran.ok) tell({ kind: 'hook-failed', port, hook, program: command[0], ...ran.error });
  return ran.ok;
}

async function pause(wait: Millis, { host, interruption }: Drive): Promise<void> {
  if (wait > 0) await Promise.race([host.clock.sleep(wait), interruption.arrived]);
}

/** As many ports at a time as the batch is large. */
function inBatches(ports: readonly Port[], size: number): Port[][] {
  return Array.from({ length: Math.ceil(ports.length / size) }, (_, index) =>
    ports.slice(index * size, (index + 1) * size),
  );
}
