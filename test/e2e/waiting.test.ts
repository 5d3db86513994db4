import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { onStage } from '../support/e2e.ts';
import { until } from '../support/e2e-command.ts';

const RUNNING = '[T] all workers are running\nexit 0';
const NOT_READY = (index: number): string => `[T] worker on port P${index} is alive (pid PID) but not ready`;

test(
  'start --no-wait returns when the workers are launched; status --wait waits until they are ready',
  onStage({ switches: { sleep_bind: 3 } }, async (stage) => {
    await stage.expect('start --no-wait', '[T] start worker P0\n[T] start worker P1\nexit 0');
    await until(() => [0, 1].map((index) => stage.worker(index)));
    const early = await stage.run('status');
    assert.equal(early.code, 1, stage.tell(early));
    await stage.expect('status --wait', RUNNING);
    await stage.assertServing(0, 1);
    await stage.expect(
      'start --no-wait',
      '[T] another worker already started on P0\n[T] another worker already started on P1\nexit 0',
    );
    await stage.expect('status --wait=1', RUNNING);
    assert.equal((await stage.run('stop')).code, 0);
  }),
);

test(
  'start --no-wait launches only what is not there, and does not see what becomes of it',
  onStage({ switches: {} }, async (stage) => {
    await stage.started();
    await stage.killWorker(1);
    stage.behave({ fail_start: 'no' }, 1);
    const outcome = await stage.run('start --no-wait');
    assert.equal(stage.tell(outcome), '[T] another worker already started on P0\n[T] start worker P1\nexit 0');
    await until(() => assert.deepEqual(stage.workersOn(1), []));
    await stage.expect('status --wait=1', '[T] some workers are running!\nexit 1');
  }),
);

test(
  'status --wait sees workers that come up meanwhile, by whomever they are started',
  onStage({ switches: { sleep_bind: 1 } }, async (stage) => {
    const status = stage.begin('status --wait=60');
    const start = stage.run('start');
    const outcome = await status.outcome;
    assert.equal(stage.tell(outcome), RUNNING);
    assert.equal((await start).code, 0);
  }),
);

test(
  'status --wait that is out of time says what status says then, with its exit code',
  onStage({ switches: {} }, async (stage) => {
    const stopped = await stage.expect('status --wait=1', '[T] all workers are stopped\nexit 3');
    assert(stopped.took >= 1000, `it took ${stopped.took} ms`);
    stage.behave({ status: 503 }, 1);
    await stage.run('start --start-timeout=2 --no-wait');
    await until(async () => assert.equal((await stage.page(1, '/status/')).status, 503));
    await until(() => stage.page(0, '/status/'));
    const some = await stage.expect('status --wait=2', `${NOT_READY(1)}\n[T] some workers are running!\nexit 1`);
    assert(some.took >= 2000, `it took ${some.took} ms`);
    await stage.expect('status --wait=1 --partial-status=4', `${NOT_READY(1)}\n[T] some workers are running!\nexit 4`);
    await stage.expect('status --wait=0', `${NOT_READY(1)}\n[T] some workers are running!\nexit 1`);
  }),
);

test(
  'without a number status waits as long as a start may take',
  onStage({ workers: 1, config: { supervisor_start_timeout: 2 } }, async (stage) => {
    const outcome = await stage.expect('status --wait', '[T] all workers are stopped\nexit 3');
    assert(outcome.took >= 2000 && outcome.took < 20_000, `it took ${outcome.took} ms`);
  }),
);

/** Whether a process has a handler for SIGHUP, the first one that it sets: proc_pid_status(5). */
function isListening(pid: number): boolean {
  const mask = /^SigCgt:\s+([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return (BigInt(`0x${mask}`) & 1n) === 1n;
}

for (const [signal, number] of [
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const) {
  test(
    `a status that waits ends with ${signal}, and says how things are`,
    onStage({ workers: 1 }, async (stage) => {
      await stage.started();
      stage.behave({ status: 503 });
      await until(async () => assert.equal((await stage.page(0, '/status/')).status, 503));
      const status = stage.begin('status --wait=600');
      await until(() => assert(isListening(status.pid)));
      // Its other handlers follow at once.
      await sleep(200);
      status.kill(signal);
      const outcome = await status.outcome;
      assert.equal(stage.tell(outcome), `${NOT_READY(0)}\n[T] some workers are running!\nexit ${128 + number}`);
    }),
  );
}

test(
  'a flag that belongs to another action is a mistake, told in one line',
  onStage({}, async (stage) => {
    for (const action of ['start', 'stop', 'restart', 'reload', 'run', 'export nginx'])
      await stage.expect(`${action} --wait`, '[T] --wait: belongs to the action status\nexit 2');
    const check = await stage.run('check --wait');
    assert.match(stage.tell(check), /\n\[T\] --wait: belongs to the action status\nexit 6$/);
    for (const action of ['stop', 'restart', 'reload', 'run', 'status'])
      await stage.expect(
        `${action} --no-wait`,
        `[T] --no-wait: belongs to the action start\nexit ${action === 'status' ? 4 : 2}`,
      );
    for (const action of ['start', 'status', 'run'])
      await stage.expect(
        `${action} --json`,
        `[T] --json: belongs to the action check\nexit ${action === 'status' ? 4 : 2}`,
      );
    await stage.expect('status --wait=soon', "[T] --wait: must be a number of seconds, got 'soon'\nexit 4");
    await stage.expect('status --wait=-1', "[T] --wait: must be a number of seconds, got '-1'\nexit 4");
    await stage.expect('start --no-wait=1', '[T] --no-wait: takes no value\nexit 2');
    stage.assertNobody();
  }),
);
