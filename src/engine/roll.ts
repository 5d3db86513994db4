// A rolling restart: batch by batch out of rotation, stop, start, see that it stays, back into rotation. Whatever goes wrong
// ends it there, so that the rest goes on serving.

import type { Application } from '../core/application.ts';
import type { Survey } from '../core/event.ts';
import type { Failure } from '../core/failure.ts';
import type { Journey } from '../core/journey.ts';
import { after, between, type Millis, millis, type Port } from '../core/units.ts';
import type { WorkerSpec } from '../core/worker.ts';
import { type Drive, drive, type Member, pause } from './drive.ts';
import { Rotation } from './rotation.ts';

/** How far a rolling restart has come. */
export interface Roll {
  readonly isComplete: boolean;
  /** The workers that were touched, as they are now. */
  readonly members: readonly Member[];
  /** Ports whose workers were not touched. */
  readonly old: readonly Port[];
  /** Ports that hooks have taken out of rotation, and that are not back. */
  readonly out: readonly Port[];
}

/** Replaces all workers that a survey has found: missing ones are started first, stale ones stopped last. */
export async function roll({ workers, stale }: Survey, application: Application, with_: Drive): Promise<Roll> {
  const portsThat = (kind: Survey['workers'][number]['standing']['kind']): Port[] =>
    workers.filter(({ standing }) => standing.kind === kind).map(({ port }) => port);
  // Whoever does not serve is replaced first: that costs nothing, and shows whether the new code works.
  const present = [...portsThat('alive'), ...portsThat('running')];
  const missing = portsThat('down');
  const specsOf = (ports: readonly Port[]): Specs => ports.map(application.specOf);
  const rotation = new Rotation(application.rolling, with_);
  const { batch, settle } = application.rolling;
  const steps = [
    ...(missing.length > 0 ? [() => bringUp(specsOf(missing), settle, rotation, with_)] : []),
    ...inBatches(present, batch).map((ports) => () => renew(specsOf(ports), settle, rotation, with_)),
    // Nobody is to start in their place, so the last ones may go together.
    ...(stale.length > 0 ? [() => takeDown(specsOf(stale.map(({ port }) => port)), rotation, with_)] : []),
  ];
  const members: Member[] = [];
  for (const step of steps) {
    const done = await step();
    members.push(...done.members);
    if (!done.isComplete) {
      const touched = new Set(members.map(({ spec }) => spec.port));
      return { isComplete: false, members, old: present.filter((port) => !touched.has(port)), out: rotation.out };
    }
  }
  return { isComplete: true, members, old: [], out: [] };
}

interface Step {
  readonly isComplete: boolean;
  readonly members: readonly Member[];
}

type Specs = readonly WorkerSpec[];

async function renew(specs: Specs, settle: Millis, rotation: Rotation, with_: Drive): Promise<Step> {
  const stopped = await takeDown(specs, rotation, with_);
  if (stopped.members.length === 0) return stopped;
  const gone = stopped.members.filter(({ journey }) => journey.stage === 'down').map(({ spec }) => spec);
  // One that survived SIGKILL keeps its port; its neighbours of the batch are not left down for it.
  const started = await bringUp(gone, settle, rotation, with_);
  const stuck = stopped.members.filter(({ journey }) => journey.stage !== 'down');
  return { isComplete: stopped.isComplete && started.isComplete, members: [...stuck, ...started.members] };
}

/** Takes workers out of rotation and stops them; none is touched if a hook forbids it. */
async function takeDown(specs: Specs, rotation: Rotation, with_: Drive): Promise<Step> {
  if (!(await rotation.leave(specs.map(({ port }) => port)))) return { isComplete: false, members: [] };
  const members = await drive(specs.map(due({ stage: 'stop-due' })), with_);
  return { isComplete: members.every(({ journey }) => journey.stage === 'down'), members };
}

/** Starts workers, sees that they stay, and puts them into rotation. */
async function bringUp(specs: Specs, settle: Millis, rotation: Rotation, with_: Drive): Promise<Step> {
  if (specs.length === 0) return { isComplete: true, members: [] };
  const started = await drive(specs.map(due({ stage: 'start-due' })), with_);
  // Once one has failed, the roll is over, and nobody needs to wait for its neighbours.
  if (started.every(({ journey }) => journey.stage === 'up')) await pauseWhileAllLive(settle, started, with_);
  const members = started.map((member) => seeThatItStays(member, settle, with_));
  const up = members.filter(({ journey }) => journey.stage === 'up');
  const isBack = await rotation.enter(up.map(({ spec }) => spec.port));
  const isComplete = isBack && up.length === members.length && with_.interruption.signal === undefined;
  return { isComplete, members };
}

/** Between two looks whether new workers stay. */
const GLANCE = millis(100);

async function pauseWhileAllLive(settle: Millis, members: readonly Member[], with_: Drive): Promise<void> {
  const { clock, processes } = with_.host;
  const until = after(clock.now(), settle);
  const isThere = ({ journey }: Member): boolean => journey.stage === 'up' && processes.isAlive(journey.id);
  while (clock.now() < until && with_.interruption.signal === undefined && members.every(isThere)) {
    await pause(millis(Math.min(GLANCE, between(clock.now(), until))), with_);
  }
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

/** As many ports at a time as the batch is large. */
function inBatches(ports: readonly Port[], size: number): Port[][] {
  return Array.from({ length: Math.ceil(ports.length / size) }, (_, index) =>
    ports.slice(index * size, (index + 1) * size),
  );
}
