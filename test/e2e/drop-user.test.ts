import assert from 'node:assert/strict';
import { chmodSync, existsSync, lstatSync, rmSync, writeFileSync } from 'node:fs';
import { nobody, reachable, type Stage, whyNotAnotherUser } from '../support/e2e.ts';
import { environment } from '../support/e2e-command.ts';
import { assertCivil, ordeal } from '../support/e2e-ordeal.ts';
import { look } from '../support/e2e-processes.ts';
import { ended, resident } from '../support/e2e-run.ts';
import { Cell, whyNoNamespaces } from '../support/namespaces.ts';

const STOPPED = '[T] all workers are stopped';
const RUNNING = '[T] all workers are running';
const STARTED = `[T] start worker P0\n${RUNNING}\nexit 0`;

function whyNot(): string | undefined {
  return whyNotAnotherUser() ?? whyNoNamespaces();
}

/** A machine that has a user `frontik` with two groups more than his own. */
async function machine(stage: Stage): Promise<Cell> {
  const passwd = `${stage.read('/etc/passwd')}frontik:x:4242:4243::/nonexistent:/usr/sbin/nologin\n`;
  const group = `${stage.read('/etc/group')}frontik:x:4243:\nlogs:x:4244:frontik\nmetrics:x:4245:root,frontik\n`;
  const mounts = [
    `mount --bind ${stage.write('passwd', passwd)} /etc/passwd`,
    `mount --bind ${stage.write('group', group)} /etc/group`,
  ];
  return Cell.withMounts(stage, mounts.join('\n'));
}

function ownerOf(path: string): string {
  const { uid, gid } = lstatSync(path);
  return `${uid}:${gid}`;
}

async function credentials(stage: Stage): Promise<readonly string[]> {
  const { status } = await stage.born(0);
  return ['Uid', 'Gid', 'Groups', 'CapEff'].map((name) => (status[name] ?? '').trim().replaceAll('\t', ' '));
}

ordeal(
  'workers get the user, the group and all groups of supervisor_user, and what is made for them is his',
  whyNot,
  { workers: 1, config: { supervisor_user: 'frontik' } },
  async (stage) => {
    const { under } = await machine(stage);
    for (const place of ['run', 'log']) {
      rmSync(stage.path(place), { recursive: true });
    }
    stage.configure({
      pidfile_template: stage.path('run/deep/app.%(port)s.pid'),
      logfile_template: stage.path('log/deep/app.%(port)s.log'),
    });
    await stage.expect('start', STARTED, { under });
    assert.deepEqual(await credentials(stage), [
      '4242 4242 4242 4242',
      '4243 4243 4243 4243',
      '4243 4244 4245',
      '0000000000000000',
    ]);
    const [pidfile, logfile] = [`run/deep/app.${stage.port(0)}.pid`, `log/deep/app.${stage.port(0)}.log`];
    for (const name of ['run', 'run/deep', pidfile, 'log', 'log/deep', logfile]) {
      assert.equal(ownerOf(stage.path(name)), '4242:4243', name);
    }
    assert.equal(stage.read(stage.path(pidfile)), String(stage.worker(0).pid));
    await stage.expect('status', `${RUNNING}\nexit 0`, { under });
    const restart = await stage.run('restart', { under });
    assert.match(stage.tell(restart), /\n\[T\] all workers are running\nexit 0$/);
    const stop = await stage.run('stop', { under });
    assert.match(stage.tell(stop), /\n\[T\] all workers are stopped\nexit 0$/);
    assert(!existsSync(stage.path(pidfile)));
    stage.assertNobody();
  },
);

ordeal(
  'a PATH that begins with a directory of the service user`s is the workers` alone: root runs nothing there',
  whyNot,
  { workers: 1, owner: 4242, config: { supervisor_user: 'frontik' } },
  async (stage) => {
    const { under } = await machine(stage);
    stage.directory('venv');
    for (const name of ['flock', 'setpriv', 'getent', 'systemd-notify', 'systemctl', 'sh', 'env']) {
      const script = `#!/bin/sh\necho ${name} >>${stage.path('ran')}\nPATH=${environment['PATH']} exec ${name} "$@"\n`;
      stage.write(`venv/${name}`, script, 0o755);
    }
    const env = {
      ...environment,
      PATH: `${stage.path('venv')}:${environment['PATH']}`,
      NOTIFY_SOCKET: stage.path('no-socket'),
    };
    await stage.expect('start', STARTED, { under, env });
    assert.equal((await stage.born(0)).env['PATH'], env.PATH);
    // A group that only a directory service may know.
    const words = 'start --supervisor_group=no-such-group';
    assert.match(stage.tell(await stage.run(words, { under, env })), /there is no group no-such-group/);
    assert.equal((await stage.run('stop', { under, env })).code, 0);
    const run = await resident(stage, '', { under, env });
    assert.equal((await ended(run)).code, 0);
    assert(!existsSync(stage.path('ran')), 'a program of the service user`s ran as root');
  },
);

ordeal(
  'root with the capabilities of a container, which may not look into other users` processes, starts and stops workers',
  whyNot,
  { workers: 2, owner: 4242, config: { supervisor_user: 'frontik' } },
  async (stage) => {
    const cell = await machine(stage);
    const under = [...cell.under, 'setpriv', '--bounding-set=-sys_ptrace'];
    await stage.expect('start', `[T] start worker P0\n[T] start worker P1\n${RUNNING}\nexit 0`, { under });
    await stage.expect('status', `${RUNNING}\nexit 0`, { under });
    const stop = await stage.run('stop', { under });
    assert.match(stage.tell(stop), /\n\[T\] all workers are stopped\nexit 0$/);
    stage.assertNobody();
  },
);

