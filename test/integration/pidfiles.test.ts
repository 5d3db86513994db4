import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PidfileSight } from '../../src/core/worker.ts';
import { files } from '../../src/host/files.ts';
import { readStat } from '../../src/host/proc.ts';
import { asNobody, inNode, NOBODY, pidOf, puppet, scratch, unlessNobodyCan, unlessRoot } from '../support/adapters.ts';

const NO_PID: PidfileSight = { kind: 'garbled' };
const LARGE: PidfileSight = { kind: 'unusable', why: 'too large' };

const TEXTS: readonly (readonly [text: string, sight: PidfileSight | number])[] = [
  ['123', 123],
  ['123\n', 123],
  ['  123 \r\n\n', 123],
  ['00123', 123],
  ['2', 2],
  ['4194304', 4_194_304],
  [`${' '.repeat(60)}1234`, 1234],
  ['', { kind: 'garbled' }],
  [' \n\t\n', { kind: 'garbled' }],
  ['0', NO_PID],
  ['1', NO_PID],
  ['-1', NO_PID],
  ['-123', NO_PID],
  ['+5', NO_PID],
  ['0x10', NO_PID],
  ['1e3', NO_PID],
  ['12.0', NO_PID],
  ['4194305', NO_PID],
  ['5000000000', NO_PID],
  ['123456789012345678901234567890', NO_PID],
  ['123 456', NO_PID],
  ['123\n456\n', NO_PID],
  ['pid', NO_PID],
  ['\u0661\u0662\u0663', NO_PID],
  ['123\0', NO_PID],
  ['\0'.repeat(64), NO_PID],
  [`${' '.repeat(61)}1234`, LARGE],
  ['1'.repeat(100_000), LARGE],
];
for (const [text, sight] of TEXTS) {
  const shown = JSON.stringify(text.length > 40 ? `${text.slice(0, 3)}…${text.length}` : text);
  test(`a pidfile holding ${shown}`, (t) => {
    const path = join(scratch(t), 'a.pid');
    writeFileSync(path, text);
    const seen = files.readPidfile(path);
    if (typeof sight === 'number')
      assert.deepEqual(seen, {
        kind: 'names',
        pid: sight,
        writtenTicks: seen.kind === 'names' && seen.writtenTicks,
        writer: process.getuid?.(),
      });
    else assert.deepEqual(seen, sight);
  });
}

function linkTo(target: string, path: string): void {
  writeFileSync(target, 'precious');
  symlinkSync(target, path);
}

const KINDS: readonly (readonly [what: string, make: (path: string) => unknown, sight: PidfileSight])[] = [
  ['nothing', () => undefined, { kind: 'none' }],
  ['nothing in a missing directory', (path) => rmSync(join(path, '..'), { recursive: true }), { kind: 'none' }],
  ['a symbolic link', (path) => linkTo(`${path}.real`, path), { kind: 'unusable', why: 'ELOOP' }],
  ['a dangling symbolic link', (path) => symlinkSync(`${path}.real`, path), { kind: 'unusable', why: 'ELOOP' }],
  [
    'a hard link, whose other name may be anybody`s',
    (path) => {
      writeFileSync(`${path}.real`, '123');
      linkSync(`${path}.real`, path);
    },
    { kind: 'unusable', why: 'a hard link' },
  ],
  ['a directory', (path) => mkdirSync(path), { kind: 'unusable', why: 'no regular file' }],
  [
    'a fifo, which does not hold us up',
    (path) => spawnSync('mkfifo', [path]),
    { kind: 'unusable', why: 'no regular file' },
  ],
];
for (const [what, make, sight] of KINDS) {
  test(`at a pidfile's path: ${what}`, (t) => {
    const path = join(scratch(t), 'a.pid');
    make(path);
    // In a process that can be ended: whoever opens a fifo wrongly does not come back.
    const script = "say((await load('host/files')).files.readPidfile(given));";
    assert.deepEqual(inNode(script, { given: path }), sight);
  });
}

test('at a pidfile`s path: a socket', async (t) => {
  const path = join(scratch(t), 'a.pid');
  const server = createServer();
  await new Promise<void>((ready) => server.listen(path, ready));
  t.after(() => server.close());
  assert.deepEqual(files.readPidfile(path), { kind: 'unusable', why: 'ENXIO' });
});

test('at a pidfile`s path: devices', () => {
  for (const path of ['/dev/null', '/dev/zero']) {
    assert.deepEqual(files.readPidfile(path), { kind: 'unusable', why: 'no regular file' });
  }
});

test('below a file there is no pidfile', (t) => {
  const path = join(scratch(t), 'file');
  writeFileSync(path, '123');
  assert.deepEqual(files.readPidfile(`${path}/a.pid`), { kind: 'none' });
});

test('a pidfile that may not be read', { skip: unlessNobodyCan }, (t) => {
  const directory = scratch(t);
  writeFileSync(join(directory, 'a.pid'), '123');
  chmodSync(join(directory, 'a.pid'), 0o600);
  mkdirSync(join(directory, 'closed'), { mode: 0o700 });
  const given = [join(directory, 'a.pid'), join(directory, 'closed/a.pid')];
  const script = "const { files } = await load('host/files'); say(given.map((path) => files.readPidfile(path)));";
  const sight = { kind: 'unusable', why: 'EACCES' };
  assert.deepEqual(inNode(script, { given, under: asNobody }), [sight, sight]);
});

