import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemVerdict, signalVerdict, startVerdict, statusVerdict, stopVerdict } from '../../src/cli/exit-status.ts';
import type { Origin } from '../../src/config/given.ts';
import type { Survey } from '../../src/core/event.ts';
import type { Failure } from '../../src/core/failure.ts';
import type { Pid, Port } from '../../src/core/units.ts';
import { millis } from '../../src/core/units.ts';
import type { Standing } from '../../src/core/worker.ts';

const id = { pid: 412 as Pid, startTicks: 7 };
const STANDINGS: Readonly<Record<string, Standing>> = {
  up: { kind: 'running', id },
  alive: { kind: 'alive', id },
  down: { kind: 'down' },
  unaskable: { kind: 'unaskable', id, code: 'EMFILE' },
};

/** A survey in a word: `up down + stale`. */
function survey(words: string): Survey {
  const all = words.split(' ').filter((word) => word !== '' && word !== '+');
  const workers = all.flatMap((word, index) => {
    const standing = STANDINGS[word];
    return standing === undefined ? [] : [{ port: (8000 + index) as Port, standing }];
  });
  const stale = all.filter((word) => word === 'stale').map((_, index) => ({ port: (9000 + index) as Port, id }));
  assert.equal(workers.length + stale.length, all.length);
  return { workers, stale };
}

const FAILURES: Readonly<Record<Failure['kind'], Failure>> = {
  'launch-refused': { kind: 'launch-refused', program: 'x', code: 'EAGAIN' },
  'died-while-starting': { kind: 'died-while-starting', how: 'died' },
  'not-ready-in-time': { kind: 'not-ready-in-time', waited: millis(1), id, http: 'silent' },
  'did-not-stay': { kind: 'did-not-stay', within: millis(1000) },
  'alive-not-ready': { kind: 'alive-not-ready', id },
  'port-held': { kind: 'port-held', holder: undefined },
  'survived-sigkill': { kind: 'survived-sigkill', id },
  'keeps-coming-back': { kind: 'keeps-coming-back', times: 4 },
  'not-permitted': { kind: 'not-permitted', id },
};

const SURVEYS: readonly (readonly [words: string, started: number, stopped: number, status: number])[] = [
  ['up', 0, 1, 0],
  ['up up up', 0, 1, 0],
  ['up down', 1, 1, 77],
  ['up alive', 1, 1, 77],
  ['alive', 1, 1, 77],
  ['alive alive', 1, 1, 77],
  ['up unaskable', 1, 1, 4],
  ['unaskable down', 1, 1, 4],
  ['alive down', 1, 1, 77],
  ['down', 1, 0, 3],
  ['down down', 1, 0, 3],
  ['up + stale', 0, 1, 0],
  ['down + stale', 1, 1, 3],
  ['alive + stale', 1, 1, 77],
  ['', 1, 0, 3],
  ['+ stale', 1, 1, 3],
];
for (const [words, started, stopped, status] of SURVEYS) {
  test(`a survey of ${words === '' ? 'nothing' : words}`, () => {
    const found = survey(words);
    assert.deepEqual(
      [
        startVerdict({ survey: found, failures: [] }),
        stopVerdict({ survey: found, failures: [] }),
        statusVerdict(found, 77),
      ],
      [started, stopped, status],
    );
  });
}

/** What one failure makes of a start that found all running and of a stop that found none. */
const SPOILT: Readonly<Record<Failure['kind'], readonly [started: number, stopped: number]>> = {
  'launch-refused': [0, 1],
  'died-while-starting': [0, 1],
  'not-ready-in-time': [0, 1],
  'did-not-stay': [0, 1],
  'alive-not-ready': [0, 1],
  'port-held': [0, 1],
  'survived-sigkill': [1, 1],
  'keeps-coming-back': [1, 1],
  'not-permitted': [4, 4],
};
for (const kind of Object.keys(FAILURES) as Failure['kind'][]) {
  test(`a failure: ${kind}`, () => {
    const failures = [FAILURES[kind]];
    assert.deepEqual(
      [startVerdict({ survey: survey('up'), failures }), stopVerdict({ survey: survey('down'), failures })],
      SPOILT[kind],
    );
  });
}

test('without a survey nothing was done', () => {
  const outcome = { survey: undefined, failures: [] };
  assert.deepEqual([startVerdict(outcome), stopVerdict(outcome)], [1, 1]);
  const forbidden = { survey: undefined, failures: [FAILURES['not-permitted']] };
  assert.deepEqual([startVerdict(forbidden), stopVerdict(forbidden)], [4, 4]);
});

const ORIGINS: readonly (readonly [origins: readonly Origin[], exit: number])[] = [
  [['command-line'], 2],
  [['launcher'], 6],
  [['config'], 6],
  [['config', 'launcher'], 6],
  [['config', 'command-line', 'launcher'], 2],
];
for (const [origins, exit] of ORIGINS) {
  test(`problems from ${origins.join(', ')}`, () =>
    assert.equal(problemVerdict(origins.map((origin) => ({ origin, source: 'x', text: 'y' }))), exit));
}

test('ended by a signal', () => {
  assert.deepEqual((['SIGHUP', 'SIGINT', 'SIGTERM'] as const).map(signalVerdict), [129, 130, 143]);
});
