import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import {
  nobody,
  onStage,
  python,
  reachable,
  type Stage,
  type StageOptions,
  whyNotAnotherUser,
} from '../support/e2e.ts';
import { until } from '../support/e2e-command.ts';
import { assertCivil, ordeal, snapshot } from '../support/e2e-ordeal.ts';
import { isAlive } from '../support/e2e-processes.ts';

const STOPPED = '[T] all workers are stopped';
const RUNNING = '[T] all workers are running';

/** Root's workers belong to nobody, who owns the directories and puts into them whatever he likes. */
const SERVICE: StageOptions = { owner: nobody, config: { supervisor_user: 'nobody', supervisor_start_timeout: 30 } };

/** What lies in root's own directory and must stay as it is. */
function precious(stage: Stage, text = 'root:x:0:0:root:/root:/bin/sh\n'): string {
  stage.directory('etc');
  chownSync(stage.path('etc'), 0, 0);
  return stage.write('etc/precious', text);
}

/** Puts something odd at the path. */
type Put = (path: string, target: string) => void;

const ODDITIES: Readonly<Record<string, Put>> = {
  'a symbolic link': (path, target) => symlinkSync(target, path),
  'a hard link': (path, target) => linkSync(target, path),
  'a fifo': (path) => void execFileSync('/usr/bin/mkfifo', [path]),
  'a character device': (path) => void execFileSync('/usr/bin/mknod', [path, 'c', '1', '5']),
  'a block device': (path) => void execFileSync('/usr/bin/mknod', [path, 'b', '7', '200']),
  'a directory': (path) => mkdirSync(path),
  'a file of a gigabyte': (path) => {
    writeFileSync(path, '');
    truncateSync(path, 2 ** 30);
  },
  'binary junk': (path) => writeFileSync(path, Buffer.from([0, 255, 10, 27, 91, 65, 0, 128])),
  'a file without any permission': (path) => writeFileSync(path, '7', { mode: 0 }),
};

/** A line of a snapshot without the number of links. */
function withoutLinks(line: string): string {
  return line.split(' ').toSpliced(5, 1).join(' ');
}

/** Puts it there as the service user would; a link keeps its target's owner. */
function plant(put: Put, path: string, target: string): void {
  rmSync(path, { force: true, recursive: true });
  put(path, target);
  if (put !== ODDITIES['a hard link']) {
    lchownSync(path, nobody, nobody);
  }
}

const PIDFILE_PUTS = Object.values(ODDITIES);

ordeal(
  `${Object.keys(ODDITIES).join(', ')} in the place of a service user's pidfiles: nothing of root's is touched, all actions work`,
  whyNotAnotherUser,
  { ...SERVICE, workers: PIDFILE_PUTS.length, switches: { pidfile: 'none' } },
  async (stage) => {
    const target = precious(stage);
    const before = snapshot(stage.path('etc')).map(withoutLinks);
    for (const [action, code] of [
      ['status', 3],
      ['start', 0],
      ['status', 0],
      ['restart', 0],
      ['stop', 0],
    ] as const) {
      for (const [index, put] of PIDFILE_PUTS.entries()) {
        plant(put, stage.pidfile(index), target);
      }
      const outcome = await stage.run(action);
      assertCivil(outcome);
      assert.equal(outcome.code, code, stage.tell(outcome));
      // The attacker's own name for root's file may go, which takes one from its number of links.
      assert.deepEqual(snapshot(stage.path('etc')).map(withoutLinks), before, action);
    }
    stage.assertNobody();
  },
);

ordeal(
  'a service user`s configuration that names files of root`s: nothing is appended to, made or removed',
  whyNotAnotherUser,
  { owner: nobody, workers: 1 },
  async (stage) => {
    const target = precious(stage, '12345\n');
    const before = snapshot(stage.path('etc'));
    const made = stage.path('etc/profile.d/%(port)s.sh');
    for (const path of [target, made]) {
      stage.configure({ pidfile_template: path, logfile_template: path });
      for (const [action, code] of [
        ['start', 6],
        ['status', 3],
        ['restart', 6],
        ['stop', 0],
      ] as const) {
        const outcome = await stage.run(`${action} --user=nobody`);
        assertCivil(outcome);
        assert.equal(outcome.code, code, stage.tell(outcome));
        assert.deepEqual(snapshot(stage.path('etc')), before, action);
      }
    }
    stage.assertNobody();
  },
);

const LOG_COMPLAINTS: Readonly<Record<string, string>> = {
  'a symbolic link': 'is a symbolic link',
  'a hard link': 'has more than one name (a hard link)',
  'a fifo': 'is no regular file',
  'a character device': 'is no regular file',
  'a block device': 'is no regular file',
  'a directory': 'is a directory',
};

