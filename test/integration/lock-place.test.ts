import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { locks } from '../../src/host/lock.ts';
import { fileNameOf } from '../../src/host/runtime-directory.ts';
import { asNobody, NOBODY, scratch, unlessNamespaces, unlessNobodyCan, unlessRoot } from '../support/adapters.ts';
import { AT_ONCE, type Contender, contender, contest, taking, WAITED } from '../support/adapters-lock.ts';
import { inPlaceOfSystems } from '../support/namespaces.ts';

const NOTE = { action: 'start', most: 60_000 };
const FILE = fileNameOf('/etc/app.cfg', 'lock');

/** What somebody with rights of his own only gets. */
async function take(t: TestContext, env: NodeJS.ProcessEnv, uid = NOBODY): Promise<unknown> {
  const under = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
  const one = await contender(t, taking('/etc/app.cfg', NOTE), under, { PATH: process.env['PATH'], ...env });
  return one.next();
}

/** A user that nobody is, and the directory under /tmp that is this user's. */
function stranger(t: TestContext): { readonly uid: number; readonly place: string } {
  const uid = randomInt(1_000_000, 2_000_000);
  const place = `/tmp/frontik-supervisor-${uid}`;
  assert.equal(existsSync(place), false);
  t.after(() => rmSync(place, { recursive: true, force: true }));
  return { uid, place };
}

const unusable = (path: string, code: string) => ({ kind: 'unusable', obstacle: { path, code } });

