import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onStage } from '../support/e2e.ts';
import { until } from '../support/e2e-command.ts';
import { beginRun, ended, hearing, hears, hookFor, linesIn, resident, workersOf } from '../support/e2e-run.ts';

const QUICK = { supervisor_settle: 0 };
const RUNNING = 'all workers are running';

test(
  'ten times SIGHUP make a roll, and one more at most that is yet to begin',
  onStage({ workers: 2, config: QUICK }, async (stage) => {
    const run = await resident(stage);
    const heard = hearing(run);
    for (let times = 0; times < 10; times += 1) run.kill('SIGHUP');
    await hears(heard, 'stopping worker');
    for (let times = 0; times < 10; times += 1) run.kill('SIGHUP');
    const rolls = (): number => heard().match(/all workers are running/g)?.length ?? 0;
    await until(() => assert.equal(rolls(), 2));
    run.kill('SIGUSR2');
    await hears(heard, /running for \d+ s \(pid \d+\)\n(?:.*\n)*?.*all workers are running\n$/);
    assert.equal(heard().match(/start worker/g)?.length, 4);
    await ended(run);
  }),
);

test(
  'a signal to end in the middle of a roll ends everything',
  onStage({ workers: 2, config: { ...QUICK, supervisor_drain: 60 } }, async (stage) => {
    stage.configure({ supervisor_before_stop: hookFor(stage, 'out') });
    const run = await resident(stage);
    const heard = hearing(run);
    run.kill('SIGHUP');
    // Now it drains, and says nothing.
    await until(() => assert.deepEqual(linesIn(stage, 'hooks'), ['out P0 01']));
    const outcome = await ended(run);
    assert.equal(outcome.code, 0, stage.tell(outcome));
    assert.match(heard(), /reload has stopped: .* old/);
    stage.assertNobody();
  }),
);

test(
  'SIGHUP while the workers boot is carried out when they have',
  onStage({ workers: 2, config: QUICK, switches: { sleep_bind: 2 } }, async (stage) => {
    const run = beginRun(stage);
    await run.said('start worker');
    stage.behave({});
    run.kill('SIGHUP');
    await until(() => assert.equal(run.stderr.match(/all workers are running/g)?.length, 2));
    await stage.assertServing(0, 1);
    assert.equal((await ended(run)).code, 0);
  }),
);

test(
  'SIGUSR2 tells how all workers are, and touches nothing',
  onStage({ workers: 2 }, async (stage) => {
    const run = await resident(stage);
    const before = workersOf(stage, 0, 1);
    const heard = hearing(run);
    run.kill('SIGUSR2');
    await hears(heard, RUNNING);
    const told = heard()
      .replaceAll(/^\[\d\d:\d\d:\d\d root\] /gm, '')
      .replaceAll(/for \d+ s/g, 'for N s');
    const line = (index: number): string =>
      `worker on port ${stage.port(index)}: running for N s (pid ${before[index]?.pid})\n`;
    assert.equal(told, `${line(0)}${line(1)}${RUNNING}\n`);
    assert.deepEqual(workersOf(stage, 0, 1), before);
    assert.equal((await ended(run)).code, 0);
  }),
);

test(
  'a second signal to end does not wait for workers that take long to stop',
  onStage(
    { workers: 1, config: { supervisor_sigterm_timeout: 300 }, switches: { stop_timeout: 200 } },
    async (stage) => {
      const run = await resident(stage);
      run.kill('SIGTERM');
      await run.said('stopping worker');
      const outcome = await ended(run);
      assert.equal(outcome.code, 143, stage.tell(outcome));
      assert.equal(stage.workersOn(0).length, 1);
    },
  ),
);
