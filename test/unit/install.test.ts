import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DropIn } from '../../src/config/drop-in.ts';
import { writeShebangForm, writeShellForm } from '../../src/config/drop-in.ts';
import { writeUnit } from '../../src/config/native-unit.ts';
import type { OptionName } from '../../src/config/options.ts';
import type { Obstacle, Place } from '../../src/host/host.ts';
import { CONFIG, command, type Ended, GIVEN, type Machine, SETTINGS, twoRunning } from '../support/adapters-world.ts';
import { BINARY, DIRECTORY, Disk, GENERATOR } from '../support/install-disk.ts';

const SCRIPT = '/etc/init.d/app';
const UNIT = '/etc/systemd/system/app.service';
const LINK = '/etc/systemd/system/multi-user.target.wants/app.service';
const BOOTED = { '/run/systemd/system': DIRECTORY };
const FOREIGN: Place = { kind: 'file', text: '#!/bin/sh\n', mode: 0o755 };

const DROP_IN: DropIn = {
  name: 'app',
  binary: BINARY,
  options: new Map<OptionName, string>([
    ['script', '/usr/bin/frontik'],
    ['config', CONFIG],
  ]),
  python: 'allowed',
};
const SHELL = writeShellForm(DROP_IN);
const SCRIPT_FILE: Place = { kind: 'file', text: SHELL, mode: 0o755 };
const UNIT_FILE: Place = { kind: 'file', text: writeUnit('app', BINARY), mode: 0o644 };
const LINKED: Place = { kind: 'link', target: UNIT };
/** What an installation comes to where systemd runs and our generator is not. */
const WITH_UNIT = { ...BOOTED, [SCRIPT]: SCRIPT_FILE, [UNIT]: UNIT_FILE, [LINK]: LINKED };

const DEFAULTS = 'update-rc.d app defaults';
const REMOVE = 'update-rc.d -f app remove';
const RELOAD = 'systemctl daemon-reload';

function install(disk: Disk, words: readonly string[] = [], machine: Machine = {}): Promise<Ended> {
  return command([...GIVEN, 'install', 'app', ...words], { ...machine, installation: disk });
}

function uninstall(disk: Disk, words: readonly string[] = [], machine: Machine = {}): Promise<Ended> {
  const files = { [CONFIG]: SETTINGS, ...machine.files, [SCRIPT]: disk.text(SCRIPT) };
  return command(['uninstall', 'app', ...words], { ...machine, files, installation: disk });
}

test('without systemd: the script, registered', async () => {
  const disk = new Disk();
  const { exit, told, printed, locked } = await install(disk);
  assert.deepEqual([exit, printed, locked], [0, '', []]);
  assert.deepEqual(told, [`info: wrote ${SCRIPT}`, `info: ran ${DEFAULTS}`]);
  assert.deepEqual([disk.state, disk.ran], [{ [SCRIPT]: SCRIPT_FILE }, [DEFAULTS]]);
});

test('under systemd without our generator: a unit as well, enabled', async () => {
  const disk = new Disk(BOOTED);
  const { exit, told } = await install(disk);
  assert.equal(exit, 0);
  const wrote = [`info: wrote ${SCRIPT}`, `info: wrote ${UNIT}`, `info: linked ${LINK}`];
  assert.deepEqual(told, [...wrote, `info: ran ${DEFAULTS}`, `info: ran ${RELOAD}`]);
  assert.deepEqual([disk.state, disk.ran], [WITH_UNIT, [DEFAULTS, RELOAD]]);
});

const SYSTEMDS: readonly (readonly [name: string, places: Readonly<Record<string, Place>>, binary: string, string])[] =
  [
    ['our generator', { ...BOOTED, [GENERATOR]: FOREIGN }, BINARY, 'reload'],
    [
      'our generator, and a program that it does not know',
      { ...BOOTED, [GENERATOR]: FOREIGN },
      '/opt/fs',
      'unit reload',
    ],
    [
      'our generator, masked',
      {
        ...BOOTED,
        [GENERATOR]: FOREIGN,
        '/etc/systemd/system-generators/frontik-supervisor-generator': { kind: 'link', target: '/dev/null' },
      },
      BINARY,
      'unit reload',
    ],
    [
      'systemd that has not booted',
      { '/usr/lib/systemd/systemd': { kind: 'other', why: 'is no text' } },
      BINARY,
      'unit',
    ],
  ];
