import assert from 'node:assert/strict';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { test } from 'node:test';
import { onStage, python, type Stage } from '../support/e2e.ts';
import { environment } from '../support/e2e-command.ts';
import { isAlive, mentioning } from '../support/e2e-processes.ts';

/** What a worker on that port has in its command line by the contract. */
function wordsOf(stage: Stage, index: number): readonly string[] {
  return [
    `--config=${stage.config}`,
    `--port=${stage.port(index)}`,
    `--pidfile=${stage.pidfile(index)}`,
    `--logfile=${stage.logfile(index)}`,
  ];
}

test(
  'workers started by hand or by the Python supervisor are ours',
  onStage({}, async (stage) => {
    await stage.byHand(0, wordsOf(stage, 0));
    const worker = stage.worker(0);
    await stage.expect('status', '[T] some workers are running!\nexit 1');
    await stage.expect(
      'start',
      `
      [T] another worker already started on P0
      [T] start worker P1
      [T] all workers are running
      exit 0`,
    );
    assert(isAlive(worker));
    assert.equal((await stage.run('stop')).code, 0);
    stage.assertNobody();
  }),
);

test(
  'a port is not another one that begins with it',
  onStage({ workers: 1 }, async (stage) => {
    await stage.started();
    const prefix = Math.floor(stage.port(0) / 10);
    const worker = stage.worker(0);
    await stage.expect(
      `status --start_port=${prefix}`,
      '[T] some stale workers are running!\n[T] all workers are stopped\nexit 3',
    );
    assert(isAlive(worker));
  }),
);

test(
  'a worker of a configuration whose name begins with ours is not ours',
  onStage({ workers: 1 }, async (stage) => {
    const other = stage.write('app.cfg.bak', readFileSync(stage.config, 'utf8'));
    await stage.byHand(0, [`--config=${other}`, `--port=${stage.port(0)}`, `--pidfile=${stage.path('run/other.pid')}`]);
    const worker = stage.worker(0);
    await stage.expect('status', '[T] all workers are stopped\nexit 3');
    await stage.expect('stop', '[T] all workers are stopped\nexit 0');
    const told = stage.tell(await stage.run('start'));
    assert.match(told, /^\[T\] port P0 is held by \S+ \(pid PID\)$/m);
    assert.match(told, /\n\[T\] all workers are stopped\nexit 1$/);
    assert(isAlive(worker));
  }),
);

test(
  'an editor under Python that has our files open is no worker',
  onStage({ workers: 1 }, async (stage) => {
    const editor = await stage.stranger([python, '-c', 'import time; time.sleep(600)', stage.pidfile(0), stage.config]);
    const shell = await stage.stranger([
      '/bin/sh',
      '-c',
      `sleep 600 # --port=${stage.port(0)} --config=${stage.config}`,
    ]);
    await stage.expect('status', '[T] all workers are stopped\nexit 3');
    await stage.expect('stop', '[T] all workers are stopped\nexit 0');
    assert(isAlive(editor));
    assert(isAlive(shell));
  }),
);

test(
  'the same configuration with another pidfile template is another fleet',
  onStage({ workers: 1 }, async (stage) => {
    const other = `--pidfile_template=${stage.path('run/other.%(port)s.pid')} --start_port=${stage.port(4)}`;
    await stage.started();
    await stage.expect(`status ${other}`, '[T] all workers are stopped\nexit 3');
    await stage.expect(`start ${other}`, '[T] start worker P4\n[T] all workers are running\nexit 0');
    await stage.expect('status', '[T] all workers are running\nexit 0');
    const [first, second] = [stage.worker(0), stage.worker(4)];
    await stage.expect(
      'stop',
      `
      [T] some of the workers are running, trying to kill
      [T] stopping worker P0
      [T] all workers are stopped
      exit 0`,
    );
    assert(!isAlive(first));
    assert(isAlive(second));
    assert(existsSync(stage.path(`run/other.${stage.port(4)}.pid`)));
    await stage.expect(`status ${other}`, '[T] all workers are running\nexit 0');
  }),
);

