// Values of the core for tables of cases: short to write, with everything that a case does not care about filled in.

import { describe } from '../../src/core/failure.ts';
import type { Action, Journey, Leaver, Notice, Starting, Stopping, Turn } from '../../src/core/journey.ts';
import { asPid, asPort, type Instant, millis, type Pid, type Port } from '../../src/core/units.ts';
import type { Patience, PidfileSight, ProcessIdentity, Sighting, WorkerSpec } from '../../src/core/worker.ts';

export function port(number: number): Port {
  const checked = asPort(number);
  if (checked === undefined) throw new Error(`${number} is no port`);
  return checked;
}

export function pid(number: number): Pid {
  const checked = asPid(number);
  if (checked === undefined) throw new Error(`${number} is no pid`);
  return checked;
}

export function at(moment: number): Instant {
  return moment as Instant;
}

/** A process that started at tick 1, or another of the same number. */
export function process(number: number, startTicks = 1): ProcessIdentity {
  return { pid: pid(number), startTicks };
}

export const PATIENCE: Patience = { startWithin: millis(60_000), termGrace: millis(4000), killGrace: millis(2000) };

export const SPEC: WorkerSpec = {
  port: port(8000),
  argv: ['/usr/bin/frontik', '--config=/etc/app.cfg', '--port=8000', '--pidfile=/run/8000.pid'],
  marker: '/etc/app.cfg:8000',
  pidfile: '/run/8000.pid',
  logfile: undefined,
  firstWords: 'dropped',
  openFiles: { soft: 4096, raiseHard: false },
  account: undefined,
};

/** A pidfile that was written at tick 9. */
export function names(number: number): PidfileSight {
  return { kind: 'names', pid: pid(number), writtenTicks: 9, writer: 0 };
}

/** A look at some moment at which nothing is there, but for what is said. */
export function see(moment: number, seen: Partial<Sighting> = {}): Sighting {
  return {
    at: at(moment),
    worker: undefined,
    rivals: [],
    leftBehind: [],
    listener: { kind: 'none' },
    http: 'unasked',
    pidfile: { kind: 'none' },
    starter: { kind: 'never' },
    ...seen,
  };
}

export function starting(changes: Partial<Starting> = {}): Starting {
  return {
    stage: 'starting',
    origin: 'launched',
    since: at(0),
    deadline: at(60_000),
    // Just before most of the looks that matter.
    lookedAt: at(59_950),
    tellAt: at(1000),
    unseen: 0,
    ...changes,
  };
}

export function stopping(changes: Partial<Stopping> = {}): Stopping {
  return { stage: 'stopping', leavers: [], waves: 0, because: undefined, unseen: 0, ...changes };
}

/** A whole turn as one line: where it leads, what is done, what is told. */
export function describeTurn({ journey, actions, notices }: Turn): string {
  const done = actions.map(describeAction).join(', ');
  const told = notices.map(describeNotice).join(', ');
  return [describeJourney(journey), done, told].join(' | ').trimEnd();
}

function describeJourney(journey: Journey): string {
  switch (journey.stage) {
    case 'starting': {
      const { origin, deadline, tellAt, unseen } = journey;
      const doubt = unseen > 0 ? ` unseen ${unseen}` : '';
      return `starting ${origin} till ${deadline} tell ${tellAt}${doubt}`;
    }
    case 'stopping': {
      const leavers = journey.leavers.map(({ id, sent, until }) => `${sent}#${id.pid} ${grace(until)}`).join(' ');
      const because =
        journey.because === undefined
          ? ''
          : ` because ${typeof journey.because === 'object' ? journey.because.kind : journey.because}`;
      return `stopping ${leavers} wave ${journey.waves}${because}`;
    }
    case 'up':
      return `up #${journey.id.pid}`;
    case 'failed':
      return `failed ${journey.failure.kind}`;
    default:
      return journey.stage;
  }
}

function grace(until: Leaver['until']): string {
  return until === 'not-begun' ? 'sent' : `till ${until}`;
}

function describeAction(action: Action): string {
  switch (action.do) {
    case 'signal':
      return `${action.signal} #${action.id.pid}`;
    case 'write-pidfile':
      return `write-pidfile #${action.id.pid}`;
    default:
      return action.do;
  }
}

function describeNotice(notice: Notice): string {
  return 'failure' in notice ? `${notice.kind} (${describe(notice.failure)})` : notice.kind;
}