for (const [name, places, binary, does] of SYSTEMDS) {
  test(`with ${name}: ${does}`, async () => {
    const disk = new Disk(places, binary);
    assert.equal((await install(disk)).exit, 0);
    const done = [disk.look(UNIT).kind === 'file' ? 'unit' : '', disk.ran.includes(RELOAD) ? 'reload' : ''];
    assert.equal(done.join(' ').trim(), does);
    assert.equal(disk.look(LINK).kind, does.includes('unit') ? 'link' : 'free');
  });
}

test('a second time nothing changes, and everything is told', async () => {
  const disk = new Disk(WITH_UNIT);
  const { exit, told } = await install(disk);
  assert.equal(exit, 0);
  const kept = [`info: ${SCRIPT} is as it should be`, `info: ${UNIT} is as it should be`];
  assert.deepEqual(told, [...kept, `info: ran ${DEFAULTS}`, `info: ran ${RELOAD}`]);
  assert.deepEqual(disk.state, WITH_UNIT);
});

test('other options take the place of the former ones; what was disabled stays so', async () => {
  const disk = new Disk({ ...WITH_UNIT, [SCRIPT]: { kind: 'file', text: SHELL, mode: 0o644 } });
  disk.places.delete(LINK);
  const { exit } = await install(disk, ['--workers_count=3', '--no-python']);
  assert.equal(exit, 0);
  const options = new Map([...DROP_IN.options, ['workers_count', '3'] as const]);
  const text = writeShellForm({ ...DROP_IN, options, python: 'forbidden' });
  assert.deepEqual(disk.state, { ...BOOTED, [UNIT]: UNIT_FILE, [SCRIPT]: { kind: 'file', text, mode: 0o755 } });
});

test('--shebang: a launcher', async () => {
  const disk = new Disk();
  assert.equal((await install(disk, ['--shebang'])).exit, 0);
  assert.equal(disk.text(SCRIPT), writeShebangForm(DROP_IN));
  const blank = new Disk({}, '/opt/my programs/frontik-supervisor');
  const { exit, told } = await install(blank, ['--shebang']);
  const text = 'no first line of a script can name /opt/my programs/frontik-supervisor, which has a blank';
  assert.deepEqual([exit, told, blank.state], [2, [`error: --shebang: ${text}`], {}]);
});

const TAKEN: readonly (readonly [path: string, place: Place])[] = [
  [SCRIPT, FOREIGN],
  [SCRIPT, { kind: 'link', target: '/opt/app' }],
  [SCRIPT, DIRECTORY],
  [SCRIPT, { kind: 'other', why: 'is no text' }],
  [UNIT, FOREIGN],
  [UNIT, { kind: 'link', target: '/dev/null' }],
  ['/usr/lib/systemd/system/app.service', FOREIGN],
  ['/run/systemd/system/app.service', FOREIGN],
];
for (const [path, place] of TAKEN) {
  test(`${path} is somebody else's ${place.kind}: nothing is done`, async () => {
    for (const words of [[], ['--dry-run']]) {
      const disk = new Disk({ [path]: place });
      const { exit, told, printed } = await install(disk, words);
      const line = `error: ${path}: is there, and install has not written it: nothing was done`;
      assert.deepEqual([exit, told, printed, disk.state, disk.ran], [1, [line], '', { [path]: place }, []]);
    }
  });
}

