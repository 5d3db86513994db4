import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { nobody, onStage, python, reachable, type Stage, whyNotAnotherUser } from '../support/e2e.ts';
import { environment, until } from '../support/e2e-command.ts';
import { assertCivil, ordeal } from '../support/e2e-ordeal.ts';
import { isAlive, look, signal } from '../support/e2e-processes.ts';
import { Cell, whyNoNamespaces } from '../support/namespaces.ts';

const STOPPED = '[T] all workers are stopped';
const RUNNING = '[T] all workers are running';
const STARTED = `[T] start worker P0\n${RUNNING}\nexit 0`;
const ENDED = `[T] some of the workers are running, trying to kill\n[T] stopping worker P0\n${STOPPED}\nexit 0`;

const CGROUPS = '/sys/fs/cgroup/pids';

function whyNoCgroup(): string | undefined {
  if (process.getuid?.() !== 0 || !existsSync(`${CGROUPS}/cgroup.procs`)) {
    return 'no cgroup of the pids controller can be made on this machine';
  }
  return whyNoNamespaces();
}

// Node's own threads take about six of them; with fewer it does not come as far as our program.
ordeal(
  'hardly a process more is allowed: each action ends, and says how it is',
  whyNoCgroup,
  { workers: 1 },
  async (stage) => {
    const group = `${CGROUPS}/fse-${process.pid}`;
    mkdirSync(group);
    try {
      // In a container, whose first process buries at once what would fill the group.
      const { under: inside } = await Cell.withProcesses(stage);
      const under = [...inside, '/bin/sh', '-c', `echo $$ >${group}/cgroup.procs; exec "$@"`, 'sh'];
      for (const most of [6, 7, 8]) {
        writeFileSync(`${group}/pids.max`, String(most));
        const start = await stage.run('start', { under });
        assert.equal(start.signal, null);
        assert.notEqual(start.stderr, '');
        writeFileSync(`${group}/pids.max`, 'max');
        await stage.expect('status', start.code === 0 ? `${RUNNING}\nexit 0` : `${STOPPED}\nexit 3`, { under });
        assert.equal((await stage.run('stop', { under })).code, 0);
        stage.assertNobody();
      }
    } finally {
      await until(() => rmdirSync(group));
    }
  },
);

/** A user of this test alone: the limit counts all processes of a user. */
const LONER = 54_321;

ordeal(
  'an ordinary user at the limit of his processes: each action ends, and says how it is',
  whyNotAnotherUser,
  { workers: 1, owner: LONER },
  async (stage) => {
    const copy = reachable(stage);
    const user = ['/usr/bin/setpriv', `--reuid=${LONER}`, `--regid=${LONER}`, '--clear-groups'];
    for (const most of [6, 7]) {
      const under = ['/usr/bin/prlimit', `--nproc=${most}`, ...user];
      const start = await stage.program([copy, ...stage.settings, 'start'], { under }).outcome;
      assertCivil(start);
      assert.notEqual(start.stderr, '');
      assert.equal((await stage.run('status')).code, start.code === 0 ? 0 : 3, start.stderr);
      assert.equal((await stage.run('stop')).code, 0);
      stage.assertNobody();
    }
  },
);

for (const [most, told] of [
  [24, '[T] flock(1) of util-linux: cannot lock this application: EMFILE\nexit 1'],
  [40, STARTED],
] as const) {
  test(
    `only ${most} descriptors are allowed: start does its work, or says so and does none`,
    onStage({ workers: 1, config: { nofile_soft_limit: most } }, async (stage) => {
      const under = ['/bin/sh', '-c', `ulimit -n ${most} && exec "$@"`, 'sh'];
      await stage.expect('start', told, { under });
      for (const action of ['status', 'restart', 'stop']) {
        const outcome = await stage.run(action, { under });
        assertCivil(outcome);
        assert.notEqual(outcome.stderr, '');
      }
    }),
  );
}

