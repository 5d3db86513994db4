import assert from 'node:assert/strict';
import { lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { onStage, type Stage, type Switches } from '../support/e2e.ts';
import { until } from '../support/e2e-command.ts';
import { isAlive } from '../support/e2e-processes.ts';

test(
  'status tells all from some from none',
  onStage({}, async (stage) => {
    await stage.expect('status', '[T] all workers are stopped\nexit 3');
    await stage.started();
    const outcome = await stage.expect('status', '[T] all workers are running\nexit 0');
    assert.equal(outcome.stdout, '');
    await stage.killWorker(0);
    await stage.expect('status', '[T] some workers are running!\nexit 1');
    await stage.expect('status --supervisor_partial_status=4', '[T] some workers are running!\nexit 4');
    await stage.expect('status --partial-status 4', '[T] some workers are running!\nexit 4');
    stage.configure({ supervisor_partial_status: 4 });
    await stage.expect('status', '[T] some workers are running!\nexit 4');
    await stage.killWorker(1);
    await stage.expect('status', '[T] all workers are stopped\nexit 3');
  }),
);

test(
  'status warns of stale workers beside what it says of the configured ones',
  onStage({}, async (stage) => {
    await stage.started();
    await stage.expect(
      'status --workers_count=1',
      '[T] some stale workers are running!\n[T] all workers are running\nexit 0',
    );
    await stage.expect(
      `status --start_port=${stage.port(1)}`,
      '[T] some stale workers are running!\n[T] some workers are running!\nexit 1',
    );
    await stage.expect(
      `status --start_port=${stage.port(8)}`,
      '[T] some stale workers are running!\n[T] all workers are stopped\nexit 3',
    );
    await stage.assertServing(0, 1);
  }),
);

interface Sickness {
  readonly what: string;
  readonly switches: Switches;
}

const SICKNESSES: readonly Sickness[] = [
  { what: 'answers 503', switches: { status: 503 } },
  { what: 'answers 404', switches: { status: 404 } },
  { what: 'takes longer than a second', switches: { delay: 5 } },
  { what: 'never answers', switches: { delay: 600 } },
  { what: 'answers one byte a second', switches: { drip: true } },
  { what: 'redirects', switches: { redirect: '/' } },
  { what: 'answers as another server', switches: { server: 'nginx/1.22.1' } },
];

for (const { what, switches } of SICKNESSES) {
  test(
    `a worker that ${what} is alive but not ready`,
    onStage({}, async (stage) => {
      await stage.started();
      stage.behave(switches, 0);
      await stage.expect(
        'status',
        `
        [T] worker on port P0 is alive (pid PID) but not ready
        [T] some workers are running!
        exit 1`,
      );
      const outcome = await stage.run('status');
      assert(outcome.stderr.includes(`(pid ${stage.worker(0).pid})`));
    }),
  );
}

test(
  'when no worker is ready but all are alive, status does not call them stopped',
  onStage({ switches: {} }, async (stage) => {
    await stage.started();
    stage.behave({ status: 500 });
    await stage.expect(
      'status',
      `
      [T] worker on port P0 is alive (pid PID) but not ready
      [T] worker on port P1 is alive (pid PID) but not ready
      [T] some workers are running!
      exit 1`,
    );
  }),
);

test(
  'a frozen worker is alive but not ready',
  onStage({ workers: 1 }, async (stage) => {
    await stage.started();
    process.kill(stage.worker(0).pid, 'SIGSTOP');
    await stage.expect(
      'status',
      `
      [T] worker on port P0 is alive (pid PID) but not ready
      [T] some workers are running!
      exit 1`,
    );
  }),
);

for (const { what, switches } of [
  { what: 'a big body', switches: { body: 1_000_000 } },
  { what: '204', switches: { status: 204, body: 0 } },
  { what: 'the Server header of a modern Frontik', switches: { server: 'Frontik/11.0.5' } },
] as const) {
  test(
    `a worker that answers with ${what} is running`,
    onStage({ workers: 1 }, async (stage) => {
      await stage.started();
      stage.behave(switches);
      await stage.expect('status', '[T] all workers are running\nexit 0');
    }),
  );
}

test(
  'what readiness asks for, and which servers it accepts, can be set',
  onStage({ workers: 1 }, async (stage) => {
    await stage.started();
    stage.behave({ server: 'MyServer/1' });
    await stage.expect('status --supervisor_status_server=Other,MyServer', '[T] all workers are running\nexit 0');
    await stage.expect('status --status_server=', '[T] all workers are running\nexit 0');
    stage.configure({ supervisor_status_server: 'MyServer' });
    await stage.expect('status', '[T] all workers are running\nexit 0');
    stage.configure({ supervisor_status_server: null, supervisor_status_path: '/cwd' });
    stage.behave({ status: 503 });
    await stage.expect('status', '[T] all workers are running\nexit 0');
  }),
);

test(
  'a foreign server on the port of a dead worker does not count as running',
  onStage({ workers: 1 }, async (stage) => {
    const server = createServer((_, response) => response.writeHead(200, { Server: 'TornadoServer/6.2' }).end('ok'));
    await stage.listen(server, 0);
    await stage.expect('status', '[T] all workers are stopped\nexit 3');
    await stage.expect('stop', '[T] all workers are stopped\nexit 0');
  }),
);

test(
  'a worker whose port is held and answered by somebody else is not running',
  onStage({ workers: 1 }, async (stage) => {
    await stage.started();
    stage.behave({ no_bind: true }, 1);
    await stage.started('start --workers_count=1');
    const server = createServer((_, response) => response.writeHead(200, { Server: 'TornadoServer/6.2' }).end('ok'));
    await stage.listen(server, 1);
    const [config, port] = [stage.config, stage.port(1)];
    const pidfile = stage.pidfile(1);
    assert.equal(
      (await stage.program([stage.script, `--config=${config}`, `--port=${port}`, `--pidfile=${pidfile}`]).outcome)
        .code,
      0,
    );
    await until(() => assert.equal(stage.workersOn(1).length, 1));
    await stage.expect(
      'status --workers_count=2',
      `
      [T] worker on port P1 is alive (pid PID) but not ready
      [T] some workers are running!
      exit 1`,
    );
  }),
);

test(
  'foreign peers that speak no HTTP, or drip, or close at once do not matter to status',
  onStage({ workers: 3 }, async (stage) => {
    await stage.squatter(0, "c, _ = s.accept()\nc.send(b'SSH-2.0-OpenSSH_9.2p1\\r\\n')\ntime.sleep(600)");
    await stage.squatter(1, 'while True: s.accept()[0].close()');
    await stage.squatter(2);
    await stage.expect('status', '[T] all workers are stopped\nexit 3');
  }),
);

/** Everything that status could have changed here. */
function traces(stage: Stage): unknown {
  const entries = readdirSync(stage.dir, { recursive: true, encoding: 'utf8' }).sort();
  return entries.map((name) => {
    const { mode, size, mtimeMs, ino } = lstatSync(stage.path(name));
    return { name, mode, size, mtimeMs, ino };
  });
}

test(
  'status changes nothing, not even a stale pidfile',
  onStage({}, async (stage) => {
    await stage.started();
    await stage.killWorker(1);
    const worker = stage.worker(0);
    const before = traces(stage);
    await stage.expect('status', '[T] some workers are running!\nexit 1');
    assert.deepEqual(traces(stage), before);
    assert(isAlive(worker));
    assert.match(readFileSync(stage.pidfile(1), 'utf8'), /^\d+$/);
  }),
);

test(
  'status needs no script',
  onStage({ workers: 1 }, async (stage) => {
    await stage.started();
    rmSync(stage.script);
    await stage.expect('status', '[T] all workers are running\nexit 0');
    const outcome = await stage.call([`--config=${stage.config}`, 'status']).outcome;
    assert.equal(stage.tell(outcome), '[T] all workers are running\nexit 0');
  }),
);

for (const { what, breakIt } of [
  { what: 'broken', breakIt: (stage: Stage) => stage.write('app.cfg', 'workers_count = "two"\n') },
  { what: 'gone', breakIt: (stage: Stage) => rmSync(stage.config) },
  {
    what: 'a directory',
    breakIt: (stage: Stage): void => {
      rmSync(stage.config);
      stage.directory('app.cfg');
    },
  },
]) {
  test(
    `status with a configuration that is ${what} cannot tell`,
    onStage({ workers: 1 }, async (stage) => {
      await stage.started();
      breakIt(stage);
      const told = stage.tell(await stage.run('status'));
      assert.match(told, /DIR\/app\.cfg/);
      assert.match(told, /exit 4$/);
      await stage.assertServing(0);
    }),
  );
}

test(
  'status does not wait for a command under way',
  onStage({ workers: 1, switches: { sleep_start: 600 } }, async (stage) => {
    const start = stage.begin('start');
    await start.said('start worker');
    const outcome = await stage.run('status');
    assert.notEqual(outcome.code, 0);
    assert.equal(start.isOver, false, 'status came first');
    start.kill('SIGTERM');
    assert.equal((await start.outcome).code, 143);
  }),
);

test(
  'many workers that hang cost status one second together, not one each',
  onStage({ workers: 8 }, async (stage) => {
    await stage.started();
    stage.behave({ delay: 600 });
    const outcome = await stage.run('status');
    assert.equal(outcome.code, 1);
    // One after another they would take 8 s without the rest of the command.
    assert(outcome.took < 8000, `${outcome.took} ms`);
  }),
);
