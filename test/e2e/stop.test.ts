import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { onStage } from '../support/e2e.ts';
import { until } from '../support/e2e-command.ts';
import { isAlive } from '../support/e2e-processes.ts';

test(
  'stop ends all workers and removes their pidfiles',
  onStage({ workers: 4 }, async (stage) => {
    await stage.started();
    const outcome = await stage.expect(
      'stop',
      `
      [T] some of the workers are running, trying to kill
      [T] stopping worker P0
      [T] stopping worker P1
      [T] stopping worker P2
      [T] stopping worker P3
      [T] all workers are stopped
      exit 0`,
    );
    assert.equal(outcome.stdout, '');
    stage.assertNobody();
    assert.deepEqual(readdirSync(stage.path('run')), []);
  }),
);

test(
  'stop when nothing runs says that all are stopped',
  onStage({}, async (stage) => {
    await stage.expect('stop', '[T] all workers are stopped\nexit 0');
    await stage.expect('stop', '[T] all workers are stopped\nexit 0');
  }),
);

test(
  'stop with one worker dead stops the other and tidies both pidfiles',
  onStage({}, async (stage) => {
    await stage.started();
    await stage.killWorker(0);
    await stage.expect(
      'stop',
      `
      [T] some of the workers are running, trying to kill
      [T] stopping worker P1
      [T] all workers are stopped
      exit 0`,
    );
    stage.assertNobody();
    assert.deepEqual(readdirSync(stage.path('run')), []);
  }),
);

test(
  'stop with all workers dead tidies their pidfiles',
  onStage({}, async (stage) => {
    await stage.started();
    await stage.killWorker(0);
    await stage.killWorker(1);
    await stage.expect('stop', '[T] all workers are stopped\nexit 0');
    assert.deepEqual(readdirSync(stage.path('run')), []);
  }),
);

test(
  'stop ends stale workers too',
  onStage({ workers: 3 }, async (stage) => {
    await stage.started();
    stage.configure({ workers_count: 1 });
    await stage.expect(
      'stop',
      `
      [T] some of the workers are running, trying to kill
      [T] stopping worker P0
      [T] stopping worker P1
      [T] stopping worker P2
      [T] all workers are stopped
      exit 0`,
    );
    stage.assertNobody();
    assert.deepEqual(readdirSync(stage.path('run')), []);
  }),
);

test(
  'stop ends stale workers when no configured one runs',
  onStage({}, async (stage) => {
    await stage.started();
    stage.configure({ start_port: stage.port(8) });
    await stage.expect(
      'stop',
      `
      [T] some of the workers are running, trying to kill
      [T] stopping worker P0
      [T] stopping worker P1
      [T] all workers are stopped
      exit 0`,
    );
    stage.assertNobody();
  }),
);

test(
  'a worker that ignores SIGTERM gets SIGKILL after the timeout',
  // On a busy machine the other worker, too, may need a second to go.
  onStage({ config: { supervisor_sigterm_timeout: 3 } }, async (stage) => {
    await stage.started();
    stage.behave({ ignore_sigterm: true }, 1);
    const outcome = await stage.expect(
      'stop',
      `
      [T] some of the workers are running, trying to kill
      [T] stopping worker P0
      [T] stopping worker P1
      [T] stopping worker P1
      [T] all workers are stopped
      exit 0`,
    );
    assert(outcome.took >= 3000, 'its whole grace');
    stage.assertNobody();
  }),
);

test(
  'stop waits for a worker that finishes its requests, and no longer',
  onStage({ config: { supervisor_sigterm_timeout: 3600 }, switches: { stop_timeout: 1.5 } }, async (stage) => {
    await stage.started();
    const outcome = await stage.expect(
      'stop',
      `
      [T] some of the workers are running, trying to kill
      [T] stopping worker P0
      [T] stopping worker P1
      [T] all workers are stopped
      exit 0`,
      { limit: 60_000 },
    );
    assert(outcome.took >= 1500);
    stage.assertNobody();
  }),
);

test(
  'stop finds workers that lost their pidfiles',
  onStage({ switches: { pidfile: 'lose' } }, async (stage) => {
    await stage.started();
    for (const index of [0, 1]) {
      rmSync(stage.pidfile(index), { force: true });
    }
    await stage.expect('status', '[T] all workers are running\nexit 0');
    assert.equal((await stage.run('stop')).code, 0);
    stage.assertNobody();
  }),
);

test(
  'stop ends workers that do not daemonize',
  onStage({ config: { daemonize: false } }, async (stage) => {
    await stage.started();
    assert.equal((await stage.run('stop')).code, 0);
    stage.assertNobody();
    assert.deepEqual(readdirSync(stage.path('run')), []);
  }),
);