test('a pidfile is dated in the unit of start times', async (t) => {
  const path = join(scratch(t), 'a.pid');
  const before = await puppet(t);
  writeFileSync(path, '123');
  const ticks = (): number => {
    const seen = files.readPidfile(path);
    return seen.kind === 'names' ? seen.writtenTicks : Number.NaN;
  };
  const written = ticks();
  const started = readStat(before.pid)?.startTicks ?? 0;
  // The kernel dates files by its coarse clock, up to a tick late, and the moment of boot is known to a hundredth of a second.
  const COARSE = 3;
  assert(written >= started - COARSE && written < started + 30_000, `${started} ${written}`);
  const minuteAgo = Date.now() / 1000 - 60;
  utimesSync(path, minuteAgo, minuteAgo);
  assert(ticks() < started - 5500 && ticks() > started - 6500, `${started} ${ticks()}`);
});

test('a pidfile is removed only if it is what was seen', (t) => {
  const path = join(scratch(t), 'a.pid');
  const texts = { empty: '', one: '123', same: ' 123\n', other: '124', garbled: 'x' };
  const results: string[] = [];
  for (const [before, seenText] of Object.entries(texts)) {
    for (const [after, text] of Object.entries(texts)) {
      writeFileSync(path, seenText);
      const seen = files.readPidfile(path);
      writeFileSync(path, text);
      assert.equal(files.removePidfile(path, seen), undefined);
      if (!existsSync(path)) results.push(`${before}→${after}`);
      rmSync(path, { force: true });
    }
  }
  assert.deepEqual(
    results.filter((result) => !result.includes('garbled')),
    ['empty→empty', 'one→one', 'one→same', 'same→one', 'same→same', 'other→other'],
  );
});

test('a link that took the place of a pidfile is not followed and not removed', (t) => {
  const directory = scratch(t);
  const path = join(directory, 'a.pid');
  writeFileSync(path, '123');
  const seen = files.readPidfile(path);
  rmSync(path);
  writeFileSync(join(directory, 'precious'), '123');
  symlinkSync('precious', path);
  assert.equal(files.removePidfile(path, seen), undefined);
  assert.deepEqual(
    [lstatSync(path).isSymbolicLink(), readFileSync(join(directory, 'precious'), 'utf8')],
    [true, '123'],
  );
});

test('removing what has gone is done', (t) => {
  const path = join(scratch(t), 'a.pid');
  writeFileSync(path, '123');
  const seen = files.readPidfile(path);
  rmSync(path);
  assert.equal(files.removePidfile(path, seen), undefined);
});

test('a pidfile that cannot be removed is told of', { skip: unlessNobodyCan }, (t) => {
  const path = join(scratch(t), 'a.pid');
  writeFileSync(path, '123');
  const script =
    "const { files } = await load('host/files'); say(files.removePidfile(given, files.readPidfile(given)));";
  assert.deepEqual(inNode(script, { given: path, under: asNobody }), { path, code: 'EACCES' });
  assert.equal(readFileSync(path, 'utf8'), '123');
});

test('a pidfile is made with the pid and a newline', (t) => {
  const path = join(scratch(t), 'a.pid');
  assert.equal(files.createPidfile(path, pidOf(4321), undefined), undefined);
  const { mode, uid } = statSync(path);
  assert.deepEqual([readFileSync(path, 'utf8'), mode & 0o777 & ~0o022, uid], ['4321\n', 0o644, process.geteuid?.()]);
});

test('a pidfile is given to the workers` user', { skip: unlessRoot }, (t) => {
  const path = join(scratch(t), 'a.pid');
  assert.equal(files.createPidfile(path, pidOf(4321), { user: 'nobody', uid: NOBODY, gid: NOBODY }), undefined);
  const { uid, gid } = statSync(path);
  assert.deepEqual([uid, gid], [NOBODY, NOBODY]);
});

test('a pidfile is never made through a name that is there', (t) => {
  const directory = scratch(t);
  const path = join(directory, 'a.pid');
  const precious = join(directory, 'precious');
  const make: readonly (() => unknown)[] = [
    () => writeFileSync(path, 'precious'),
    () => linkTo(precious, path),
    () => symlinkSync(`${precious}.new`, path),
    () => mkdirSync(path),
    () => spawnSync('mkfifo', [path]),
  ];
  for (const put of make) {
    put();
    assert.equal(files.createPidfile(path, pidOf(4321), undefined), undefined);
    if (lstatSync(path).isFile()) assert.equal(readFileSync(path, 'utf8'), 'precious');
    if (existsSync(precious)) assert.equal(readFileSync(precious, 'utf8'), 'precious');
    assert.equal(existsSync(`${precious}.new`), false);
    rmSync(path, { recursive: true });
  }
});

test('why a pidfile cannot be made', (t) => {
  const path = join(scratch(t), 'missing/a.pid');
  assert.deepEqual(files.createPidfile(path, pidOf(4321), undefined), { path, code: 'ENOENT' });
});
