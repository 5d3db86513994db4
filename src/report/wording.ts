// Every sentence that a person reads about workers: event → level and text. Pure. The short ones are the original's, to the
// letter: scripts of twelve years look for them.

import { type Event, type KeptState, type Level, type Summary, summarize } from '../core/event.ts';
import { describe, describeHolder, type Failure } from '../core/failure.ts';
import type { Notice } from '../core/journey.ts';
import type { Port } from '../core/units.ts';

/** One line for a person. */
export type Line = readonly [level: Level, text: string];

/** The lines that tell an event, in their order. */
export function lines(event: Event): Line[] {
  switch (event.kind) {
    case 'notice':
      return noticeLines(event.port, event.notice, event.lastWords);
    case 'killing':
      return [['warning', 'some of the workers are running, trying to kill']];
    case 'stop-failed':
      return [['warning', 'failed to stop workers']];
    case 'soft-limit-lowered':
      return [['warning', softLimit(event)]];
    case 'look-alike':
      return [
        ['warning', `process ${event.pid} of ${event.user} looks like the worker on port ${event.port} and is ignored`],
      ];
    case 'more-look-alikes':
      return [['warning', `${event.count} more processes of other users look like workers and are ignored`]];
    case 'forbidden':
      return [
        [
          'error',
          `the worker on port ${event.port} (pid ${event.pid}) belongs to ${event.user}: run this as ${event.user === 'root' ? 'root' : `${event.user} or root`}`,
        ],
      ];
    case 'python-chosen':
      return [
        [
          'warning',
          `${event.script} ${event.why}, so python3 runs it: --supervisor_python says which Python it should be`,
        ],
      ];
    case 'log-unusable':
      return [['warning', `worker on port ${event.port}: its output is not kept: ${event.path} ${event.why}`]];
    case 'pidfile-stuck':
      return [['warning', `pidfile ${event.path} cannot be put right: ${event.code}`]];
    case 'waiting-for-lock':
      return [['info', `waiting for ${holder(event.holder)} to finish`]];
    case 'lock-timed-out':
      return [['error', `${holder(event.holder)} did not finish in time: nothing was done`]];
    case 'foreign-run':
      return [
        [
          'warning',
          `a run of ${event.user} (pid ${event.pid}) looks after these workers, too, and brings back what is stopped: run this as ${event.user}, or end that run`,
        ],
      ];
    case 'hook-failed': {
      const where = `worker on port ${event.port}: hook ${event.hook}`;
      return [
        ['error', `${where}: ${event.program} ${event.how}`],
        ...event.words.map((words): Line => ['error', `${where}: | ${words}`]),
      ];
    }
    case 'nothing-to-reload':
      return [['error', 'no worker is alive, so there is nothing to reload: run start']];
    case 'roll-stopped':
      return [['error', `reload has stopped: ${rollWords(event)}`]];
    case 'out-of-rotation': {
      const are = event.ports.length === 1 ? 'is' : 'are';
      return [['error', `${event.ports.join(', ')} ${are} out of rotation until the next reload`]];
    }
    case 'worker-lost':
      return [['error', `worker on port ${event.port} (pid ${event.pid}) ${event.how}`]];
    case 'worker-hangs': {
      const who = `worker on port ${event.port} (pid ${event.pid})`;
      return [['error', `${who} has not answered for ${Math.round(event.silent / 1000)} s: it is restarted`]];
    }
    case 'worker-rests':
      return [restLine(event)];
    case 'worker-back':
      return [['info', `worker on port ${event.port} is running again (pid ${event.pid})`]];
    case 'relayed':
      return [[event.level, event.text]];
    case 'resident-lost':
      return [['error', 'the run that was asked has ended meanwhile']];
    case 'resident-there':
      return [['error', 'this application has a run already: stop that one first, or reload it']];
    case 'none-came-up':
      return [['error', 'no worker has come up, so there is nothing to watch over']];
    case 'report':
      return [['info', `worker on port ${event.port}: ${keptWords(event.state)}`]];
    case 'left-stopped':
      return [['error', `ports ${event.ports.join(', ')} are stopped: run start`]];
    case 'deed':
      return [['info', event.deed === 'kept' ? `${event.what} is as it should be` : `${event.deed} ${event.what}`]];
    case 'not-installed':
      return [['info', `${event.name} is not installed: nothing to do`]];
    case 'no-such-action': {
      const what = event.action === undefined ? 'missing' : 'incorrect';
      return [['error', `${what} action: please use \`start\`, \`stop\`, \`restart\` or \`status\``]];
    }
    case 'problem':
      return [['error', `${event.source}: ${event.text}`]];
    case 'caution':
      return [['warning', `${event.source}: ${event.text}`]];
    case 'surveyed':
      return surveyLines(event);
    default:
      return event satisfies never;
  }
}

