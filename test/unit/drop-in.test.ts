import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type DropIn,
  isOurs,
  shebangProblem,
  writeDefaults,
  writeShebangForm,
  writeShellForm,
  writeTemplate,
  wrongName,
} from '../../src/config/drop-in.ts';
import { readLauncher } from '../../src/config/launcher.ts';
import { unitName, writeUnit } from '../../src/config/native-unit.ts';
import { OPTIONS, type OptionName, optionNamed } from '../../src/config/options.ts';
import { readShellForm } from '../../src/config/quoting.ts';
import { surroundings } from '../support/python-surroundings.ts';

const PACKAGE = join(import.meta.dirname, '../../build/deb');

const APP: DropIn = {
  name: 'app',
  binary: '/opt/frontik-supervisor',
  options: new Map<OptionName, string>([
    ['script', '/usr/bin/frontik'],
    ['app', 'pages'],
    ['config', '/etc/app/frontik.cfg'],
    ['workers_count', '2'],
  ]),
  python: 'allowed',
};

const HEADER = `### BEGIN INIT INFO
# Provides:          app
# Required-Start:    $remote_fs $network
# Required-Stop:     $remote_fs $network
# Should-Start:      $named $syslog $time
# Should-Stop:       $named $syslog
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: web workers of app
# Description:       Starts, stops, restarts and shows the web workers of
#                    app.
### END INIT INFO
`;

const SHELL = `#!/bin/sh
${HEADER}# written by frontik-supervisor install

# The program is gone and this file has stayed: nothing to do, and nothing can be told.
if [ ! -x /opt/frontik-supervisor ]; then
  case \${1:-} in
    status) exit 4 ;;
    run) exit 5 ;;
    *) exit 0 ;;
  esac
fi

# The administrator's: OPTIONS='--workers_count=8', and with \`export\` variables for the workers.
OPTIONS=''
# shellcheck source=/dev/null
[ -r /etc/default/app ] && . /etc/default/app

# init-functions keeps a masked unit from being started. It would also hand over to systemctl; the program does that
# itself, and looks what has come of it. Whoever stops workers, or asks how they are, needs neither.
case \${1:-} in
  stop | status | check | export | run) ;;
  start | restart | force-reload | reload | try-restart | condrestart)
    asked=\${SYSTEMCTL_SKIP_REDIRECT:-}\${_SYSTEMCTL_SKIP_REDIRECT:-}
    SYSTEMCTL_SKIP_REDIRECT=yes _SYSTEMCTL_SKIP_REDIRECT=yes
    # shellcheck source=/dev/null
    [ -r /lib/lsb/init-functions ] && . /lib/lsb/init-functions
    SYSTEMCTL_SKIP_REDIRECT=$asked _SYSTEMCTL_SKIP_REDIRECT=$asked ;;
esac

export FRONTIK_SUPERVISOR_LAUNCHER=/etc/init.d/app
# OPTIONS are words, and none is a pattern.
set -f
# shellcheck disable=SC1003,SC2016,SC2086
exec /opt/frontik-supervisor \\
  --script=/usr/bin/frontik \\
  --config=/etc/app/frontik.cfg \\
  --app=pages \\
  --workers_count=2 \\
  $OPTIONS "$@"
`;

const SHEBANG = `#!/opt/frontik-supervisor
# coding=utf-8
${HEADER}# written by frontik-supervisor install
from frontik.server.supervisor import supervisor

supervisor(
    script='/usr/bin/frontik',
    config='/etc/app/frontik.cfg',
    app='pages',
    workers_count=2,
)
`;

test('the shell form, whole', () => {
  assert.equal(writeShellForm(APP), SHELL);
  assert.equal(isOurs(SHELL), true);
});