const OLD: Place = { kind: 'file', text: SHELL.replace('/usr/bin/frontik', '/usr/bin/old'), mode: 0o700 };
const OLD_UNIT: Place = { kind: 'file', text: `${writeUnit('app', BINARY)}# old\n`, mode: 0o600 };
const WRITES = [`write ${SCRIPT}`, `write ${UNIT}`];
const RUNS = [`run ${DEFAULTS}`, `run ${RELOAD}`];
for (const [name, before, operations] of [
  ['nothing', BOOTED, [...WRITES, `link ${LINK}`, ...RUNS]],
  // What was disabled stays so.
  ['another version', { ...BOOTED, [SCRIPT]: OLD, [UNIT]: OLD_UNIT }, [...WRITES, ...RUNS]],
] as const) {
  for (const operation of operations) {
    test(`${operation} fails over ${name}: what was done is undone`, async () => {
      const disk = new Disk(before);
      disk.failing = (each) => each === operation;
      const { exit, told } = await install(disk);
      assert.equal(exit, 1);
      assert.deepEqual(disk.state, { ...before });
      const isUnregistered = disk.ran.includes(REMOVE);
      assert.equal(isUnregistered, name === 'nothing' && operation.startsWith('run '));
      const source = operation.slice(operation.indexOf(' ') + 1);
      const why = operation.startsWith('run ')
        ? ['exited with status 1', '| no, thanks']
        : [`cannot be ${operation.startsWith('link') ? 'linked' : 'written'}: EIO`];
      const errors = told.filter((line) => line.startsWith('error'));
      assert.deepEqual(
        errors,
        why.map((text) => `error: ${source}: ${text}`),
      );
    });
  }
}

test('what cannot be undone either is told', async () => {
  const disk = new Disk();
  disk.failing = (operation) => operation.startsWith('run ') || operation.startsWith('remove ');
  const { exit, told } = await install(disk);
  const failed = [`error: ${DEFAULTS}: exited with status 1`, `error: ${DEFAULTS}: | no, thanks`];
  const undoing = [`error: ${REMOVE}: exited with status 1`, `error: ${REMOVE}: | no, thanks`];
  const left = `error: ${SCRIPT}: cannot be removed: EIO`;
  assert.deepEqual([exit, told], [1, [`info: wrote ${SCRIPT}`, ...failed, left, ...undoing]]);
});

test('--dry-run prints all of it, for everybody, and touches nothing', async () => {
  for (const uid of [0, 1000]) {
    const disk = new Disk(BOOTED);
    const ended = await install(disk, ['--dry-run'], {
      uid,
      limits: { hard: 1024, kernelMost: 1024, mayRaise: false },
      ...(uid === 0 ? {} : { closed: { '/run/app': 'EACCES' } }),
    });
    assert.deepEqual([ended.exit, ended.told, disk.state, disk.ran], [0, [], BOOTED, []]);
    const shown = [
      `==> write ${SCRIPT} (mode 755)\n${SHELL}`,
      `==> write ${UNIT} (mode 644)\n${writeUnit('app', BINARY)}`,
      `==> link ${LINK} -> ${UNIT}\n`,
      `==> run ${DEFAULTS}\n`,
      `==> run ${RELOAD}\n`,
    ];
    assert.equal(ended.printed, shown.join('\n'));
  }
});

const NOT_ROOT = 'only root can do that; --dry-run shows what would be done';
test('whoever is not root is told so, in one line', async () => {
  const disk = new Disk(WITH_UNIT);
  const [one, other] = [await install(disk, ['--nonsense'], { uid: 1000 }), await uninstall(disk, [], { uid: 1000 })];
  assert.deepEqual([one.exit, one.told], [4, [`error: install: ${NOT_ROOT}`]]);
  assert.deepEqual([other.exit, other.told], [4, [`error: uninstall: ${NOT_ROOT}`]]);
  assert.deepEqual([disk.state, disk.ran], [WITH_UNIT, []]);
});

