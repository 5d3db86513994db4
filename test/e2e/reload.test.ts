import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onStage } from '../support/e2e.ts';
import { until } from '../support/e2e-command.ts';
import { isAlive } from '../support/e2e-processes.ts';
import { hookFor, linesIn, Poll, pidsOf, workersOf } from '../support/e2e-run.ts';

const RUNNING = '[T] all workers are running\nexit 0';
const renewed = (...indexes: readonly number[]): string =>
  indexes.map((index) => `[T] stopping worker P${index}\n[T] start worker P${index}`).join('\n');

test(
  'reload replaces every worker, one after another, while the others serve',
  onStage({ workers: 4, config: { supervisor_settle: 0 } }, async (stage) => {
    await stage.started();
    const before = workersOf(stage, 0, 1, 2, 3);
    const poll = new Poll(stage, [0, 1, 2, 3]);
    const hooks = [`--before-stop=${hookFor(stage, 'out')}`, `--after-start=${hookFor(stage, 'in')}`];
    const outcome = await stage.call([...stage.settings, ...hooks, 'reload']).outcome;
    await poll.neverTwoDown();
    assert.equal(stage.tell(outcome), `${renewed(0, 1, 2, 3)}\n${RUNNING}`);
    await stage.assertServing(0, 1, 2, 3);
    const after = pidsOf(stage, 0, 1, 2, 3);
    for (const [index, old] of before.entries()) {
      assert.notEqual(after[index], old.pid);
      assert(!isAlive(old));
    }
    // Whenever one goes, and whenever one has come back, all answer.
    assert.deepEqual(
      linesIn(stage, 'hooks'),
      [0, 1, 2, 3].flatMap((index) => [`out P${index} 0123`, `in P${index} 0123`]),
    );
  }),
);

test(
  'workers that daemonize are replaced in the same way',
  onStage({ config: { daemonize: true, supervisor_settle: 0 } }, async (stage) => {
    await stage.started();
    const before = pidsOf(stage, 0, 1);
    await stage.expect('reload', `${renewed(0, 1)}\n${RUNNING}`);
    await stage.assertServing(0, 1);
    for (const [index, pid] of pidsOf(stage, 0, 1).entries()) {
      assert.notEqual(pid, before[index]);
      assert.equal(stage.read(stage.pidfile(index)), String(pid));
    }
  }),
);

test(
  'a batch goes and comes together, and is never all of them',
  onStage({ workers: 4, config: { supervisor_settle: 0 } }, async (stage) => {
    await stage.started();
    const batch = (word: string, ...indexes: readonly number[]): string =>
      indexes.map((index) => `[T] ${word} worker P${index}`).join('\n');
    const round = (...indexes: readonly number[]): string =>
      `${batch('stopping', ...indexes)}\n${batch('start', ...indexes)}`;
    await stage.expect('reload --batch=2', `${round(0, 1)}\n${round(2, 3)}\n${RUNNING}`);
    await stage.expect('reload --batch=50%', `${round(0, 1)}\n${round(2, 3)}\n${RUNNING}`);
    const hook = `--before-stop=${hookFor(stage, 'out')}`;
    const outcome = await stage.call([...stage.settings, hook, '--batch=99', 'reload']).outcome;
    assert.equal(stage.tell(outcome), `${round(0, 1, 2)}\n${round(3)}\n${RUNNING}`);
    assert.deepEqual(
      linesIn(stage, 'hooks'),
      [0, 1, 2, 3].map((index) => `out P${index} 0123`),
    );
  }),
);

test(
  'a lone worker is replaced too, which nobody can do without a gap',
  onStage({ workers: 1, config: { supervisor_settle: 0 } }, async (stage) => {
    await stage.started();
    const [before] = pidsOf(stage, 0);
    await stage.expect('reload', `${renewed(0)}\n${RUNNING}`);
    assert.notEqual(pidsOf(stage, 0)[0], before);
  }),
);

test(
  'missing workers are started first, those that run are replaced, stale ones are stopped last',
  onStage({ workers: 4, config: { supervisor_settle: 0 } }, async (stage) => {
    await stage.started();
    stage.configure({ workers_count: 3 });
    await stage.killWorker(1);
    const hooks = [`--before-stop=${hookFor(stage, 'out')}`, `--after-start=${hookFor(stage, 'in')}`];
    const outcome = await stage.call([...stage.settings, ...hooks, 'reload']).outcome;
    assert.equal(stage.tell(outcome), `[T] start worker P1\n${renewed(0, 2)}\n[T] stopping worker P3\n${RUNNING}`);
    assert.deepEqual(linesIn(stage, 'hooks'), [
      'in P1 0123',
      ...[0, 2].flatMap((index) => [`out P${index} 0123`, `in P${index} 0123`]),
      'out P3 0123',
    ]);
    await stage.assertServing(0, 1, 2);
  }),
);

test(
  'one that does not answer goes before those that do',
  onStage({ workers: 3, config: { supervisor_settle: 0 } }, async (stage) => {
    await stage.started();
    stage.behave({ status: 500 }, 2);
    await until(async () => assert.equal((await stage.page(2, '/status/')).status, 500));
    const reload = stage.begin('reload');
    await reload.said('stopping worker');
    stage.behave({}, 2);
    assert.equal(stage.tell(await reload.outcome), `${renewed(2, 0, 1)}\n${RUNNING}`);
  }),
);

test(
  'where nothing runs there is nothing to reload: exit 7, and nothing is started',
  onStage({}, async (stage) => {
    await stage.expect('reload', '[T] no worker is alive, so there is nothing to reload: run start\nexit 7');
    stage.assertNobody();
  }),
);

test(
  'only workers of an old configuration are left: the configured ones come first, then those go',
  onStage({ workers: 2 }, async (stage) => {
    await stage.started();
    stage.configure({ workers_count: 1, start_port: stage.port(2) });
    await stage.expect(
      'reload --settle=0',
      [
        '[T] start worker P2',
        '[T] stopping worker P0',
        '[T] stopping worker P1',
        '[T] all workers are running',
        'exit 0',
      ].join('\n'),
    );
    await stage.assertServing(2);
    await stage.expect('status', '[T] all workers are running\nexit 0');
  }),
);