ordeal(
  `${Object.keys(LOG_COMPLAINTS).join(', ')} in the place of a service user's log files: not written to, and said`,
  whyNotAnotherUser,
  { ...SERVICE, workers: 7, switches: { daemonize: false, fail_start: 'attack at dawn' } },
  async (stage) => {
    const target = precious(stage);
    for (const [index, what] of Object.keys(LOG_COMPLAINTS).entries()) {
      plant(ODDITIES[what] as Put, stage.logfile(index), target);
    }
    stage.behave({}, 6);
    const look = () => [
      snapshot(stage.path('etc')),
      ...[0, 1, 2, 3, 4, 5].map((index) => snapshot(stage.logfile(index))),
    ];
    const before = look();
    for (const action of ['start', 'restart']) {
      // The workers say so on their stderr before they open any log.
      const outcome = await stage.run(action);
      assertCivil(outcome);
      for (const [index, complaint] of Object.values(LOG_COMPLAINTS).entries()) {
        const path = stage.logfile(index);
        const unkept = `worker on port ${stage.port(index)}: its output is not kept: ${path} ${complaint}`;
        assert(outcome.stderr.includes(unkept), outcome.stderr);
      }
      assert.match(stage.tell(outcome), /\n\[T\] all workers are stopped\nexit 1$/);
      assert.deepEqual(look(), before);
    }
    assertCivil(await stage.run('stop'));
    assert.deepEqual(look(), before);
    stage.assertNobody();
  },
);

ordeal(
  'a service user whose log may not be read by anybody else keeps his workers',
  whyNotAnotherUser,
  SERVICE,
  async (stage) => {
    writeFileSync(stage.logfile(0), 'before\n', { mode: 0 });
    chownSync(stage.logfile(0), nobody, nobody);
    chmodSync(stage.logfile(0), 0o200);
    await stage.expect('start', `[T] start worker P0\n[T] start worker P1\n${RUNNING}\nexit 0`);
    assert.equal(stage.read(stage.logfile(0)), 'before\n');
  },
);

ordeal(
  'pidfiles that the service user wrote make root kill nobody',
  whyNotAnotherUser,
  { ...SERVICE, workers: 7 },
  async (stage) => {
    const victim = await stage.stranger();
    const { pid } = victim;
    for (const action of ['status', 'stop', 'restart', 'stop']) {
      for (const [index, text] of [`${pid}`, `${pid}\n`, '1', '0', '-1', `-${pid}`, ` ${pid} `].entries()) {
        writeFileSync(stage.pidfile(index), text);
        chownSync(stage.pidfile(index), nobody, nobody);
      }
      const outcome = await stage.run(action);
      assertCivil(outcome);
      assert.equal(outcome.code, action === 'status' ? 3 : 0, stage.tell(outcome));
      assert(isAlive(victim), action);
    }
  },
);

test(
  'a pidfile that names the very supervisor that reads it',
  onStage({ workers: 1 }, async (stage) => {
    for (const [action, told] of [
      ['status', `${STOPPED}\nexit 3`],
      ['stop', `${STOPPED}\nexit 0`],
      ['start', `[T] start worker P0\n${RUNNING}\nexit 0`],
    ] as const) {
      const under = ['/bin/sh', '-c', `echo $$ >${stage.pidfile(0)}; exec "$@"`, 'sh'];
      await stage.expect(action, told, { under });
    }
    await stage.assertServing(0);
  }),
);

// fs.protected_* belong to the whole machine, so they stay as they are: what we do must not depend on them.
ordeal(
  'a world-writable directory with the sticky bit: what others put there is neither believed nor obeyed',
  whyNotAnotherUser,
  // Where fs.protected_regular is set, root's worker could not write to a pidfile of another user's there, and would die.
  { workers: 1, switches: { pidfile: 'none' } },
  async (stage) => {
    for (const place of ['run', 'log']) {
      chmodSync(stage.path(place), 0o1777);
    }
    const victim = await stage.stranger();
    const words = [`--config=${stage.config}`, `--port=${stage.port(0)}`, `--pidfile=${stage.pidfile(0)}`];
    const alike = await stage.stranger([python, '-c', 'import time; time.sleep(600)', ...words], { uid: nobody });
    const warning = '[T] process PID of nobody looks like the worker on port P0 and is ignored';
    for (const pid of [victim.pid, alike.pid]) {
      // Anew, for the same reason.
      const put = (): void => plant((path) => writeFileSync(path, String(pid)), stage.pidfile(0), '');
      put();
      await stage.expect('status', `${warning}\n${STOPPED}\nexit 3`);
      await stage.expect('stop', `${warning}\n${STOPPED}\nexit 0`);
      put();
      await stage.expect('start', `[T] start worker P0\n${warning}\n${RUNNING}\nexit 0`);
      assert.equal((await stage.run('stop')).code, 0);
      assert(isAlive(victim) && isAlive(alike));
    }
  },
);

