import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Level } from '../../src/core/event.ts';
import { openConsole, type Terminal } from '../../src/report/console.ts';
import { trials } from '../support/fuzz.ts';

const NOON = new Date(2016, 1, 3, 12, 5, 39);

/** What one message becomes at a place of the given kind. */
function said(level: Level, message: string, place: Partial<Terminal> = {}): string {
  let text = '';
  const write = (more: string): void => {
    text += more;
  };
  openConsole({ isTTY: false, env: {}, now: () => NOON, ...place, write })(level, message);
  return text;
}

const TTY = { isTTY: true, env: { TERM: 'xterm' } };
const LEVELS: readonly Level[] = ['debug', 'info', 'warning', 'error'];

test('a line has the time and the logger that the original`s lines had', () => {
  for (const level of LEVELS) assert.equal(said(level, 'start worker 8000'), '[12:05:39 root] start worker 8000\n');
});

test('hours, minutes and seconds have two digits, and midnight is 00', () => {
  assert.equal(said('info', 'x', { now: () => new Date(2016, 0, 1, 0, 1, 2) }), '[00:01:02 root] x\n');
});

test('on a terminal the bracket has the colour of the level, the message has none', () => {
  assert.deepEqual(
    LEVELS.map((level) => said(level, 'm', TTY)),
    [
      '\x1b[34m[12:05:39 root]\x1b(B\x1b[m m\n',
      '\x1b[32m[12:05:39 root]\x1b(B\x1b[m m\n',
      '\x1b[33m[12:05:39 root]\x1b(B\x1b[m m\n',
      '\x1b[31m[12:05:39 root]\x1b(B\x1b[m m\n',
    ],
  );
});

const PLACES: readonly (readonly [what: string, place: Partial<Terminal>, coloured: 'coloured' | 'plain'])[] = [
  ['a terminal', TTY, 'coloured'],
  ['no terminal', { ...TTY, isTTY: false }, 'plain'],
  ['NO_COLOR', { isTTY: true, env: { TERM: 'xterm', NO_COLOR: '1' } }, 'plain'],
  ['an empty NO_COLOR', { isTTY: true, env: { TERM: 'xterm', NO_COLOR: '' } }, 'coloured'],
  ['a dumb terminal', { isTTY: true, env: { TERM: 'dumb' } }, 'plain'],
  ['a terminal without a name', { isTTY: true, env: {} }, 'plain'],
  ['a terminal with an empty name', { isTTY: true, env: { TERM: '' } }, 'plain'],
];
for (const [what, place, wanted] of PLACES) {
  test(`${what}: ${wanted}`, () =>
    assert.equal(said('info', 'm', place).includes('\x1b') ? 'coloured' : 'plain', wanted));
}

const MESSAGES: readonly (readonly [what: string, message: string, shown: string])[] = [
  ['percent signs stay', '100% %s %d %% %o', '100% %s %d %% %o'],
  ['a message of several lines', 'a\nb\r\nc', 'a\n[12:05:39 root] b\n[12:05:39 root] c'],
  ['one newline at the end is dropped', 'a\n', 'a'],
  ['an empty line within stays', 'a\n\nb', 'a\n[12:05:39 root] \n[12:05:39 root] b'],
  ['an empty message', '', ''],
  ['a tab stays', 'a\tb', 'a\tb'],
  ['escape sequences are shown, not obeyed', '\x1b[2J\x1b]0;title\x07', '\\x1b[2J\\x1b]0;title\\x07'],
  ['a carriage return cannot overwrite the bracket', 'a\r[12:05:39 root] fake', 'a\\x0d[12:05:39 root] fake'],
  ['backspace, delete, NUL and C1', '\b\x7f\0\x9b', '\\x08\\x7f\\x00\\x9b'],
  ['what turns the direction of text, and other ends of lines', 'a\u202eb\u2066c\u2028d', 'a\\u202eb\\u2066c\\u2028d'],
  ['other languages stay', 'за\u0301мок 鍵 🔑', 'за\u0301мок 鍵 🔑'],
];
for (const [what, message, shown] of MESSAGES) {
  test(what, () => assert.equal(said('warning', message), `[12:05:39 root] ${shown}\n`));
}

test('no message makes a line without our bracket, or sends a terminal a control character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (message) => {
      const lines = said('error', message, TTY).split('\n');
      assert.equal(lines.pop(), '');
      for (const line of lines) {
        assert.ok(line.startsWith('\x1b[31m[12:05:39 root]\x1b(B\x1b[m '));
        assert.doesNotMatch(line.slice(27), /(?!\t)\p{Cc}/u);
      }
    }),
    trials(100),
  );
});

test('a package.json in the current directory is nothing to us', () => {
  const directory = mkdtempSync(join(tmpdir(), 'console-'));
  try {
    const program = `import { openConsole } from ${JSON.stringify(join(import.meta.dirname, '../../src/report/console.ts'))};
      openConsole({ write: (text) => process.stdout.write(text), isTTY: false, env: {}, now: () => new Date(2016, 1, 3, 12, 5, 39) })('info', 'm');`;
    for (const text of [
      '{ "signale": ',
      '{ "signale": { "displayDate": true, "uppercaseLabel": true, "displayLabel": true } }',
    ]) {
      writeFileSync(join(directory, 'package.json'), text);
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
        cwd: directory,
        encoding: 'utf8',
      });
      assert.deepEqual({ stdout, stderr }, { stdout: '[12:05:39 root] m\n', stderr: '' });
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});
