import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { files } from '../../src/host/files.ts';
import { asNobody, inNode, NOBODY, scratch, unlessNobodyCan, unlessRoot } from '../support/adapters.ts';

const DONE = { ok: true, value: undefined };
const nobody = { user: 'nobody', uid: NOBODY, gid: NOBODY };

/** An expression over `files` and `given`, as nobody sees it. */
function asNobodySees(expression: string, given: unknown): unknown {
  return inNode(`const { files } = await load('host/files'); say(${expression});`, { given, under: asNobody });
}

test('missing directories are made for a file', (t) => {
  const directory = scratch(t);
  assert.deepEqual(files.checkDirectory(join(directory, 'a/b/c.pid'), undefined), DONE);
  assert.equal(existsSync(join(directory, 'a')), false);
  assert.deepEqual(files.prepareDirectory(join(directory, 'a/b/c.pid'), undefined), DONE);
  assert.deepEqual(
    [statSync(join(directory, 'a/b')).isDirectory(), existsSync(join(directory, 'a/b/c.pid'))],
    [true, false],
  );
  assert.deepEqual(files.prepareDirectory(join(directory, 'a/b/c.pid'), undefined), DONE);
});

test('made directories are the workers` user`s, those that were there stay as they are', { skip: unlessRoot }, (t) => {
  const directory = scratch(t);
  mkdirSync(join(directory, 'old'));
  assert.deepEqual(files.prepareDirectory(join(directory, 'old/new/newer/c.pid'), nobody), DONE);
  const owners = ['old', 'old/new', 'old/new/newer'].map((name) => {
    const { uid, gid, mode } = statSync(join(directory, name));
    return [uid, gid, mode & 0o022];
  });
  assert.deepEqual(owners, [
    [0, 0, 0],
    [NOBODY, NOBODY, 0],
    [NOBODY, NOBODY, 0],
  ]);
});

test('a file in the root directory', { skip: unlessRoot }, () => {
  assert.deepEqual(
    [files.checkDirectory('/c.pid', undefined), files.prepareDirectory('/c.pid', undefined)],
    [DONE, DONE],
  );
});

test('below a file no directory can be made', (t) => {
  const path = join(scratch(t), 'file');
  writeFileSync(path, '');
  for (const below of [`${path}/c.pid`, `${path}/a/c.pid`]) {
    const [check, prepare] = [files.checkDirectory(below, undefined), files.prepareDirectory(below, undefined)];
    assert.deepEqual(check, { ok: false, error: { path, code: 'ENOTDIR' } });
    assert.equal(prepare.ok ? 'made' : prepare.error.code, below === `${path}/c.pid` ? 'made' : 'ENOTDIR');
  }
});

test('without permission: what is there, what is missing, what is closed', { skip: unlessNobodyCan }, (t) => {
  const directory = scratch(t);
  mkdirSync(join(directory, 'closed'), { mode: 0o700 });
  mkdirSync(join(directory, 'own'));
  chownSync(join(directory, 'own'), NOBODY, NOBODY);
  const given = ['c.pid', 'missing/c.pid', 'closed/c.pid', 'closed/deep/c.pid', 'own/c.pid', 'own/deep/c.pid'].map(
    (name) => join(directory, name),
  );
  const refused = (path: string) => ({ ok: false, error: { path, code: 'EACCES' } });
  assert.deepEqual(asNobodySees('given.map((path) => files.checkDirectory(path))', given), [
    refused(directory),
    refused(directory),
    refused(join(directory, 'closed')),
    refused(join(directory, 'closed/deep')),
    { ok: true },
    { ok: true },
  ]);
  assert.deepEqual(asNobodySees('given.map((path) => files.prepareDirectory(path))', given), [
    { ok: true },
    refused(join(directory, 'missing')),
    { ok: true },
    refused(join(directory, 'closed/deep')),
    { ok: true },
    { ok: true },
  ]);
  assert.equal(existsSync(join(directory, 'missing')), false);
});

