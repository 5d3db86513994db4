import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { onStage } from '../support/e2e.ts';
import { until } from '../support/e2e-command.ts';
import { isAlive } from '../support/e2e-processes.ts';

/** How often a line of the transcript matches. */
function count(told: string, pattern: RegExp): number {
  return told.split('\n').filter((line) => pattern.test(line)).length;
}

test(
  'start of four workers prints one line for each and the summary, and nothing else',
  onStage({ workers: 4 }, async (stage) => {
    const outcome = await stage.expect(
      'start',
      `
      [T] start worker P0
      [T] start worker P1
      [T] start worker P2
      [T] start worker P3
      [T] all workers are running
      exit 0`,
    );
    assert.equal(outcome.stdout, '');
    await stage.assertServing(0, 1, 2, 3);
    for (const index of [0, 1, 2, 3]) {
      assert.equal(readFileSync(stage.pidfile(index), 'utf8'), String(stage.worker(index).pid));
    }
  }),
);

test(
  'start when all workers run says so and leaves each as it is',
  onStage({}, async (stage) => {
    await stage.started();
    const before = [stage.worker(0), stage.worker(1)];
    await stage.expect(
      'start',
      `
      [T] another worker already started on P0
      [T] another worker already started on P1
      [T] all workers are running
      exit 0`,
    );
    await stage.assertServing(0, 1);
    assert(before.every(isAlive));
  }),
);

test(
  'start with one worker dead starts only that one',
  onStage({ workers: 3 }, async (stage) => {
    await stage.started();
    await stage.killWorker(1);
    const others = [stage.worker(0), stage.worker(2)];
    await stage.expect(
      'start',
      `
      [T] another worker already started on P0
      [T] start worker P1
      [T] another worker already started on P2
      [T] all workers are running
      exit 0`,
    );
    await stage.assertServing(0, 1, 2);
    assert(others.every(isAlive));
  }),
);

test(
  'start goes on to what the configuration says now, and leaves stale workers alone',
  onStage({}, async (stage) => {
    await stage.started();
    stage.configure({ start_port: stage.port(1) });
    await stage.expect(
      'start',
      `
      [T] another worker already started on P1
      [T] start worker P2
      [T] some stale workers are running!
      [T] all workers are running
      exit 0`,
    );
    await stage.assertServing(0, 1, 2);
  }),
);

for (const stageOfFailure of ['start', 'daemonized', 'bind'] as const) {
  test(
    `a worker that fails at "${stageOfFailure}" is reported once with its last words, and the others run`,
    onStage({ workers: 3 }, async (stage) => {
      stage.behave({ [`fail_${stageOfFailure}`]: 'the database is on fire' }, 1);
      const told = stage.tell(await stage.run('start'));
      assert.match(told, /^\[T\] start worker P0\n\[T\] start worker P1\n\[T\] start worker P2\n/);
      assert.equal(count(told, /^\[T\] worker on port P1 failed to start$/), 1, told);
      assert.equal(count(told, /P1.*the database is on fire/), 1, told);
      assert.equal(count(told, /P0.*failed|P2.*failed/), 0, told);
      assert.match(told, /\n\[T\] some workers are running!\nexit 1$/);
      await stage.assertServing(0, 2);
    }),
  );
}

test(
  'when every worker fails start says so for each',
  onStage({ switches: { fail_start: 'no module named app' } }, async (stage) => {
    const told = stage.tell(await stage.run('start'));
    for (const port of ['P0', 'P1']) {
      assert.equal(count(told, new RegExp(`^\\[T\\] worker on port ${port} failed to start$`)), 1, told);
      assert.equal(count(told, new RegExp(`${port}.*no module named app`)), 1, told);
    }
    assert.match(told, /\n\[T\] all workers are stopped\nexit 1$/);
    stage.assertNobody();
  }),
);

test(
  'last words are those of this launch, not what the log held before',
  onStage({ workers: 1, switches: { fail_start: 'new words' } }, async (stage) => {
    stage.write(`log/app.${stage.port(0)}.log`, 'old words\n');
    const told = stage.tell(await stage.run('start'));
    assert.match(told, /P0.*new words/);
    assert.doesNotMatch(told, /old words/);
    assert.equal(readFileSync(stage.logfile(0), 'utf8'), 'old words\nnew words\n');
  }),
);