test('the shebang form, whole', () => {
  assert.equal(writeShebangForm(APP), SHEBANG);
  assert.equal(isOurs(SHEBANG), true);
  const deaf = writeShebangForm({ ...APP, python: 'forbidden' });
  assert.match(deaf, /^#!\/opt\/frontik-supervisor --no-python\n/);
});

for (const [file, text] of [
  ['init.d', writeTemplate()],
  ['default', writeDefaults()],
] as const) {
  test(`what the package has in /usr/share/frontik-supervisor/${file} is made here, and is not ours to remove`, () => {
    assert.equal(readFileSync(`${PACKAGE}/root/usr/share/frontik-supervisor/${file}`, 'utf8'), text);
    assert.equal(isOurs(text), false);
  });
}

test('the unit is the one that the generator makes, and one that can be enabled', () => {
  const template = readFileSync(`${PACKAGE}/systemd/frontik@.service`, 'utf8');
  const generated = template
    .replace(/^# Confinement[\s\S]*/m, '')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll('/usr/bin/frontik-supervisor /etc/frontik/%i', '/etc/init.d/app')
    .replace(/^Description=.*$/m, 'Description=Web workers of app')
    .replace('[Unit]\n', '# written by frontik-supervisor install\n[Unit]\nSourcePath=/etc/init.d/app\n')
    .replace(/^After=.*\n/m, '$&ConditionFileIsExecutable=/opt/50%%/frontik-supervisor\n');
  assert.equal(writeUnit('app', '/opt/50%/frontik-supervisor'), `${generated}[Install]\nWantedBy=multi-user.target\n`);
});

test('a unit is named as systemd escapes it', () => {
  assert.equal(unitName('app-2.x'), 'app-2.x.service');
  assert.equal(unitName('app+x'), String.raw`app\x2bx.service`);
});

const NAMES: readonly (readonly [name: string, isRight: boolean])[] = [
  ['app', true],
  ['9-lives+2.x', true],
  ['', false],
  ['App', false],
  ['-app', false],
  ['.app', false],
  ['a/b', false],
  ['..', false],
  ['a b', false],
  ['a\nb', false],
  ['a_b', false],
  ['app.sh', false],
  ['app.bak', false],
  ['app.dpkg-old', false],
  ['app.ucf-dist', false],
  ['shell', true],
];
for (const [name, isRight] of NAMES) {
  test(`${JSON.stringify(name)} is ${isRight ? 'a' : 'no'} name`, () => {
    assert.equal(wrongName(name) === undefined, isRight);
  });
}

test('what no first line can name', () => {
  assert.equal(shebangProblem('/opt/frontik-supervisor'), undefined);
  assert.match(shebangProblem('/opt/a b/frontik-supervisor') ?? '', /has a blank$/);
  assert.match(shebangProblem(`/${'d'.repeat(240)}/frontik-supervisor`) ?? '', /is too long$/);
  assert.match(shebangProblem(`/${'\u043f'.repeat(120)}`) ?? '', /is too long$/);
});

/** Values that a shell and Python read differently from how they look. */
const NASTY: readonly (readonly [OptionName, string])[] = [
  ['script', "/opt/it's here/run  --a \"b\" $HOME `id` \\ \\\\ '' * ~ ! # é \u{1f600}"],
  ['config', '/etc/a;b|c&d<e>f(g)/%(port)s{h,i}[j]?.cfg'],
  ['app', ''],
  ['workers_count', '+1_0'],
  ['start_port', '-1'],
  ['pidfile_template', 'a\nexec b \\\n$OPTIONS "$@"\ttab\r\u0001\u007f'],
  ['with_coverage', 'T'],
  ['supervisor_before_stop', "'"],
  ['supervisor_after_start', "\\'"],
  ['supervisor_python', '"$@"'],
  ['supervisor_user', '-n'],
];

function inDirectory(body: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), "it's a drop-in "));
  try {
    body(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function executable(path: string, text: string): string {
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

/** A name that has nothing in /etc/default on any machine. */
const NOBODY = 'frontik-supervisor-drop-in-test';

test('a shell hands on what was given, to the letter, and after it what was typed', () => {
  inDirectory((directory) => {
    const binary = executable(
      join(directory, 'frontik-supervisor'),
      '#!/bin/sh\nprintf "%s\\0" "$FRONTIK_SUPERVISOR_LAUNCHER" "$@"\n',
    );
    const text = writeShellForm({ name: NOBODY, binary, options: new Map(NASTY), python: 'forbidden' });
    const script = executable(join(directory, 'app'), text);
    const { status, stdout, stderr } = spawnSync(script, ['--x= y', 'status'], { encoding: 'utf8' });
    const given = OPTIONS.flatMap(({ name }) => NASTY.filter(([each]) => each === name));
    const words = [...given.map(([name, value]) => `--${name}=${value}`), '--no-python'];
    assert.deepEqual([status, stderr], [0, '']);
    assert.deepEqual(stdout.split('\0'), [`/etc/init.d/${NOBODY}`, ...words, '--x= y', 'status', '']);
    assert.deepEqual(readShellForm(text), words);
  });
});

test('Python reads what was given, to the letter', () => {
  const text = writeShebangForm({ ...APP, options: new Map(NASTY) });
  const isOption = (name: string): boolean => optionNamed(name) !== undefined;
  const read = readLauncher(new TextEncoder().encode(text), isOption, surroundings());
  assert(read.kind === 'read');
  const values = NASTY.map(([name]) => {
    const value = read.call.arguments.get(name)?.value;
    return [name, value !== undefined && 'value' in value ? value.value : undefined];
  });
  const typed = { workers_count: 10n, start_port: -1n, with_coverage: true };
  assert.deepEqual(Object.fromEntries(values), { ...Object.fromEntries(NASTY), ...typed });
});

test('the words of any shell form are found in it again', () => {
  const values = fc.uniqueArray(
    fc.tuple(
      fc.constantFrom(...OPTIONS.map(({ name }) => name)),
      fc.string({ unit: fc.constantFrom(...' \\\'"$`\n\t=a-@OPTIONS#;exec'.split('')) }),
    ),
    { selector: ([name]) => name },
  );
  fc.assert(
    fc.property(values, fc.constantFrom('/opt/frontik-supervisor', "/o'p t/frontik-supervisor"), (given, binary) => {
      const text = writeShellForm({ name: 'app', binary, options: new Map(given), python: 'allowed' });
      const expected = OPTIONS.flatMap(({ name }) => given.filter(([each]) => each === name));
      assert.deepEqual(
        readShellForm(text),
        expected.map(([name, value]) => `--${name}=${value}`),
      );
    }),
  );
});

const EDITED: readonly (readonly [exec: string, words: readonly string[] | undefined])[] = [
  ['exec /opt/x --config="/etc/a b.cfg" --app=\\ x $OPTIONS "$@"', ['--config=/etc/a b.cfg', '--app= x']],
  ['exec /opt/x --config=a "$@"', ['--config=a']],
  ['exec /opt/x --config="$CONFIG" "$@"', undefined],
  ['exec /opt/x --config=$CONFIG "$@"', undefined],
  ['exec /opt/x --config=`cat x` "$@"', undefined],
  ['exec /opt/x --config=a', undefined],
  ['/opt/x --config=a "$@"', undefined],
  ['', undefined],
];
for (const [exec, words] of EDITED) {
  test(`the words of an edited script: ${exec}`, () => {
    assert.deepEqual(readShellForm(`#!/bin/sh\n${exec}\n`), words);
  });
}

test('without the program there is nothing to do, status cannot tell, and run must not seem to be well', () => {
  inDirectory((directory) => {
    const binary = join(directory, 'gone/frontik-supervisor');
    const script = executable(join(directory, 'app'), writeShellForm({ ...APP, name: NOBODY, binary }));
    const exits = ['start', 'stop', 'status', 'run', undefined].map((action) => {
      const { status, stdout, stderr } = spawnSync(script, action === undefined ? [] : [action], { encoding: 'utf8' });
      return [action, status, stdout + stderr];
    });
    assert.deepEqual(exits, [
      ['start', 0, ''],
      ['stop', 0, ''],
      ['status', 4, ''],
      ['run', 5, ''],
      [undefined, 0, ''],
    ]);
  });
});

const SHELLCHECK = spawnSync('shellcheck', ['--version']).error === undefined;
test('shellcheck finds nothing', { skip: SHELLCHECK ? false : 'shellcheck is not installed' }, () => {
  inDirectory((directory) => {
    const texts = [SHELL, writeTemplate(), writeShellForm({ ...APP, options: new Map(NASTY), python: 'forbidden' })];
    const files = texts.map((text, index) => executable(join(directory, String(index)), text));
    const { status, stdout } = spawnSync('shellcheck', files, { encoding: 'utf8' });
    assert.deepEqual([status, stdout], [0, '']);
  });
});