test(
  'stop ends a worker that is alive but not ready',
  onStage({ workers: 1 }, async (stage) => {
    await stage.started();
    stage.behave({ status: 503 });
    await stage.expect(
      'stop',
      `
      [T] some of the workers are running, trying to kill
      [T] stopping worker P0
      [T] all workers are stopped
      exit 0`,
    );
    stage.assertNobody();
  }),
);

test(
  'stop ends a worker that is frozen',
  onStage({ workers: 1, config: { supervisor_sigterm_timeout: 1 } }, async (stage) => {
    await stage.started();
    process.kill(stage.worker(0).pid, 'SIGSTOP');
    const told = stage.tell(await stage.run('stop'));
    assert.match(told, /\n\[T\] all workers are stopped\nexit 0$/);
    stage.assertNobody();
  }),
);

for (const child of ['exec', 'fork'] as const) {
  test(
    `stop ends what a worker leaves behind in its session (${child})`,
    onStage({ workers: 1, switches: { child } }, async (stage) => {
      await stage.started();
      const told = stage.tell(await stage.run('stop'));
      assert.match(told, /\n\[T\] all workers are stopped\nexit 0$/);
      stage.assertNobody();
    }),
  );
}

for (const child of ['exec', 'fork'] as const) {
  test(
    `stop ends what a killed worker left behind (${child})`,
    onStage({ workers: 1, switches: { child } }, async (stage) => {
      await stage.started();
      await stage.killWorker(0);
      const told = stage.tell(await stage.run('stop'));
      assert.match(told, /\[T\] all workers are stopped\nexit 0$/);
      stage.assertNobody();
    }),
  );
}

test(
  'stop ends both of two workers on one port',
  onStage({ workers: 1 }, async (stage) => {
    await stage.started();
    const [config, port, pidfile] = [stage.config, stage.port(0), stage.pidfile(0)];
    await stage.byHand(0, [`--config=${config}`, `--port=${port}`, `--pidfile=${pidfile}`]);
    // A daemon on its way is two processes for a moment, or none.
    await until(() => assert.equal(stage.workersOn(0).length, 2));
    const told = stage.tell(await stage.run('stop'));
    assert.match(told, /\n\[T\] all workers are stopped\nexit 0$/);
    stage.assertNobody();
  }),
);

test(
  'stop needs no script',
  onStage({ workers: 1 }, async (stage) => {
    await stage.started();
    rmSync(stage.script);
    assert.equal((await stage.run('stop')).code, 0);
    stage.assertNobody();
    const outcome = await stage.call([`--config=${stage.config}`, 'stop']).outcome;
    assert.equal(stage.tell(outcome), '[T] all workers are stopped\nexit 0');
  }),
);

const BROKEN = [
  { how: 'has a syntax error', text: 'workers_count = = 3\n' },
  { how: 'has a value of the wrong type', text: "workers_count = 'many'\n" },
  { how: 'is empty of sense', text: '\0\u0001 nothing of this is Python\n' },
];

for (const { how, text } of BROKEN) {
  test(
    `stop with a configuration that ${how} says so and stops all workers of it`,
    onStage({}, async (stage) => {
      await stage.started();
      stage.write('app.cfg', text);
      const told = stage.tell(await stage.run('stop'));
      assert.match(told, /DIR\/app\.cfg/);
      assert.match(told, /^\[T\] stopping worker P0\n\[T\] stopping worker P1$/m);
      assert.match(told, /exit 0$/);
      stage.assertNobody();
    }),
  );
}

test(
  'stop with a configuration that is gone says so and stops all workers of it',
  onStage({}, async (stage) => {
    await stage.started();
    // The fixture reads its control file, not its configuration, from now on.
    rmSync(stage.config);
    const told = stage.tell(await stage.run('stop'));
    assert.match(told, /DIR\/app\.cfg/);
    assert.match(told, /exit 0$/);
    stage.assertNobody();
  }),
);

test(
  'stop leaves a foreign process on a configured port alone',
  onStage({}, async (stage) => {
    await stage.started();
    await stage.killWorker(1);
    const squatter = await stage.squatter(1);
    const told = stage.tell(await stage.run('stop'));
    assert.match(told, /\n\[T\] all workers are stopped\nexit 0$/);
    assert(isAlive(squatter));
  }),
);

test(
  'stop keeps the log files',
  onStage({ workers: 1 }, async (stage) => {
    await stage.started();
    assert.equal((await stage.run('stop')).code, 0);
    assert(existsSync(stage.logfile(0)));
  }),
);