const MISSING = { kind: 'missing' } as const;
const NAMED = 'must be a name of small letters, digits, +, - and dots that begins with a letter or digit';
const REFUSED: readonly (readonly [words: string, exit: number, told: readonly string[], machine?: Machine])[] = [
  ['install', 2, ['error: install: needs the name of an init script']],
  ['install App', 2, [`error: install: 'App' ${NAMED}`]],
  ['install ', 2, [`error: install: '' ${NAMED}`]],
  ['uninstall a\nb', 2, [String.raw`error: uninstall: 'a\nb' ${NAMED}`]],
  ['install app.sh', 2, ["error: install: 'app.sh' ends like a file that systems pass over in /etc/init.d"]],
  ['install app now', 2, ['error: now: unexpected word after the action install']],
  ['install app --json', 2, ['error: --json: belongs to the action check']],
  ['start --dry-run', 2, ['error: --dry-run: belongs to the action install or uninstall']],
  ['uninstall app --shebang', 2, ['error: --shebang: belongs to the action install']],
  ['install app --start_port=x', 2, ["error: --start_port: must be an int, got 'x'"]],
  ['install app --config=/none', 6, ['error: /none: this configuration file does not exist']],
  [
    'install app',
    5,
    ['error: --script: /usr/bin/frontik is not installed'],
    { programs: { '/usr/bin/frontik': MISSING } },
  ],
  [
    'install app',
    4,
    ['error: /run/app: no permission to write to this directory: workers need it'],
    { closed: { '/run/app': 'EACCES' } },
  ],
  ['install app', 1, ['error: /run/app: this is no directory: workers need it'], { closed: { '/run/app': 'ENOTDIR' } }],
];
for (const [words, exit, told, machine] of REFUSED) {
  test(`refused with ${exit}: ${words}`, async () => {
    const disk = new Disk(BOOTED);
    const ended = await command([...GIVEN, ...words.split(' ')], { ...machine, installation: disk });
    const errors = ended.told.filter((line) => !/: (--script|--config): does not belong/.test(line));
    assert.deepEqual([ended.exit, errors, ended.printed, disk.state, disk.ran], [exit, told, '', BOOTED, []]);
  });
}

test('without a script or a configuration there is nothing to install', async () => {
  const { exit, told } = await command(['install', 'app'], { installation: new Disk() });
  const text = 'is required: give it on the command line or in a launcher';
  assert.deepEqual([exit, told], [2, [`error: --script: ${text}`, `error: --config: ${text}`]]);
});

test('a launcher has no such actions', async () => {
  const disk = new Disk();
  const text = SHELL.replace('sh', 'frontik-supervisor');
  const files = { [CONFIG]: SETTINGS, '/etc/init.d/x': writeShebangForm(DROP_IN), '/etc/init.d/y': text };
  for (const action of ['install', 'uninstall']) {
    const line = `an init script has no action ${action}: call frontik-supervisor itself`;
    const called = await command(['/etc/init.d/x', action, 'app'], { files, installation: disk });
    assert.deepEqual([called.exit, called.told], [2, [`error: /etc/init.d/x: ${line}`]]);
    const environment = { FRONTIK_SUPERVISOR_LAUNCHER: '/etc/init.d/y' };
    const through = await command([action, 'app'], { files, installation: disk, environment });
    assert.equal(through.exit, 2);
    assert.equal(through.told[0], `error: /etc/init.d/y: ${line}`);
  }
  assert.deepEqual(disk.state, {});
});

const PLACES: readonly (readonly [given: string, written: string])[] = [
  ['--script=./worker  --a ./b', '--script=/srv/50%/worker  --a ./b'],
  ['--script=frontik', '--script=/usr/bin/frontik'],
  ['--script=nowhere', '--script=nowhere'],
  ['--config=../app.cfg', '--config=/srv/app.cfg'],
  ['--pidfile_template=run/%(port)s.pid', '--pidfile_template=/srv/50%%/run/%(port)s.pid'],
  ['--logfile_template=/var/%(port)s.log', '--logfile_template=/var/%(port)s.log'],
  ['--logfile_template=', '--logfile_template='],
  ['--python=venv/bin/python', '--supervisor_python=/srv/50%/venv/bin/python'],
  ['--python=python3', '--supervisor_python=/usr/bin/python3'],
  ['--user=nobody', '--supervisor_user=nobody'],
  ['--before_stop=./hook  %(port)s', '--supervisor_before_stop=/srv/50%%/hook  %(port)s'],
  ['--after_start=hook in', '--supervisor_after_start=/usr/bin/hook in'],
];
for (const [given, written] of PLACES) {
  test(`seen from everywhere: ${given}`, async () => {
    const disk = new Disk();
    const ended = await command([...GIVEN, 'install', 'app', given], {
      installation: disk,
      cwd: '/srv/50%',
      files: { [CONFIG]: SETTINGS, '../app.cfg': SETTINGS },
      users: { nobody: { user: 'nobody', uid: 65_534, gid: 65_534 } },
    });
    assert.deepEqual([ended.exit, ended.told.filter((line) => line.startsWith('error'))], [0, []]);
    const quoted = /[() ]/.test(written) ? `'${written}'` : written;
    assert(disk.text(SCRIPT).includes(`\n  ${quoted} \\\n`), disk.text(SCRIPT));
  });
}

