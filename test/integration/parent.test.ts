// A directory of the service user's, in which root reads, makes and removes files: it may lead elsewhere at any moment.

import assert from 'node:assert/strict';
import fs, {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { files } from '../../src/host/files.ts';
import { throughParent } from '../../src/host/parent.ts';
import { openWords } from '../../src/host/words.ts';
import { NOBODY, pidOf, scratch, unlessRoot } from '../support/adapters.ts';
import { spec } from '../support/adapters-launch.ts';

/** `app` is nobody's, `root` is root's, with a file in it; `app/deep` does not exist yet. */
function place(t: TestContext): { readonly deep: string; readonly precious: string; readonly root: string } {
  const directory = scratch(t);
  const [app, root] = [join(directory, 'app'), join(directory, 'root')];
  mkdirSync(app);
  chownSync(app, NOBODY, NOBODY);
  mkdirSync(root);
  writeFileSync(join(root, 'a.pid'), '123');
  return { deep: join(app, 'deep'), precious: join(root, 'a.pid'), root };
}

/** As nobody would do it. */
function link(path: string, target: string, owner = NOBODY): void {
  symlinkSync(target, path);
  lchownSync(path, owner, owner);
}

/** Does something just before the `nth` opening of a path that ends in one of these ways. */
function beforeOpening(t: TestContext, ends: readonly string[], nth: number, act: () => void): void {
  const { openSync } = fs;
  let count = 0;
  t.mock.method(fs, 'openSync', (path: string, ...others: [number, number?]) => {
    count += ends.some((end) => path.endsWith(end)) ? 1 : 0;
    if (count === nth) {
      count += 1;
      act();
    }
    return openSync(path, ...others);
  });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
    assert(count > nth, 'the moment never came');
  });
}