/** A file system of its own for one of the directories. */
function mount(stage: Stage, place: string, options: string): string {
  return `mount -t tmpfs -o ${options} none ${stage.path(place)}`;
}

const FILL = 'head -c 1000000 /dev/zero';

ordeal(
  'a full disk for pidfiles: the worker runs, and a warning names the file',
  whyNoNamespaces,
  { workers: 1, config: { daemonize: false } },
  async (stage) => {
    const { under } = await Cell.withMounts(
      stage,
      `${mount(stage, 'run', 'size=4k')}\n${FILL} >${stage.path('run/filling')} || :`,
    );
    const warning = '[T] pidfile DIR/run/app.P0.pid cannot be put right: ENOSPC';
    const outcome = await stage.run('start', { under });
    const told = stage.tell(outcome).replaceAll(`app.${stage.port(0)}`, 'app.P0');
    assert.equal(told, `[T] start worker P0\n${warning}\n${RUNNING}\nexit 0`);
    await stage.expect('status', `${RUNNING}\nexit 0`, { under });
    await stage.expect('stop', ENDED, { under });
  },
);

ordeal(
  'a full disk for logs: workers start, or fail with a reason, and none stays behind',
  whyNoNamespaces,
  { workers: 1 },
  async (stage) => {
    const { under } = await Cell.withMounts(
      stage,
      `${mount(stage, 'log', 'size=4k')}\n${FILL} >${stage.path('log/filling')} || :`,
    );
    await stage.expect('start', STARTED, { under });
    await stage.expect('stop', ENDED, { under });
    stage.behave({ fail_start: 'what nobody will read' });
    const outcome = await stage.run('start', { under });
    assertCivil(outcome);
    assert.match(stage.tell(outcome), /^\[T\] worker on port P0 failed to start$/m);
    assert.equal(outcome.code, 1);
  },
);

for (const place of ['run', 'log']) {
  ordeal(
    `a read-only file system for "${place}" is found before a worker is touched`,
    whyNoNamespaces,
    { workers: 1 },
    async (stage) => {
      await stage.started();
      const worker = stage.worker(0);
      const { under } = await Cell.withMounts(
        stage,
        `mount --bind ${stage.path(place)} ${stage.path(place)}\nmount -o remount,ro,bind ${stage.path(place)}`,
      );
      const refused = `[T] DIR/${place}: this directory is on a read-only file system: workers need it\nexit 4`;
      await stage.expect('restart', refused, { under });
      await stage.expect('start', refused, { under });
      assert(isAlive(worker));
      const stop = stage.tell(await stage.run('stop', { under }));
      assert.match(stop, /\n\[T\] all workers are stopped\nexit 0$/);
      stage.assertNobody();
    },
  );
}

test(
  'missing directories are made by start, and no obstacle to status and stop',
  onStage({ workers: 1 }, async (stage) => {
    for (const place of ['run', 'log']) {
      rmSync(stage.path(place), { recursive: true });
    }
    await stage.expect('status', `${STOPPED}\nexit 3`);
    await stage.expect('stop', `${STOPPED}\nexit 0`);
    assert(!existsSync(stage.path('run')), 'stop and status make nothing');
    await stage.expect('start', STARTED);
    rmSync(stage.path('run'), { recursive: true });
    await stage.expect('status', `${RUNNING}\nexit 0`);
    await stage.expect('stop', ENDED);
  }),
);

/** What is taken away, the shell words that do it, and what start and stop then say; status answers in any case. */
const WITHOUT: readonly (readonly [what: string, setup: string, told: string])[] = [
  [
    'flock(1)',
    'mount --bind /dev/null /usr/bin/flock',
    'flock(1) of util-linux: cannot lock this application: EACCES\nexit 4',
  ],
  [
    'a writable /run',
    'mount -t tmpfs -o ro none /run',
    '/run/frontik-supervisor: cannot lock this application: EROFS\nexit 1',
  ],
  ['/dev/null', 'mount -t tmpfs none /dev', 'flock(1) of util-linux: cannot lock this application: ENOENT\nexit 1'],
];