function noticeLines(port: Port, notice: Notice, lastWords: readonly string[]): Line[] {
  switch (notice.kind) {
    case 'launching':
      return [['debug', `start worker ${port}`]];
    case 'already-started':
      return [['warning', `another worker already started on ${port}`]];
    case 'waiting':
      return [['info', `waiting for worker on port ${port} to start`]];
    case 'stopping':
      return [['debug', `stopping worker ${port}`]];
    case 'failed-to-start':
      return [
        ...startFailure(port, notice.failure),
        ...lastWords.map((words): Line => ['error', `worker on port ${port}: | ${words}`]),
      ];
    case 'failed-to-stop':
      return [
        ['warning', `failed to stop worker on port ${port}`],
        ['warning', `worker on port ${port}: ${describe(notice.failure)}`],
      ];
    default:
      return notice satisfies never;
  }
}

function startFailure(port: Port, failure: Failure): Line[] {
  switch (failure.kind) {
    case 'port-held':
      return [['error', `port ${port} is held by ${describeHolder(failure.holder)}`]];
    case 'alive-not-ready':
      return [['error', aliveButNotReady(port, failure.id.pid)]];
    case 'launch-refused':
    case 'did-not-stay':
    case 'died-while-starting':
    case 'not-ready-in-time':
    case 'survived-sigkill':
    case 'keeps-coming-back':
    case 'not-permitted':
      return [
        ['error', `worker on port ${port} failed to start`],
        ['error', `worker on port ${port}: ${describe(failure)}`],
      ];
    default:
      return failure satisfies never;
  }
}

function aliveButNotReady(port: Port, pid: number): string {
  return `worker on port ${port} is alive (pid ${pid}) but not ready`;
}

function unaskable(port: Port, pid: number, code: string): string {
  return `worker on port ${port} is alive (pid ${pid}), but this machine cannot ask whether it is ready: ${code}`;
}

function softLimit({ limit, cause }: Event & { kind: 'soft-limit-lowered' }): string {
  const consequence = `therefore soft NOFILE limit will be set to ${limit}`;
  return cause === 'capability'
    ? `We don't have CAP_SYS_RESOURCE, ${consequence}`
    : `The kernel's fs.nr_open is ${limit}, ${consequence}`;
}

function keptWords(state: KeptState): string {
  switch (state.kind) {
    case 'running':
      return `running for ${Math.round(state.since / 1000)} s (pid ${state.pid})`;
    case 'unready':
      return `alive (pid ${state.pid}) but not ready`;
    case 'on-its-way':
      return 'being started or stopped';
    case 'resting':
      return `started again in ${(state.wait / 1000).toFixed(1)} s, after ${state.deaths} quick deaths`;
    case 'stopped':
      return 'stopped';
    default:
      return state satisfies never;
  }
}

function restLine({ port, wait, deaths, isGivenUp }: Event & { kind: 'worker-rests' }): Line {
  const next = `${(wait / 1000).toFixed(1)} s`;
  return isGivenUp
    ? [
        'error',
        `worker on port ${port} went away ${deaths} times in a row and is given up: it is tried again in ${next}`,
      ]
    : ['warning', `worker on port ${port} is started again in ${next}`];
}

/** `8000, 8001 are new; 8002 is down; 8003 is old`. */
function rollWords({ renewed, down, old }: Event & { kind: 'roll-stopped' }): string {
  const groups = [
    [renewed, 'new'],
    [down, 'not running'],
    [old, 'old'],
  ] as const;
  return groups
    .filter(([ports]) => ports.length > 0)
    .map(([ports, word]) => `${ports.join(', ')} ${ports.length === 1 ? 'is' : 'are'} ${word}`)
    .join('; ');
}

function holder(text: string | undefined): string {
  return text === undefined ? 'another command on this application' : `another command on this application (${text})`;
}

const SUMMARY: Readonly<Record<Summary, string>> = {
  'all-running': 'all workers are running',
  'some-running': 'some workers are running!',
  'all-stopped': 'all workers are stopped',
};

function surveyLines({ survey, expected, told }: Event & { kind: 'surveyed' }): Line[] {
  const summary = summarize(survey);
  const stale: Line[] = survey.stale.length > 0 ? [['warning', 'some stale workers are running!']] : [];
  const alive = survey.workers.flatMap(({ port, standing }): Line[] => {
    if (told.has(port)) return [];
    if (standing.kind === 'alive') return [['warning', aliveButNotReady(port, standing.id.pid)]];
    return standing.kind === 'unaskable' ? [['error', unaskable(port, standing.id.pid, standing.code)]] : [];
  });
  const isUnexpected =
    (summary === 'all-running' && expected === 'stopped') || (summary === 'all-stopped' && expected === 'started');
  const level = summary === 'some-running' ? 'warning' : isUnexpected ? 'error' : 'info';
  return [...stale, ...alive, [level, SUMMARY[summary]]];
}