test(
  'without a log file the last words before daemonizing are shown all the same',
  onStage({ workers: 1, config: { logfile_template: null, daemonize: true } }, async (stage) => {
    stage.behave({ fail_start: 'nowhere to write\nand no way out' });
    const told = stage.tell(await stage.run('start'));
    assert.match(told, /P0.*nowhere to write/);
    assert.match(told, /P0.*and no way out/);
    assert.match(told, /exit 1$/);
  }),
);

for (const moment of ['start', 'daemonized', 'bind'] as const) {
  test(
    `start waits for a worker that is slow at "${moment}", and says so at most once a second`,
    onStage({ switches: { [`sleep_${moment}`]: 2.5 } }, async (stage) => {
      const outcome = await stage.run('start');
      const told = stage.tell(outcome, { keepWaiting: true });
      const waits = count(told, /^\[T\] waiting for worker on port P0 to start$/);
      assert(waits >= 1 && waits <= outcome.took / 1000, told);
      assert.match(
        told,
        /^\[T\] start worker P0\n\[T\] start worker P1\n(\[T\] waiting.*\n)+\[T\] all workers are running\nexit 0$/,
      );
      await stage.assertServing(0, 1);
    }),
  );
}

test(
  'start ends when the last worker answers, however long it was prepared to wait',
  onStage({ config: { supervisor_start_timeout: 3600 } }, async (stage) => {
    const outcome = await stage.run('start', { limit: 60_000 });
    assert.equal(outcome.code, 0);
  }),
);

test(
  'a worker that is never ready is stopped again, its pidfile removed, and the others run',
  // Enough for the others on a busy machine.
  onStage({ config: { supervisor_start_timeout: 8 } }, async (stage) => {
    stage.behave({ no_bind: true }, 0);
    const told = stage.tell(await stage.run('start'));
    assert.equal(count(told, /^\[T\] worker on port P0 failed to start$/), 1, told);
    assert.match(told, /\n\[T\] some workers are running!\nexit 1$/);
    await stage.assertServing(1);
    assert(!existsSync(stage.pidfile(0)));
  }),
);

test(
  'a worker that is never ready and ignores SIGTERM gets SIGKILL',
  onStage({ workers: 1, config: { supervisor_start_timeout: 2, supervisor_sigterm_timeout: 1 } }, async (stage) => {
    stage.behave({ status: 503, ignore_sigterm: true });
    const told = stage.tell(await stage.run('start'));
    assert.equal(count(told, /^\[T\] worker on port P0 failed to start$/), 1, told);
    assert.match(told, /\n\[T\] all workers are stopped\nexit 1$/);
    stage.assertNobody();
  }),
);

test(
  'a starter that hangs before it daemonizes is ended after the start timeout',
  onStage({ workers: 1, config: { supervisor_start_timeout: 1 }, switches: { sleep_start: 600 } }, async (stage) => {
    const told = stage.tell(await stage.run('start'));
    assert.equal(count(told, /^\[T\] worker on port P0 failed to start$/), 1, told);
    assert.match(told, /\n\[T\] all workers are stopped\nexit 1$/);
    stage.assertNobody();
  }),
);

test(
  'a worker that was alive before and is not ready is left alone',
  onStage({ config: { supervisor_start_timeout: 1 } }, async (stage) => {
    await stage.started('start --start_timeout=60');
    stage.behave({ status: 503 }, 0);
    const worker = stage.worker(0);
    const told = stage.tell(await stage.run('start'));
    assert.match(told, /^\[T\] another worker already started on P0\n\[T\] another worker already started on P1\n/);
    assert.match(told, /^\[T\] worker on port P0 is alive \(pid PID\) but not ready$/m);
    assert.match(told, /\n\[T\] some workers are running!\nexit 1$/);
    assert(isAlive(worker));
    assert(existsSync(stage.pidfile(0)));
  }),
);

test(
  'start waits for a worker that was alive before and becomes ready',
  onStage({ workers: 1 }, async (stage) => {
    await stage.started();
    stage.behave({ status: 503 });
    const command = stage.begin('start');
    await command.said('another worker already started');
    await command.said('waiting for worker');
    stage.behave({});
    assert.equal(
      stage.tell(await command.outcome),
      '[T] another worker already started on P0\n[T] all workers are running\nexit 0',
    );
  }),
);

