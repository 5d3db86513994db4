import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { nobody, onStage, whyNotAnotherUser } from '../support/e2e.ts';
import { until } from '../support/e2e-command.ts';
import { ordeal } from '../support/e2e-ordeal.ts';
import { descriptorsOf, isAlive, look, signal } from '../support/e2e-processes.ts';
import { ended, hearing, hears, pidsOf, resident, workersOf } from '../support/e2e-run.ts';

const QUICK = { supervisor_settle: 0 };

test(
  'a port that somebody else has taken meanwhile is told of, and its worker comes back when it is free',
  onStage({ workers: 2 }, async (stage) => {
    const run = await resident(stage);
    stage.behave({ sleep_start: 5 }, 0);
    const heard = hearing(run);
    await stage.killWorker(0);
    const squatter = await stage.squatter(0);
    await hears(heard, /port \d+ is held by python3 \(pid \d+\)/);
    stage.behave({}, 0);
    assert(isAlive(squatter));
    signal(squatter, 'SIGKILL');
    await hears(heard, `worker on port ${stage.port(0)} is running again`, 60_000);
    await stage.assertServing(0, 1);
    assert.equal((await ended(run)).code, 0);
  }),
);

test(
  'a worker that was started again and is never ready is ended and tried again',
  onStage({ workers: 2 }, async (stage) => {
    const run = await resident(stage, '--start-timeout=4');
    const heard = hearing(run);
    stage.behave({ status: 503 }, 0);
    await stage.killWorker(0);
    await hears(heard, /worker on port \d+: it was not ready within 4 s \(pid \d+\)/);
    await hears(heard, `worker on port ${stage.port(0)} is started again in`);
    stage.behave({}, 0);
    await hears(heard, `worker on port ${stage.port(0)} is running again`);
    await stage.assertServing(0, 1);
    assert.equal((await ended(run)).code, 0);
    stage.assertNobody();
  }),
);

test(
  'a signal to end that comes while a worker is being started again ends that one too',
  onStage({ workers: 2 }, async (stage) => {
    const run = await resident(stage);
    stage.behave({ sleep_bind: 60 }, 0);
    const heard = hearing(run);
    await stage.killWorker(0);
    await hears(heard, 'start worker');
    await until(() => stage.worker(0));
    assert.equal((await ended(run)).code, 0);
    stage.assertNobody();
  }),
);

test(
  'an order to stop forgets a worker that is to be started again, and one to restart starts it at once',
  onStage({ workers: 2, config: QUICK }, async (stage) => {
    const run = await resident(stage, '--start-retries=2');
    const heard = hearing(run);
    stage.behave({ fail_start: 'no' }, 0);
    await stage.killWorker(0);
    await hears(heard, 'is given up');
    stage.behave({}, 0);
    assert.equal((await stage.run('restart')).code, 0);
    await stage.assertServing(0, 1);
    stage.behave({ fail_start: 'no' }, 0);
    const again = hearing(run);
    await stage.killWorker(0);
    await hears(again, 'is started again in');
    stage.behave({}, 0);
    assert.equal((await stage.run('stop')).code, 0);
    const silent = hearing(run);
    await sleep(3000);
    assert.doesNotMatch(silent(), /start worker/);
    await stage.assertServing();
    assert.equal((await ended(run)).code, 0);
  }),
);

test(
  'nothing piles up in a run: neither descriptors nor dead children',
  onStage({ workers: 2, config: QUICK }, async (stage) => {
    const run = await resident(stage);
    /** What is open at rest; connections come and go. */
    const open = (): number =>
      Object.values(descriptorsOf(run.pid)).filter((target) => !target.startsWith('socket:')).length;
    const sockets = (): number => Object.values(descriptorsOf(run.pid)).length - open();
    const use = async (): Promise<void> => {
      for (const action of ['restart', 'reload', 'start', 'status'])
        assert.equal((await stage.run(action)).code, 0, action);
      const heard = hearing(run);
      run.kill('SIGHUP');
      await hears(heard, 'all workers are running');
    };
    await use();
    const before = open();
    for (let round = 0; round < 4; round += 1) await use();
    await until(() => assert.equal(open(), before));
    await until(() => assert(sockets() <= 2 + 4, `${sockets()} sockets`));
    const dead = readdirSync('/proc').filter((name) => {
      const one = look(Number(name));
      return one?.parent === run.pid && one.state === 'Z';
    });
    assert.deepEqual(dead, []);
    assert.equal((await ended(run)).code, 0);
  }),
);

ordeal(
  'a run of root`s brings workers back as the user that the configuration names',
  whyNotAnotherUser,
  { workers: 2, owner: nobody, config: { supervisor_user: 'nobody' } },
  async (stage) => {
    const run = await resident(stage);
    const before = pidsOf(stage, 0, 1);
    const heard = hearing(run);
    const [old, other] = workersOf(stage, 0, 1);
    assert(old !== undefined);
    signal(old, 'SIGKILL');
    await hears(heard, `worker on port ${stage.port(0)} is running again`);
    const { status } = await stage.born(0);
    assert.match(status['Uid'] ?? '', new RegExp(`^${nobody}\\b`));
    assert.notEqual(pidsOf(stage, 0)[0], before[0]);
    assert.deepEqual(workersOf(stage, 1), [other]);
    assert.equal((await ended(run)).code, 0);
  },
);
