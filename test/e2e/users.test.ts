import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync } from 'node:fs';
import { test } from 'node:test';
import { nobody, onStage, python, reachable, type Stage, whyNotAnotherUser } from '../support/e2e.ts';
import { environment, type Outcome, until } from '../support/e2e-command.ts';
import { isAlive } from '../support/e2e-processes.ts';
import { workersOf } from '../support/e2e-run.ts';

/** A test that becomes another user; where that cannot be it says why. */
function asUsers(
  name: string,
  options: Parameters<typeof onStage>[0],
  body: (stage: Stage, copy: string) => Promise<void>,
): void {
  test(
    name,
    onStage(options, async (stage, t) => {
      const reason = whyNotAnotherUser();
      if (reason === undefined) {
        await body(stage, reachable(stage));
      } else {
        t.skip(reason);
      }
    }),
  );
}

/** The user nobody runs the copy of the binary. */
function unprivileged(stage: Stage, copy: string, ...words: readonly string[]): Promise<Outcome> {
  return stage.program([copy, ...stage.settings, ...words], { uid: nobody }).outcome;
}

asUsers('an unprivileged user runs workers of his own', { owner: nobody }, async (stage, copy) => {
  const run = async (...words: readonly string[]): Promise<string> =>
    stage.tell(await unprivileged(stage, copy, ...words));
  assert.equal(await run('status'), '[T] all workers are stopped\nexit 3');
  assert.equal(await run('start'), '[T] start worker P0\n[T] start worker P1\n[T] all workers are running\nexit 0');
  assert.match((await stage.born(0)).status['Uid'] ?? '', /^65534\t/);
  assert.equal(await run('status'), '[T] all workers are running\nexit 0');
  assert.match(await run('restart'), /\n\[T\] all workers are running\nexit 0$/);
  assert.match(await run('stop'), /\n\[T\] all workers are stopped\nexit 0$/);
  stage.assertNobody();
});

asUsers("an unprivileged user may look at root's workers and do nothing to them", {}, async (stage, copy) => {
  await stage.started();
  const workers = [stage.worker(0), stage.worker(1)];
  assert.equal(stage.tell(await unprivileged(stage, copy, 'status')), '[T] all workers are running\nexit 0');
  for (const action of ['start', 'stop', 'restart', 'force-reload', 'try-restart']) {
    const told = stage.tell(await unprivileged(stage, copy, action));
    assert.match(told, /root/, action);
    assert.match(told, /exit 4$/, `${action}: ${told}`);
    assert(workers.every(isAlive), action);
    assert(existsSync(stage.pidfile(0)));
  }
  await stage.killWorker(1);
  assert.equal(stage.tell(await unprivileged(stage, copy, 'status')), '[T] some workers are running!\nexit 1');
});

asUsers("root stops and restarts a service user's workers", { owner: nobody }, async (stage, copy) => {
  assert.equal((await unprivileged(stage, copy, 'start')).code, 0);
  await stage.expect('status', '[T] all workers are running\nexit 0');
  assert.equal((await stage.run('stop')).code, 0);
  stage.assertNobody();
});

asUsers(
  "root is told that a service user's run brings back what root stops",
  { owner: nobody, workers: 1 },
  async (stage, copy) => {
    const run = stage.program([copy, ...stage.settings, 'run'], { uid: nobody, limit: 60_000 });
    await until(() => assert(run.stderr.includes('all workers are running'), run.stderr));
    const [first] = workersOf(stage, 0);
    const outcome = await stage.run('stop');
    assert.match(
      outcome.stderr,
      new RegExp(
        `\\] a run of nobody \\(pid ${run.pid}\\) looks after these workers, too, and brings back what is stopped`,
      ),
    );
    // Whether it sees the next one already is a matter of milliseconds.
    assert([0, 1].includes(outcome.code ?? 2), stage.tell(outcome));
    assert(first !== undefined && !isAlive(first));
    await until(() => stage.assertServing(0), 20_000);
    run.kill('SIGTERM');
    assert.equal((await run.outcome).code, 0);
    assert.equal(stage.tell(await stage.run('stop')), '[T] all workers are stopped\nexit 0');
  },
);