test(
  'another application that shares the pidfile template is not ours, and keeps its pidfiles',
  onStage({ workers: 1 }, async (stage) => {
    const other = stage.write(
      'other.cfg',
      readFileSync(stage.config, 'utf8').replace(/start_port = \d+/, `start_port = ${stage.port(4)}`),
    );
    const call = (action: string): Promise<string> =>
      stage
        .call([`--script=${stage.script}`, `--config=${other}`, action])
        .outcome.then((outcome) => stage.tell(outcome));
    await stage.started();
    assert.equal(await call('start'), '[T] start worker P4\n[T] all workers are running\nexit 0');
    const theirs = stage.worker(4);
    await stage.expect('status', '[T] all workers are running\nexit 0');
    await stage.expect(
      'stop',
      `
      [T] some of the workers are running, trying to kill
      [T] stopping worker P0
      [T] all workers are stopped
      exit 0`,
    );
    assert(isAlive(theirs));
    assert.equal(readFileSync(stage.pidfile(4), 'utf8'), String(theirs.pid));
    assert.equal(await call('status'), '[T] all workers are running\nexit 0');
    assert.equal((await stage.run('restart')).code, 0);
    assert(isAlive(theirs));
  }),
);

test(
  'a renamed worker is known by its pidfile and its port',
  onStage({ workers: 1, switches: { rename: 'ready' } }, async (stage) => {
    await stage.expect('start', '[T] start worker P0\n[T] all workers are running\nexit 0');
    const [worker] = mentioning(stage.dir);
    assert(worker !== undefined);
    assert(!worker.argv.includes(`--port=${stage.port(0)}`));
    await stage.expect('status', '[T] all workers are running\nexit 0');
    await stage.expect('start', '[T] another worker already started on P0\n[T] all workers are running\nexit 0');
    await stage.expect(
      'stop',
      `
      [T] some of the workers are running, trying to kill
      [T] stopping worker P0
      [T] all workers are stopped
      exit 0`,
    );
    assert(!isAlive(worker));
  }),
);

test(
  'a worker that renames itself before it is ready is started and stopped',
  onStage({ workers: 1, switches: { rename: 'start', sleep_bind: 0.5 } }, async (stage) => {
    await stage.expect('start', '[T] start worker P0\n[T] all workers are running\nexit 0');
    await stage.expect('status', '[T] all workers are running\nexit 0');
    assert.equal((await stage.run('stop')).code, 0);
    assert.deepEqual(mentioning(stage.dir), []);
  }),
);

for (const child of ['exec', 'fork'] as const) {
  test(
    `a worker with a child of its own (${child}) is one worker`,
    onStage({ workers: 1, switches: { child } }, async (stage) => {
      await stage.started();
      const worker = stage.worker(0);
      await stage.expect('status', '[T] all workers are running\nexit 0');
      await stage.expect('start', '[T] another worker already started on P0\n[T] all workers are running\nexit 0');
      assert(isAlive(worker));
      const told = stage.tell(await stage.run('restart'));
      assert.match(told, /\n\[T\] all workers are running\nexit 0$/);
      await stage.assertServing(0);
      assert(!isAlive(worker));
    }),
  );
}

for (const child of ['exec', 'fork'] as const) {
  test(
    `a child that outlives its worker (${child}) is not taken for it`,
    onStage({ workers: 1, switches: { child } }, async (stage) => {
      await stage.started();
      await stage.killWorker(0);
      await stage.expect('status', '[T] all workers are stopped\nexit 3');
      await stage.expect('start', '[T] start worker P0\n[T] all workers are running\nexit 0');
      await stage.expect('status', '[T] all workers are running\nexit 0');
    }),
  );
}

test(
  'a command run by a worker is not ended by the stop it asks for, and the worker is',
  onStage({ workers: 1 }, async (stage) => {
    await stage.started();
    const worker = stage.worker(0);
    // As in a deployment hook: the command, and the shell around it, inherit the worker's marker.
    const told = stage.tell(
      await stage.program(
        ['/bin/sh', '-c', `"$@"; code=$?; echo "the hook goes on"; exit $code`, 'sh', ...stage.command('restart')],
        {
          env: { ...environment, FRONTIK_SUPERVISOR_WORKER: `${stage.config}:${stage.port(0)}` },
        },
      ).outcome,
    );
    assert.match(told, /^the hook goes on$/m);
    assert.match(told, /exit 0$/);
    assert(!isAlive(worker));
    await stage.assertServing(0);
  }),
);

