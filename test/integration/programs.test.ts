import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ProgramSight } from '../../src/host/host.ts';
import { inNode, scratch } from '../support/adapters.ts';

const SCRIPT = "const { files } = await load('host/files'); say(given.map((word) => files.program(word)));";

/** A directory with `bin` on PATH and `work` to stand in, where everything lies that the tests look up. */
function stage(directory: string): (words: readonly string[], path?: string) => unknown {
  const put = (name: string, text: string, mode = 0o755): void => writeFileSync(join(directory, name), text, { mode });
  mkdirSync(join(directory, 'bin'));
  mkdirSync(join(directory, 'work/sub'), { recursive: true });
  put('bin/both', '#!/bin/sh\n');
  put('work/both', '#!/bin/sh\n');
  put('work/here', '#!/bin/sh\n');
  put('bin/closed', '#!/bin/sh\n', 0o644);
  put('work/closed', '#!/bin/sh\n', 0o644);
  put('work/sub/inner', '#!/bin/sh\n');
  put('work/plain', 'print()\n', 0o644);
  put('work/gone', '#!/no/such/python\n');
  put('work/gone-blank', '#! \t/no/such/python -u\n');
  put('work/closed-interpreter', `#!${directory}/bin/closed\n`);
  put('work/crlf', '#!/bin/sh\r\n');
  put('work/env-gone', '#!/usr/bin/env no-such-python\n');
  put('work/env-there', '#!/usr/bin/env both\n');
  put('work/env-path', '#!/usr/bin/env ./here\n');
  put('work/env-option', '#!/usr/bin/env -S no-such-python -u\n');
  put('work/no-line', 'print()\n');
  put('work/empty', '');
  put('work/binary', '\x7fELF\0\0');
  symlinkSync('here', join(directory, 'work/link'));
  symlinkSync('nowhere', join(directory, 'work/dangling'));
  return (words, path = `${directory}/bin:/usr/bin:/bin`) =>
    inNode(SCRIPT, { cwd: join(directory, 'work'), given: words, env: { PATH: path } });
}

const runnable = (path: string): ProgramSight => ({ kind: 'runnable', path });
const missing: ProgramSight = { kind: 'missing' };
const wants = (path: string, what: string): ProgramSight => ({
  kind: 'needs-interpreter',
  path,
  why: `wants ${what}, which is not installed`,
});
const closed = (path: string): ProgramSight => ({ kind: 'needs-interpreter', path, why: 'is not executable' });

const WORDS: readonly (readonly [word: string, sight: ProgramSight])[] = [
  ['both', runnable('both')], // the one on PATH
  ['here', runnable('./here')],
  ['closed', closed('./closed')],
  ['sh', runnable('sh')],
  ['no-such-word', missing],
  ['', missing],
  ['sub', missing],
  ['./here', runnable('./here')],
  ['sub/inner', runnable('sub/inner')],
  ['../work/here', runnable('../work/here')],
  ['./link', runnable('./link')],
  ['./dangling', missing],
  ['./sub', missing],
  ['./here/below', missing],
  ['./no-such-file', missing],
  ['./plain', closed('./plain')],
  ['./gone', wants('./gone', '/no/such/python')],
  ['./gone-blank', wants('./gone-blank', '/no/such/python')],
  ['./env-gone', wants('./env-gone', 'no-such-python')],
  ['./env-there', runnable('./env-there')],
  ['./env-path', runnable('./env-path')],
  ['./env-option', runnable('./env-option')],
  ['./no-line', runnable('./no-line')],
  ['./empty', runnable('./empty')],
  ['./binary', runnable('./binary')],
];

test('programs are looked up as a launch will find them', (t) => {
  const look = stage(scratch(t));
  assert.deepEqual(
    look(WORDS.map(([word]) => word)),
    WORDS.map(([, sight]) => sight),
  );
});

test('an interpreter that may not be executed counts as not installed', (t) => {
  const directory = scratch(t);
  const look = stage(directory);
  assert.deepEqual(look(['./closed-interpreter']), [wants('./closed-interpreter', `${directory}/bin/closed`)]);
});

test('relative places on PATH are not searched, and the working directory comes last', (t) => {
  const look = stage(scratch(t));
  assert.deepEqual(look(['here', 'inner', 'sh'], '.:sub:'), [runnable('./here'), missing, missing]);
});

test('without PATH the system`s own directories are searched', () => {
  assert.deepEqual(inNode(SCRIPT, { given: ['sh'], env: {} }), [runnable('sh')]);
});
