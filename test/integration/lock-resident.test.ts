import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { AT_ONCE, type Contender, type Contest, contest, WAITED } from '../support/adapters-lock.ts';
import { until } from '../support/e2e-command.ts';
import { everyone, isAlive, signal } from '../support/e2e-processes.ts';

const START = { action: 'start', most: 60_000 };
const STOP = { action: 'stop', most: 60_000 };
const RUN = { action: 'run', most: 0 };
const residentOf = ({ pid }: Contender): unknown => ({ kind: 'resident', holder: `run, pid ${pid}` });

/** One that waits for the first, and is told so. */
async function waiting(ours: Contest, note: typeof RUN, first: Contender): Promise<Contender> {
  const other = await ours.contend(note);
  assert.deepEqual(await other.next(), { waiting: `start, pid ${first.pid}` });
  return other;
}

/** The flock(1) of one that waits is held up, so that it does not come first. */
async function holdUp(t: TestContext, { pid }: Contender): Promise<() => boolean> {
  const flock = await until(() => {
    const found = everyone().find(({ parent, argv }) => parent === pid && argv[0]?.endsWith('/flock') === true);
    assert(found !== undefined);
    return found;
  });
  signal(flock, 'SIGSTOP');
  t.after(() => signal(flock, 'SIGKILL'));
  return () => isAlive(flock);
}

suite('the lock that a run has', { concurrency: 4, timeout: 120_000 }, () => {
  test('is nobody`s to wait for: who has it is known at once', async (t) => {
    const ours = contest(t);
    const run = await ours.contend(RUN);
    assert.deepEqual(await run.next(), AT_ONCE);
    // Not a word of waiting comes before it.
    for (const note of [STOP, START, RUN]) assert.deepEqual(await (await ours.contend(note)).next(), residentOf(run));
    run.tell('release');
    assert.equal(await run.next(), 'released');
    assert.deepEqual(await (await ours.contend(STOP)).next(), AT_ONCE);
  });

  test('is free when the run was killed', async (t) => {
    const ours = contest(t);
    const run = await ours.contend(RUN);
    assert.deepEqual(await run.next(), AT_ONCE);
    await run.kill();
    assert.deepEqual(await (await ours.contend(RUN)).next(), AT_ONCE);
  });

  test('is not waited for any longer by one that began to wait for somebody before it', async (t) => {
    const ours = contest(t);
    const start = await ours.contend(START);
    assert.deepEqual(await start.next(), AT_ONCE);
    const stop = await waiting(ours, STOP, start);
    const isFlockAlive = await holdUp(t, stop);
    const run = await waiting(ours, RUN, start);
    start.tell('release');
    assert.deepEqual(await run.next(), WAITED);
    const before = performance.now();
    assert.deepEqual(await stop.next(), residentOf(run));
    // It looks once a second; the rest is for a busy machine.
    assert(performance.now() - before < 10_000);
    await until(() => assert.equal(isFlockAlive(), false, 'what waited for it is gone'));
    run.tell('release');
    assert.equal(await run.next(), 'released');
    assert.deepEqual(await (await ours.contend(STOP)).next(), AT_ONCE);
  });

  test('is waited for by a run itself as long as a command has it', async (t) => {
    const ours = contest(t);
    const start = await ours.contend({ action: 'start', most: 1500 });
    assert.deepEqual(await start.next(), AT_ONCE);
    const run = await waiting(ours, RUN, start);
    assert.deepEqual(await run.next(), { kind: 'timed-out', holder: `start, pid ${start.pid}` });
  });
});
