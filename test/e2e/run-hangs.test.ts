import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { onStage } from '../support/e2e.ts';
import { isAlive, signal } from '../support/e2e-processes.ts';
import { ended, hearing, hears, pidsOf, resident, workersOf } from '../support/e2e-run.ts';

test(
  'a worker that hangs is restarted; one that is slow once is not',
  onStage({ workers: 2 }, async (stage) => {
    const run = await resident(stage, '--hang-timeout=3');
    const [hung, other] = workersOf(stage, 0, 1);
    assert(hung !== undefined && other !== undefined);
    const heard = hearing(run);
    signal(other, 'SIGSTOP');
    await sleep(1500);
    signal(other, 'SIGCONT');
    signal(hung, 'SIGSTOP');
    await hears(
      heard,
      new RegExp(`worker on port ${stage.port(0)} \\(pid ${hung.pid}\\) has not answered for \\d+ s: it is restarted`),
    );
    await hears(heard, `worker on port ${stage.port(0)} is running again`);
    assert(!isAlive(hung));
    assert.deepEqual(workersOf(stage, 1), [other]);
    await stage.assertServing(0, 1);
    await ended(run);
  }),
);

test(
  'a worker that answers with errors is restarted as well, unless that is switched off',
  onStage({ workers: 1 }, async (stage) => {
    const run = await resident(stage, '--hang-timeout=2');
    const heard = hearing(run);
    const before = pidsOf(stage, 0);
    stage.behave({ status: 500 });
    await hears(heard, 'has not answered for');
    stage.behave({});
    await hears(heard, 'is running again');
    assert.notDeepEqual(pidsOf(stage, 0), before);
    await ended(run);
    const patient = await resident(stage, '--hang-timeout=0');
    const worker = workersOf(stage, 0);
    stage.behave({ status: 500 });
    await sleep(5000);
    assert.deepEqual(workersOf(stage, 0), worker);
    await ended(patient);
  }),
);
