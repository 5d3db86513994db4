import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { WorkerSpec } from '../../src/core/worker.ts';
import { openWords } from '../../src/host/words.ts';
import { asNobody, NOBODY, scratch, unlessNobodyCan, unlessRoot } from '../support/adapters.ts';
import { factsOf, launchIn, spec } from '../support/adapters-launch.ts';

/** A worker that says something and ends. */
const saying = (words: string, changes: Partial<WorkerSpec> = {}): WorkerSpec =>
  spec({ argv: ['printf', words], ...changes });

test('a log file is appended to, and only what is new is read back', async (t) => {
  const logfile = join(scratch(t), 'app.log');
  writeFileSync(logfile, 'before\n');
  const launched = await launchIn(t, saying('one\\n\\ntwo\\n', { logfile }));
  assert.deepEqual((await launched.end()).words, ['one', 'two']);
  assert.equal(readFileSync(logfile, 'utf8'), 'before\none\n\ntwo\n');
  assert.deepEqual(await launched.release(), { words: [] });
});

test('a log file is made if there is none; both outputs go to its end', async (t) => {
  const logfile = join(scratch(t), 'app.log');
  const launched = await launchIn(t, spec({ argv: ['sleep', '1000'], logfile }), {
    under: ['/bin/sh', '-c', 'umask 022 && exec "$@"', 'sh'],
  });
  const { descriptors, pid } = await factsOf(launched);
  assert.deepEqual(descriptors, { 0: '/dev/null', 1: logfile, 2: logfile });
  const O_APPEND = 0o2000;
  const flags = [1, 2].map((fd) => /^flags:\s+([0-7]+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1]);
  assert.deepEqual(
    flags.map((octal) => Number.parseInt(octal ?? '', 8) & O_APPEND),
    [O_APPEND, O_APPEND],
  );
  assert.equal(statSync(logfile).mode & 0o777, 0o644);
});

test('a new log file is the workers` user`s, an old one stays its owner`s', { skip: unlessRoot }, async (t) => {
  const account = { user: 'nobody', uid: NOBODY, gid: NOBODY };
  const directory = scratch(t);
  writeFileSync(join(directory, 'old.log'), '');
  const owners: number[] = [];
  for (const name of ['old.log', 'new.log']) {
    const launched = await launchIn(t, saying('one\\n', { logfile: join(directory, name), account }));
    assert.deepEqual((await launched.end()).words, ['one']);
    owners.push(statSync(join(directory, name)).uid);
  }
  assert.deepEqual(owners, [0, NOBODY]);
});

const REFUSED: readonly (readonly [what: string, make: (path: string) => unknown, trouble: string])[] = [
  ['a symbolic link', (path) => symlinkSync(`${path}.other`, path), 'is a symbolic link'],
  ['a dangling symbolic link', (path) => symlinkSync(`${path}.new`, path), 'is a symbolic link'],
  ['a hard link', (path) => linkSync(`${path}.other`, path), 'has more than one name (a hard link)'],
  ['a fifo', (path) => spawnSync('mkfifo', [path]), 'is no regular file'],
  ['a directory', (path) => mkdirSync(path), 'is a directory'],
];
for (const [what, make, trouble] of REFUSED) {
  test(`a log file that is ${what} is not used, and the worker is started`, async (t) => {
    const directory = scratch(t);
    const logfile = join(directory, 'app.log');
    writeFileSync(`${logfile}.other`, 'precious\n');
    make(logfile);
    const before = readdirSync(directory);
    const launched = await launchIn(t, spec({ logfile, firstWords: 'kept' }));
    const { descriptors, pid } = await factsOf(launched);
    assert.deepEqual(launched.answer, { ok: true, pid, ended: {}, logTrouble: trouble });
    assert.deepEqual(descriptors, { 0: '/dev/null', 1: '/dev/null', 2: '/dev/null' });
    assert.deepEqual([readdirSync(directory), readFileSync(`${logfile}.other`, 'utf8')], [before, 'precious\n']);
  });
}