test('a configuration whose paths depend on the directory is warned of', async () => {
  const files = { [CONFIG]: "pidfile_template = 'run/%(port)s.pid'\n" };
  const { exit, told } = await install(new Disk(), [], { files });
  const text = 'pidfile_template is relative, and an init script is called from anywhere: write the whole path';
  assert.deepEqual([exit, told[0]], [0, `warning: ${CONFIG}:1:20: ${text}`]);
});

const BLANK: readonly (readonly [words: string, source: string | undefined])[] = [
  ['--script=./worker', '--script'],
  ['--script=./worker --a', '--script'],
  ['--before_stop=./hook %(port)s', '--supervisor_before_stop'],
  ['--after_start=bin/hook', '--supervisor_after_start'],
  ['--script=/srv/worker --a', undefined],
  ['--script=../worker', undefined],
  ['--script=worker', undefined],
  ['--pidfile_template=%(port)s.pid', undefined],
];
for (const [words, source] of BLANK) {
  test(`in a directory with a blank, ${words} is ${source === undefined ? 'taken' : 'refused'}`, async () => {
    const disk = new Disk();
    const cwd = '/srv/my app';
    const { exit, told } = await install(disk, [words], { cwd });
    const line = `error: ${source}: is split at blanks, and the directory ${cwd} has one: move it elsewhere`;
    if (source === undefined) assert.deepEqual([exit, disk.look(SCRIPT).kind], [0, 'file']);
    else assert.deepEqual([exit, told, disk.state, disk.ran], [2, [line], {}, []]);
  });
}

test('words that may be files of this directory are warned of, once for each option', async () => {
  const programs = { './lib': { kind: 'missing' } } as const;
  const words = ['--script=python3 -u lib ./w ./x', '--before_stop=sh out /srv/w', '--after_start=sh -c lib'];
  const { exit, told } = await install(new Disk(), words, { programs });
  const here = 'is a file here, and an init script is called from anywhere: write its whole path';
  assert.equal(exit, 0);
  assert.deepEqual(
    told.filter((line) => line.startsWith('warning')),
    [`warning: --script: ./w ${here}`, `warning: --supervisor_before_stop: out ${here}`],
  );
});

test('a program that others may change is warned of', async () => {
  const distrusted = { path: '/opt', why: 'may be written by everybody' };
  const { exit, told } = await install(new Disk(), [], { distrusted });
  assert.deepEqual([exit, told[0]], [0, `warning: ${BINARY}: root will run it, and /opt may be written by everybody`]);
});

test('interrupted: nothing is done, and the signal is in the exit status', async () => {
  const disk = new Disk(WITH_UNIT);
  const machine = { signal: 'SIGTERM' } as const;
  const exits = [(await install(disk, ['--batch=2'], machine)).exit, (await uninstall(disk, [], machine)).exit];
  assert.deepEqual([exits, disk.state, disk.ran], [[143, 143], WITH_UNIT, []]);
});

/** Both workers run; the application's lock can be had, unless the machine says otherwise. */
async function uninstallUsed(disk: Disk, words: readonly string[], machine: Machine): Promise<Ended> {
  const files = { [CONFIG]: SETTINGS, ...machine.files, [SCRIPT]: disk.text(SCRIPT) };
  return command(['uninstall', 'app', ...words], { ...machine, files, installation: disk }, twoRunning());
}

