import assert from 'node:assert/strict';
import { rmSync, symlinkSync } from 'node:fs';
import { test } from 'node:test';
import { onStage } from '../support/e2e.ts';
import { until } from '../support/e2e-command.ts';
import { isAlive } from '../support/e2e-processes.ts';
import { ended, hearing, hears, Poll, pidsOf, resident, workersOf } from '../support/e2e-run.ts';

const QUICK = { supervisor_settle: 0 };
const RUNNING = '[T] all workers are running\nexit 0';
const KILLING = '[T] some of the workers are running, trying to kill\n[T] stopping worker P0\n[T] stopping worker P1';
const STARTING = '[T] start worker P0\n[T] start worker P1';
const FOUND = '[T] another worker already started on P0\n[T] another worker already started on P1';
const ENDED = `${KILLING}\n[T] all workers are stopped\nexit 0`;
const NONE = '[T] no worker is alive, so there is nothing to reload: run start\nexit 7';

test(
  'a run hears who calls its configuration by another name, also when the name by which it came leads elsewhere now',
  onStage({ config: QUICK }, async (stage) => {
    const link = stage.path('link.cfg');
    symlinkSync(stage.config, link);
    const through = async (path: string, action: string): Promise<string> =>
      stage.tell(await stage.call([`--script=${stage.script}`, `--config=${path}`, action]).outcome);
    const run = stage.call([`--script=${stage.script}`, `--config=${link}`, 'run'], { limit: 60_000 });
    await hears(() => run.stderr, 'all workers are running');
    assert.equal(await through(stage.config, 'stop'), ENDED);
    assert.equal(await through(link, 'start'), `${STARTING}\n${RUNNING}`);
    stage.write('next.cfg', stage.read(stage.config));
    rmSync(link);
    symlinkSync(stage.path('next.cfg'), link);
    assert.equal(await through(link, 'stop'), ENDED);
    assert.equal((await ended(run)).code, 0);
  }),
);

test(
  'the actions beside a run: the caller reads what it would read otherwise, and the run goes on',
  onStage({ config: QUICK }, async (stage) => {
    const run = await resident(stage);
    await stage.expect('start', `${FOUND}\n${RUNNING}`);
    for (const action of ['restart', 'force-reload', 'try-restart', 'condrestart']) {
      const before = pidsOf(stage, 0, 1);
      await stage.expect(action, `${KILLING}\n${STARTING}\n${RUNNING}`);
      assert(
        pidsOf(stage, 0, 1).every((pid) => !before.includes(pid)),
        action,
      );
    }
    const before = pidsOf(stage, 0, 1);
    await stage.expect(
      'reload',
      `[T] stopping worker P0\n[T] start worker P0\n[T] stopping worker P1\n[T] start worker P1\n${RUNNING}`,
    );
    assert(pidsOf(stage, 0, 1).every((pid) => !before.includes(pid)));
    await stage.expect('start --no-wait', `${FOUND}\nexit 0`);
    await stage.expect('stop', `${KILLING}\n[T] all workers are stopped\nexit 0`);
    await stage.expect('status', '[T] all workers are stopped\nexit 3');
    await stage.expect('stop', '[T] all workers are stopped\nexit 0');
    for (const action of ['try-restart', 'condrestart']) await stage.expect(action, 'exit 0');
    await stage.expect('reload', NONE);
    assert(!run.isOver);
    await stage.assertServing();
    await stage.expect('start', `${STARTING}\n${RUNNING}`);
    await stage.expect('stop', `${KILLING}\n[T] all workers are stopped\nexit 0`);
    await stage.expect('restart', `${STARTING}\n${RUNNING}`);
    await stage.assertServing(0, 1);
    // What it has started for others is looked after like its own.
    const heard = hearing(run);
    await stage.killWorker(1);
    await hears(heard, `worker on port ${stage.port(1)} is running again`);
    assert.equal((await ended(run)).code, 0);
    stage.assertNobody();
  }),
);