ordeal(
  'directories that are there keep their owner, and the pidfile that we write is the worker`s own',
  whyNot,
  { workers: 1, owner: 4242, config: { supervisor_user: 'frontik', daemonize: false } },
  async (stage) => {
    const { under } = await machine(stage);
    await stage.expect('start', STARTED, { under });
    assert.equal(ownerOf(stage.path('run')), '4242:4242');
    assert.equal(ownerOf(stage.pidfile(0)), '4242:4243');
    // The user's name is not known out here, and the option is gone from the configuration: the directory tells.
    stage.configure({ supervisor_user: null });
    await stage.expect('status', `${RUNNING}\nexit 0`);
    const stop = await stage.run('stop');
    assert.match(stage.tell(stop), /\n\[T\] all workers are stopped\nexit 0$/);
    assert(!existsSync(stage.pidfile(0)));
  },
);

ordeal(
  'supervisor_group alone changes the group, and a group beside a user replaces his own',
  whyNot,
  { workers: 1, config: { supervisor_group: 'logs' } },
  async (stage) => {
    const { under } = await machine(stage);
    await stage.expect('start', STARTED, { under });
    assert.deepEqual((await credentials(stage)).slice(0, 2), ['0 0 0 0', '4244 4244 4244 4244']);
    assert.equal((await stage.run('stop', { under })).code, 0);
    rmSync(stage.path('run'), { recursive: true });
    rmSync(stage.path('log'), { recursive: true });
    await stage.expect('start --user=frontik', STARTED, { under });
    assert.deepEqual((await credentials(stage)).slice(0, 2), ['4242 4242 4242 4242', '4244 4244 4244 4244']);
    assert.equal(ownerOf(stage.path('run')), '4242:4244');
    assert.equal((await stage.run('stop --user=frontik', { under })).code, 0);
    stage.assertNobody();
  },
);

ordeal(
  'a user or group that does not exist is a mistake of whoever wrote it, and nothing is started or stopped',
  whyNotAnotherUser,
  { workers: 1 },
  async (stage) => {
    await stage.started();
    const worker = stage.worker(0);
    await stage.expect('restart --user=no-such', '[T] --supervisor_user: there is no user no-such\nexit 2');
    await stage.expect('restart --group=no-such', '[T] --supervisor_group: there is no group no-such\nexit 2');
    stage.configure({ supervisor_user: 'no-such' });
    const place = /^\[T\] DIR\/app\.cfg:\d+:\d+: supervisor_user: there is no user no-such\nexit (\d)$/;
    for (const [action, code] of [
      ['start', '6'],
      ['restart', '6'],
      ['status', '4'],
    ] as const) {
      assert.equal(place.exec(stage.tell(await stage.run(action)))?.[1], code, action);
    }
    assert.deepEqual(stage.worker(0), { ...worker, ...look(worker.pid) });
    const stop = stage.tell(await stage.run('stop'));
    assert.match(stop, /there is no user no-such\n(.*\n)*\[T\] all workers are stopped\nexit 0$/);
    stage.assertNobody();
  },
);

ordeal(
  'only root becomes another user; his own name an ordinary user may give',
  whyNotAnotherUser,
  { workers: 1, owner: nobody },
  async (stage) => {
    const copy = reachable(stage);
    const run = async (...words: readonly string[]) =>
      stage.tell(await stage.program([copy, ...stage.settings, ...words], { uid: nobody }).outcome);
    const refused = '[T] --supervisor_user: only root can start workers as daemon\nexit 4';
    assert.equal(await run('start', '--user=daemon'), refused);
    stage.assertNobody();
    assert.equal(await run('start', '--user=nobody'), STARTED);
    assert.equal(await run('status', '--user=daemon'), `${RUNNING}\nexit 0`);
    assert.match(await run('stop', '--user=nobody'), /\n\[T\] all workers are stopped\nexit 0$/);
  },
);

ordeal(
  'a user who may not read the script, or write into the directories that are there: the reason is told, and nothing stays',
  whyNotAnotherUser,
  { workers: 1, config: { supervisor_user: 'nobody' } },
  async (stage) => {
    stage.configure({ logfile_template: null });
    const script = stage.write('closed', '#!/bin/sh\nexit 0\n', 0o700);
    const closed = await stage.call([`--script=${script}`, `--config=${stage.config}`, 'start']).outcome;
    assertCivil(closed);
    assert.match(stage.tell(closed), /^\[T\] worker on port P0 failed to start$/m);
    assert.match(stage.tell(closed), /\n\[T\] all workers are stopped\nexit 1$/);
    // The directory for pidfiles is root's: the worker cannot write there, root can, and readiness does not depend on it.
    stage.behave({ daemonize: false });
    await stage.expect('start', STARTED);
    assert.equal(ownerOf(stage.pidfile(0)), `${nobody}:${nobody}`);
    assert.equal((await stage.run('stop')).code, 0);
    chmodSync(stage.path('run'), 0o755);
    writeFileSync(stage.pidfile(0), '7');
    await stage.expect('status', `${STOPPED}\nexit 3`);
    stage.assertNobody();
  },
);