test('uninstall takes back what install has done, and tells it', async () => {
  const disk = new Disk(WITH_UNIT);
  const { exit, told, printed, locked } = await uninstall(disk);
  assert.deepEqual([exit, printed], [0, '']);
  const removed = [SCRIPT, UNIT, LINK].map((path) => `info: removed ${path}`);
  assert.deepEqual(told, [...removed, `info: ran ${REMOVE}`, `info: ran ${RELOAD}`]);
  assert.deepEqual([disk.state, disk.ran], [BOOTED, [REMOVE, RELOAD]]);
  assert.deepEqual(
    locked.map(({ name, action }) => [name, action]),
    [[CONFIG, 'uninstall']],
  );
});

for (const [name, before] of [
  ['nothing at all', {}],
  ["a unit of somebody else's, and a link to it", { [UNIT]: FOREIGN, [LINK]: LINKED }],
  ['a link that somebody else has made, to nowhere', { [LINK]: { kind: 'link', target: '/opt/app.service' } }],
] as const) {
  test(`uninstall finds ${name}: a line, and nothing is done`, async () => {
    for (const words of [[], ['--dry-run']]) {
      const disk = new Disk(before);
      const { exit, told } = await uninstall(disk, words);
      assert.deepEqual([exit, told], [0, ['info: app is not installed: nothing to do']]);
      assert.deepEqual([disk.state, disk.ran], [{ ...before }, []]);
    }
  });
}

test('uninstall twice is uninstall once', async () => {
  const disk = new Disk(WITH_UNIT);
  assert.equal((await uninstall(disk)).exit, 0);
  const { exit, told } = await uninstall(disk);
  assert.deepEqual([exit, told, disk.state], [0, ['info: app is not installed: nothing to do'], BOOTED]);
});

test('what an interrupted uninstall has left is removed by the next one', async () => {
  const disk = new Disk(WITH_UNIT);
  disk.places.delete(SCRIPT);
  assert.equal((await uninstall(disk)).exit, 0);
  assert.deepEqual([disk.state, disk.ran], [BOOTED, [REMOVE, RELOAD]]);
});

test('what enables the unit goes also when its file is gone', async () => {
  for (const before of [
    { ...BOOTED, [SCRIPT]: SCRIPT_FILE, [LINK]: LINKED },
    { ...BOOTED, [LINK]: LINKED },
  ]) {
    const disk = new Disk(before);
    assert.equal((await uninstall(disk)).exit, 0);
    assert.deepEqual([disk.state, disk.ran], [BOOTED, [REMOVE, RELOAD]]);
  }
});

const DEFAULTS_FILE = '/etc/default/app';
const STATUS = `sh -c sh "$0" status; [ $? -eq 3 ] ${SCRIPT}`;

test('where the administrator has given options, the script itself is asked how its workers are', async () => {
  const defaults: Place = { kind: 'file', text: "OPTIONS='--config=/etc/other.cfg'\n", mode: 0o644 };
  const before = { ...WITH_UNIT, [DEFAULTS_FILE]: defaults };
  const line = `error: ${SCRIPT} status:`;
  const why = `does not say that all workers are stopped: by ${SCRIPT} stop they are, unless ${DEFAULTS_FILE} is to be put right`;
  for (const words of [[], ['--dry-run']]) {
    const used = new Disk(before);
    used.failing = (operation) => operation === `run ${STATUS}`;
    const { exit, told, printed } = await uninstall(used, words);
    assert.deepEqual([exit, told, printed], [1, [`${line} ${why}`, `${line} | no, thanks`], '']);
    assert.deepEqual([used.state, used.ran], [before, [STATUS]]);
  }
  const stopped = new Disk(before);
  assert.equal((await uninstall(stopped)).exit, 0);
  const left = { ...BOOTED, [DEFAULTS_FILE]: defaults };
  assert.deepEqual([stopped.state, stopped.ran], [left, [STATUS, REMOVE, RELOAD]]);
  // A launcher that the program interprets reads no such file.
  const launcher: Place = { kind: 'file', text: writeShebangForm(DROP_IN), mode: 0o755 };
  const shebang = new Disk({ ...before, [SCRIPT]: launcher });
  assert.equal((await uninstall(shebang)).exit, 0);
  assert.deepEqual(shebang.ran, [REMOVE, RELOAD]);
});