test(
  'what was stopped by an order stays stopped, and so does the run`s own interest in it',
  onStage({ config: QUICK }, async (stage) => {
    const run = await resident(stage, '--hang-timeout=2');
    assert.equal((await stage.run('stop')).code, 0);
    const heard = hearing(run);
    run.kill('SIGUSR2');
    await hears(heard, `worker on port ${stage.port(1)}: stopped`);
    // Longer than a look at those who hang, and than the first rests after a death.
    await until(async () => assert.equal((await stage.run('status --wait=4')).code, 3));
    assert.doesNotMatch(heard(), /start worker/);
    assert.equal((await ended(run)).code, 0);
  }),
);

test(
  'start beside a run brings up what the configuration now has, and leaves the others alone',
  onStage({ workers: 2, config: QUICK }, async (stage) => {
    const run = await resident(stage);
    const before = workersOf(stage, 0, 1);
    stage.configure({ workers_count: 3 });
    await stage.expect('start', `${FOUND}\n[T] start worker P2\n${RUNNING}`);
    assert.deepEqual(workersOf(stage, 0, 1), before);
    const heard = hearing(run);
    await stage.killWorker(2);
    await hears(heard, `worker on port ${stage.port(2)} is running again`);
    stage.configure({ workers_count: 2 });
    await stage.expect('start', `${FOUND}\n[T] some stale workers are running!\n${RUNNING}`);
    const stop = await stage.run('stop');
    assert.equal(stop.code, 0);
    await stage.assertServing();
    await ended(run);
  }),
);

test(
  'reload beside a run loses no worker that serves',
  onStage({ workers: 3, config: QUICK }, async (stage) => {
    const run = await resident(stage);
    const before = workersOf(stage, 0, 1, 2);
    const poll = new Poll(stage, [0, 1, 2]);
    assert.equal((await stage.run('reload')).code, 0);
    await poll.neverTwoDown();
    assert(!before.some(isAlive));
    await ended(run);
  }),
);

test(
  'an order that fails fails at the caller, with the reason',
  onStage({ config: QUICK }, async (stage) => {
    const run = await resident(stage, '--start-retries=1');
    const [, other] = workersOf(stage, 0, 1);
    stage.behave({ fail_start: 'no module named app' });
    const outcome = await stage.run('reload');
    assert.equal(
      stage.tell(outcome),
      [
        '[T] stopping worker P0',
        '[T] start worker P0',
        '[T] worker on port P0 failed to start',
        '[T] worker on port P0: it exited with status 1 before it was ready',
        '[T] worker on port P0: | no module named app',
        '[T] reload has stopped: P0 is not running; P1 is old',
        '[T] some workers are running!',
        'exit 1',
      ].join('\n'),
    );
    assert.deepEqual(workersOf(stage, 1), [other]);
    assert.equal((await ended(run)).code, 0);
  }),
);

test(
  'options that are others than the run`s are not followed, and the caller is told',
  onStage({ workers: 1, config: QUICK }, async (stage) => {
    const run = await resident(stage, '--start-timeout=50');
    const own = '[T] another worker already started on P0';
    await stage.expect('start --start-timeout=50', `${own}\n${RUNNING}`);
    const outcome = await stage.run('start --start-timeout=51 --settle=3 --supervisor_start_timeout=51');
    assert.equal(
      stage.tell(outcome),
      [
        '[T] --supervisor_start_timeout: the run goes by its own options, and not by this one: end it and start it anew',
        '[T] --supervisor_settle: the run goes by its own options, and not by this one: end it and start it anew',
        own,
        RUNNING,
      ].join('\n'),
    );
    await ended(run);
  }),
);

test(
  'a configuration that is broken: what starts is refused, and stop stops',
  onStage({ config: QUICK }, async (stage) => {
    const run = await resident(stage);
    const before = workersOf(stage, 0, 1);
    stage.configure({ workers_count: 'many' });
    for (const action of ['start', 'restart', 'reload']) assert.equal((await stage.run(action)).code, 6, action);
    assert.deepEqual(workersOf(stage, 0, 1), before);
    const stop = await stage.run('stop');
    assert.match(
      stage.tell(stop),
      /workers_count must be an int.*\n\[T\] some of the workers are running, trying to kill\n/,
    );
    assert.equal(stop.code, 0, stage.tell(stop));
    await stage.assertServing();
    assert.equal((await ended(run)).code, 0);
  }),
);
