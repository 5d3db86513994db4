import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MARKER, readProcess, readStat } from '../../src/host/proc.ts';
import { asNobody, inNode, pidOf, puppet, scratch, unlessNobodyCan } from '../support/adapters.ts';

const SHELL = ['/bin/sh', '-c', 'read line', 'sh'];

test('a process in full', async (t) => {
  const child = await puppet(t, {
    args: ['--port=8000', '--config=/etc/app.cfg'],
    env: { A: '1', [MARKER]: '/etc/app.cfg:8000' },
  });
  const session = readStat(process.pid)?.session;
  assert.deepEqual(readProcess(child.pid), {
    id: { pid: child.pid, startTicks: readStat(child.pid)?.startTicks },
    parent: process.pid,
    session,
    argv: [...SHELL, '--port=8000', '--config=/etc/app.cfg'],
    marker: '/etc/app.cfg:8000',
    uids: [process.getuid?.(), process.geteuid?.()],
    cwd: undefined,
  });
});

const ARGUMENTS: readonly (readonly [what: string, args: readonly string[]])[] = [
  ['none', []],
  ['empty ones', ['', 'a', '', '']],
  ['only an empty one', ['']],
  ['other languages, blanks and newlines', ['за мок', 'a\nb', '鍵\t🔑', ' ']],
  ['more than a block of 64 KiB', ['x'.repeat(100_000), 'y'.repeat(100_000), '--port=8000', '']],
];
for (const [what, args] of ARGUMENTS) {
  test(`arguments: ${what}`, async (t) => {
    const child = await puppet(t, { args });
    assert.deepEqual(readProcess(child.pid)?.argv, [...SHELL, ...args]);
  });
}

const ENVIRONMENTS: readonly (readonly [
  what: string,
  env: Readonly<Record<string, string>>,
  marker: string | undefined,
])[] = [
  ['first', { [MARKER]: '/a.cfg:8000', B: '2' }, '/a.cfg:8000'],
  ['last', { B: '2', [MARKER]: '/a.cfg:8000' }, '/a.cfg:8000'],
  ['empty', { [MARKER]: '' }, ''],
  ['with an equals sign and a colon', { [MARKER]: '/a=b:c.cfg:8000' }, '/a=b:c.cfg:8000'],
  ['with other languages', { [MARKER]: '/замок/🔑.cfg:8000' }, '/замок/🔑.cfg:8000'],
  ['absent', { B: '2' }, undefined],
  ['no variables at all', {}, undefined],
  ['as the end of another name', { [`MY_${MARKER}`]: '/a.cfg:8000' }, undefined],
  ['as the beginning of another name', { [`${MARKER}S`]: '/a.cfg:8000' }, undefined],
  ['within another value', { LAST: `run ${MARKER}=/a.cfg:8000` }, undefined],
  ['as another value', { LAST: `${MARKER}=/a.cfg:8000` }, undefined],
  ['behind its own likeness', { LAST: `${MARKER}=/b.cfg:1`, [MARKER]: '/a.cfg:8000' }, '/a.cfg:8000'],
  [
    'behind more than a block of 64 KiB',
    { ONE: 'x'.repeat(100_000), TWO: 'y'.repeat(50_000), [MARKER]: '/a.cfg:8000' },
    '/a.cfg:8000',
  ],
  ['longer than any', { [MARKER]: 'x'.repeat(100_000) }, 'x'.repeat(8192)],
];
for (const [what, env, marker] of ENVIRONMENTS) {
  test(`marker: ${what}`, async (t) => {
    const child = await puppet(t, { env });
    assert.equal(readProcess(child.pid)?.marker, marker);
  });
}

test('marker: across the end of a block', async (t) => {
  for (let before = 65_480; before <= 65_540; before += 5) {
    const child = await puppet(t, { env: { A: 'x'.repeat(before), [MARKER]: '/a.cfg:8000', B: '2' } });
    assert.equal(readProcess(child.pid)?.marker, '/a.cfg:8000', `behind ${before} bytes`);
  }
});

test('the working directory is read where a relative configuration makes it matter', async (t) => {
  const cwd = scratch(t);
  const seen = await Promise.all(
    [['--config=app.cfg'], ['--config='], ['--config=/etc/app.cfg'], ['app.cfg']].map(async (args) => {
      const child = await puppet(t, { args, cwd });
      return readProcess(child.pid)?.cwd;
    }),
  );
  assert.deepEqual(seen, [cwd, cwd, undefined, undefined]);
});

test('of another user`s process, command line and owner can be seen', { skip: unlessNobodyCan }, async (t) => {
  const child = await puppet(t, { args: ['--config=app.cfg'], env: { [MARKER]: '/a.cfg:8000' } });
  const seen = inNode("say((await load('host/proc')).readProcess(given));", { given: child.pid, under: asNobody });
  const { id, parent, session } = readProcess(pidOf(child.pid)) ?? {};
  assert.deepEqual(seen, { id, parent, session, argv: [...SHELL, '--config=app.cfg'], uids: [0, 0] });
});
