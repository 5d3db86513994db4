import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { classify, isSame, type Sighting, type Standing } from '../../src/core/worker.ts';
import { process, see } from '../support/core-values.ts';

const WORKER = process(101);
const NGINX = { pid: 7, name: 'nginx' };

function check(title: string, seen: Partial<Sighting>, expected: Standing): void {
  test(title, () => assert.deepEqual(classify(see(0, seen)), expected));
}

suite('classify', () => {
  check('nothing there', {}, { kind: 'down' });
  check('only what is left behind', { leftBehind: [process(5)] }, { kind: 'down' });
  check('a stranger on the port', { listener: { kind: 'stranger', holder: NGINX } }, { kind: 'down' });
  check(
    'a stranger who answers',
    { listener: { kind: 'stranger', holder: undefined }, http: 'ready' },
    { kind: 'down' },
  );
  check('alive, port closed', { worker: WORKER }, { kind: 'alive', id: WORKER });
  check(
    'alive, silent',
    { worker: WORKER, listener: { kind: 'worker' }, http: 'silent' },
    { kind: 'alive', id: WORKER },
  );
  check(
    'alive, unready',
    { worker: WORKER, listener: { kind: 'worker' }, http: 'unready' },
    { kind: 'alive', id: WORKER },
  );
  check(
    'alive, and this machine cannot connect to it',
    { worker: WORKER, listener: { kind: 'worker' }, http: { unaskable: 'EMFILE' } },
    { kind: 'unaskable', id: WORKER, code: 'EMFILE' },
  );
  check('ready', { worker: WORKER, listener: { kind: 'worker' }, http: 'ready' }, { kind: 'running', id: WORKER });
  check(
    'alive, but a stranger answers',
    { worker: WORKER, listener: { kind: 'stranger', holder: NGINX }, http: 'ready' },
    { kind: 'alive', id: WORKER },
  );
  check('the port answers, but nobody is seen on it', { worker: WORKER, http: 'ready' }, { kind: 'alive', id: WORKER });
});

suite('a process is its number and its start', () => {
  test('the same', () => assert.ok(isSame(process(101, 5), process(101, 5))));
  test('a reused number', () => assert.ok(!isSame(process(101, 5), process(101, 6))));
  test('twins', () => assert.ok(!isSame(process(101, 5), process(102, 5))));
});
