import assert from 'node:assert/strict';
import { test } from 'node:test';
import { millis } from '../../src/core/units.ts';
import { openHost } from '../../src/host/node-host.ts';
import { readStat } from '../../src/host/proc.ts';
import { asNobody, begin, inNode, linesOf, pidOf, puppet, unlessNobodyCan } from '../support/adapters.ts';
import { until } from '../support/e2e-command.ts';

const { processes, clock } = openHost();
const SENT = { ok: true, value: 'sent' };
const GONE = { ok: true, value: 'already-gone' };

for (const name of ['SIGTERM', 'SIGKILL'] as const) {
  test(`${name} goes to the process that was meant`, async (t) => {
    const child = await puppet(t);
    const ended = new Promise((over) => child.once('exit', (_, signal) => over(signal)));
    const id = { pid: child.pid, startTicks: readStat(child.pid)?.startTicks ?? 0 };
    assert.deepEqual(processes.signal(id, name), SENT);
    assert.equal(await ended, name);
    assert.deepEqual(processes.signal(id, name), GONE);
  });

  test(`${name} does not go to another process with the same pid`, async (t) => {
    const child = await puppet(t);
    const startTicks = (readStat(child.pid)?.startTicks ?? 0) - 1;
    assert.deepEqual(processes.signal({ pid: child.pid, startTicks }, name), GONE);
    // It still does what it was made for.
    child.stdin?.end('\n');
    assert.deepEqual(await new Promise((over) => child.once('exit', (code, signal) => over([code, signal]))), [
      0,
      null,
    ]);
  });
}

test('a zombie has gone already', async (t) => {
  const parent = await begin(t, ['/bin/sh', '-c', 'sleep 0.1 & echo $!; exec cat']);
  const pid = pidOf(Number((await linesOf(parent).next()).value));
  const startTicks = await until(() => {
    const stat = readStat(pid);
    assert.equal(stat?.state, 'Z');
    return stat.startTicks;
  });
  assert.deepEqual(processes.signal({ pid, startTicks }, 'SIGTERM'), GONE);
});

test('another user`s process may not be signalled', { skip: unlessNobodyCan }, async (t) => {
  const child = await puppet(t);
  const id = { pid: child.pid, startTicks: readStat(child.pid)?.startTicks };
  const script = "say((await load('host/node-host')).openHost().processes.signal(given, 'SIGTERM'));";
  assert.deepEqual(inNode(script, { given: id, under: asNobody }), { ok: false, error: { kind: 'not-permitted', id } });
  assert.equal(processes.inspect(child.pid)?.id.startTicks, id.startTicks);
});

test('it knows who it is', () => {
  assert.equal(processes.self.uid, process.geteuid?.());
  assert.deepEqual(
    [process.pid, process.ppid].map((pid) => processes.self.pids.has(pid)),
    [true, true],
  );
});

test('its clock goes forward, and sleeps no shorter than it is told', async () => {
  const before = clock.now();
  await clock.sleep(millis(30));
  assert(clock.now() - before >= 29);
});
