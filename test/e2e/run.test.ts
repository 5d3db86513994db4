import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onStage } from '../support/e2e.ts';
import { look } from '../support/e2e-processes.ts';
import { beginRun, ended, resident, workersOf } from '../support/e2e-run.ts';

const STOPPING = (indexes: readonly number[]): string =>
  [
    '[T] some of the workers are running, trying to kill',
    ...indexes.map((index) => `[T] stopping worker P${index}`),
  ].join('\n');

for (const [name, code] of [
  ['SIGTERM', 0],
  ['SIGINT', 0],
] as const) {
  test(
    `run starts all and stays; ${name} stops all, in order`,
    onStage({}, async (stage) => {
      const run = await resident(stage);
      await stage.assertServing(0, 1);
      await stage.expect('status', '[T] all workers are running\nexit 0');
      assert(!run.isOver);
      const outcome = await ended(run, name);
      assert.equal(
        stage.tell(outcome),
        `[T] start worker P0\n[T] start worker P1\n[T] all workers are running\n${STOPPING([0, 1])}\n[T] all workers are stopped\nexit ${code}`,
      );
      stage.assertNobody();
    }),
  );
}

test(
  'where no worker comes up there is nothing to stay for: exit 1',
  onStage({ switches: { fail_start: 'no module named app' } }, async (stage) => {
    const outcome = await beginRun(stage).outcome;
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /\n.* no worker has come up, so there is nothing to watch over\n/);
    stage.assertNobody();
  }),
);

test(
  'where some come up it stays, and goes on trying with the others',
  onStage({ workers: 2 }, async (stage) => {
    stage.behave({ fail_start: 'not yet' }, 0);
    const run = beginRun(stage);
    await run.said('some workers are running!');
    await stage.assertServing(1);
    stage.behave({}, 0);
    await run.said(`worker on port ${stage.port(0)} is running again`);
    await stage.assertServing(0, 1);
    assert.equal((await ended(run)).code, 0);
  }),
);

test(
  'a signal to end that comes while workers boot ends them too',
  onStage({ switches: { sleep_bind: 60 } }, async (stage) => {
    const run = beginRun(stage);
    await run.said('start worker');
    const outcome = await ended(run);
    assert.equal(outcome.code, 0, stage.tell(outcome));
    assert(outcome.took < 30_000);
    stage.assertNobody();
  }),
);

test(
  'a second run on the same application is refused, and the first goes on',
  onStage({ workers: 1 }, async (stage) => {
    const run = await resident(stage);
    const [worker] = workersOf(stage, 0);
    await stage.expect('run', '[T] this application has a run already: stop that one first, or reload it\nexit 1');
    assert.deepEqual(workersOf(stage, 0), [worker]);
    assert.notEqual(look(run.pid), undefined);
    assert.equal((await ended(run)).code, 0);
  }),
);

test(
  'what is wrong is told before anything is started, with the same exit codes as start',
  onStage({}, async (stage) => {
    assert.equal((await stage.run('run --wrokers_count=2')).code, 2);
    assert.equal((await stage.call(['--script=/no/such', `--config=${stage.config}`, 'run']).outcome).code, 5);
    stage.configure({ workers_count: 'four' });
    assert.equal((await stage.run('run')).code, 6);
    stage.assertNobody();
  }),
);
