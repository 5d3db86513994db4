import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onStage } from '../support/e2e.ts';
import { isAlive, signal } from '../support/e2e-processes.ts';
import { ended, hearing, hears, pidsOf, resident, workersOf } from '../support/e2e-run.ts';

for (const daemonize of [false, true]) {
  test(
    `a worker that is killed is back (daemonize = ${daemonize}), and the others know nothing of it`,
    onStage({ config: { daemonize } }, async (stage) => {
      const run = await resident(stage);
      const [old, other] = workersOf(stage, 0, 1);
      assert(old !== undefined && other !== undefined);
      const heard = hearing(run);
      signal(old, 'SIGKILL');
      await hears(heard, `worker on port ${stage.port(0)} is running again`);
      await stage.assertServing(0, 1);
      assert.deepEqual(workersOf(stage, 1), [other]);
      const how = daemonize ? 'is gone' : 'was killed by SIGKILL';
      const [port, pid] = [stage.port(0), pidsOf(stage, 0)[0]];
      assert.equal(
        heard()
          .replaceAll(/^\[\d\d:\d\d:\d\d root\]/gm, '[T]')
          .replaceAll(/^.* waiting for worker .*\n/gm, ''),
        `[T] worker on port ${port} (pid ${old.pid}) ${how}\n[T] start worker ${port}\n[T] worker on port ${port} is running again (pid ${pid})\n`,
      );
      if (daemonize) assert.equal(stage.read(stage.pidfile(0)), String(pid));
      assert.equal((await ended(run)).code, 0);
      stage.assertNobody();
    }),
  );
}

for (const daemonize of [false, true]) {
  test(
    `a worker that is killed is missed at once, and takes little more than its own boot (daemonize = ${daemonize})`,
    onStage({ workers: 4, config: { daemonize } }, async (stage, t) => {
      const run = await resident(stage);
      const own: number[] = [];
      const back: number[] = [];
      // Each of these is killed once: one that dies again and again has to rest.
      for (const index of [0, 1, 2, 3]) {
        const [old] = workersOf(stage, index);
        assert(old !== undefined);
        const heard = hearing(run);
        const killedAt = performance.now();
        signal(old, 'SIGKILL');
        await hears(heard, 'start worker');
        const startedAt = performance.now();
        await hears(heard, 'is running again');
        own.push(performance.now() - startedAt);
        back.push(startedAt - killedAt);
      }
      t.diagnostic(
        `missed after ${back.map(Math.round).join(', ')} ms, booted in ${own.map(Math.round).join(', ')} ms`,
      );
      // It takes some 20 ms; the rest is for a busy machine, which is not busy all the time.
      assert(Math.min(...back) < 500, `missed after ${back.join(', ')} ms`);
      assert.equal((await ended(run)).code, 0);
    }),
  );
}

test(
  'all workers that are killed at once are back',
  onStage({ workers: 4 }, async (stage) => {
    const run = await resident(stage);
    const old = workersOf(stage, 0, 1, 2, 3);
    const heard = hearing(run);
    for (const worker of old) signal(worker, 'SIGKILL');
    for (const index of [0, 1, 2, 3]) await hears(heard, `worker on port ${stage.port(index)} is running again`);
    await stage.assertServing(0, 1, 2, 3);
    assert(!old.some(isAlive));
    await ended(run);
  }),
);

test(
  'a child that ends by itself is back, and how it ended is told',
  onStage({ workers: 1, config: { daemonize: false } }, async (stage) => {
    const run = await resident(stage);
    const heard = hearing(run);
    const [old] = workersOf(stage, 0);
    assert(old !== undefined);
    signal(old, 'SIGTERM');
    await hears(heard, `worker on port ${stage.port(0)} (pid ${old.pid}) died`);
    await hears(heard, 'is running again');
    await stage.assertServing(0);
    await ended(run);
  }),
);

test(
  'a worker that dies again and again is given up, loudly, while the others serve',
  onStage({ workers: 2, switches: {} }, async (stage) => {
    const run = await resident(stage, '--start-retries=2');
    const [, other] = workersOf(stage, 0, 1);
    const heard = hearing(run);
    stage.behave({ fail_start: 'no database' }, 0);
    await stage.killWorker(0);
    await hears(
      heard,
      /worker on port \d+ went away 3 times in a row and is given up: it is tried again in (2[2-9]\d|3[0-7]\d)\.\d s/,
    );
    assert.match(heard(), /worker on port \d+: \| no database/);
    assert.match(heard(), /worker on port \d+ is started again in (0\.[3-9]|1\.[0-9]) s/);
    assert.deepEqual(workersOf(stage, 1), [other]);
    await stage.assertServing(1);
    run.kill('SIGUSR2');
    await hears(
      heard,
      new RegExp(`worker on port ${stage.port(0)}: started again in \\d+\\.\\d s, after 3 quick deaths`),
    );
    await hears(heard, new RegExp(`worker on port ${stage.port(1)}: running for \\d+ s \\(pid ${other?.pid}\\)`));
    await hears(heard, 'some workers are running!');
    // Whoever asks for it gets it started at once.
    stage.behave({}, 0);
    assert.equal((await stage.run('start')).code, 0);
    await stage.assertServing(0, 1);
    assert.equal((await ended(run)).code, 0);
  }),
);