test(
  'a configuration is the same through a symlink',
  onStage({ workers: 1 }, async (stage) => {
    const link = stage.path('link.cfg');
    symlinkSync(stage.config, link);
    const first = await stage.call([`--script=${stage.script}`, `--config=${link}`, 'start']).outcome;
    assert.equal(stage.tell(first), '[T] start worker P0\n[T] all workers are running\nexit 0');
    assert(stage.worker(0).argv.includes(`--config=${link}`));
    await stage.expect('status', '[T] all workers are running\nexit 0');
    assert.equal((await stage.run('stop')).code, 0);
    stage.assertNobody();
  }),
);

test(
  'a configuration is the same however its path is spelled',
  onStage({ workers: 1 }, async (stage) => {
    stage.directory('other');
    for (const path of [`${stage.dir}//app.cfg`, `${stage.dir}/./app.cfg`, `${stage.dir}/other/../app.cfg`]) {
      const first = await stage.call([`--script=${stage.script}`, `--config=${path}`, 'start']).outcome;
      assert.equal(stage.tell(first), '[T] start worker P0\n[T] all workers are running\nexit 0');
      assert(stage.worker(0).argv.includes(`--config=${path}`));
      await stage.expect('start', '[T] another worker already started on P0\n[T] all workers are running\nexit 0');
      await stage.expect('status', '[T] all workers are running\nexit 0');
      assert.equal((await stage.run('stop')).code, 0);
      stage.assertNobody();
    }
  }),
);

test(
  'a relative configuration is passed on as written, and means the file in its own directory only',
  onStage({ workers: 1, config: { daemonize: false, pidfile_template: 'run/rel.%(port)s.pid' } }, async (stage) => {
    const call = async (action: string, cwd = stage.dir): Promise<string> =>
      stage.tell(await stage.call([`--script=${stage.script}`, '--config=app.cfg', action], { cwd }).outcome);
    assert.equal(await call('start'), '[T] start worker P0\n[T] all workers are running\nexit 0');
    assert(stage.worker(0).argv.includes('--config=app.cfg'));
    assert.equal(await call('status'), '[T] all workers are running\nexit 0');
    await stage.expect('status', '[T] all workers are running\nexit 0');
    stage.directory('elsewhere/run');
    stage.write('elsewhere/app.cfg', stage.read(stage.config));
    assert.equal(await call('status', stage.path('elsewhere')), '[T] all workers are stopped\nexit 3');
    assert.equal(await call('stop', stage.path('elsewhere')), '[T] all workers are stopped\nexit 0');
    await stage.assertServing(0);
    assert.match(await call('stop'), /\n\[T\] all workers are stopped\nexit 0$/);
    stage.assertNobody();
  }),
);

test(
  'with a relative configuration and templates a daemon is found although it changed its directory',
  onStage({ workers: 1 }, async (stage) => {
    stage.configure({ pidfile_template: 'run/rel.%(port)s.pid', logfile_template: 'log/rel.%(port)s.log' });
    const call = (action: string): Promise<string> =>
      stage.call(['--script=./worker', '--config=app.cfg', action]).outcome.then((outcome) => stage.tell(outcome));
    // The daemon cannot read a relative configuration any more, but Frontik reads it before it daemonizes.
    assert.equal(await call('start'), '[T] start worker P0\n[T] all workers are running\nexit 0');
    assert(existsSync(stage.path(`run/rel.${stage.port(0)}.pid`)));
    assert(existsSync(stage.path(`log/rel.${stage.port(0)}.log`)));
    assert(stage.worker(0).argv.includes(`--pidfile=${stage.path(`run/rel.${stage.port(0)}.pid`)}`));
    assert.equal(await call('status'), '[T] all workers are running\nexit 0');
    assert.match(await call('stop'), /\n\[T\] all workers are stopped\nexit 0$/);
    stage.assertNobody();
  }),
);