test('whose a directory is', (t) => {
  const directory = scratch(t);
  writeFileSync(join(directory, 'file'), '');
  symlinkSync(directory, join(directory, 'link'));
  symlinkSync('loop', join(directory, 'loop'));
  const uid = process.geteuid?.();
  assert.deepEqual(
    ['a.pid', 'link/a.pid', 'missing/a.pid', 'file/deep/a.pid', 'loop/a.pid', `${'x'.repeat(300)}/a.pid`].map((name) =>
      files.directoryOwner(join(directory, name)),
    ),
    [uid, uid, undefined, undefined, undefined, undefined],
  );
});

test('whose a directory is that may not be looked at', { skip: unlessNobodyCan }, (t) => {
  const directory = scratch(t);
  mkdirSync(join(directory, 'closed'), { mode: 0o700 });
  assert.deepEqual(asNobodySees('[files.directoryOwner(given) ?? null]', join(directory, 'closed/deep/a.pid')), [null]);
});

test('a file is read whole', (t) => {
  const path = join(scratch(t), 'app.cfg');
  writeFileSync(path, 'a = 1\n');
  symlinkSync(path, `${path}.link`);
  for (const name of [path, `${path}.link`]) {
    const found = files.read(name);
    assert.equal(found.ok && Buffer.from(found.value).toString(), 'a = 1\n');
  }
});

const UNREADABLE: readonly (readonly [what: string, make: (path: string) => unknown, code: string])[] = [
  ['missing', () => undefined, 'ENOENT'],
  ['a directory', (path) => mkdirSync(path), 'EISDIR'],
  ['a fifo, which does not hold us up', (path) => spawnSync('mkfifo', [path]), 'EFBIG'],
  ['a device without end', (path) => symlinkSync('/dev/zero', path), 'EFBIG'],
  ['a file of /proc without size and end', (path) => symlinkSync('/proc/self/pagemap', path), 'EFBIG'],
  ['too large', (path) => writeFileSync(path, ' '.repeat(5_000_000)), 'EFBIG'],
  ['a dangling link', (path) => symlinkSync('nowhere', path), 'ENOENT'],
  ['a loop of links', (path) => symlinkSync(path, path), 'ELOOP'],
];
for (const [what, make, code] of UNREADABLE) {
  test(`a file that cannot be read: ${what}`, (t) => {
    const path = join(scratch(t), 'app.cfg');
    make(path);
    // In a process that can be ended: what is opened or read wrongly does not come back.
    const script = "const { ok, error } = (await load('host/files')).files.read(given); say({ ok, error });";
    assert.deepEqual(inNode(script, { given: path }), { ok: false, error: { path, code } });
  });
}

test('a file that may not be read', { skip: unlessNobodyCan }, (t) => {
  const path = join(scratch(t), 'app.cfg');
  writeFileSync(path, '');
  chmodSync(path, 0o600);
  assert.deepEqual(asNobodySees('files.read(given)', path), { ok: false, error: { path, code: 'EACCES' } });
});

test('where a path leads', (t) => {
  const directory = scratch(t);
  writeFileSync(join(directory, 'real'), '');
  symlinkSync('real', join(directory, 'link'));
  symlinkSync('link', join(directory, 'second'));
  symlinkSync('nowhere', join(directory, 'dangling'));
  symlinkSync('loop', join(directory, 'loop'));
  assert.deepEqual(
    ['real', 'link', 'second', 'dangling', 'loop', 'missing', 'real/below'].map((name) =>
      files.target(join(directory, name)),
    ),
    ['real', 'real', 'real', 'dangling', 'loop', 'missing', 'real/below'].map((name) => join(directory, name)),
  );
});

test('the working directory, and that it has gone', (t) => {
  const cwd = scratch(t);
  assert.equal(files.cwd(), process.cwd());
  const script = `
    const { files } = await load('host/files');
    process.chdir(given);
    (await import('node:fs')).rmdirSync(given);
    say([files.cwd() ?? null]);`;
  assert.deepEqual(inNode(script, { given: cwd }), [null]);
});
