import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onStage } from '../support/e2e.ts';
import { until } from '../support/e2e-command.ts';
import { isAlive } from '../support/e2e-processes.ts';
import { pidsOf, workersOf } from '../support/e2e-run.ts';

const QUICK = { supervisor_settle: 0 };
const RUNNING = '[T] all workers are running\nexit 0';
const SOME = '[T] some workers are running!\nexit 1';
const renewed = (...indexes: readonly number[]): string =>
  indexes.map((index) => `[T] stopping worker P${index}\n[T] start worker P${index}`).join('\n');
const failed = (index: number, ...why: readonly string[]): string =>
  [`[T] worker on port P${index} failed to start`, ...why.map((text) => `[T] worker on port P${index}: ${text}`)].join(
    '\n',
  );

test(
  'new code that does not start stops the roll at the first worker; mended, the next roll brings it up first',
  onStage({ workers: 3, config: QUICK }, async (stage) => {
    await stage.started();
    const before = workersOf(stage, 0, 1, 2);
    stage.behave({ fail_start: 'no module named app' });
    await stage.expect(
      'reload',
      `
      ${renewed(0)}
      ${failed(0, 'it exited with status 1 before it was ready', '| no module named app')}
      [T] reload has stopped: P0 is not running; P1, P2 are old
      ${SOME}`.replaceAll(/^ +/gm, ''),
    );
    assert.deepEqual(workersOf(stage, 1, 2), before.slice(1));
    // Nothing is tried with the others as long as the first one does not come up.
    const again = await stage.run('reload');
    assert.equal(
      stage.tell(again),
      `[T] start worker P0\n${failed(0, 'it exited with status 1 before it was ready', '| no module named app')}\n[T] reload has stopped: P0 is not running; P1, P2 are old\n${SOME}`,
    );
    assert.deepEqual(workersOf(stage, 1, 2), before.slice(1));
    stage.behave({});
    await stage.expect('reload', `[T] start worker P0\n${renewed(1, 2)}\n${RUNNING}`);
  }),
);

test(
  'code that is broken for one worker leaves those before it new, and those behind it old',
  onStage({ workers: 3, config: QUICK }, async (stage) => {
    await stage.started();
    const before = pidsOf(stage, 0, 1, 2);
    stage.behave({ fail_bind: 'no' }, 1);
    const outcome = await stage.run('reload');
    assert.match(stage.tell(outcome), /\n\[T\] reload has stopped: P0 is new; P1 is not running; P2 is old\n/);
    assert.equal(outcome.code, 1);
    await stage.assertServing(0, 2);
    assert.notEqual(pidsOf(stage, 0)[0], before[0]);
    assert.equal(pidsOf(stage, 2)[0], before[2]);
  }),
);

test(
  'a worker that is ready and dies while it settles stops the roll',
  onStage({ workers: 2 }, async (stage) => {
    await stage.started();
    stage.behave({ die_after: 0.5 }, 0);
    const outcome = await stage.run('reload --settle=4');
    assert.match(
      stage.tell(outcome),
      /^\[T\] stopping worker P0\n\[T\] start worker P0\n\[T\] worker on port P0 failed to start\n\[T\] worker on port P0: .*\n\[T\] reload has stopped: P0 is not running; P1 is old\n\[T\] some workers are running!\nexit 1$/,
    );
    await stage.assertServing(1);
  }),
);

test(
  'a new worker that is not ready in time is ended, and the roll stops',
  onStage({ workers: 2, config: QUICK }, async (stage) => {
    await stage.started();
    stage.behave({ status: 500 }, 0);
    const outcome = await stage.run('reload --start-timeout=3');
    assert.match(stage.tell(outcome), /\n\[T\] reload has stopped: P0 is not running; P1 is old\n/);
    assert.equal(outcome.code, 1);
    await stage.assertServing(1);
  }),
);

test(
  'an old worker that ignores SIGTERM is ended after its grace',
  onStage(
    { workers: 2, switches: { ignore_sigterm: true }, config: { supervisor_sigterm_timeout: 1, ...QUICK } },
    async (stage) => {
      await stage.started();
      const stubborn = [0, 1].map(
        (index) => `[T] stopping worker P${index}\n[T] stopping worker P${index}\n[T] start worker P${index}`,
      );
      await stage.expect('reload', `${stubborn.join('\n')}\n${RUNNING}`);
      await stage.assertServing(0, 1);
    },
  ),
);

test(
  'a broken configuration, or one without its script, is told of before anything is touched',
  onStage({ config: QUICK }, async (stage) => {
    await stage.started();
    const before = workersOf(stage, 0, 1);
    stage.configure({}, 'workers_count = [\n');
    assert.equal((await stage.run('reload')).code, 6);
    stage.configure({});
    assert.equal((await stage.call(['--script=/no/such', `--config=${stage.config}`, 'reload']).outcome).code, 5);
    assert.deepEqual(workersOf(stage, 0, 1), before);
  }),
);

test(
  'interrupted between stop and start, it says which ports are stopped, and the others serve on',
  onStage({ workers: 2, switches: { stop_timeout: 4 }, config: { supervisor_sigterm_timeout: 30 } }, async (stage) => {
    await stage.started();
    const [, other] = workersOf(stage, 0, 1);
    const reload = stage.begin('reload');
    await reload.said('stopping worker');
    reload.kill('SIGINT');
    const outcome = await reload.outcome;
    assert.match(
      stage.tell(outcome),
      /^\[T\] stopping worker P0\n\[T\] reload has stopped: P0 is not running; P1 is old\n\[T\] ports P0 are stopped: run start\n(?:.*\n)?\[T\] some workers are running!\nexit 130$/,
    );
    assert.deepEqual(workersOf(stage, 1), [other]);
  }),
);

test(
  'interrupted while it waits for a new worker, it lets that one come up',
  onStage({ workers: 2 }, async (stage) => {
    await stage.started();
    stage.behave({ sleep_bind: 2 });
    const reload = stage.begin('reload');
    await reload.said('start worker');
    reload.kill('SIGTERM');
    const outcome = await reload.outcome;
    assert.equal(outcome.code, 143, stage.tell(outcome));
    assert.doesNotMatch(outcome.stderr, /are stopped: run start/);
    await until(() => stage.assertServing(0, 1));
  }),
);

for (const moment of ['stopping worker', 'start worker']) {
  test(
    `killed after "${moment}", the next reload does the whole work`,
    onStage({ workers: 3, config: QUICK }, async (stage) => {
      await stage.started();
      const before = workersOf(stage, 0, 1, 2);
      const reload = stage.begin('reload');
      await reload.said(moment);
      reload.kill('SIGKILL');
      await reload.outcome;
      const outcome = await stage.run('reload');
      assert.match(stage.tell(outcome), /\[T\] all workers are running\nexit 0$/);
      await stage.assertServing(0, 1, 2);
      assert(!before.some(isAlive));
    }),
  );
}