asUsers(
  'a look-alike that another user planted is ignored, with a warning, and not signalled',
  { workers: 1 },
  async (stage) => {
    const words = [`--config=${stage.config}`, `--port=${stage.port(0)}`, `--pidfile=${stage.pidfile(0)}`];
    const plant = await stage.stranger([python, '-c', 'import time; time.sleep(600)', ...words], { uid: nobody });
    const warning = '[T] process PID of nobody looks like the worker on port P0 and is ignored';
    const outcome = await stage.expect('status', `${warning}\n[T] all workers are stopped\nexit 3`);
    assert(outcome.stderr.includes(`process ${plant.pid} of nobody`));
    await stage.expect('stop', `${warning}\n[T] all workers are stopped\nexit 0`);
    assert(isAlive(plant));
    const started = stage.tell(await stage.run('start'));
    assert.match(started, /^\[T\] start worker P0$/m);
    assert.match(started, /\n\[T\] all workers are running\nexit 0$/);
    assert(isAlive(plant));
  },
);

asUsers("a look-alike with our marker in another user's process is ignored too", { workers: 1 }, async (stage) => {
  const env = { ...environment, FRONTIK_SUPERVISOR_WORKER: `${stage.config}:${stage.port(0)}` };
  const plant = await stage.stranger(['/bin/sleep', '600'], { uid: nobody, env });
  const status = await stage.run('status');
  assert.match(stage.tell(status), /\[T\] all workers are stopped\nexit 3$/);
  const stop = await stage.run('stop');
  assert.match(stage.tell(stop), /\[T\] all workers are stopped\nexit 0$/);
  assert(isAlive(plant));
});

asUsers(
  'root starts workers as supervisor_user',
  { owner: nobody, config: { supervisor_user: 'nobody' } },
  async (stage) => {
    await stage.expect('start', '[T] start worker P0\n[T] start worker P1\n[T] all workers are running\nexit 0');
    for (const index of [0, 1]) {
      const { status } = await stage.born(index);
      assert.equal(status['Uid'], '65534\t65534\t65534\t65534');
      assert.equal(status['Gid'], '65534\t65534\t65534\t65534');
      assert.equal(lstatSync(stage.pidfile(index)).uid, nobody);
    }
    await stage.expect('status', '[T] all workers are running\nexit 0');
    assert.equal((await stage.run('restart')).code, 0);
    assert.equal((await stage.run('stop')).code, 0);
    stage.assertNobody();
  },
);

asUsers('an unreadable launcher is exit 4', { workers: 1 }, async (stage, copy) => {
  const text = `from frontik.server.supervisor import supervisor\nsupervisor(script='${stage.script}', config='${stage.config}')\n`;
  const launcher = stage.write('launcher', text, 0o600);
  for (const action of ['start', 'status']) {
    const told = stage.tell(await stage.program([copy, launcher, action], { uid: nobody }).outcome);
    assert.match(told, /DIR\/launcher/);
    assert.match(told, /exit 4$/);
  }
  stage.assertNobody();
});

asUsers(
  'an unreadable configuration is named, and nothing is started',
  { workers: 1, owner: nobody },
  async (stage, copy) => {
    chownSync(stage.config, 0, 0);
    chmodSync(stage.config, 0o600);
    const start = stage.tell(await unprivileged(stage, copy, 'start'));
    assert.match(start, /DIR\/app\.cfg/);
    assert.match(start, /exit [46]$/);
    const status = stage.tell(await unprivileged(stage, copy, 'status'));
    assert.match(status, /DIR\/app\.cfg/);
    assert.match(status, /exit 4$/);
    stage.assertNobody();
  },
);

asUsers(
  'a current directory that may not be read is no obstacle',
  { workers: 1, owner: nobody },
  async (stage, copy) => {
    mkdirSync(stage.path('secret'));
    chmodSync(stage.path('secret'), 0o700);
    const under = ['/usr/bin/setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];
    const run = async (action: string): Promise<string> =>
      stage.tell(await stage.program([copy, ...stage.settings, action], { under, cwd: stage.path('secret') }).outcome);
    assert.equal(await run('status'), '[T] all workers are stopped\nexit 3');
    assert.equal(await run('start'), '[T] start worker P0\n[T] all workers are running\nexit 0');
    assert.match(await run('stop'), /\n\[T\] all workers are stopped\nexit 0$/);
  },
);

asUsers(
  'a directory for pidfiles that may not be written is named before anything is started',
  { workers: 1 },
  async (stage, copy) => {
    const outcome = await unprivileged(stage, copy, 'start');
    const told = stage.tell(outcome);
    assert.notEqual(outcome.code, 0);
    assert.match(told, /DIR\/(run|log)/);
    stage.assertNobody();
  },
);