test('a fifo that somebody reads is no log file either', async (t) => {
  const logfile = join(scratch(t), 'app.log');
  spawnSync('mkfifo', [logfile]);
  const fd = openSync(logfile, 'r+');
  t.after(() => closeSync(fd));
  const { answer } = await launchIn(t, spec({ logfile }));
  assert.equal(answer.ok && answer.logTrouble, 'is no regular file');
});

test('a log file in a missing directory, or behind a file', async (t) => {
  const directory = scratch(t);
  writeFileSync(join(directory, 'file'), '');
  const troubles: unknown[] = [];
  for (const name of ['missing/app.log', 'file/app.log']) {
    const { answer } = await launchIn(t, saying('x', { logfile: join(directory, name) }));
    troubles.push(answer.ok && answer.logTrouble);
  }
  assert.deepEqual(troubles, ['cannot be opened: ENOENT', 'cannot be opened: ENOTDIR']);
});

test('a log file that may not be written', { skip: unlessNobodyCan }, async (t) => {
  const directory = scratch(t);
  const logfile = join(directory, 'app.log');
  writeFileSync(logfile, '');
  const { answer } = await launchIn(t, saying('x', { logfile }), { under: asNobody });
  assert.equal(answer.ok && answer.logTrouble, 'cannot be written: no permission');
});

test('without a log file first words are kept in a file without a name, which nobody else can read', async (t) => {
  const directory = scratch(t);
  chmodSync(directory, 0o777);
  const launched = await launchIn(t, spec({ firstWords: 'kept' }), { env: { ...process.env, TMPDIR: directory } });
  const { descriptors, pid } = await factsOf(launched);
  assert.deepEqual([descriptors[1]?.startsWith(`${directory}/`), descriptors[1]?.endsWith(' (deleted)')], [true, true]);
  const { mode, nlink } = statSync(`/proc/${pid}/fd/1`);
  assert.deepEqual([mode & 0o777, nlink, readdirSync(directory)], [0o600, 0, []]);
});

test('first words are read back; without a place for them there are none', async (t) => {
  const words = async (changes: Partial<WorkerSpec>, tmpdir?: string): Promise<readonly string[]> => {
    const env = tmpdir === undefined ? process.env : { ...process.env, TMPDIR: tmpdir };
    return (await (await launchIn(t, saying('ImportError: app\\nbye', changes), { env })).end()).words;
  };
  assert.deepEqual(await words({ firstWords: 'kept' }), ['ImportError: app', 'bye']);
  assert.deepEqual(await words({ firstWords: 'dropped' }), []);
  assert.deepEqual(await words({ firstWords: 'kept' }, '/no/such/directory'), []);
});

test('of much output the end is shown, in whole lines', (t) => {
  const logfile = join(scratch(t), 'app.log');
  const numbered = (count: number, width: number) =>
    Array.from({ length: count }, (_, line) => String(line).padStart(width, '0'));
  const shown = (lines: readonly string[]): string[] => {
    writeFileSync(logfile, 'before\n');
    const words = openWords(spec({ logfile }));
    writeFileSync(words.fd, `${lines.join('\n')}\n`);
    const read = words.read();
    words.release();
    return read;
  };
  assert.deepEqual(shown(numbered(60, 3)), numbered(60, 3));
  assert.deepEqual(shown(numbered(61, 3)), ['...', ...numbered(61, 3).slice(1)]);
  assert.deepEqual(shown(numbered(100_000, 6)), ['...', ...numbered(100_000, 6).slice(-60)]);
  assert.deepEqual(shown(numbered(50, 999)), ['...', ...numbered(50, 999).slice(-16)]);
});

test('a log file that was emptied meanwhile has no last words', (t) => {
  const logfile = join(scratch(t), 'app.log');
  writeFileSync(logfile, 'before\n');
  const words = openWords(spec({ logfile }));
  t.after(() => words.release());
  writeFileSync(logfile, '');
  assert.deepEqual(words.read(), []);
  assert.equal(lstatSync(logfile).size, 0);
});