suite('the place of a lock', { concurrency: 4, skip: unlessNobodyCan }, () => {
  test('without a runtime directory it is a directory of the user`s own', async (t) => {
    const { uid, place } = stranger(t);
    assert.deepEqual(await take(t, {}, uid), AT_ONCE);
    const { mode, uid: owner } = statSync(place);
    assert.deepEqual([mode & 0o777, owner, statSync(join(place, FILE)).mode & 0o777], [0o700, uid, 0o600]);
    assert.match(readFileSync(join(place, FILE), 'utf8'), /^\d+ start 60000\n$/);
  });

  test('whose note cannot be written is a lock all the same, but no run`s, which others find by it', async (t) => {
    const { uid, place } = stranger(t);
    const under = ['prlimit', '--fsize=0', 'setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
    const take = (action: string): Promise<Contender> =>
      contender(t, taking('/etc/app.cfg', { action, most: 0 }), under, { PATH: process.env['PATH'] });
    assert.deepEqual(await (await take('run')).next(), unusable(join(place, FILE), 'EFBIG'));
    const first = await take('stop');
    assert.deepEqual(await first.next(), AT_ONCE);
    const second = await take('start');
    assert.deepEqual(await second.next(), { waiting: null }, 'nobody says who it is');
    first.tell('release');
    assert.deepEqual(await second.next(), WAITED);
  });

  test('is another one in another pid namespace, whose workers are others', { skip: unlessNamespaces }, async (t) => {
    const { uid } = stranger(t);
    const inside = ['unshare', '-pf', '--mount-proc', '--kill-child'];
    const under = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
    const env = { PATH: process.env['PATH'] };
    for (const around of [[], inside]) {
      const one = await contender(t, taking('/etc/app.cfg', NOTE), [...around, ...under], env);
      assert.deepEqual(await one.next(), AT_ONCE);
    }
  });

  test('a umask does not take the own rights away', async (t) => {
    const { uid, place } = stranger(t);
    const under = [
      'setpriv',
      `--reuid=${uid}`,
      `--regid=${uid}`,
      '--clear-groups',
      '/bin/sh',
      '-c',
      'umask 0777; exec "$@"',
      'sh',
    ];
    const one = await contender(t, taking('/etc/app.cfg', NOTE), under, { PATH: process.env['PATH'] });
    assert.deepEqual(await one.next(), AT_ONCE);
    assert.equal(statSync(join(place, FILE)).mode & 0o777, 0o600);
  });

  test('root sees whose run has an application, and believes no note that nobody stands behind', async (t) => {
    const { uid, place } = stranger(t);
    const seen = (): unknown => locks.foreignRuns('/etc/app.cfg').filter((run) => run.uid === uid);
    const under = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
    const taken = async (action: string): Promise<Contender> => {
      const words = taking('/etc/app.cfg', { action, most: 0 });
      const one = await contender(t, words, under, { PATH: process.env['PATH'] });
      assert.deepEqual(await one.next(), AT_ONCE);
      return one;
    };
    const start = await taken('start');
    assert.deepEqual(seen(), [], 'a command ends by itself');
    await start.kill();
    const run = await taken('run');
    assert.deepEqual(seen(), [{ pid: run.pid, uid }]);
    await run.kill();
    assert.deepEqual(seen(), [], 'it left its note behind');
    writeFileSync(join(place, FILE), `${process.pid} run 0\n`);
    assert.deepEqual(seen(), [], 'a process of ours');
    rmSync(join(place, FILE));
    symlinkSync('/etc/passwd', join(place, FILE));
    assert.deepEqual(seen(), []);
  });

  test('a relative runtime directory, or one that is not there, is not used', async (t) => {
    for (const runtime of ['run', '', '/no/such/directory']) {
      const { uid, place } = stranger(t);
      assert.deepEqual(await take(t, { XDG_RUNTIME_DIR: runtime }, uid), AT_ONCE);
      assert.equal(existsSync(join(place, FILE)), true);
    }
  });

  test('a directory that another user made is refused', async (t) => {
    const { uid, place } = stranger(t);
    mkdirSync(place, { mode: 0o777 });
    chmodSync(place, 0o777);
    chownSync(place, NOBODY, NOBODY);
    assert.deepEqual(await take(t, {}, uid), unusable(place, 'EPERM'));
    assert.equal(existsSync(join(place, FILE)), false);
  });

  test('a directory that others may write to is refused', async (t) => {
    const { uid, place } = stranger(t);
    mkdirSync(place);
    chmodSync(place, 0o770);
    chownSync(place, uid, uid);
    assert.deepEqual(await take(t, {}, uid), unusable(place, 'EPERM'));
  });

  test('a symbolic link is refused', async (t) => {
    const { uid, place } = stranger(t);
    const directory = scratch(t);
    chownSync(directory, uid, uid);
    symlinkSync(directory, place);
    assert.deepEqual(await take(t, {}, uid), unusable(place, 'EPERM'));
    assert.equal(existsSync(join(directory, FILE)), false);
  });

  const FILES: readonly (readonly [what: string, make: (path: string) => unknown, code: string])[] = [
    ['a symbolic link', (path) => symlinkSync('/etc/passwd', path), 'ELOOP'],
    ['a fifo', (path) => spawnSync('mkfifo', ['-m', '666', path]), 'EPERM'],
    ['a directory', (path) => mkdirSync(path), 'EISDIR'],
  ];
  for (const [what, make, code] of FILES) {
    test(`a lock file that is ${what} is refused`, async (t) => {
      const { uid, place } = stranger(t);
      mkdirSync(place, { mode: 0o700 });
      chownSync(place, uid, uid);
      make(join(place, FILE));
      const before = lstatSync(join(place, FILE)).ino;
      const result = (await take(t, {}, uid)) as { kind: string; obstacle: { path: string; code: string } };
      assert.deepEqual(
        [result.kind, result.obstacle.code, lstatSync(join(place, FILE)).ino],
        ['unusable', code, before],
      );
      assert(result.obstacle.path.startsWith(place));
    });
  }

  test('without flock(1) it says what is missing', async (t) => {
    const bin = scratch(t);
    writeFileSync(join(bin, 'flock'), '');
    const { uid } = stranger(t);
    const under = [...inPlaceOfSystems(bin), '/usr/bin/setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
    const one = await contender(t, taking('/etc/app.cfg', NOTE), under, { PATH: '/no/such/directory' });
    assert.deepEqual(await one.next(), unusable('flock(1) of util-linux', 'ENOENT'));
  });
});

test('what a killed holder wrote is not believed to be the next one`s', { skip: unlessNobodyCan }, async (t) => {
  const ours = contest(t);
  writeFileSync(join(ours.directory, FILE), '4194304 restart 99999999999999\n');
  chownSync(join(ours.directory, FILE), NOBODY, NOBODY);
  const one = await ours.contend(NOTE);
  assert.deepEqual(await one.next(), AT_ONCE);
  assert.equal(readFileSync(join(ours.directory, FILE), 'utf8'), `${one.pid} start 60000\n`);
});

test('root`s place is the machine`s', { skip: unlessRoot }, async (t) => {
  const name = `/no/such/application-${process.pid}.cfg`;
  const path = `/run/frontik-supervisor/${fileNameOf(name, 'lock')}`;
  t.after(() => rmSync(path, { force: true }));
  const one = await contender(t, taking(name, NOTE), [], { ...process.env, XDG_RUNTIME_DIR: scratch(t) });
  assert.deepEqual(await one.next(), AT_ONCE);
  const [file, directory] = [path, '/run/frontik-supervisor'].map((place) => {
    const { mode, uid } = statSync(place);
    return [mode & 0o777, uid];
  });
  assert.deepEqual(
    [file, directory],
    [
      [0o600, 0],
      [0o755, 0],
    ],
  );
  assert.equal(spawnSync(asNobody[0] ?? '', [...asNobody.slice(1), 'cat', path]).status, 1);
});