test("somebody else's script is left alone, and so is everything else", async () => {
  const before = { ...WITH_UNIT, [SCRIPT]: FOREIGN };
  const disk = new Disk(before);
  const { exit, told } = await uninstall(disk);
  assert.deepEqual([exit, told], [1, [`error: ${SCRIPT}: install has not written it: nothing was done`]]);
  assert.deepEqual([disk.state, disk.ran], [before, []]);
});

test("somebody else's unit stays where the script goes", async () => {
  const disk = new Disk({ [SCRIPT]: SCRIPT_FILE, [UNIT]: FOREIGN, [LINK]: LINKED });
  assert.equal((await uninstall(disk)).exit, 0);
  assert.deepEqual(disk.state, { [UNIT]: FOREIGN, [LINK]: LINKED });
});

test('uninstall --dry-run prints all of it, for everybody, and touches nothing', async () => {
  for (const uid of [0, 1000]) {
    const disk = new Disk(WITH_UNIT);
    const { exit, told, printed, locked } = await uninstall(disk, ['--dry-run'], { uid });
    const shown = [`remove ${SCRIPT}`, `remove ${UNIT}`, `remove ${LINK}`, `run ${REMOVE}`, `run ${RELOAD}`];
    assert.equal(printed, shown.map((line) => `==> ${line}\n`).join('\n'));
    assert.deepEqual([exit, told, locked, disk.state, disk.ran], [0, [], [], WITH_UNIT, []]);
  }
});

const ALIVE = `error: app: its workers are alive: stop them first, by ${SCRIPT} stop`;
const FORMS: readonly (readonly [name: string, text: string])[] = [
  ['shell', SHELL],
  ['edited shell', SHELL.replace(`--config=${CONFIG}`, `--config="${CONFIG}"`)],
  ['shebang', writeShebangForm(DROP_IN)],
];
for (const [name, text] of FORMS) {
  test(`while workers are alive, uninstall refuses (${name} form)`, async () => {
    for (const words of [[], ['--dry-run']]) {
      const before = { ...WITH_UNIT, [SCRIPT]: { kind: 'file', text, mode: 0o755 } as const };
      const disk = new Disk(before);
      const { exit, told, printed } = await uninstallUsed(disk, words, {});
      assert.deepEqual([exit, told, printed, disk.state, disk.ran], [1, [ALIVE], '', before, []]);
    }
  });
}

test('while a run has the application, uninstall refuses, also when no worker is alive', async () => {
  const disk = new Disk(WITH_UNIT);
  const { exit, told } = await uninstall(disk, [], { lock: { kind: 'resident', holder: 'run, pid 7' } });
  assert.deepEqual([exit, told, disk.state], [1, [ALIVE], WITH_UNIT]);
});

test('another command on the application is waited for, no longer than it may take', async () => {
  const disk = new Disk(WITH_UNIT);
  const { exit, told } = await uninstall(disk, [], { lock: { kind: 'timed-out', holder: 'start, pid 7' } });
  const line = 'error: another command on this application (start, pid 7) did not finish in time: nothing was done';
  assert.deepEqual([exit, told, disk.state, disk.ran], [1, [line], WITH_UNIT, []]);
});

test('a configuration that is gone hinders nobody, and hides no worker', async () => {
  const gone = { files: { [CONFIG]: { code: 'ENOENT' } } };
  const missing = `error: ${CONFIG}: this configuration file does not exist`;
  const used = new Disk(WITH_UNIT);
  const refused = await uninstallUsed(used, [], gone);
  assert.deepEqual([refused.exit, refused.told, used.state], [1, [missing, ALIVE], WITH_UNIT]);
  const disk = new Disk(WITH_UNIT);
  const ended = await uninstall(disk, [], gone);
  assert.deepEqual([ended.exit, ended.told[0], disk.state], [0, missing, BOOTED]);
});

