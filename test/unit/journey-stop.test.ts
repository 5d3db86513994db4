// advance() on the way down, and what follows from a refusal.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { advance, isSettled, type Journey, type Leaver, refuse } from '../../src/core/journey.ts';
import type { ProcessIdentity, Sighting } from '../../src/core/worker.ts';
import { at, describeTurn, PATIENCE, process, SPEC, see, starting, stopping } from '../support/core-values.ts';

function check(title: string, from: Journey, seen: Sighting, expected: string): void {
  test(title, () => assert.equal(describeTurn(advance(from, seen, SPEC, PATIENCE)), expected));
}

function leaver(id: ProcessIdentity, sent: Leaver['sent'], until: number): Leaver {
  return { id, sent, until: at(until) };
}

const WORKER = process(101);
const REUSED = process(101, 77);
const due: Journey = { stage: 'stop-due' };
const terminated = stopping({ leavers: [leaver(WORKER, 'SIGTERM', 4000)], waves: 1 });
const killed = stopping({ leavers: [leaver(WORKER, 'SIGKILL', 6000)], waves: 1 });

suite('stop-due', () => {
  check('nothing there: its pidfile is tidied', due, see(0), 'down | tidy-pidfile |');
  check(
    'a stranger on the port is no matter',
    due,
    see(0, { listener: { kind: 'stranger', holder: undefined } }),
    'down | tidy-pidfile |',
  );
  check('alive', due, see(0, { worker: WORKER }), 'stopping SIGTERM#101 sent wave 1 | SIGTERM #101 | stopping');
  check(
    'alive twice',
    due,
    see(0, { worker: WORKER, rivals: [process(102)] }),
    'stopping SIGTERM#101 sent SIGTERM#102 sent wave 1 | SIGTERM #101, SIGTERM #102 | stopping',
  );
  check(
    'alive, with something left behind: the worker first',
    due,
    see(0, { worker: WORKER, leftBehind: [process(5)] }),
    'stopping SIGTERM#101 sent wave 1 | SIGTERM #101 | stopping',
  );
  check(
    'only something left behind',
    due,
    see(0, { leftBehind: [process(5)] }),
    'stopping SIGTERM#5 sent wave 1 | SIGTERM #5 | stopping',
  );
});

suite('stopping', () => {
  const sent = stopping({ leavers: [{ id: WORKER, sent: 'SIGTERM', until: 'not-begun' }], waves: 1 });
  const shot = stopping({ leavers: [{ id: WORKER, sent: 'SIGKILL', until: 'not-begun' }], waves: 1 });
  check(
    'the grace begins with the first look after the signal, however late that is',
    sent,
    see(9000, { worker: WORKER }),
    'stopping SIGTERM#101 till 13000 wave 1 |  |',
  );
  check(
    'so does that of a SIGKILL',
    shot,
    see(9000, { worker: WORKER }),
    'stopping SIGKILL#101 till 11000 wave 1 |  |',
  );
  check(
    'not to be seen once: it may be between two processes',
    terminated,
    see(50),
    'stopping SIGTERM#101 till 4000 wave 1 |  |',
  );
  check('gone', { ...terminated, unseen: 1 }, see(50), 'down | tidy-pidfile |');
  check('within the grace', terminated, see(3999, { worker: WORKER }), 'stopping SIGTERM#101 till 4000 wave 1 |  |');
  check(
    'grace over: SIGKILL the same process',
    terminated,
    see(4000, { worker: WORKER }),
    'stopping SIGKILL#101 sent wave 1 | SIGKILL #101 | stopping',
  );
  check(
    'grace over, but the number is another process now: SIGTERM, and its own grace',
    terminated,
    see(4000, { worker: REUSED }),
    'stopping SIGTERM#101 sent wave 2 | SIGTERM #101 | stopping',
  );
  check('after SIGKILL', killed, see(5999, { worker: WORKER }), 'stopping SIGKILL#101 till 6000 wave 1 |  |');
  check('after SIGKILL, gone', { ...killed, unseen: 1 }, see(4010), 'down | tidy-pidfile |');
  check(
    'after SIGKILL and its grace',
    killed,
    see(6000, { worker: WORKER }),
    'failed survived-sigkill |  | failed-to-stop (process 101 survived SIGKILL)',
  );
  check(
    'another one takes its place: SIGTERM',
    terminated,
    see(500, { worker: process(102) }),
    'stopping SIGTERM#102 sent wave 2 | SIGTERM #102 | stopping',
  );
  check(
    'the first is out of grace, the second is new',
    terminated,
    see(4000, { worker: WORKER, rivals: [process(102)] }),
    'stopping SIGKILL#101 sent SIGTERM#102 sent wave 2 | SIGKILL #101, SIGTERM #102 | stopping',
  );
  check(
    'the fourth is still stopped',
    stopping({ leavers: [], waves: 3 }),
    see(500, { worker: process(104) }),
    'stopping SIGTERM#104 sent wave 4 | SIGTERM #104 | stopping',
  );
  check(
    'the fifth is one too many',
    stopping({ leavers: [], waves: 4 }),
    see(500, { worker: process(105) }),
    'failed keeps-coming-back |  | failed-to-stop (it was stopped 4 times and came back each time: something else starts it)',
  );
  check(
    'the worker is gone: what it left behind is ended',
    terminated,
    see(50, { leftBehind: [process(5), process(6)] }),
    'stopping SIGTERM#5 sent SIGTERM#6 sent wave 2 | SIGTERM #5, SIGTERM #6 | stopping',
  );
  check(
    'a failed start is tidied up: the failure stays',
    stopping({ because: { kind: 'died-while-starting', how: 'died' } }),
    see(50),
    'failed died-while-starting | tidy-pidfile |',
  );
});

suite('refused', () => {
  const failure = { kind: 'not-permitted', id: WORKER } as const;
  const reason = 'no permission to signal process 101: run this as its owner or as root';
  test('on the way up', () =>
    assert.equal(
      describeTurn(refuse(starting(), { kind: 'launch-refused', program: 'frontik', code: 'EAGAIN' })),
      'failed launch-refused |  | failed-to-start (frontik could not be started: EAGAIN)',
    ));
  test('on the way down', () =>
    assert.equal(describeTurn(refuse(terminated, failure)), `failed not-permitted |  | failed-to-stop (${reason})`));
});

suite('settled or not', () => {
  const cases: readonly [Journey, boolean][] = [
    [{ stage: 'start-due' }, false],
    [starting(), false],
    [{ stage: 'up', id: WORKER }, true],
    [{ stage: 'stop-due' }, false],
    [terminated, false],
    [{ stage: 'down' }, true],
    [{ stage: 'failed', failure: { kind: 'alive-not-ready', id: WORKER } }, true],
  ];
  for (const [journey, expected] of cases) test(journey.stage, () => assert.equal(isSettled(journey), expected));
});
