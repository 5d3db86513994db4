import assert from 'node:assert/strict';
import { existsSync, lstatSync, readFileSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { type Facts, onStage, python, type Stage } from '../support/e2e.ts';
import { environment, until } from '../support/e2e-command.ts';
import { descriptorsOf, look } from '../support/e2e-processes.ts';

const STARTED = '[T] start worker P0\n[T] all workers are running\nexit 0';

/** The soft and the hard limit of open files. */
function openFiles(limits: string): readonly string[] {
  return /^Max open files +(\S+) +(\S+)/m.exec(limits)?.slice(1) ?? [];
}

function parseDump(stage: Stage, path: string): Facts {
  return JSON.parse(stage.read(path)) as Facts;
}

test(
  "a worker's command line is exactly the contract's",
  onStage({ workers: 1 }, async (stage) => {
    const port = stage.port(0);
    const words = [
      `--script=${stage.script} --stop_timeout=0 --daemonize=True`,
      `--config=${stage.config}`,
      '--app=pkg.app',
    ];
    assert.equal(stage.tell(await stage.call([...words, 'start']).outcome), STARTED);
    const argv = [
      '/usr/bin/python3',
      stage.script,
      '--stop_timeout=0',
      '--daemonize=True',
      `--config=${stage.config}`,
      `--port=${port}`,
      `--pidfile=${stage.pidfile(0)}`,
      '--app=pkg.app',
      `--logfile=${stage.logfile(0)}`,
    ];
    assert.deepEqual((await stage.born(0)).argv, argv);
    assert.deepEqual(stage.worker(0).argv, argv);
  }),
);

test(
  'without application and log file the worker is told of neither',
  onStage({ workers: 1, config: { logfile_template: null } }, async (stage) => {
    await stage.started();
    const own = [`--config=${stage.config}`, `--port=${stage.port(0)}`, `--pidfile=${stage.pidfile(0)}`];
    assert.deepEqual(stage.worker(0).argv, ['/usr/bin/python3', stage.script, ...own]);
  }),
);

test(
  "a worker's environment is the caller's and our marker, and nothing else",
  onStage({}, async (stage) => {
    const env = {
      ...environment,
      PWD: stage.dir,
      SECRET: 'a b\nc=$d',
      EMPTY: '',
      http_proxy: 'http://127.0.0.1:1',
      NODE_ENV: 'production',
      LD_LIBRARY_PATH: '/nonexistent',
      COLUMNS: '80',
      ENV: '/nonexistent',
    };
    await stage.started('start');
    assert.equal((await stage.run('stop')).code, 0);
    await stage.expect('start', '[T] start worker P0\n[T] start worker P1\n[T] all workers are running\nexit 0', {
      env,
    });
    for (const index of [0, 1]) {
      const marker = { FRONTIK_SUPERVISOR_WORKER: `${stage.config}:${stage.port(index)}` };
      assert.deepEqual((await stage.born(index)).env, { ...env, ...marker });
    }
  }),
);

test(
  'a worker started with an empty environment has the marker and what its own shell and Python add',
  onStage({ workers: 1 }, async (stage) => {
    await stage.expect('start', STARTED, { env: {} });
    const { env } = await stage.born(0);
    const { FRONTIK_SUPERVISOR_WORKER: marker, PWD: directory, LC_CTYPE: locale, ...rest } = env;
    assert.equal(marker, `${stage.config}:${stage.port(0)}`);
    assert(directory === undefined || directory === stage.dir, 'dash exports PWD');
    assert(locale === undefined || locale === 'C.UTF-8', 'PEP 538');
    assert.deepEqual(rest, {});
  }),
);

test(
  'a worker has a session of its own, no shell before it, and no blocked signals',
  onStage({ workers: 1, config: { daemonize: false } }, async (stage) => {
    await stage.started();
    const born = await stage.born(0);
    const worker = stage.worker(0);
    assert.equal(born.pid, worker.pid);
    assert.equal(born.sid, born.pid);
    assert.equal(born.pgid, born.pid);
    assert.equal(Number.parseInt(born.status['SigBlk'] ?? '', 16), 0);
    const parent = look(worker.parent);
    assert(
      parent === undefined || parent.pid === 1 || !parent.argv.some((word) => word.includes(stage.dir)),
      'nobody stays above it',
    );
  }),
);

test(
  'from the first moment a worker reads nothing and writes to its log, after what is there',
  onStage({ workers: 1 }, async (stage) => {
    stage.write(`log/app.${stage.port(0)}.log`, 'from before\n');
    await stage.started();
    assert.deepEqual((await stage.born(0)).fds, { 0: '/dev/null', 1: stage.logfile(0), 2: stage.logfile(0) });
    assert.match(stage.read(stage.logfile(0)), /^from before\n/);
  }),
);

test(
  'without a log file a worker that does not daemonize writes to /dev/null',
  onStage({ workers: 1, config: { logfile_template: null, daemonize: false } }, async (stage) => {
    await stage.started();
    assert.deepEqual((await stage.born(0)).fds, { 0: '/dev/null', 1: '/dev/null', 2: '/dev/null' });
  }),
);

test(
  'without a log file the first words of a worker that daemonizes go to a file without a name',
  onStage({ workers: 1, config: { logfile_template: null, daemonize: true } }, async (stage) => {
    await stage.started();
    const { fds } = await stage.born(0);
    assert.deepEqual(Object.keys(fds), ['0', '1', '2']);
    assert.equal(fds['0'], '/dev/null');
    assert.match(fds['1'] ?? '', /\(deleted\)$/);
    assert.equal(fds['2'], fds['1']);
    const held = Object.values(descriptorsOf(stage.worker(0).pid));
    assert(!held.some((target) => target.includes('(deleted)')), 'the daemon let go of it');
  }),
);

const LEAKY = `import os, sys
ends = os.pipe()
for fd in (5, 9, 10, 15, 30, 100, 200, 255):
    os.dup2(ends[1], fd)
os.execv(sys.argv[1], sys.argv[1:])
`;

for (const daemonize of [true, false]) {
  test(
    `no descriptor above 2 reaches a worker, however many the caller leaks (daemonize = ${daemonize})`,
    onStage({ config: { daemonize } }, async (stage) => {
      const outcome = await stage.program([python, '-c', LEAKY, ...stage.command('start')]).outcome;
      assert.equal(outcome.code, 0, stage.tell(outcome));
      for (const index of [0, 1]) {
        assert.deepEqual(Object.keys((await stage.born(index)).fds), ['0', '1', '2']);
      }
    }),
  );
}

test(
  'the soft limit of open files is the option, the hard one stays',
  onStage({ workers: 1 }, async (stage) => {
    const [, hard] = openFiles(readFileSync('/proc/self/limits', 'utf8'));
    await stage.started();
    assert.deepEqual(openFiles(readFileSync(`/proc/${stage.worker(0).pid}/limits`, 'utf8')), ['4096', hard]);
    assert.equal((await stage.run('restart --nofile_soft_limit=512')).code, 0);
    assert.deepEqual(openFiles((await stage.born(0)).limits), ['512', hard]);
  }),
);

test(
  'where the hard limit is lower and may not be raised, it is used, and we say so once',
  onStage({}, async (stage) => {
    // Root loses the one capability that would raise it; others have it not.
    const drop =
      process.getuid?.() === 0 ? ['/usr/bin/setpriv', '--bounding-set=-sys_resource', '--inh-caps=-sys_resource'] : [];
    const under = [...drop, '/usr/bin/prlimit', '--nofile=1024:2048'];
    const told = stage.tell(await stage.run('start', { under }));
    const warning = "[T] We don't have CAP_SYS_RESOURCE, therefore soft NOFILE limit will be set to 2048";
    assert.deepEqual(
      told.split('\n').filter((line) => line !== warning),
      ['[T] start worker P0', '[T] start worker P1', '[T] all workers are running', 'exit 0'],
    );
    assert.equal(told.split('\n').filter((line) => line === warning).length, 1, told);
    for (const index of [0, 1]) {
      assert.deepEqual(openFiles((await stage.born(index)).limits), ['2048', '2048']);
    }
  }),
);

test(
  'umask and working directory are the caller’s',
  onStage({ workers: 1 }, async (stage) => {
    const words = ['/bin/sh', '-c', 'umask 027; cd run; exec "$@"', 'sh', ...stage.command('start')];
    assert.equal(stage.tell(await stage.program(words).outcome), STARTED);
    const born = await stage.born(0);
    assert.equal(born.cwd, stage.path('run'));
    assert.equal(born.status['Umask'], '0027');
  }),
);

test(
  'relative templates are made absolute, and so a daemon finds them',
  onStage({ workers: 1 }, async (stage) => {
    const told = stage.tell(
      await stage.run('start --pidfile_template=run/r.%(port)s.pid --logfile_template=./log/%(port)s'),
    );
    assert.equal(told, STARTED);
    const port = stage.port(0);
    const { argv } = stage.worker(0);
    assert(argv.includes(`--pidfile=${stage.path(`run/r.${port}.pid`)}`), argv.join(' '));
    assert(
      argv.some(
        (word) =>
          word === `--logfile=${stage.path(`log/${port}`)}` || word === `--logfile=${stage.path(`./log/${port}`)}`,
      ),
    );
    assert(existsSync(stage.path(`run/r.${port}.pid`)));
    assert(existsSync(stage.path(`log/${port}`)));
  }),
);

test(
  'the pidfile that a daemon wrote is left as it is',
  onStage({ workers: 1 }, async (stage) => {
    await stage.started();
    assert.equal(readFileSync(stage.pidfile(0), 'utf8'), String(stage.worker(0).pid));
    assert.equal(lstatSync(stage.pidfile(0)).mode & 0o777, 0o666, 'python-daemon clears the umask');
  }),
);

test(
  'a pidfile that we write is not writable for others',
  onStage({ workers: 1, config: { daemonize: false } }, async (stage) => {
    await stage.program(['/bin/sh', '-c', 'umask 000; exec "$@"', 'sh', ...stage.command('start')]).outcome;
    assert.equal(readFileSync(stage.pidfile(0), 'utf8').trim(), String(stage.worker(0).pid));
    assert.equal(lstatSync(stage.pidfile(0)).mode & 0o022, 0);
  }),
);

test(
  'a script that is not executable is run by python3, with a warning that names the option',
  onStage({ workers: 1 }, async (stage) => {
    stage.write('worker', stage.read(stage.script), 0o644);
    const told = stage.tell(await stage.run('start'));
    assert.match(told, /^\[T\] .*DIR\/worker.*python/m);
    assert.match(told, /supervisor_python|--python/);
    assert.match(told, /\[T\] start worker P0\n(?:.*\n)*\[T\] all workers are running\nexit 0$/);
    assert.equal(told.split('\n').length, 4, told);
    assert.deepEqual(stage.worker(0).argv.slice(1, 3), [stage.script, `--config=${stage.config}`]);
    await stage.expect('status', '[T] all workers are running\nexit 0');
  }),
);

for (const interpreter of ['/nonexistent/python', '/usr/bin/env no-such-python']) {
  test(
    `a script for ${interpreter}, which is not here, is run by python3 with a warning`,
    onStage({ workers: 1 }, async (stage) => {
      stage.write('worker', stage.read(stage.script).replace('#!/usr/bin/python3', `#!${interpreter}`), 0o755);
      const told = stage.tell(await stage.run('start'));
      assert.match(told, /supervisor_python|--python/);
      assert.match(told, /\n\[T\] all workers are running\nexit 0$/);
      assert.equal(told.split('\n').length, 4, told);
      await stage.assertServing(0);
    }),
  );
}

test(
  'supervisor_python says which Python runs the script, without a warning',
  onStage({ workers: 1, config: { supervisor_python: '/usr/bin/python3' } }, async (stage) => {
    stage.write('worker', stage.read(stage.script), 0o644);
    await stage.expect('start', STARTED);
    assert.deepEqual(stage.worker(0).argv.slice(0, 2), ['/usr/bin/python3', stage.script]);
  }),
);

test(
  'a script may be given relatively, and as a word on PATH it may not be missing',
  onStage({ workers: 1 }, async (stage) => {
    const told = stage.tell(await stage.call(['--script=./worker', `--config=${stage.config}`, 'start']).outcome);
    assert.equal(told, STARTED);
    assert.deepEqual(stage.worker(0).argv.slice(1, 3), ['./worker', `--config=${stage.config}`]);
  }),
);

test(
  'with_coverage starts workers as coverage run SCRIPT',
  onStage({ workers: 1, config: { with_coverage: true } }, async (stage) => {
    stage.directory('bin');
    // What is on PATH in the place of the real one: it notes its words and runs what it was told to.
    stage.write(
      'bin/coverage',
      '#!/bin/sh\nprintf "%s\\n" "$@" >"$(dirname "$0")/words"\nshift\nexec /usr/bin/python3 "$@"\n',
      0o755,
    );
    const env = { ...environment, PATH: `${stage.path('bin')}:${environment['PATH']}` };
    await stage.expect('start', STARTED, { env });
    assert.deepEqual(stage.read(stage.path('bin/words')).trimEnd().split('\n'), [
      'run',
      stage.script,
      `--config=${stage.config}`,
      `--port=${stage.port(0)}`,
      `--pidfile=${stage.pidfile(0)}`,
      `--logfile=${stage.logfile(0)}`,
    ]);
    await stage.expect('status', '[T] all workers are running\nexit 0', { env });
    assert.equal((await stage.run('stop', { env })).code, 0);
    stage.assertNobody();
  }),
);

test(
  'even a worker that never serves was launched as the others',
  // It has to come as far as its dump, on a busy machine too.
  onStage({ workers: 1, config: { supervisor_start_timeout: 6 } }, async (stage) => {
    stage.behave({ dump: stage.path('dump.json'), no_bind: true });
    const outcome = await stage.run('start');
    assert.equal(outcome.code, 1);
    const born = parseDump(stage, stage.path('dump.json'));
    assert.deepEqual(Object.keys(born.fds), ['0', '1', '2']);
    assert.equal(born.sid, born.pid);
    assert.equal(born.env['FRONTIK_SUPERVISOR_WORKER'], `${stage.config}:${stage.port(0)}`);
    stage.assertNobody();
  }),
);

test(
  'a worker keeps running when the log file is moved away',
  onStage({ workers: 1 }, async (stage) => {
    await stage.started();
    rmSync(stage.logfile(0));
    await stage.expect('status', '[T] all workers are running\nexit 0');
    const restart = await stage.run('restart');
    assert.equal(restart.code, 0);
    await until(() => assert(existsSync(stage.logfile(0))));
  }),
);