const UNREADABLE =
  'its line that begins with exec does not tell whose workers these are: put it right, or remove it by hand';
const UNTOLD: readonly (readonly [from: string, to: string, exit: number, told: string])[] = [
  [`--config=${CONFIG}`, '--config="$CONFIG"', 1, `error: ${SCRIPT}: ${UNREADABLE}`],
  ['--script', '--help', 1, `error: ${SCRIPT}: ${UNREADABLE}`],
  ['--script', '--scrpt', 2, 'error: --scrpt: unknown option, did you mean --script?'],
];
for (const [from, to, exit, told] of UNTOLD) {
  test(`a script that was edited so that nobody knows whose workers it has stays: ${to}`, async () => {
    const before = { [SCRIPT]: { kind: 'file', text: SHELL.replace(from, to), mode: 0o755 } as const };
    const disk = new Disk(before);
    const ended = await uninstall(disk);
    assert.deepEqual([ended.exit, ended.told, disk.state, disk.ran], [exit, [told], before, []]);
  });
}

for (const operation of [`remove ${SCRIPT}`, `remove ${UNIT}`, `remove ${LINK}`, `run ${REMOVE}`, `run ${RELOAD}`]) {
  test(`${operation} fails: all is as it was`, async () => {
    const disk = new Disk(WITH_UNIT);
    disk.failing = (each) => each === operation;
    const { exit, told } = await uninstall(disk);
    assert.equal(exit, 1);
    assert.deepEqual(disk.state, WITH_UNIT);
    assert.equal(
      disk.ran.includes(DEFAULTS),
      operation.startsWith('run '),
      'registered again, if it was not any longer',
    );
    assert.equal(told.filter((line) => line.startsWith('error')).length, operation.startsWith('run ') ? 2 : 1);
  });
}

test('update-rc.d is asked only when the script is where it goes by: back, or gone', async () => {
  const scripts: string[] = [];
  class Watched extends Disk {
    override run(words: readonly [string, ...string[]]): ReturnType<Disk['run']> {
      if (words[0] === 'update-rc.d') scripts.push(`${words.join(' ')}: ${this.look(SCRIPT).kind}`);
      return super.run(words);
    }
  }
  const reloads = (operation: string): boolean => operation === `run ${RELOAD}`;
  const [installed, fresh] = [new Watched(WITH_UNIT), new Watched(BOOTED)];
  installed.failing = reloads;
  fresh.failing = reloads;
  assert.deepEqual([(await uninstall(installed)).exit, (await install(fresh)).exit], [1, 1]);
  assert.deepEqual(scripts, [`${REMOVE}: free`, `${DEFAULTS}: file`, `${DEFAULTS}: file`, `${REMOVE}: free`]);
});

test('what hinders a step is told in words', async () => {
  for (const [code, words] of [
    ['EROFS', 'the file system is read-only'],
    ['ENOSPC', 'no space is left on the disk'],
    ['EACCES', 'no permission'],
    ['EPERM', 'no permission'],
    ['EIO', 'EIO'],
  ] as const) {
    class Refusing extends Disk {
      override write(path: string): Obstacle {
        return { path, code };
      }
    }
    const { exit, told } = await install(new Refusing());
    assert.deepEqual([exit, told], [1, [`error: ${SCRIPT}: cannot be written: ${words}`]]);
  }
});

test('uninstall takes no options: the script says what goes', async () => {
  const disk = new Disk(WITH_UNIT);
  const { exit, told } = await uninstall(disk, ['--script=x', '--user=y']);
  const line = 'does not belong to the action uninstall';
  assert.deepEqual([exit, told], [2, [`error: --script: ${line}`, `error: --supervisor_user: ${line}`]]);
  assert.deepEqual(disk.state, WITH_UNIT);
});
