import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { onStage, type Stage } from '../support/e2e.ts';
import { until } from '../support/e2e-command.ts';
import { isAlive } from '../support/e2e-processes.ts';

const GARBAGE = ['0', '1', '-1', '-12', '', 'abc', '0x10', '99999999999', '1\n2\n', '\0\0', ' \n', '4 194 304'];
const PORTS = GARBAGE.map((_, index) => index);

test(
  'workers with garbage in their pidfiles are found, counted and stopped all the same',
  onStage({ workers: GARBAGE.length }, async (stage) => {
    await stage.started();
    for (const [index, text] of GARBAGE.entries()) {
      writeFileSync(stage.pidfile(index), text);
    }
    await stage.expect('status', '[T] all workers are running\nexit 0');
    const told = PORTS.map((index) => `[T] another worker already started on P${index}`).join('\n');
    await stage.expect('start', `${told}\n[T] all workers are running\nexit 0`);
    const stops = PORTS.map((index) => `[T] stopping worker P${index}`).join('\n');
    await stage.expect(
      'stop',
      `[T] some of the workers are running, trying to kill\n${stops}\n[T] all workers are stopped\nexit 0`,
    );
    stage.assertNobody();
    assert.deepEqual(
      PORTS.filter((index) => existsSync(stage.pidfile(index))),
      [],
    );
  }),
);

test(
  'garbage in the pidfiles of dead workers is no obstacle',
  onStage({ workers: GARBAGE.length }, async (stage) => {
    for (const [index, text] of GARBAGE.entries()) {
      writeFileSync(stage.pidfile(index), text);
    }
    await stage.expect('status', '[T] all workers are stopped\nexit 3');
    await stage.expect('stop', '[T] all workers are stopped\nexit 0');
    for (const [index, text] of GARBAGE.entries()) {
      writeFileSync(stage.pidfile(index), text);
    }
    await stage.started();
    await stage.assertServing(...PORTS);
  }),
);

test(
  'a pidfile of many megabytes is no obstacle',
  onStage({ workers: 1 }, async (stage) => {
    await stage.started();
    writeFileSync(stage.pidfile(0), '1'.repeat(20_000_000));
    await stage.expect('status', '[T] all workers are running\nexit 0');
    assert.equal((await stage.run('stop')).code, 0);
    stage.assertNobody();
  }),
);

test(
  'a dead worker whose pid is a stranger by now: stop spares the stranger and removes the pidfile',
  onStage({ workers: 1 }, async (stage) => {
    await stage.started();
    await stage.killWorker(0);
    const stranger = await stage.stranger();
    writeFileSync(stage.pidfile(0), String(stranger.pid));
    await stage.expect('status', '[T] all workers are stopped\nexit 3');
    await stage.expect('stop', '[T] all workers are stopped\nexit 0');
    assert(isAlive(stranger));
    assert(!existsSync(stage.pidfile(0)));
  }),
);

test(
  'a dead worker whose pid is a stranger by now: start spares the stranger and starts the worker',
  onStage({ workers: 1 }, async (stage) => {
    const stranger = await stage.stranger();
    writeFileSync(stage.pidfile(0), String(stranger.pid));
    await stage.expect('start', '[T] start worker P0\n[T] all workers are running\nexit 0');
    assert(isAlive(stranger));
    assert.equal(readFileSync(stage.pidfile(0), 'utf8'), String(stage.worker(0).pid));
  }),
);

for (const action of ['stop', 'restart']) {
  test(
    `a live worker whose pidfile names a stranger: ${action} ends the worker and spares the stranger`,
    onStage({ workers: 1, config: { supervisor_sigterm_timeout: 1 } }, async (stage) => {
      await stage.started();
      const worker = stage.worker(0);
      const stranger = await stage.stranger();
      writeFileSync(stage.pidfile(0), String(stranger.pid));
      await stage.expect('status', '[T] all workers are running\nexit 0');
      assert.equal((await stage.run(action)).code, 0);
      assert(!isAlive(worker));
      assert(isAlive(stranger));
    }),
  );
}

test(
  "a pidfile that names the supervisor's own ancestor makes no victim",
  onStage({ workers: 1 }, async (stage) => {
    await stage.started();
    writeFileSync(stage.pidfile(0), String(process.pid));
    assert.equal((await stage.run('stop')).code, 0);
    stage.assertNobody();
  }),
);

test(
  'pidfiles that name each other are seen through',
  onStage({}, async (stage) => {
    await stage.started();
    const [first, second] = [stage.worker(0), stage.worker(1)];
    writeFileSync(stage.pidfile(0), String(second.pid));
    writeFileSync(stage.pidfile(1), String(first.pid));
    await stage.expect('status', '[T] all workers are running\nexit 0');
    await stage.killWorker(0);
    await stage.expect('status', '[T] some workers are running!\nexit 1');
    await stage.expect(
      'start',
      `
      [T] start worker P0
      [T] another worker already started on P1
      [T] all workers are running
      exit 0`,
    );
    assert(isAlive(second));
    writeFileSync(stage.pidfile(0), String(second.pid));
    assert.equal((await stage.run('stop')).code, 0);
    stage.assertNobody();
  }),
);

