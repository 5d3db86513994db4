// Installed init scripts on real workers, in a file system where /etc, /run and systemd are the test's own.

import assert from 'node:assert/strict';
import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { binary, nobody, type Stage } from '../support/e2e.ts';
import { environment, type Outcome, type RunOptions } from '../support/e2e-command.ts';
import { ordeal } from '../support/e2e-ordeal.ts';
import { Cell, whyNoNamespaces } from '../support/namespaces.ts';

const PACKAGE = resolve(import.meta.dirname, '../../build/deb');

function whyNot(): string | undefined {
  return existsSync('/usr/sbin/update-rc.d') ? whyNoNamespaces() : 'update-rc.d is not installed';
}

/** A system of its own, with nothing in /etc but what programs need; `$DIR/etc` is its /etc, seen from outside. */
class System {
  readonly stage: Stage;
  readonly #cell: Cell;
  readonly #options: RunOptions;

  private constructor(stage: Stage, cell: Cell) {
    this.stage = stage;
    this.#cell = cell;
    // Where the system has no systemctl, the one of the test is there all the same.
    const env = { ...environment, PATH: `${stage.path('fake')}:${environment['PATH']}` };
    this.#options = { under: cell.under, env, cwd: '/' };
  }

  /** Nothing of systemd is there; or it seems to have booted, without our generator. */
  static async open(stage: Stage, init: 'sysvinit' | 'systemd'): Promise<System> {
    for (const name of ['bin', 'fake', 'etc/default', 'etc/init.d', 'etc/systemd/system']) stage.directory(name);
    const product = stage.write('bin/frontik-supervisor', '', 0o755);
    const setup = `cp -a /etc/passwd /etc/group /etc/nsswitch.conf /etc/ld.so.cache ${stage.path('etc')}
for each in /etc/insserv.conf /etc/insserv.conf.d; do [ ! -e $each ] || cp -a $each ${stage.path('etc')}; done
mount --bind ${binary} ${product}
mount --bind ${stage.path('etc')} /etc
mount -t tmpfs -o mode=755 none /run
[ ! -e /usr/bin/systemctl ] || mount --bind ${stage.path('fake/systemctl')} /usr/bin/systemctl
[ ! -d /usr/lib/systemd ] || mount -t tmpfs -o mode=755 none /usr/lib/systemd
${init === 'systemd' ? 'mkdir -p /run/systemd/system' : ''}`;
    stage.write(
      'fake/systemctl',
      `#!/bin/sh\necho "$*" >>${stage.path('systemctl.log')}\ncat ${stage.path('state')}\n`,
      0o755,
    );
    stage.write('state', '');
    stage.write('systemctl.log', '');
    return new System(stage, await Cell.withMounts(stage, setup));
  }

  get product(): string {
    return this.stage.path('bin/frontik-supervisor');
  }

