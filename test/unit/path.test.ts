import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { resolveFrom } from '../../src/core/path.ts';
import { trials } from '../support/fuzz.ts';

const PATHS: readonly (readonly [directory: string, path: string, absolute: string])[] = [
  ['/srv/app', 'app.cfg', '/srv/app/app.cfg'],
  ['/srv/app', './app.cfg', '/srv/app/app.cfg'],
  ['/srv/app', '../app.cfg', '/srv/app.cfg'],
  ['/srv/app', '../../../app.cfg', '/app.cfg'],
  ['/srv/app', '/etc/app.cfg', '/etc/app.cfg'],
  ['/srv/app', '/etc//app/../app.cfg/', '/etc/app.cfg'],
  ['/srv/app', '..app', '/srv/app/..app'],
  ['/srv/app', '~/app.cfg', '/srv/app/~/app.cfg'],
  ['/srv/app', '', '/srv/app'],
  ['/', 'app.cfg', '/app.cfg'],
  ['/', '..', '/'],
];
for (const [directory, path, absolute] of PATHS) {
  test(`${path} seen from ${directory}`, () => assert.equal(resolveFrom(directory, path), absolute));
}

test('as Node resolves paths', () => {
  const paths = fc.array(fc.constantFrom('..', '.', '', '/', 'a', 'b.cfg', '...', ' '), { maxLength: 8 });
  fc.assert(
    fc.property(paths, paths, (from, parts) => {
      const directory = `/${from.join('/')}`;
      assert.equal(resolveFrom(directory, parts.join('/')), posix.resolve(directory, parts.join('/')));
    }),
    trials(100),
  );
});
