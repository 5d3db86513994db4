import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onStage } from '../support/e2e.ts';
import { until } from '../support/e2e-command.ts';
import { assertCivil } from '../support/e2e-ordeal.ts';
import { beginRun, ended, resident } from '../support/e2e-run.ts';

const QUICK = { supervisor_settle: 0 };

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
