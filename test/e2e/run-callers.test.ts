import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onStage } from '../support/e2e.ts';
import { assertCivil } from '../support/e2e-ordeal.ts';
import { isAlive } from '../support/e2e-processes.ts';
import { ended, hearing, hears, resident, workersOf } from '../support/e2e-run.ts';

const QUICK = { supervisor_settle: 0 };

test(
  'a caller that is interrupted says how things are, and the run carries out what it was asked for',
  onStage({ config: QUICK }, async (stage) => {
    const run = await resident(stage);
    const before = workersOf(stage, 0, 1);
    stage.behave({ sleep_bind: 2 });
    const heard = hearing(run);
    const caller = stage.begin('restart');
    await caller.said('start worker');
    caller.kill('SIGINT');
    const outcome = await caller.outcome;
    assert.equal(outcome.code, 130, stage.tell(outcome));
    assert.match(outcome.stderr, /workers are (running|stopped)/);
    await hears(heard, 'all workers are running');
    await stage.assertServing(0, 1);
    assert(!before.some(isAlive));
    assert.equal((await ended(run)).code, 0);
  }),
);

for (const moment of ['stopping worker', 'start worker']) {
  test(
    `a caller that is killed after "${moment}" is not missed`,
    onStage({ config: QUICK }, async (stage) => {
      const run = await resident(stage);
      const before = workersOf(stage, 0, 1);
      const heard = hearing(run);
      const caller = stage.begin('reload');
      await caller.said(moment);
      caller.kill('SIGKILL');
      await hears(heard, 'all workers are running');
      await stage.assertServing(0, 1);
      assert(!before.some(isAlive));
      // And the run hears the next one.
      assert.equal((await stage.run('start')).code, 0);
      assert.equal((await ended(run)).code, 0);
    }),
  );
}

test(
  'a run that is killed in the middle of an order: the caller says so, shows how things are, and ends with 1',
  onStage({ config: QUICK }, async (stage) => {
    const run = await resident(stage);
    stage.behave({ sleep_bind: 3 });
    const caller = stage.begin('restart');
    await caller.said('start worker');
    run.kill('SIGKILL');
    const outcome = await caller.outcome;
    assert.match(
      stage.tell(outcome),
      /\n\[T\] the run that was asked has ended meanwhile\n(?:.*\n)*?\[T\] (some workers are running!|all workers are (running|stopped))\nexit 1$/,
    );
    await run.outcome;
    const start = await stage.run('start');
    assert.equal(start.code, 0, stage.tell(start));
    await stage.assertServing(0, 1);
  }),
);

test(
  'a run that is told to end in the middle of an order: the caller fails, and all are stopped',
  onStage({ config: QUICK }, async (stage) => {
    const run = await resident(stage);
    stage.behave({ sleep_bind: 30 });
    const caller = stage.begin('restart');
    await caller.said('start worker');
    const [outcome, end] = await Promise.all([caller.outcome, ended(run)]);
    assert.equal(outcome.code, 1, stage.tell(outcome));
    assertCivil(outcome);
    assert.equal(end.code, 0, stage.tell(end));
    stage.assertNobody();
  }),
);

test(
  'a caller that is stopped in the middle of its order holds up nobody for long',
  onStage({ config: QUICK }, async (stage) => {
    const run = await resident(stage);
    const stopped = stage.begin('restart');
    await stopped.said('stopping worker');
    stopped.kill('SIGSTOP');
    const start = await stage.run('start');
    assert.equal(start.code, 0, stage.tell(start));
    await stage.assertServing(0, 1);
    stopped.kill('SIGCONT');
    const outcome = await stopped.outcome;
    assert.equal(outcome.code, 0, stage.tell(outcome));
    assert.equal((await ended(run)).code, 0);
  }),
);
