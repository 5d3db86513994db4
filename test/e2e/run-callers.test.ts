import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onStage } from '../support/e2e.ts';
import { until } from '../support/e2e-command.ts';
import { assertCivil } from '../support/e2e-ordeal.ts';
import { isAlive } from '../support/e2e-processes.ts';
import { beginRun, ended, hearing, hears, resident, workersOf } from '../support/e2e-run.ts';

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
  'orders that come while a run boots are carried out one after another when it has',
  onStage({ config: QUICK, switches: { sleep_bind: 3 } }, async (stage) => {
    const run = beginRun(stage);
    await run.said('start worker');
    stage.behave({});
    const callers = [stage.run('start'), stage.run('start'), stage.run('reload')];
    for (const outcome of await Promise.all(callers)) assert.equal(outcome.code, 0, stage.tell(outcome));
    await stage.assertServing(0, 1);
    const stop = await stage.run('stop');
    assert.equal(stop.code, 0, stage.tell(stop));
    assert.equal((await ended(run)).code, 0);
    stage.assertNobody();
  }),
);

test(
  'commands that begin just when a run does lose to it or win, but all succeed',
  onStage({ config: QUICK }, async (stage) => {
    for (let round = 0; round < 3; round += 1) {
      const run = beginRun(stage);
      const outcomes = await Promise.all([stage.run('start'), stage.run('start')]);
      for (const outcome of outcomes) assert.equal(outcome.code, 0, stage.tell(outcome));
      await run.said('all workers are running');
      await stage.assertServing(0, 1);
      const end = await ended(run);
      assert.equal(end.code, 0, stage.tell(end));
      stage.assertNobody();
    }
  }),
);

test(
  'a stop that comes while a run ends succeeds with it',
  onStage({ switches: { stop_timeout: 3 }, config: { supervisor_sigterm_timeout: 30 } }, async (stage) => {
    const run = await resident(stage);
    run.kill('SIGTERM');
    await run.said('stopping worker');
    const stop = await stage.run('stop');
    assert.match(stage.tell(stop), /\[T\] all workers are stopped\nexit 0$/);
    assert.equal((await run.outcome).code, 0);
    stage.assertNobody();
  }),
);

test(
  'a start that comes while a run ends starts them when it has',
  onStage({ switches: { stop_timeout: 3 }, config: { supervisor_sigterm_timeout: 30 } }, async (stage) => {
    const run = await resident(stage);
    run.kill('SIGTERM');
    await run.said('stopping worker');
    const start = await stage.run('start');
    assert.match(stage.tell(start), /\[T\] all workers are running\nexit 0$/);
    assert.equal((await run.outcome).code, 0);
    await stage.assertServing(0, 1);
  }),
);

test(
  'a run that comes while a command is at work waits for it, and then takes over',
  onStage({ switches: { sleep_bind: 3 } }, async (stage) => {
    const start = stage.begin('start');
    await start.said('start worker');
    const run = beginRun(stage);
    await run.said('waiting for another command on this application (start, pid');
    assert.equal((await start.outcome).code, 0);
    await run.said('all workers are running');
    assert.match(run.stderr, /another worker already started on/);
    assert.equal((await ended(run)).code, 0);
    stage.assertNobody();
  }),
);

test(
  'ten commands at once beside a run: each ends in order, no worker is doubled, and the next start puts all right',
  onStage({ workers: 2, config: QUICK }, async (stage) => {
    const run = await resident(stage);
    const words = [
      'start',
      'stop',
      'restart',
      'reload',
      'status',
      'start',
      'try-restart',
      'force-reload',
      'stop',
      'start --no-wait',
    ];
    const callers = words.map((word) => ({ word, caller: stage.run(word) }));
    for (const { word, caller } of callers) {
      const outcome = await caller;
      assertCivil({ ...outcome, code: outcome.code === 7 ? 0 : outcome.code });
      if (word === 'stop' || word === 'start') assert.equal(outcome.code, 0, stage.tell(outcome));
    }
    for (const index of [0, 1]) assert(stage.workersOn(index).length <= 1);
    assert(!run.isOver);
    assert.equal((await stage.run('start')).code, 0);
    await until(() => stage.assertServing(0, 1));
    assert.equal((await ended(run)).code, 0);
    stage.assertNobody();
  }),
);
