import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onStage } from '../support/e2e.ts';
import { until } from '../support/e2e-command.ts';
import { isAlive, signal } from '../support/e2e-processes.ts';
import { beginRun, ended, hearing, hears, resident, workersOf } from '../support/e2e-run.ts';

for (const daemonize of [false, true]) {
  test(
    `a run that is killed leaves its workers, and the next one adopts them (daemonize = ${daemonize})`,
    onStage({ workers: 2, config: { daemonize } }, async (stage) => {
      const first = await resident(stage);
      const before = workersOf(stage, 0, 1);
      await ended(first, 'SIGKILL');
      await stage.assertServing(0, 1);
      const second = await resident(stage);
      assert.deepEqual(
        workersOf(stage, 0, 1).map(({ pid }) => pid),
        before.map(({ pid }) => pid),
      );
      const heard = hearing(second);
      await stage.killWorker(0);
      await hears(heard, `worker on port ${stage.port(0)} (pid ${before[0]?.pid}) is gone`);
      await hears(heard, `worker on port ${stage.port(0)} is running again`);
      await stage.assertServing(0, 1);
      assert.equal(workersOf(stage, 1)[0]?.pid, before[1]?.pid);
      assert.equal((await ended(second)).code, 0);
      stage.assertNobody();
    }),
  );
}

test(
  'what a start has launched is adopted too; what it lacks is started',
  onStage({ workers: 3 }, async (stage) => {
    await stage.started();
    await stage.killWorker(1);
    const before = workersOf(stage, 0, 2);
    const run = await resident(stage);
    assert.match(
      stage.tell({ ...(await Promise.resolve({ code: 0, signal: null, stdout: '', took: 0 })), stderr: run.stderr }),
      /^\[T\] another worker already started on P0\n\[T\] start worker P1\n\[T\] another worker already started on P2\n\[T\] all workers are running/,
    );
    await stage.assertServing(0, 1, 2);
    assert.deepEqual(workersOf(stage, 0, 2), before);
    const heard = hearing(run);
    for (const worker of workersOf(stage, 0, 1, 2)) signal(worker, 'SIGKILL');
    for (const index of [0, 1, 2]) await hears(heard, `worker on port ${stage.port(index)} is running again`);
    assert.equal((await ended(run)).code, 0);
  }),
);

test(
  'a run that is killed while its workers boot: the next one waits for those very workers',
  onStage({ workers: 2, switches: { sleep_bind: 4 } }, async (stage) => {
    const first = beginRun(stage);
    await first.said('start worker');
    await until(() => workersOf(stage, 0, 1));
    await ended(first, 'SIGKILL');
    const second = await resident(stage);
    await stage.assertServing(0, 1);
    assert.equal((await ended(second)).code, 0);
    stage.assertNobody();
  }),
);

test(
  'a run that is killed in the middle of a roll: the next one makes all of them run',
  onStage({ workers: 3, config: { supervisor_settle: 0 } }, async (stage) => {
    const first = await resident(stage);
    const heard = hearing(first);
    first.kill('SIGHUP');
    await hears(heard, 'stopping worker');
    await ended(first, 'SIGKILL');
    const second = await resident(stage);
    await until(() => stage.assertServing(0, 1, 2));
    assert.equal((await ended(second)).code, 0);
    stage.assertNobody();
  }),
);

test(
  'what a killed run has left is stopped and shown by ordinary commands',
  onStage({ workers: 2 }, async (stage) => {
    await ended(await resident(stage), 'SIGKILL');
    await stage.expect('status', '[T] all workers are running\nexit 0');
    const stop = await stage.run('stop');
    assert.equal(stop.code, 0, stage.tell(stop));
    stage.assertNobody();
  }),
);

test(
  'stale workers are not looked after, and go when the run goes',
  onStage({ workers: 3 }, async (stage) => {
    await stage.started();
    stage.configure({ workers_count: 2 });
    const run = await resident(stage);
    assert.match(run.stderr, /some stale workers are running!/);
    const [stale] = workersOf(stage, 2);
    assert(stale !== undefined);
    const heard = hearing(run);
    signal(stale, 'SIGKILL');
    await stage.killWorker(0);
    await hears(heard, `worker on port ${stage.port(0)} is running again`);
    assert(!isAlive(stale));
    await stage.assertServing(0, 1);
    assert.equal((await ended(run)).code, 0);
    stage.assertNobody();
  }),
);

test(
  'an adopted worker that hangs is restarted',
  onStage({ workers: 1 }, async (stage) => {
    await stage.started();
    const run = await resident(stage, '--hang-timeout=2');
    const [hung] = workersOf(stage, 0);
    assert(hung !== undefined);
    signal(hung, 'SIGSTOP');
    await run.said('is running again');
    assert(!isAlive(hung));
    await stage.assertServing(0);
    await ended(run);
  }),
);
