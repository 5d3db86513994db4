import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Summary, type Survey, summarize } from '../../src/core/event.ts';
import type { Standing } from '../../src/core/worker.ts';
import { port, process } from '../support/core-values.ts';

const id = process(101);
const STANDINGS: Readonly<Record<string, Standing>> = {
  running: { kind: 'running', id },
  alive: { kind: 'alive', id },
  down: { kind: 'down' },
};

function check(words: string, expected: Summary, stale: Survey['stale'] = []): void {
  const workers = words.split(' ').flatMap((word, index) => {
    const standing = STANDINGS[word];
    return standing === undefined ? [] : [{ port: port(8000 + index), standing }];
  });
  test(`${words === '' ? 'no workers' : words}: ${expected}`, () =>
    assert.equal(summarize({ workers, stale }), expected));
}

suite('what a survey comes to', () => {
  check('running', 'all-running');
  check('running running', 'all-running');
  check('running down', 'some-running');
  check('running alive', 'some-running');
  check('alive', 'some-running');
  check('alive down', 'some-running');
  check('down down', 'all-stopped');
  check('', 'all-stopped');
  check('down', 'all-stopped', [{ port: port(8009), id }]);
  check('running', 'all-running', [{ port: port(8009), id }]);
});