interface Oddity {
  readonly what: string;
  /** Puts the oddity in the pidfile's place; returns a check that nothing came of it. */
  readonly put: (stage: Stage) => () => void;
}

const ODDITIES: readonly Oddity[] = [
  {
    what: 'a symlink to a file that is not ours',
    put: (stage) => {
      const target = stage.write('precious', 'not yours\n');
      symlinkSync(target, stage.pidfile(0));
      return () => assert.equal(readFileSync(target, 'utf8'), 'not yours\n');
    },
  },
  {
    what: 'a symlink to nothing',
    put: (stage) => {
      const target = stage.path('not-there');
      symlinkSync(target, stage.pidfile(0));
      return () => assert(!existsSync(target));
    },
  },
  {
    what: 'a fifo that nobody writes to',
    put: (stage) => {
      execFileSync('/usr/bin/mkfifo', [stage.pidfile(0)]);
      return () => undefined;
    },
  },
  {
    what: 'a directory with something in it',
    put: (stage) => {
      const name = `run/app.${stage.port(0)}.pid`;
      stage.directory(name);
      const target = stage.write(`${name}/precious`, 'not yours\n');
      return () => {
        assert(lstatSync(stage.pidfile(0)).isDirectory());
        assert.equal(readFileSync(target, 'utf8'), 'not yours\n');
      };
    },
  },
];

for (const { what, put } of ODDITIES) {
  test(
    `a live worker with ${what} for a pidfile is found and stopped`,
    onStage({ workers: 1 }, async (stage) => {
      await stage.started();
      rmSync(stage.pidfile(0));
      const check = put(stage);
      await stage.expect('status', '[T] all workers are running\nexit 0');
      const told = stage.tell(await stage.run('stop', { limit: 30_000 }));
      assert.match(told, /^\[T\] stopping worker P0$/m);
      stage.assertNobody();
      check();
    }),
  );

  test(
    `where ${what} lies in the place of a pidfile that we write, start does no harm and ends`,
    onStage({ workers: 1, switches: { pidfile: 'none' } }, async (stage) => {
      const check = put(stage);
      await stage.expect('status', '[T] all workers are stopped\nexit 3', { limit: 30_000 });
      const told = stage.tell(await stage.run('start', { limit: 30_000 }));
      assert.match(told, /^exit [01]$/m);
      check();
      const stop = await stage.run('stop', { limit: 30_000 });
      assert(stop.code === 0 || stop.code === 1);
      stage.assertNobody();
      check();
    }),
  );
}

test(
  'a symlink to the pidfile of another worker is not followed into a kill',
  onStage({}, async (stage) => {
    await stage.started();
    await stage.killWorker(0);
    rmSync(stage.pidfile(0));
    symlinkSync(stage.pidfile(1), stage.pidfile(0));
    const second = stage.worker(1);
    await stage.expect('status', '[T] some workers are running!\nexit 1');
    await stage.expect(
      'stop',
      `
      [T] some of the workers are running, trying to kill
      [T] stopping worker P1
      [T] all workers are stopped
      exit 0`,
    );
    await until(() => assert(!isAlive(second)));
  }),
);

test(
  'without a pidfile template workers are found by their command line',
  onStage({ config: { pidfile_template: null } }, async (stage) => {
    await stage.expect(
      'start',
      `
      [T] start worker P0
      [T] start worker P1
      [T] all workers are running
      exit 0`,
    );
    assert(!stage.worker(0).argv.some((word) => word.startsWith('--pidfile')));
    await stage.expect('status', '[T] all workers are running\nexit 0');
    await stage.expect(
      'status --workers_count=1',
      '[T] some stale workers are running!\n[T] all workers are running\nexit 0',
    );
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
  'glob characters and percent signs in the template mean themselves',
  onStage({ workers: 2 }, async (stage) => {
    stage.directory('run/[1]*?');
    stage.configure({ pidfile_template: stage.path('run/[1]*?/a%%b-%(port)d.pid') });
    await stage.started();
    assert(existsSync(stage.path(`run/[1]*?/a%b-${stage.port(0)}.pid`)));
    await stage.expect(
      'status --workers_count=1',
      '[T] some stale workers are running!\n[T] all workers are running\nexit 0',
    );
    assert.equal((await stage.run('stop --workers_count=1')).code, 0);
    stage.assertNobody();
    assert(!existsSync(stage.path(`run/[1]*?/a%b-${stage.port(1)}.pid`)));
  }),
);