  /** What a command says in there, and how it ends; called by some path, as on any system. */
  async run(words: readonly string[], options: RunOptions = {}): Promise<string> {
    const outcome = await this.stage.program(words, { ...this.#options, ...options }).outcome;
    return this.stage.tell(outcome);
  }

  shell(text: string): Promise<Outcome> {
    return this.#cell.shell(this.stage, text);
  }

  install(...words: readonly string[]): Promise<string> {
    const settings = [`--script=${this.stage.script}`, '--app=testapp', `--config=${this.stage.config}`];
    return this.run([this.product, ...settings, 'install', 'app', ...words]);
  }

  uninstall(...words: readonly string[]): Promise<string> {
    return this.run([this.product, 'uninstall', 'app', ...words]);
  }

  /** The init script itself. */
  app(...words: readonly string[]): Promise<string> {
    return this.run(['/etc/init.d/app', ...words]);
  }

  /** Every file of /etc with its mode and content, and every link. */
  get etc(): readonly string[] {
    return treeOf(this.stage.path('etc'), '/etc');
  }

  /** The links in /etc/rc?.d. */
  get links(): readonly string[] {
    return this.etc.flatMap((line) => /^(\/etc\/rc.\.d\/.*)$/.exec(line)?.[1] ?? []);
  }
}

function treeOf(path: string, name: string): readonly string[] {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return [`${name} -> ${readlinkSync(path)}`];
  if (stat.isFile()) return [`${name} ${(stat.mode & 0o7777).toString(8)} ${readFileSync(path, 'base64')}`];
  // A directory that is empty is none: nobody would miss /etc/rc2.d.
  return readdirSync(path)
    .toSorted()
    .flatMap((each) => treeOf(join(path, each), `${name}/${each}`));
}

const REGISTERED = '[T] ran update-rc.d app defaults';
const LINKS = [
  ...['0', '1'].map((level) => `/etc/rc${level}.d/K01app -> ../init.d/app`),
  ...['2', '3', '4', '5'].map((level) => `/etc/rc${level}.d/S01app -> ../init.d/app`),
  '/etc/rc6.d/K01app -> ../init.d/app',
];
const STARTED = '[T] start worker P0\n[T] all workers are running\nexit 0';
const RUNNING = '[T] all workers are running\nexit 0';
const STOPPING = '[T] some of the workers are running, trying to kill\n[T] stopping worker P0';
const STOPPED = '[T] all workers are stopped';

for (const words of [[], ['--shebang']]) {
  const form = words.length === 0 ? 'shell' : 'shebang';
  ordeal(`installed, used, uninstalled (${form} form)`, whyNot, { workers: 1 }, async (stage) => {
    const system = await System.open(stage, 'sysvinit');
    const before = system.etc;
    assert.equal(await system.install(...words), `[T] wrote /etc/init.d/app\n${REGISTERED}\nexit 0`);
    assert.deepEqual(system.links, LINKS);
    const script = stage.path('etc/init.d/app');
    assert.equal(statSync(script).mode & 0o7777, 0o755);
    const installed = system.etc;
    assert.equal(await system.install(...words), `[T] /etc/init.d/app is as it should be\n${REGISTERED}\nexit 0`);
    assert.deepEqual(system.etc, installed);

    assert.equal(await system.app('status'), `${STOPPED}\nexit 3`);
    assert.equal(await system.run(['/etc/rc2.d/S01app', 'start']), STARTED);
    const { app } = await stage.facts(0);
    const { env } = await stage.born(0);
    assert.deepEqual([app, env['FRONTIK_SUPERVISOR_LAUNCHER']], ['testapp', undefined]);
    assert.equal(await system.app('status'), RUNNING);
    assert.equal(await system.run(['/usr/sbin/service', 'app', 'status']), RUNNING);
    for (const dry of [[], ['--dry-run']]) {
      const alive = '[T] app: its workers are alive: stop them first, by /etc/init.d/app stop\nexit 1';
      assert.equal(await system.uninstall(...dry), alive);
    }
    assert.deepEqual(system.etc, installed);
    assert.equal(await system.run(['/etc/rc0.d/K01app', 'stop']), `${STOPPING}\n${STOPPED}\nexit 0`);
    stage.assertNobody();

    const gone = '[T] removed /etc/init.d/app\n[T] ran update-rc.d -f app remove\nexit 0';
    assert.equal(await system.uninstall(), gone);
    assert.deepEqual(system.etc, before);
    assert.equal(await system.uninstall(), '[T] app is not installed: nothing to do\nexit 0');
    assert.deepEqual(system.etc, before);
    assert.equal(stage.read(stage.path('systemctl.log')), '');
  });
}

ordeal(
  'what stands in /etc/default is heard, and reaches the workers; what is typed wins',
  whyNot,
  { workers: 2 },
  async (stage) => {
    const system = await System.open(stage, 'sysvinit');
    await system.install();
    stage.write('etc/default/app', "OPTIONS='--workers_count=1 --status_path=/status/'\nexport SAID='by default'\n");
    assert.equal(await system.app('start'), STARTED);
    assert.equal((await stage.born(0)).env['SAID'], 'by default');
    const other = '[T] another worker already started on P0\n[T] start worker P1\n[T] all workers are running\nexit 0';
    assert.equal(await system.app('--workers_count=2', 'start'), other);
    assert.equal((await system.app('stop')).split('\n').at(-1), 'exit 0');
  },
);

ordeal(
  'a broken /etc/default, or one that the caller may not read: no command goes by half of what it says',
  whyNot,
  { workers: 2 },
  async (stage) => {
    const system = await System.open(stage, 'sysvinit');
    await system.install();
    const defaults = stage.write('etc/default/app', "OPTIONS='--workers_count=1'\n", 0o600);
    assert.equal(await system.app('start'), STARTED);
    const before = await stage.facts(0);
    const nobodys = ['/usr/bin/setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', '--'];
    for (const action of ['status', 'start', 'stop', 'restart', 'check']) {
      const said = await system.run([...nobodys, '/etc/init.d/app', action]);
      assert.equal(said, '/etc/default/app: cannot be read: run this as root\nexit 4');
    }
    chmodSync(defaults, 0o644);
    assert.equal(await system.run([...nobodys, '/etc/init.d/app', 'status']), RUNNING);
    stage.write('etc/default/app', "OPTIONS='--workers_count=1\n");
    for (const [action, exit] of [
      ['status', 4],
      ['stop', 6],
      ['restart', 6],
      ['start', 6],
    ] as const) {
      const said = await system.app(action);
      assert.match(said, /^\/etc\/default\/app: .*(quot|EOF).*\n/);
      assert(said.endsWith(`/etc/default/app: cannot be used: nothing was done\nexit ${exit}`), said);
    }
    stage.write('etc/default/app', "OPTIONS='--workers_count=1'\n");
    assert.equal(await system.app('status'), RUNNING);
    assert.equal((await stage.facts(0)).pid, before.pid, 'no worker was touched');
    assert.equal(await system.app('stop'), `${STOPPING}\n${STOPPED}\nexit 0`);
  },
);

ordeal(
  'uninstall sees the workers that a script has only by its /etc/default',
  whyNot,
  { workers: 1 },
  async (stage) => {
    const system = await System.open(stage, 'sysvinit');
    await system.install();
    stage.write('etc/default/app', `OPTIONS='--pidfile_template=${stage.path('other-%(port)s.pid')}'\n`);
    assert.equal(await system.app('start'), STARTED);
    const installed = system.etc;
    for (const dry of [[], ['--dry-run']]) {
      const said = await system.uninstall(...dry);
      assert.match(said, /^\[T\] \/etc\/init\.d\/app status: does not say that all workers are stopped: by .*\n/);
      assert.match(said, /\n\[T\] \/etc\/init\.d\/app status: \| .*all workers are running\nexit 1$/);
    }
    assert.deepEqual(system.etc, installed);
    assert.equal(await system.app('stop'), `${STOPPING}\n${STOPPED}\nexit 0`);
    assert.match(await system.uninstall(), /^\[T\] removed \/etc\/init\.d\/app\n.*\nexit 0$/);
  },
);

ordeal(
  'a copy of a script has the workers that its own text names, and no unit but its own',
  whyNot,
  { workers: 1 },
  async (stage) => {
    const system = await System.open(stage, 'systemd');
    await system.install();
    stage.write('etc/init.d/two', stage.read(stage.path('etc/init.d/app')), 0o755);
    stage.write('etc/default/two', "export SAID='by two'\n");
    assert.equal(await system.run(['/etc/init.d/two', 'start']), STARTED);
    assert.equal((await stage.born(0)).env['SAID'], 'by two');
    assert.equal(await system.run(['/etc/init.d/two', 'stop']), `${STOPPING}\n${STOPPED}\nexit 0`);
    const asked = stage.read(stage.path('systemctl.log'));
    assert.match(asked, /two\.service/);
    assert.doesNotMatch(asked, /app\.service/);
  },
);

const UNIT = '/etc/systemd/system/app.service';
const WANTS = '/etc/systemd/system/multi-user.target.wants/app.service';

ordeal(
  'under systemd a unit comes and goes as well, the one that the generator makes',
  whyNot,
  { workers: 1 },
  async (stage) => {
    const system = await System.open(stage, 'systemd');
    const before = system.etc;
    const wrote = `[T] wrote /etc/init.d/app\n[T] wrote ${UNIT}\n[T] linked ${WANTS}`;
    assert.equal(await system.install(), `${wrote}\n${REGISTERED}\n[T] ran systemctl daemon-reload\nexit 0`);
    // update-rc.d tells systemd, too.
    assert.equal(stage.read(stage.path('systemctl.log')), 'daemon-reload\ndaemon-reload\n');
    const unit = stage.read(stage.path(`.${UNIT}`));
    assert(system.etc.includes(`${WANTS} -> ${UNIT}`));

    stage.directory('lib/system-generators');
    stage.directory('lib/system');
    const generator = stage.path('lib/system-generators/frontik-supervisor-generator');
    stage.write(
      'lib/system-generators/frontik-supervisor-generator',
      stage.read(`${PACKAGE}/systemd/frontik-supervisor-generator`),
      0o755,
    );
    stage.write('lib/system/frontik@.service', stage.read(`${PACKAGE}/systemd/frontik@.service`));
    const units = stage.directory('units');
    const made = await system.shell(`rm ${UNIT} && ${generator} ${units}`);
    assert.deepEqual([made.code, made.stderr], [0, '']);
    const ours = unit
      .replace(
        '# written by frontik-supervisor install\n',
        `# Made of /etc/init.d/app by ${generator.slice(generator.lastIndexOf('/') + 1)}.\n`,
      )
      .replace(/^ConditionFileIsExecutable=.*\n/m, '')
      .replace(/\n\[Install\][\s\S]*/, '');
    assert.equal(stage.read(join(units, 'app.service')).trim(), ours.trim());
    assert(lstatSync(join(units, 'multi-user.target.wants/app.service')).isSymbolicLink());

    await system.install();
    const removed = `[T] removed /etc/init.d/app\n[T] removed ${UNIT}\n[T] removed ${WANTS}`;
    const gone = `${removed}\n[T] ran update-rc.d -f app remove\n[T] ran systemctl daemon-reload\nexit 0`;
    assert.equal(await system.uninstall(), gone);
    assert.deepEqual(system.etc, before);
  },
);

ordeal(
  'a masked unit is not started, and nobody is told that it runs; stop stops what does',
  whyNot,
  { workers: 1 },
  async (stage) => {
    const system = await System.open(stage, 'systemd');
    await system.install();
    assert.equal(await system.app('start'), STARTED);
    stage.write('state', 'masked\n');
    assert.equal(await system.app('restart'), 'exit 0');
    assert.equal(await system.app('status'), RUNNING);
    assert.equal(await system.app('stop'), `${STOPPING}\n${STOPPED}\nexit 0`);
    assert.equal(await system.app('start'), 'exit 0');
    assert.equal(await system.app('status'), `${STOPPED}\nexit 3`);
    const asked = stage.read(stage.path('systemctl.log')).split('\n');
    assert.deepEqual(
      asked.filter((line) => /\b(start|stop|restart|status)\b/.test(line)),
      [],
      'nothing was handed over',
    );
  },
);

ordeal('what update-rc.d refuses is undone', whyNot, { workers: 1 }, async (stage) => {
  const system = await System.open(stage, 'systemd');
  const before = system.etc;
  stage.write('fake/update-rc.d', '#!/bin/sh\n[ "$2" != defaults ] || { echo "it is too late" >&2; exit 3; }\n', 0o755);
  await system.shell(`mount --bind ${stage.path('fake/update-rc.d')} /usr/sbin/update-rc.d`);
  const said = await system.install();
  const failed = '[T] update-rc.d app defaults: exited with status 3\n[T] update-rc.d app defaults: | it is too late';
  const undone = `[T] removed ${WANTS}\n[T] removed ${UNIT}\n[T] removed /etc/init.d/app\n[T] ran update-rc.d -f app remove`;
  const wrote = `[T] wrote /etc/init.d/app\n[T] wrote ${UNIT}\n[T] linked ${WANTS}`;
  assert.equal(said, `${wrote}\n${failed}\n${undone}\nexit 1`);
  assert.deepEqual(system.etc, before);
});

ordeal('nothing that is there already is overwritten, or removed', whyNot, { workers: 1 }, async (stage) => {
  const system = await System.open(stage, 'sysvinit');
  stage.write('etc/init.d/app', '#!/bin/sh\nexit 0\n', 0o755);
  const before = system.etc;
  const there = '[T] /etc/init.d/app: is there, and install has not written it: nothing was done\nexit 1';
  assert.equal(await system.install(), there);
  assert.equal(await system.uninstall(), '[T] /etc/init.d/app: install has not written it: nothing was done\nexit 1');
  assert.deepEqual(system.etc, before);
});

ordeal('a umask of 077 hides nothing from anybody', whyNot, { workers: 1 }, async (stage) => {
  const system = await System.open(stage, 'systemd');
  const words = [system.product, ...stage.settings, 'install', 'app'];
  const said = await system.run(['/bin/sh', '-c', 'umask 077; exec "$@"', 'sh', ...words]);
  assert.match(said, /\nexit 0$/);
  const modes = ['init.d/app', 'systemd/system/app.service', 'systemd/system/multi-user.target.wants'].map((path) =>
    (statSync(stage.path(`etc/${path}`)).mode & 0o7777).toString(8),
  );
  assert.deepEqual(modes, ['755', '644', '755']);
});

ordeal('everybody may see what would be done', whyNot, { workers: 1 }, async (stage) => {
  const system = await System.open(stage, 'sysvinit');
  const before = system.etc;
  const under = ['/usr/bin/setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', '--'];
  const words = [system.product, ...stage.settings, 'install', 'app'];
  const refused = '[T] install: only root can do that; --dry-run shows what would be done\nexit 4';
  assert.equal(await system.run([...under, ...words]), refused);
  const shown = await system.run([...under, ...words, '--dry-run']);
  assert.match(
    shown,
    /^==> write \/etc\/init\.d\/app \(mode 755\)\n#!\/bin\/sh\n[\s\S]*\n==> run update-rc\.d app defaults\nexit 0$/,
  );
  assert.deepEqual(system.etc, before);
});

ordeal('the template works when it is dropped by hand', whyNot, { workers: 1 }, async (stage) => {
  const system = await System.open(stage, 'sysvinit');
  const template = stage.read(`${PACKAGE}/root/usr/share/frontik-supervisor/init.d`);
  stage.write('etc/init.d/frontik', template.replaceAll('/usr/bin/frontik-supervisor', system.product), 0o755);
  const defaults = stage
    .read(`${PACKAGE}/root/usr/share/frontik-supervisor/default`)
    .replace(/^SCRIPT=.*$/m, `SCRIPT='${stage.script}'`)
    .replace(/^APP=.*$/m, 'APP=testapp')
    .replace(/^CONFIG=.*$/m, `CONFIG=${stage.config}`)
    .replace(/^OPTIONS=.*$/m, "OPTIONS='--workers_count=1 --user=root'");
  stage.write('etc/default/frontik', defaults);
  const registered = await system.shell('update-rc.d frontik defaults');
  assert.deepEqual([registered.code, registered.stderr], [0, '']);
  assert.equal(await system.run(['/etc/rc2.d/S01frontik', 'start']), STARTED);
  assert.equal((await stage.facts(0)).app, 'testapp');
  assert.equal(await system.run(['/usr/sbin/service', 'frontik', 'status']), RUNNING);
  assert.equal(await system.run(['/etc/init.d/frontik', 'stop']), `${STOPPING}\n${STOPPED}\nexit 0`);
  const missing = '/etc/default/frontik: SCRIPT and CONFIG must be set\n';
  stage.write('etc/default/frontik', '');
  assert.equal(await system.run(['/etc/init.d/frontik', 'start']), `${missing}exit 6`);
  stage.write('etc/default/frontik', `CONFIG=${stage.config}\n`);
  assert.equal(await system.run(['/etc/init.d/frontik', 'stop']), `${STOPPED}\nexit 0`);
  rmSync(stage.path('etc/default/frontik'));
  assert.equal(await system.run(['/etc/init.d/frontik', 'status']), `${missing}exit 4`);
});