suite('a directory that may be somebody else`s', { skip: unlessRoot }, () => {
  test('a file is reached through it', (t) => {
    const { deep } = place(t);
    mkdirSync(deep);
    throughParent(join(deep, 'a.pid'), (inside) => writeFileSync(inside, 'x'));
    assert.equal(readFileSync(join(deep, 'a.pid'), 'utf8'), 'x');
  });

  test('root`s own links on the way are followed, as /var/run is', (t) => {
    const { root } = place(t);
    link(`${root}.link`, 'root', 0);
    link(`${root}.absolute`, `${root}.link`, 0);
    throughParent(`${root}.absolute/b.pid`, (inside) => writeFileSync(inside, 'x'));
    assert.equal(readFileSync(join(root, 'b.pid'), 'utf8'), 'x');
  });

  test('root`s own link is not followed where another user could exchange it', (t) => {
    const { deep, root } = place(t);
    link(deep, root, 0);
    assert.throws(() => throughParent(join(deep, 'b.pid'), (inside) => writeFileSync(inside, 'x')), { code: 'ELOOP' });
    assert.deepEqual(readdirSync(root), ['a.pid']);
  });

  test('in a directory like /tmp root`s link is followed, and another user`s is not; without the sticky bit neither is', (t) => {
    const { root } = place(t);
    const shared = join(root, 'shared');
    mkdirSync(shared);
    link(join(shared, 'ours'), root, 0);
    link(join(shared, 'theirs'), root);
    const reach = (name: string): string => {
      try {
        return throughParent(join(shared, name, 'a.pid'), (inside) => readFileSync(inside, 'utf8'));
      } catch (error) {
        return error instanceof Error && 'code' in error ? String(error.code) : 'a bug';
      }
    };
    const results = [0o1777, 0o777, 0o775].map((mode) => {
      chmodSync(shared, mode);
      return [reach('ours'), reach('theirs')];
    });
    assert.deepEqual(results, [
      ['123', 'ELOOP'],
      ['ELOOP', 'ELOOP'],
      ['ELOOP', 'ELOOP'],
    ]);
  });

  test('links that lead to themselves have an end', (t) => {
    const { root } = place(t);
    link(`${root}.loop`, `${root}.loop`, 0);
    assert.throws(() => throughParent(`${root}.loop/b.pid`, () => assert.fail()), { code: 'ELOOP' });
  });

  test('what is missing, or no directory, is said to be so', (t) => {
    const { root } = place(t);
    assert.throws(() => throughParent(`${root}/none/b.pid`, () => assert.fail()), { code: 'ENOENT' });
    assert.throws(() => throughParent(`${root}/a.pid/b.pid`, () => assert.fail()), { code: 'ENOTDIR' });
  });

  test('no descriptor stays open', (t) => {
    const { deep, root } = place(t);
    link(deep, root);
    link(`${root}.link`, 'root', 0);
    const before = readdirSync('/proc/self/fd').length;
    throughParent(`${root}.link/b.pid`, () => undefined);
    assert.throws(() => throughParent(`${deep}/b.pid`, () => undefined));
    assert.equal(readdirSync('/proc/self/fd').length, before);
  });

  test('what is prepared for a restart is not promised where a link would be refused', (t) => {
    const { deep, root } = place(t);
    link(deep, root);
    const path = join(deep, 'new/8000.pid');
    const account = { user: 'nobody', uid: NOBODY, gid: NOBODY };
    const refused = { ok: false, error: { path: deep, code: 'ELOOP' } };
    assert.deepEqual(files.checkDirectory(path, account), refused);
    assert.equal(files.prepareDirectory(path, account).ok, false);
  });

  for (const [what, below] of [
    ['in the place of the directory', ''],
    ['further up', '/below'],
  ] as const) {
    test(`another user's link ${what} is refused, and nothing behind it is touched`, (t) => {
      const { deep, precious, root } = place(t);
      mkdirSync(join(root, 'below'));
      writeFileSync(join(root, 'below/a.pid'), '123');
      link(deep, root);
      const path = `${deep}${below}/a.pid`;
      assert.throws(() => throughParent(path, () => assert.fail('it was called')), { code: 'ELOOP' });
      const obstacle = { path, code: 'ELOOP' };
      assert.deepEqual(files.removePidfile(path, files.readPidfile(path)), obstacle);
      const [pidfile, log] = [`${deep}${below}/new.pid`, `${deep}${below}/new.log`];
      assert.deepEqual(files.createPidfile(pidfile, pidOf(process.pid), undefined), { ...obstacle, path: pidfile });
      const made = files.prepareDirectory(`${deep}${below}/new/a.pid`, { user: 'nobody', uid: NOBODY, gid: NOBODY });
      assert.deepEqual(made, { ok: false, error: { path: `${deep}${below}/new`, code: 'ELOOP' } });
      for (const logfile of [log, path]) {
        const words = openWords(spec({ logfile }));
        words.handedOver();
        assert.equal(words.trouble, 'is a symbolic link');
      }
      assert.deepEqual(
        [readdirSync(root), readdirSync(join(root, 'below')), readFileSync(precious, 'utf8')],
        [['a.pid', 'below'], ['a.pid'], '123'],
      );
    });
  }

  test('a link that takes its place between the look and the opening is noticed', (t) => {
    const { deep, precious, root } = place(t);
    mkdirSync(deep);
    beforeOpening(t, ['/deep'], 1, () => {
      fs.rmdirSync(deep);
      link(deep, root);
    });
    assert.throws(() => throughParent(join(deep, 'a.pid'), fs.unlinkSync), { code: 'ELOOP' });
    assert(existsSync(precious));
  });

  test('a link that takes its place while a log is opened is noticed', (t) => {
    const { deep, root } = place(t);
    mkdirSync(deep);
    for (const directory of [deep, root]) writeFileSync(join(directory, 'app.log'), 'precious');
    // The first attempt, to make the log, finds that it is there.
    beforeOpening(t, ['/deep', '/app.log'], 3, () => {
      fs.rmSync(deep, { recursive: true });
      link(deep, root);
    });
    const words = openWords(spec({ logfile: join(deep, 'app.log') }));
    words.handedOver();
    assert.equal(words.trouble, 'is a symbolic link');
  });

  test('a directory that was made is given away only if it is still that one', (t) => {
    const { deep, root } = place(t);
    beforeOpening(t, ['/deep'], 1, () => {
      fs.rmdirSync(deep);
      link(deep, root);
    });
    const made = files.prepareDirectory(join(deep, 'a.pid'), { user: 'nobody', uid: NOBODY, gid: NOBODY });
    assert.equal(made.ok, false);
    assert.equal(statSync(root).uid, 0);
  });

  test('another directory of root`s that takes its place is not given away', (t) => {
    const { deep } = place(t);
    beforeOpening(t, ['/deep'], 1, () => {
      fs.rmdirSync(deep);
      mkdirSync(deep);
      writeFileSync(join(deep, 'precious'), '');
    });
    files.prepareDirectory(join(deep, 'a.pid'), { user: 'nobody', uid: NOBODY, gid: NOBODY });
    assert.equal(statSync(deep).uid, 0);
  });
});
