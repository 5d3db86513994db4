import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { onStage, type Stage } from '../support/e2e.ts';
import type { Running } from '../support/e2e-command.ts';
import { isAlive, signal } from '../support/e2e-processes.ts';
import { hearing, hears, resident, workersOf } from '../support/e2e-run.ts';

/** How many descriptors a process of ours may have open, from now on. */
function allow(descriptors: number, { pid }: Running): void {
  const { status, stderr } = spawnSync('prlimit', ['--pid', String(pid), `--nofile=${descriptors}:`], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
}

async function residentOf(stage: Stage): Promise<Running> {
  const run = await resident(stage);
  await stage.assertServing(0, 1);
  return run;
}

test(
  'a run that can have no descriptor when it is told to end stops its workers as soon as it can',
  onStage({ workers: 2, config: { daemonize: false } }, async (stage) => {
    const run = await residentOf(stage);
    const heard = hearing(run);
    allow(3, run);
    run.kill('SIGTERM');
    await hears(heard, 'EMFILE');
    await sleep(1500);
    assert(!run.isOver, heard());
    allow(1024, run);
    const { code } = await run.outcome;
    assert.equal(code, 0, heard());
    assert.match(heard(), /all workers are stopped/);
    stage.assertNobody();
  }),
);

test(
  'a run that can have no descriptor during a rolling restart looks after all workers when it can again',
  onStage({ workers: 2, config: { daemonize: false, supervisor_settle: 0 } }, async (stage) => {
    const run = await residentOf(stage);
    const [first, second] = workersOf(stage, 0, 1);
    assert(first !== undefined && second !== undefined);
    const heard = hearing(run);
    run.kill('SIGHUP');
    await hears(heard, `stopping worker ${stage.port(0)}`);
    allow(3, run);
    await hears(heard, 'EMFILE');
    await sleep(1500);
    allow(1024, run);
    await hears(heard, `worker on port ${stage.port(0)} is running again`);
    await stage.assertServing(0, 1);
    assert(!isAlive(first) && isAlive(second));
    const after = hearing(run);
    signal(second, 'SIGKILL');
    await hears(after, `worker on port ${stage.port(1)} is running again`);
    run.kill('SIGTERM');
    assert.equal((await run.outcome).code, 0, heard());
    stage.assertNobody();
  }),
);