test(
  'a port held by a foreign process is named with its holder, and its worker is not launched',
  onStage({ workers: 3 }, async (stage) => {
    const squatter = await stage.squatter(1);
    const outcome = await stage.run('start');
    const told = stage.tell(outcome);
    assert.match(told, /^\[T\] port P1 is held by python3 \(pid PID\)$/m);
    assert(outcome.stderr.includes(`(pid ${squatter.pid})`));
    assert.doesNotMatch(told, /start worker P1/);
    assert.match(told, /\n\[T\] some workers are running!\nexit 1$/);
    await stage.assertServing(0, 2);
    assert(isAlive(squatter));
    assert(!existsSync(stage.logfile(1)));
  }),
);

test(
  'a foreign server that answers as a worker would is not taken for one',
  onStage({ workers: 1 }, async (stage) => {
    const server = createServer((_, response) => response.writeHead(200, { Server: 'TornadoServer/6.2' }).end('ok'));
    await stage.listen(server, 0);
    const told = stage.tell(await stage.run('start'));
    assert.match(told, /^\[T\] port P0 is held by \S+ \(pid PID\)$/m);
    assert.match(told, /\n\[T\] all workers are stopped\nexit 1$/);
    assert.equal((await stage.page(0, '/')).body, 'ok');
  }),
);

test(
  'a listener on the wildcard address of IPv6 holds the port too',
  onStage({ workers: 1 }, async (stage, t) => {
    if (!existsSync('/proc/net/if_inet6')) {
      t.skip('this machine has no IPv6');
      return;
    }
    const code = `import socket, time\ns = socket.socket(socket.AF_INET6)\ns.bind(('::1', ${stage.port(0)}))\ns.listen()\ntime.sleep(600)`;
    const squatter = await stage.stranger(['/usr/bin/python3', '-c', code]);
    await until(() =>
      assert(readFileSync('/proc/net/tcp6', 'utf8').includes(`:${stage.port(0).toString(16).toUpperCase()} `)),
    );
    const told = stage.tell(await stage.run('start'));
    assert.match(told, /^\[T\] port P0 is held by python3 \(pid PID\)$/m);
    assert(isAlive(squatter));
  }),
);

test(
  'workers that do not daemonize are detached, and get their pidfile from us',
  onStage({ config: { daemonize: false } }, async (stage) => {
    await stage.expect(
      'start',
      `
      [T] start worker P0
      [T] start worker P1
      [T] all workers are running
      exit 0`,
    );
    await stage.assertServing(0, 1);
    for (const index of [0, 1]) {
      assert.equal(readFileSync(stage.pidfile(index), 'utf8').trim(), String(stage.worker(index).pid));
    }
    await stage.expect('status', '[T] all workers are running\nexit 0');
  }),
);

test(
  'a daemon that writes no pidfile gets one',
  onStage({ workers: 1, switches: { pidfile: 'none' } }, async (stage) => {
    await stage.started();
    assert.equal(readFileSync(stage.pidfile(0), 'utf8').trim(), String(stage.worker(0).pid));
  }),
);

test(
  'a starter that never exits does not hold up start, and stop ends it with its worker',
  onStage({ workers: 1, switches: { starter_stays: true } }, async (stage) => {
    await stage.started();
    await stage.expect('status', '[T] all workers are running\nexit 0');
    assert.equal((await stage.run('stop')).code, 0);
    stage.assertNobody();
  }),
);

test(
  'proxies of the environment are not asked about workers',
  onStage({ workers: 1 }, async (stage) => {
    const proxy = 'http://127.0.0.1:1';
    const env = {
      PATH: '/usr/bin:/bin',
      http_proxy: proxy,
      HTTP_PROXY: proxy,
      all_proxy: proxy,
      NODE_USE_ENV_PROXY: '1',
    };
    await stage.expect('start', '[T] start worker P0\n[T] all workers are running\nexit 0', { env });
    await stage.expect('status', '[T] all workers are running\nexit 0', { env });
  }),
);

test(
  'twelve workers start together',
  onStage({ workers: 12 }, async (stage) => {
    const ports = Array.from({ length: 12 }, (_, index) => index);
    const starts = ports.map((index) => `[T] start worker P${index}`).join('\n');
    await stage.expect('start', `${starts}\n[T] all workers are running\nexit 0`);
    await stage.assertServing(...ports);
  }),
);
