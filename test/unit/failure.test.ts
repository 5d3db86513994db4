import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { describe, describeHolder, type Failure } from '../../src/core/failure.ts';
import { millis } from '../../src/core/units.ts';
import { process } from '../support/core-values.ts';

function check(expected: string, failure: Failure): void {
  test(expected, () => assert.equal(describe(failure), expected));
}

suite('every failure has its words', () => {
  const id = process(412);
  const late = { kind: 'not-ready-in-time', id } as const;
  check('/usr/bin/frontik could not be started: EAGAIN', {
    kind: 'launch-refused',
    program: '/usr/bin/frontik',
    code: 'EAGAIN',
  });
  check('it was killed by SIGSEGV before it was ready', { kind: 'died-while-starting', how: 'was killed by SIGSEGV' });
  check('it was not ready within 60 s (pid 412): it does not listen on its port', {
    ...late,
    waited: millis(60_000),
    http: 'unasked',
  });
  check('it was not ready within 1.5 s (pid 412): it gives no answer within 1 s', {
    ...late,
    waited: millis(1500),
    http: 'silent',
  });
  check('it was not ready within 2 s (pid 412): its answer is not that of a ready worker', {
    ...late,
    waited: millis(2000),
    http: 'unready',
  });
  check('it was not ready within 2 s (pid 412): it answers only now', { ...late, waited: millis(2000), http: 'ready' });
  check('it was ready, and went away within 1 s', { kind: 'did-not-stay', within: millis(1000) });
  check('alive (pid 412) but not ready', { kind: 'alive-not-ready', id });
  check('held by nginx (pid 7)', { kind: 'port-held', holder: { pid: 7, name: 'nginx' } });
  check('process 412 survived SIGKILL', { kind: 'survived-sigkill', id });
  check('it was stopped 4 times and came back each time: something else starts it', {
    kind: 'keeps-coming-back',
    times: 4,
  });
  check('no permission to signal process 412: run this as its owner or as root', { kind: 'not-permitted', id });
});

test('a holder that may not be seen', () =>
  assert.equal(describeHolder(undefined), 'a process that cannot be seen from here'));