for (const [what, setup, told] of WITHOUT) {
  ordeal(
    `without ${what} status answers, and start and stop say what is missing`,
    whyNoNamespaces,
    { workers: 1 },
    async (stage) => {
      await stage.started();
      const worker = stage.worker(0);
      const { under } = await Cell.withMounts(stage, setup);
      await stage.expect('status', `${RUNNING}\nexit 0`, { under });
      for (const action of ['start', 'stop', 'restart']) {
        await stage.expect(action, `[T] ${told}`, { under });
      }
      assert(isAlive(worker));
    },
  );
}

ordeal(
  'without /bin/sh no worker can be launched; those that run are stopped',
  whyNoNamespaces,
  { workers: 1 },
  async (stage) => {
    await stage.started();
    const { under } = await Cell.withMounts(stage, 'mount --bind /dev/null "$(readlink -f /bin/sh)"');
    await stage.expect('status', `${RUNNING}\nexit 0`, { under });
    const restart = stage.tell(await stage.run('restart', { under }));
    assert.match(restart, /^\[T\] worker on port P0 failed to start$/m);
    assert.match(restart, /\n\[T\] all workers are stopped\nexit 1$/);
    await stage.expect('stop', `${STOPPED}\nexit 0`, { under });
    stage.assertNobody();
  },
);

ordeal('without /proc nothing can be told, and nothing is claimed', whyNoNamespaces, { workers: 1 }, async (stage) => {
  await stage.started();
  const worker = stage.worker(0);
  const { under } = await Cell.withMounts(stage, 'exec 3>&-\nmount -t tmpfs none /proc');
  for (const [action, code] of [
    ['status', 4],
    ['start', 1],
    ['stop', 1],
    ['restart', 1],
  ] as const) {
    const outcome = await stage.run(action, { under });
    assertCivil(outcome);
    assert.match(stage.tell(outcome), /\/proc/);
    assert.equal(outcome.code, code, stage.tell(outcome));
    assert(isAlive(worker));
  }
});

function whyNotHidden(): string | undefined {
  return whyNotAnotherUser() ?? whyNoNamespaces();
}

