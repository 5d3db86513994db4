// Events as short lines for the tests of the core. The words that people read are report/'s, and are tested there.

import type { Event } from '../../src/core/event.ts';
import { describe } from '../../src/core/failure.ts';
import type { Notice } from '../../src/core/journey.ts';
import type { Standing } from '../../src/core/worker.ts';

/** One event, one or two lines. */
export function describeEvent(event: Event): string[] {
  switch (event.kind) {
    case 'notice':
      return [
        `${event.port} ${describeNotice(event.notice)}`,
        ...event.lastWords.map((word) => `${event.port} | ${word}`),
      ];
    case 'killing':
    case 'stop-failed':
      return [event.kind];
    case 'more-look-alikes':
      return [`${event.count} more look-alikes`];
    case 'look-alike':
    case 'forbidden':
      return [`${event.port} ${event.kind} of ${event.user}`];
    case 'out-of-rotation':
      return [`out-of-rotation ${event.ports.join(' ')}`];
    case 'left-stopped':
      return [`left-stopped ${event.ports.join(' ')}`];
    case 'hook-failed':
      return [`${event.port} ${event.hook} ${event.program} ${event.how}`];
    case 'roll-stopped': {
      const { renewed, down, old } = event;
      return [`roll-stopped: new ${renewed.join(' ')}; down ${down.join(' ')}; old ${old.join(' ')}`];
    }
    case 'surveyed': {
      const { survey, expected, told } = event;
      const workers = survey.workers.map(({ port, standing }) => `${port} ${describeStanding(standing)}`);
      const stale = survey.stale.map(({ port }) => `${port} stale`);
      const known = told.size > 0 ? ` (told of ${[...told].join(' ')})` : '';
      return [`= ${expected}: ${[...workers, ...stale].join(', ')}${known}`];
    }
    default:
      return [event.kind];
  }
}

function describeNotice(notice: Notice): string {
  switch (notice.kind) {
    case 'failed-to-start':
    case 'failed-to-stop':
      return `${notice.kind}: ${describe(notice.failure).replace(/pid \d+|process \d+/g, 'PID')}`;
    default:
      return notice.kind;
  }
}

function describeStanding(standing: Standing): string {
  return standing.kind;
}