const CONFIGS: Readonly<Record<string, Put>> = {
  'a fifo': (path) => void execFileSync('/usr/bin/mkfifo', [path]),
  'an endless device': (path) => void execFileSync('/usr/bin/mknod', [path, 'c', '1', '5']),
  'a directory': (path) => mkdirSync(path),
  'a file of a gigabyte': ODDITIES['a file of a gigabyte'] as Put,
  'binary junk': ODDITIES['binary junk'] as Put,
  'a symbolic link to itself': (path) => symlinkSync(path, path),
  'a symbolic link to nothing': (path) => symlinkSync(`${path}.gone`, path),
};

ordeal(
  `${Object.keys(CONFIGS).join(', ')} in the place of the configuration: named in one line, and no worker is touched`,
  () => (process.getuid?.() === 0 ? undefined : 'only root can make a device'),
  {},
  async (stage) => {
    await stage.started();
    const worker = stage.worker(0);
    for (const [what, put] of Object.entries(CONFIGS)) {
      rmSync(stage.config, { recursive: true });
      put(stage.config, '');
      for (const [action, code] of [
        ['status', 4],
        ['start', 6],
        ['restart', 6],
      ] as const) {
        const outcome = await stage.run(action);
        assertCivil(outcome);
        assert.match(stage.tell(outcome), new RegExp(`^\\[T\\] DIR/app\\.cfg[^\\n]*\\nexit ${code}$`), what);
      }
      assert(isAlive(worker));
    }
    const stop = await stage.run('stop');
    assertCivil(stop);
    assert.match(stage.tell(stop), /^\[T\] DIR\/app\.cfg.*\n(.*\n)*\[T\] all workers are stopped\nexit 0$/);
    stage.assertNobody();
  },
);

ordeal(
  'an ordinary user finds files of others in the way of his workers',
  whyNotAnotherUser,
  { workers: 1, owner: nobody, config: { daemonize: false } },
  async (stage) => {
    const copy = reachable(stage);
    const run = (action: string) => stage.program([copy, ...stage.settings, action], { uid: nobody }).outcome;
    writeFileSync(stage.logfile(0), '', { mode: 0 });
    chmodSync(stage.path('run'), 0o1777);
    chownSync(stage.path('run'), 0, 0);
    writeFileSync(stage.pidfile(0), '1', { mode: 0 });
    const before = [snapshot(stage.pidfile(0)), snapshot(stage.logfile(0))];
    const start = await run('start');
    assertCivil(start);
    const unkept = 'its output is not kept: DIR/log/app.P0.log cannot be written: no permission';
    const told = stage.tell(start).replaceAll(`app.${stage.port(0)}`, 'app.P0');
    assert(told.includes(unkept), told);
    for (const action of ['status', 'restart', 'stop']) {
      assertCivil(await run(action));
    }
    assert.deepEqual([snapshot(stage.pidfile(0)), snapshot(stage.logfile(0))], before);
    await until(() => stage.assertNobody());
  },
);

ordeal(
  "root's own server on a worker's port is not killed because the service user's pidfile names it",
  whyNotAnotherUser,
  { ...SERVICE, workers: 1 },
  async (stage) => {
    const server = await stage.squatter(0);
    writeFileSync(stage.pidfile(0), String(server.pid));
    chownSync(stage.pidfile(0), nobody, nobody);
    await stage.expect('status', `${STOPPED}\nexit 3`);
    await stage.expect('stop', `${STOPPED}\nexit 0`);
    assert(isAlive(server));
    await stage.expect('start', `[T] port P0 is held by python3 (pid PID)\n${STOPPED}\nexit 1`);
    assert(isAlive(server));
  },
);

for (const place of ['run', 'log'] as const) {
  ordeal(
    `a service user who puts a link in place of the directory "${place}" gets nothing made, changed or removed where it leads`,
    whyNotAnotherUser,
    { ...SERVICE, workers: 1, switches: { pidfile: 'none' } },
    async (stage) => {
      precious(stage);
      for (const name of [stage.pidfile(0), stage.logfile(0)]) {
        writeFileSync(stage.path(`etc/${name.slice(name.lastIndexOf('/') + 1)}`), 'of another service\n');
      }
      for (const text of ['full', 'empty']) {
        if (text === 'empty') {
          rmSync(stage.path('etc'), { recursive: true });
          precious(stage);
        }
        rmSync(stage.path(place), { recursive: true, force: true });
        symlinkSync('etc', stage.path(place));
        lchownSync(stage.path(place), nobody, nobody);
        const before = snapshot(stage.path('etc')).map((line) => line.replace(/ \d+\.?\d* $/, ''));
        for (const action of ['start', 'status', 'restart', 'stop']) {
          assertCivil(await stage.run(action));
          const now = snapshot(stage.path('etc')).map((line) => line.replace(/ \d+\.?\d* $/, ''));
          assert.deepEqual(now, before, `${action}, ${text}`);
        }
      }
    },
  );
}
