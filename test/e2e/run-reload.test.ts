import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { onStage } from '../support/e2e.ts';
import { isAlive, signal } from '../support/e2e-processes.ts';
import { ended, hearing, hears, Poll, pidsOf, resident, workersOf } from '../support/e2e-run.ts';

const QUICK = { supervisor_settle: 0 };
const RUNNING = 'all workers are running';

test(
  'SIGHUP replaces all workers, one after another, with what the configuration says now',
  onStage({ workers: 3, config: QUICK }, async (stage) => {
    const run = await resident(stage);
    const before = workersOf(stage, 0, 1, 2);
    stage.configure({ logfile_template: stage.path('log/new.%(port)s.log') });
    const poll = new Poll(stage, [0, 1, 2]);
    const heard = hearing(run);
    run.kill('SIGHUP');
    await hears(heard, RUNNING);
    await poll.neverTwoDown();
    await stage.assertServing(0, 1, 2);
    for (const index of [0, 1, 2]) {
      const { argv } = stage.worker(index);
      assert(argv.includes(`--logfile=${stage.path(`log/new.${stage.port(index)}.log`)}`));
      assert(existsSync(stage.path(`log/new.${stage.port(index)}.log`)));
    }
    assert(!before.some(isAlive));
    // They are looked after as the old ones were.
    const again = hearing(run);
    await stage.killWorker(1);
    await hears(again, `worker on port ${stage.port(1)} is running again`);
    assert.equal((await ended(run)).code, 0);
    stage.assertNobody();
  }),
);

test(
  'more workers in the configuration: SIGHUP starts those first, and then renews the others',
  onStage({ workers: 2, config: QUICK }, async (stage) => {
    const run = await resident(stage);
    const before = pidsOf(stage, 0, 1);
    const heard = hearing(run);
    stage.configure({ workers_count: 4 });
    run.kill('SIGHUP');
    await hears(heard, RUNNING);
    await stage.assertServing(0, 1, 2, 3);
    const order = [...heard().matchAll(/(start|stopping) worker (\d+)/g)].map(
      ([, word, port]) => `${word} P${Number(port) - stage.first}`,
    );
    assert.deepEqual(order, ['start P2', 'start P3', 'stopping P0', 'start P0', 'stopping P1', 'start P1']);
    assert.notDeepEqual(pidsOf(stage, 0, 1), before);
    const again = hearing(run);
    await stage.killWorker(3);
    await hears(again, `worker on port ${stage.port(3)} is running again`);
    assert.equal((await ended(run)).code, 0);
    stage.assertNobody();
  }),
);

test(
  'fewer workers in the configuration: SIGHUP stops the ones too many last, and they are not missed',
  onStage({ workers: 4, config: QUICK }, async (stage) => {
    const run = await resident(stage);
    const heard = hearing(run);
    stage.configure({ workers_count: 2 });
    run.kill('SIGHUP');
    await hears(heard, RUNNING);
    const order = [...heard().matchAll(/(start|stopping) worker (\d+)/g)].map(
      ([, word, port]) => `${word} P${Number(port) - stage.first}`,
    );
    assert.deepEqual(order.slice(0, 4), ['stopping P0', 'start P0', 'stopping P1', 'start P1']);
    assert.deepEqual(order.slice(4).sort(), ['stopping P2', 'stopping P3']);
    await stage.assertServing(0, 1);
    run.kill('SIGUSR2');
    await hears(heard, `worker on port ${stage.port(1)}: running for`);
    assert.doesNotMatch(
      heard(),
      new RegExp(`(${stage.port(2)}|${stage.port(3)})( \\(pid \\d+\\))? (is gone|died|was killed|is running again)`),
    );
    assert.equal((await ended(run)).code, 0);
  }),
);

test(
  'a configuration that is broken at SIGHUP changes nothing, and is reported with its place',
  onStage({ workers: 2, config: QUICK }, async (stage) => {
    const run = await resident(stage);
    const before = workersOf(stage, 0, 1);
    const heard = hearing(run);
    stage.configure({ workers_count: 'many' });
    run.kill('SIGHUP');
    await hears(heard, /app\.cfg:\d+:\d+: workers_count must be an int, got str 'many'/);
    stage.configure({ workers_count: 2 }, 'def\n');
    run.kill('SIGHUP');
    await hears(heard, /app\.cfg:\d+:\d+: .*syntax/i);
    assert.deepEqual(workersOf(stage, 0, 1), before);
    // It looks after them by what it knows.
    signal(before[0] ?? assert.fail(), 'SIGKILL');
    await hears(heard, `worker on port ${stage.port(0)} failed to start`);
    stage.configure({});
    await hears(heard, `worker on port ${stage.port(0)} is running again`);
    run.kill('SIGHUP');
    await hears(heard, RUNNING);
    assert.equal((await ended(run)).code, 0);
    stage.assertNobody();
  }),
);

test(
  'new code that does not start stops the roll of a SIGHUP; the first worker is tried again until it comes up',
  onStage({ workers: 2, config: QUICK }, async (stage) => {
    const run = await resident(stage);
    const [, other] = workersOf(stage, 0, 1);
    const heard = hearing(run);
    stage.behave({ fail_start: 'no module named app' });
    run.kill('SIGHUP');
    await hears(heard, `reload has stopped: ${stage.port(0)} is not running; ${stage.port(1)} is old`);
    assert.deepEqual(workersOf(stage, 1), [other]);
    stage.behave({});
    await hears(heard, `worker on port ${stage.port(0)} is running again`);
    await stage.assertServing(0, 1);
    await ended(run);
  }),
);