ordeal(
  'where /proc hides the processes of others an ordinary user runs his own workers, and root sees all',
  whyNotHidden,
  { workers: 2, owner: nobody },
  async (stage) => {
    const copy = reachable(stage);
    // A mount of its own: remounting would change what every process of the machine sees.
    const { under } = await Cell.withMounts(stage, 'mount -t proc -o hidepid=2 proc /proc');
    const asNobody = [...under, '/usr/bin/setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];
    const run = async (action: string) =>
      stage.tell(await stage.program([copy, ...stage.settings, action], { under: asNobody }).outcome);
    assert.equal(await run('start'), `[T] start worker P0\n[T] start worker P1\n${RUNNING}\nexit 0`);
    assert.equal(await run('status'), `${RUNNING}\nexit 0`);
    await stage.expect('status', `${RUNNING}\nexit 0`, { under });
    assert.match(await run('restart'), /\n\[T\] all workers are running\nexit 0$/);
    assert.match(await run('stop'), /\n\[T\] all workers are stopped\nexit 0$/);
    await stage.squatter(1);
    const start = await run('start');
    assert.match(start, /^\[T\] port P1 is held by a process that cannot be seen from here$/m);
    assert.match(start, /\n\[T\] some workers are running!\nexit 1$/);
  },
);

ordeal(
  'an ordinary user for whom /dev/null is closed gets a clear line, and root does not mind',
  whyNotHidden,
  { workers: 1, owner: nobody },
  async (stage) => {
    const copy = reachable(stage);
    const { under } = await Cell.withMounts(
      stage,
      'mount -t tmpfs none /mnt\nmknod -m 600 /mnt/null c 1 3\nmount --bind /mnt/null /dev/null',
    );
    const asNobody = [...under, '/usr/bin/setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];
    const run = (action: string) => stage.program([copy, ...stage.settings, action], { under: asNobody }).outcome;
    assert.equal(stage.tell(await run('status')), `${STOPPED}\nexit 3`);
    const start = await run('start');
    assertCivil(start);
    assert.match(stage.tell(start), /EACCES\nexit 4$/);
    await stage.expect('start', STARTED, { under });
    await stage.expect('stop', ENDED, { under });
  },
);

ordeal(
  'no local port is left: status cannot tell, and says why; start waits for what it cannot ask; stop stops',
  whyNoNamespaces,
  { workers: 1, config: { supervisor_start_timeout: 1 } },
  async (stage) => {
    const { under } = await Cell.withPorts(stage, 50);
    const run = async (action: string) => stage.tell(await stage.run(action, { under }));
    assert.equal(await run('start'), STARTED);
    // Takes whatever becomes free.
    const hold = `
import socket, time
held = []
for _ in range(6000):
    try:
        held.append(socket.create_connection(('127.0.0.1', ${stage.port(0)})))
    except OSError:
        time.sleep(0.1)
`;
    const holder = await stage.stranger([...under, python, '-c', hold]);
    const unaskable = /but this machine cannot ask whether it is ready: EADDRNOTAVAIL\n.*\nexit 4$/;
    await until(async () => assert.match(await run('status'), unaskable));
    const unready = /is alive \(pid \S+\) but not ready\n\[T\] some workers are running!\nexit 1$/;
    await until(async () => assert.match(await run('start'), unready));
    signal(holder, 'SIGKILL');
    await until(async () => assert.equal(await run('status'), `${RUNNING}\nexit 0`));
    await stage.expect('stop', ENDED, { under });
  },
);

// The clock of a machine cannot be set for one process; what a jump leaves behind is a pidfile of another time.
test(
  'pidfiles dated by a clock that jumped make no difference to workers that say what they are',
  onStage({ workers: 1 }, async (stage) => {
    for (const year of [1970, 2200]) {
      await stage.started();
      utimesSync(stage.pidfile(0), new Date(Date.UTC(year, 0)), new Date(Date.UTC(year, 0)));
      await stage.expect('status', `${RUNNING}\nexit 0`);
      await stage.expect('stop', ENDED);
      assert(!existsSync(stage.pidfile(0)));
    }
  }),
);

test(
  'a frozen worker is replaced by restart',
  onStage({ workers: 1, config: { supervisor_sigterm_timeout: 1 } }, async (stage) => {
    await stage.started();
    const worker = stage.worker(0);
    signal(worker, 'SIGSTOP');
    const outcome = await stage.run('restart');
    assertCivil(outcome);
    assert.match(stage.tell(outcome), /\n\[T\] all workers are running\nexit 0$/);
    assert(!isAlive(worker));
    await stage.assertServing(0);
  }),
);

test(
  'a worker that has ended and that nobody buries is no worker any more',
  onStage({ workers: 1 }, async (stage) => {
    const words = [`--config=${stage.config}`, `--port=${stage.port(0)}`, `--pidfile=${stage.pidfile(0)}`];
    const parent = 'import os, subprocess, sys, time\nsubprocess.Popen(sys.argv[1].split())\ntime.sleep(600)';
    const argument = [stage.script, '--daemonize=false', ...words].join(' ');
    const undertaker = await stage.stranger([python, '-c', parent, argument]);
    await until(async () => assert.equal((await stage.page(0, '/status/')).status, 200));
    const worker = stage.worker(0);
    writeFileSync(stage.pidfile(0), String(worker.pid));
    await stage.expect('status', `${RUNNING}\nexit 0`);
    await stage.expect('stop', ENDED);
    assert.equal(look(worker.pid)?.state, 'Z', 'it is still there');
    assert(!existsSync(stage.pidfile(0)));
    writeFileSync(stage.pidfile(0), String(worker.pid));
    await stage.expect('status', `${STOPPED}\nexit 3`);
    await stage.expect('stop', `${STOPPED}\nexit 0`);
    await stage.expect('start', STARTED);
    assert(isAlive(undertaker));
  }),
);

const NOT_YET = [{ status: 500 }, { redirect: '/' }, { drip: true }, { server: 'nginx/1.22.1' }] as const;

test(
  'start waits for workers that answer 500, redirect, drip or answer as another server, until they do better',
  onStage({ workers: NOT_YET.length }, async (stage) => {
    for (const [index, switches] of NOT_YET.entries()) {
      stage.behave(switches, index);
    }
    const start = stage.begin('start');
    for (const index of NOT_YET.keys()) {
      await start.said(`waiting for worker on port ${stage.port(index)} to start`);
    }
    assert.equal(start.isOver, false);
    for (const index of NOT_YET.keys()) {
      stage.behave({}, index);
    }
    const starts = [...NOT_YET.keys()].map((index) => `[T] start worker P${index}\n`).join('');
    assert.equal(stage.tell(await start.outcome), `${starts}${RUNNING}\nexit 0`);
  }),
);

test(
  'start does not mind a worker whose answer is huge',
  onStage({ workers: 1, switches: { body: 50_000_000 } }, async (stage) => {
    await stage.expect('start', STARTED);
  }),
);

test(
  'a wrapper that starts its worker again and again is the worker, and stop ends both',
  onStage({ workers: 1, config: { daemonize: false } }, async (stage) => {
    const loop = `#!/bin/sh\nwhile :; do ${stage.script} "$@"; done\n`;
    const settings = [`--script=${stage.write('loop', loop, 0o755)}`, `--config=${stage.config}`];
    const start = await stage.call([...settings, 'start']).outcome;
    assert.equal(stage.tell(start), STARTED);
    const inner = (await stage.facts(0)).pid;
    process.kill(inner, 'SIGKILL');
    await until(async () => assert.notEqual((await stage.facts(0)).pid, inner));
    await until(() => stage.expect('status', `${RUNNING}\nexit 0`));
    const stop = await stage.run('stop');
    assertCivil(stop);
    assert.match(stage.tell(stop), /\n\[T\] all workers are stopped\nexit 0$/);
    stage.assertNobody();
  }),
);

test(
  'a worker that somebody else keeps starting is not chased for ever, and stop says so',
  onStage({ workers: 1, config: { supervisor_sigterm_timeout: 1 } }, async (stage) => {
    // Its words come from its environment, so that it is no worker itself, and each worker has another parent.
    const words = [`--config=${stage.config}`, `--port=${stage.port(0)}`, `--pidfile=${stage.pidfile(0)}`];
    const env = { ...environment, WORDS: ['--daemonize=false', ...words].join(' '), SCRIPT: stage.script };
    const code =
      'import os, subprocess\nwhile True: subprocess.call([os.environ["SCRIPT"], *os.environ["WORDS"].split()])';
    const keeper = await stage.stranger([python, '-c', code], { env });
    await until(async () => assert.equal((await stage.page(0, '/status/')).status, 200));
    const outcome = await stage.run('stop');
    assertCivil(outcome);
    assert.match(
      stage.tell(outcome),
      /\[T\] failed to stop worker on port P0\n\[T\] worker on port P0: it was stopped 4 times and came back each time: something else starts it\n\[T\] failed to stop workers\nexit 1$/,
    );
    assert(isAlive(keeper));
    signal(keeper, 'SIGKILL');
    await sleep(50);
    assert.equal((await stage.run('stop')).code, 0);
    stage.assertNobody();
  }),
);
