import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isAlive, ownLine, parseStat, readProc, readProcess, readStat } from '../../src/host/proc.ts';
import { begin, linesOf, pidOf, puppet, scratch } from '../support/adapters.ts';
import { until } from '../support/e2e-command.ts';

const REST = '1 7 7 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 1';
const STATS: readonly (readonly [what: string, text: string, parsed: ReturnType<typeof parseStat>])[] = [
  ['a plain name', `412 (nginx) S ${REST}\n`, { state: 'S', parent: 1, session: 7, startTicks: 987_654 }],
  ['a name with ") " in it', `412 (a) Z 9 (b) R ${REST}\n`, { state: 'R', parent: 1, session: 7, startTicks: 987_654 }],
  ['a name with a newline', `412 (a\nb c) D ${REST}\n`, { state: 'D', parent: 1, session: 7, startTicks: 987_654 }],
  ['an empty name', `412 () Z ${REST}\n`, { state: 'Z', parent: 1, session: 7, startTicks: 987_654 }],
  ['cut short', '412 (nginx) S 1 7', undefined],
  ['nothing', '', undefined],
];
for (const [what, text, parsed] of STATS) test(`stat: ${what}`, () => assert.deepEqual(parseStat(text), parsed));

for (const name of ['a) S 1 (2', 'x) Z 9 9 9', 'two\nlines) ', '(((', ')))']) {
  test(`a process named ${JSON.stringify(name)} is read`, async (t) => {
    const program = join(scratch(t), name);
    symlinkSync('/bin/sh', program);
    const child = await begin(t, [program, '-c', 'read line', 'word']);
    const seen = readStat(child.pid);
    assert.deepEqual(
      { parent: seen?.parent, session: seen?.session, alive: seen?.state !== 'Z' },
      { parent: process.pid, session: readStat(process.pid)?.session, alive: true },
    );
    assert.deepEqual(readProcess(child.pid)?.argv, [program, '-c', 'read line', 'word']);
  });
}

test('the start time stays the same while the process changes its name and its program', async (t) => {
  const child = await begin(t, ['/bin/sh', '-c', 'read line; exec /bin/sh -c "echo there; read line" other']);
  const before = readStat(child.pid);
  child.stdin?.write('\n');
  assert.equal((await linesOf(child).next()).value, 'there');
  assert.equal(readProcess(child.pid)?.argv.at(-1), 'other');
  assert.equal(readStat(child.pid)?.startTicks, before?.startTicks);
});

test('a process that was started later has no smaller start time', async (t) => {
  const one = await puppet(t);
  const other = await puppet(t);
  assert(Number(readStat(one.pid)?.startTicks) <= Number(readStat(other.pid)?.startTicks));
});

test('a zombie has ended', async (t) => {
  // What sh started is reaped by nobody once sh has become something else.
  const parent = await begin(t, ['/bin/sh', '-c', 'sleep 0.1 & echo $!; exec cat']);
  const pid = pidOf(Number((await linesOf(parent).next()).value));
  const stat = await until(() => {
    const seen = readStat(pid);
    assert.equal(seen?.state, 'Z');
    return seen;
  });
  assert.equal(readProcess(pid), undefined);
  assert.equal(isAlive({ pid, startTicks: stat.startTicks }), false);
});

test('a process that has gone is not there', async (t) => {
  const child = await puppet(t);
  const startTicks = readStat(child.pid)?.startTicks ?? 0;
  assert.equal(isAlive({ pid: child.pid, startTicks }), true);
  child.stdin?.end();
  await new Promise((gone) => child.once('exit', gone));
  assert.deepEqual(
    [
      readStat(child.pid),
      readProcess(child.pid),
      readProc(`/proc/${child.pid}/environ`),
      isAlive({ pid: child.pid, startTicks }),
    ],
    [undefined, undefined, undefined, false],
  );
});

test('the same pid with another start time is another process', async (t) => {
  const { pid } = await puppet(t);
  const startTicks = readStat(pid)?.startTicks ?? 0;
  assert.deepEqual(
    [startTicks, startTicks - 1, startTicks + 1].map((ticks) => isAlive({ pid, startTicks: ticks })),
    [true, false, false],
  );
});

test('our own line is this process and its ancestors, without init', () => {
  const line = [...ownLine()];
  assert.deepEqual(
    line.slice(0, 2),
    [process.pid, process.ppid].filter((pid) => pid > 1),
  );
  for (const [index, pid] of line.entries())
    assert.equal(readStat(pid)?.parent, line[index + 1] ?? readStat(pid)?.parent);
  assert(!line.includes(1));
});
