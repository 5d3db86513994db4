import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { lines, onStage, type Stage } from '../support/e2e.ts';
import { isAlive, type Seen } from '../support/e2e-processes.ts';

/** The contract leaves open whether the stop inside a restart sums itself up, so that line is not compared. */
async function expectRestart(stage: Stage, words: string, transcript: string): Promise<void> {
  const told = stage.tell(await stage.run(words));
  assert.equal(told.replace(/\[T\] all workers are stopped\n(?=\[T\] start worker)/, ''), lines(transcript));
}

function team(stage: Stage): readonly Seen[] {
  return Array.from({ length: stage.workers }, (_, index) => stage.worker(index));
}

for (const action of ['restart', 'force-reload', 'try-restart', 'condrestart']) {
  test(
    `${action} replaces every running worker`,
    onStage({}, async (stage) => {
      await stage.started();
      const before = team(stage);
      await expectRestart(
        stage,
        action,
        `
        [T] some of the workers are running, trying to kill
        [T] stopping worker P0
        [T] stopping worker P1
        [T] start worker P0
        [T] start worker P1
        [T] all workers are running
        exit 0`,
      );
      await stage.assertServing(0, 1);
      assert(!before.some(isAlive));
      for (const index of [0, 1]) {
        assert.equal(readFileSync(stage.pidfile(index), 'utf8'), String(stage.worker(index).pid));
      }
    }),
  );

  test(
    `${action} with one worker dead leaves all running`,
    onStage({}, async (stage) => {
      await stage.started();
      await stage.killWorker(0);
      await expectRestart(
        stage,
        action,
        `
        [T] some of the workers are running, trying to kill
        [T] stopping worker P1
        [T] start worker P0
        [T] start worker P1
        [T] all workers are running
        exit 0`,
      );
      await stage.assertServing(0, 1);
    }),
  );
}

for (const action of ['restart', 'force-reload']) {
  test(
    `${action} when nothing runs starts all`,
    onStage({}, async (stage) => {
      await expectRestart(
        stage,
        action,
        `
        [T] start worker P0
        [T] start worker P1
        [T] all workers are running
        exit 0`,
      );
      await stage.assertServing(0, 1);
    }),
  );
}

for (const action of ['try-restart', 'condrestart']) {
  test(
    `${action} when nothing runs starts nothing and succeeds`,
    onStage({}, async (stage) => {
      const outcome = await stage.run(action);
      assert.equal(outcome.code, 0);
      assert.doesNotMatch(outcome.stderr, /start worker|stopping/);
      stage.assertNobody();
    }),
  );

  test(
    `${action} restarts workers that are alive but not ready`,
    onStage({ workers: 1 }, async (stage) => {
      await stage.started();
      const before = stage.worker(0);
      process.kill(before.pid, 'SIGSTOP');
      const outcome = await stage.run(action);
      assert.equal(outcome.code, 0, stage.tell(outcome));
      await stage.assertServing(0);
      assert(!isAlive(before));
    }),
  );
}

test(
  'restart stops stale workers and starts only the configured ones',
  onStage({ workers: 3 }, async (stage) => {
    await stage.started();
    stage.configure({ workers_count: 1 });
    await expectRestart(
      stage,
      'restart',
      `
      [T] some of the workers are running, trying to kill
      [T] stopping worker P0
      [T] stopping worker P1
      [T] stopping worker P2
      [T] start worker P0
      [T] all workers are running
      exit 0`,
    );
    await stage.assertServing(0);
  }),
);

test(
  'restart goes over to a configuration with more workers',
  onStage({ workers: 1 }, async (stage) => {
    await stage.started();
    stage.configure({ workers_count: 2 });
    await expectRestart(
      stage,
      'restart',
      `
      [T] some of the workers are running, trying to kill
      [T] stopping worker P0
      [T] start worker P0
      [T] start worker P1
      [T] all workers are running
      exit 0`,
    );
    await stage.assertServing(0, 1);
  }),
);

test(
  'restart sends SIGKILL to what ignores SIGTERM, and starts it anew',
  // On a busy machine the other worker, too, may need a second to go.
  onStage({ config: { supervisor_sigterm_timeout: 3 } }, async (stage) => {
    await stage.started();
    stage.behave({ ignore_sigterm: true }, 0);
    await expectRestart(
      stage,
      'restart',
      `
      [T] some of the workers are running, trying to kill
      [T] stopping worker P0
      [T] stopping worker P1
      [T] stopping worker P0
      [T] start worker P0
      [T] start worker P1
      [T] all workers are running
      exit 0`,
    );
    await stage.assertServing(0, 1);
  }),
);

test(
  'restart of a worker that is broken by now reports it and keeps the others up',
  onStage({}, async (stage) => {
    await stage.started();
    stage.behave({ fail_start: 'the new version is broken' }, 1);
    const told = stage.tell(await stage.run('restart'));
    assert.match(told, /^\[T\] worker on port P1 failed to start$/m);
    assert.match(told, /P1.*the new version is broken/);
    assert.match(told, /\n\[T\] some workers are running!\nexit 1$/);
    await stage.assertServing(0);
  }),
);

test(
  'restart with a foreign process on a port starts the ports that are free',
  onStage({}, async (stage) => {
    await stage.started();
    await stage.killWorker(0);
    const squatter = await stage.squatter(0);
    const told = stage.tell(await stage.run('restart'));
    assert.match(told, /^\[T\] port P0 is held by python3 \(pid PID\)$/m);
    assert.match(told, /\n\[T\] some workers are running!\nexit 1$/);
    await stage.assertServing(1);
    assert(isAlive(squatter));
  }),
);

interface Obstacle {
  readonly what: string;
  readonly code: number;
  readonly names: RegExp;
  readonly put: (stage: Stage) => void;
}

const OBSTACLES: readonly Obstacle[] = [
  { what: 'a missing script', code: 5, names: /DIR\/worker/, put: (stage) => rmSync(stage.script) },
  {
    what: 'a broken configuration',
    code: 6,
    names: /DIR\/app\.cfg:1:\d+/,
    put: (stage) => stage.write('app.cfg', "workers_count = 'two'\n"),
  },
  { what: 'a missing configuration', code: 6, names: /DIR\/app\.cfg/, put: (stage) => rmSync(stage.config) },
];

for (const { what, code, names, put } of OBSTACLES) {
  for (const action of ['restart', 'force-reload', 'try-restart']) {
    test(
      `${action} with ${what} finds it before anything is stopped`,
      onStage({}, async (stage) => {
        await stage.started();
        const before = team(stage);
        put(stage);
        const told = stage.tell(await stage.run(action));
        assert.match(told, names);
        assert.match(told, new RegExp(`exit ${code}$`));
        assert.doesNotMatch(told, /stopping|start worker/);
        assert(before.every(isAlive));
      }),
    );
  }
}

test(
  'restart with a log directory that cannot be finds it before anything is stopped',
  onStage({}, async (stage) => {
    await stage.started();
    const before = team(stage);
    stage.write('file', '');
    stage.configure({ logfile_template: stage.path('file/app.%(port)s.log') });
    const outcome = await stage.run('restart');
    const told = stage.tell(outcome);
    assert.match(told, /DIR\/file/);
    assert.notEqual(outcome.code, 0);
    assert.doesNotMatch(told, /stopping|start worker/);
    assert(before.every(isAlive));
  }),
);
