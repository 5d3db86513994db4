import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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
import { trials } from '../support/fuzz.ts';
import { surroundings } from '../support/python-surroundings.ts';

const PACKAGE = join(import.meta.dirname, '../../build/deb');

const DEMO = readFileSync(join(PACKAGE, '../example-app/root/etc/init.d/frontik-demo'), 'utf8');

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

const USAGE = '# Usage: /etc/init.d/app {start|stop|restart|force-reload|reload|try-restart|status|check}\n';

const SHELL = `#!/bin/sh
${HEADER}# written by frontik-supervisor install
${USAGE}
# The program is gone and this file has stayed: nothing to do, and nothing can be told.
if [ ! -x /opt/frontik-supervisor ]; then
  case \${1:-} in
    status) exit 4 ;;
    run) exit 5 ;;
    *) exit 0 ;;
  esac
fi

# The links in /etc/rc?.d have names of their own, and a copy of this file is another launcher.
FRONTIK_SUPERVISOR_LAUNCHER=$(readlink -f "$0")
NAME=\${FRONTIK_SUPERVISOR_LAUNCHER##*/}
# The administrator's: OPTIONS='--workers_count=8', and with \`export\` variables for the workers.
OPTIONS=''
if { [ -e "/etc/default/$NAME" ] || [ -L "/etc/default/$NAME" ]; } && [ ! -r "/etc/default/$NAME" ]; then
  echo "/etc/default/$NAME: cannot be read: run this as root" >&2
  exit 4
fi
if [ -r "/etc/default/$NAME" ]; then
  # Where it is broken the shell ends, with a number that would tell whoever has asked something else.
  trap '
    echo "/etc/default/$NAME: cannot be used: nothing was done" >&2
    case \${1:-} in status) exit 4 ;; *) exit 6 ;; esac
  ' EXIT
  sh -n "/etc/default/$NAME" || exit # bash would go on after a quote that nothing closes
  # shellcheck source=/dev/null
  . "/etc/default/$NAME"
  trap - EXIT
fi

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

export FRONTIK_SUPERVISOR_LAUNCHER
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
${USAGE}from frontik.server.supervisor import supervisor

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

test('the launcher of the example has what all have', () => {
  const made = writeShellForm({ ...APP, name: 'frontik-demo' });
  for (const part of [
    /^# Usage.*$/m,
    /^# The links in [\s\S]*?^NAME=.*$/m,
    /^OPTIONS=''\n[\s\S]*?\n\n/m,
    /^# init-functions [\s\S]*?^esac$/m,
  ]) {
    const [text] = part.exec(made) ?? [];
    assert(text !== undefined && DEMO.includes(`\n${text.trimEnd()}\n`), String(part));
  }
});

test('the shell of an operator finds the actions of all forms', () => {
  // What bash-completion makes of an init script, in its function _service.
  const sed = ['-e', 'y/|/ /', '-ne', String.raw`s/^.*\(U\|msg_u\)sage.*{\(.*\)}.*$/\2/p`];
  for (const text of [SHELL, SHEBANG, writeTemplate(), DEMO]) {
    const { stdout } = spawnSync('sed', sed, { input: text, encoding: 'utf8' });
    assert.equal(stdout, 'start stop restart force-reload reload try-restart status check\n');
  }
});

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

test('what is wrong with a name is told on one line, with the name in quotes', () => {
  const rule = 'must be a name of small letters, digits, +, - and dots that begins with a letter or digit';
  assert.equal(wrongName(''), `'' ${rule}`);
  assert.equal(wrongName('a\nb'), String.raw`'a\nb' ${rule}`);
  assert.equal(wrongName('app.sh'), "'app.sh' ends like a file that systems pass over in /etc/init.d");
});

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

function inDirectory(body: (directory: string) => void, name = "it's a drop-in "): void {
  const directory = mkdtempSync(join(tmpdir(), name));
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
    const script = executable(join(directory, NOBODY), text);
    const { status, stdout, stderr } = spawnSync(script, ['--x= y', 'status'], { encoding: 'utf8' });
    const given = OPTIONS.flatMap(({ name }) => NASTY.filter(([each]) => each === name));
    const words = [...given.map(([name, value]) => `--${name}=${value}`), '--no-python'];
    assert.deepEqual([status, stderr], [0, '']);
    assert.deepEqual(stdout.split('\0'), [script, ...words, '--x= y', 'status', '']);
    assert.deepEqual(readShellForm(text), words);
  });
});

test('each script is a launcher by its own name: the original, a copy of it under another name, and a link to either', () => {
  inDirectory((directory) => {
    const binary = executable(
      join(directory, 'frontik-supervisor'),
      '#!/bin/sh\necho "$FRONTIK_SUPERVISOR_LAUNCHER $*"\n',
    );
    // The administrator's files are beside the scripts here.
    const place = (text: string): string =>
      text
        .replaceAll(/\/usr\/(bin\/frontik-supervisor|lib\/frontik-demo\/worker)/g, binary)
        .replaceAll('/etc/default/$NAME', '$FRONTIK_SUPERVISOR_LAUNCHER.default');
    for (const text of [writeShellForm({ ...APP, binary, options: new Map() }), writeTemplate(), DEMO]) {
      for (const name of ['one', 'two']) {
        executable(join(directory, name), place(text));
        writeFileSync(join(directory, `${name}.default`), `SCRIPT=/s CONFIG=/c OPTIONS=--app=${name}\n`);
        symlinkSync(name, join(directory, `S01${name}`));
      }
      const said = ['one', 'two', 'S01one', 'S01two'].map((name) => {
        const { stdout, stderr } = spawnSync(join(directory, name), ['stop'], { encoding: 'utf8' });
        return `${stderr}${stdout.split(' --')[0]} ${/--app=(one|two)/.exec(stdout)?.[1]}`;
      });
      const [one, two] = ['one', 'two'].map((name) => `${join(directory, name)} ${name}`);
      assert.deepEqual(said, [one, two, one, two]);
      for (const name of ['S01one', 'S01two']) rmSync(join(directory, name));
    }
  }, 'drop-in-');
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
    trials(100),
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

/** What may be a machine's sh, as far as it is here. */
const SHELLS = [['sh'], ['dash'], ['busybox', 'sh'], ['bash', '--posix'], ['bash']].filter(
  ([program = '', ...words]) => spawnSync(program, [...words, '-c', 'exit 0']).status === 0,
);

/** Calls every form in every shell, with that text in its /etc/default; what each says, and its exit status. */
function callAll(
  text: string,
  action: string,
  before: (file: string) => { readonly uid?: number } = () => ({}),
): string[] {
  const said = new Set<string>();
  inDirectory((directory) => {
    chmodSync(directory, 0o755);
    const binary = executable(join(directory, 'frontik-supervisor'), '#!/bin/sh\necho "$@"\n');
    const defaults = join(directory, 'app');
    writeFileSync(defaults, text);
    const options = before(defaults);
    const forms = [writeShellForm({ ...APP, binary, options: new Map() }), writeTemplate(), DEMO].map((form, index) => {
      const own = form
        .replaceAll('/usr/bin/frontik-supervisor', binary)
        .replaceAll('/usr/lib/frontik-demo/worker', binary)
        .replaceAll(/\/etc\/default\/(\$NAME|[\w-]+)/g, defaults);
      return executable(join(directory, String(index)), own);
    });
    for (const shell of SHELLS) {
      for (const form of forms) {
        const [program = '', ...words] = shell;
        const { status, stdout, stderr } = spawnSync(program, [...words, form, action], {
          encoding: 'utf8',
          ...options,
        });
        said.add(`${stderr}${stdout}exit ${status}`.replaceAll(directory, ''));
      }
    }
  }, 'drop-in-');
  return [...said];
}

for (const [action, exit] of [
  ['status', 4],
  ['start', 6],
  ['stop', 6],
  ['run', 6],
] as const) {
  test(`${action}, where /etc/default has broken text: the shell says what, and no worker is touched`, () => {
    for (const broken of ['SCRIPT="/usr\n', 'fi\n', 'exit 0\n', 'set -u\nSCRIPT=$NOWHERE_TO_BE_FOUND\n']) {
      for (const said of callAll(broken, action)) {
        const lines = said.split('\n');
        assert.deepEqual(lines.slice(-2), ['/app: cannot be used: nothing was done', `exit ${exit}`], broken);
        if (broken !== 'exit 0\n') assert.match(lines[0] ?? '', /app.*(quot|"fi"|`fi'|NOWHERE)/i);
      }
    }
  });

  test(`${action}, where /etc/default may not be read: exit 4, and a line`, () => {
    const isRoot = process.getuid?.() === 0;
    const close = (file: string): { readonly uid?: number } => {
      chmodSync(file, isRoot ? 0o600 : 0);
      return isRoot ? { uid: 65_534 } : {};
    };
    const lead = (file: string): { readonly uid?: number } => {
      rmSync(file);
      symlinkSync('nowhere', file);
      return {};
    };
    for (const before of [close, lead]) {
      assert.deepEqual(callAll('exit 0\n', action, before), ['/app: cannot be read: run this as root\nexit 4']);
    }
  });
}

test('what is right in /etc/default is heard in every shell, whatever its last word comes to', () => {
  const text = "SCRIPT=/s CONFIG=/c\nOPTIONS='--batch=*'\nfalse\n";
  const given = [
    '',
    '--script=/s --config=/c ',
    '--script= --app=frontik_demo --config=/etc/frontik-demo/frontik.cfg ',
  ];
  const expected = given.map((words) => `${words}--batch=* status\nexit 0`);
  assert.deepEqual(
    callAll(text, 'status').map((said) => said.replace('--script=/frontik-supervisor', '--script=')),
    expected,
  );
});

/** What the template says with that in its /etc/default. */
function callTemplate(text: string, action: string): string | undefined {
  return callAll(text, action).find((said) => !/^(--app|--script=\/frontik-supervisor|\w+\nexit)/.test(said));
}

test('the template says where its settings are missing', () => {
  const missing = '/app: SCRIPT and CONFIG must be set';
  const EMPTY: readonly (readonly [text: string, action: string, said: string])[] = [
    ['', 'start', `${missing}\nexit 6`],
    ['', 'stop', `${missing}\nexit 6`],
    ['', 'status', `${missing}\nexit 4`],
    ['', 'check', `${missing}\nexit 6`],
    ['SCRIPT=/s\n', 'status', `${missing}\nexit 4`],
    ['CONFIG=/c\n', 'start', `${missing}\nexit 6`],
    // Which worker it is that is to be stopped, the configuration says.
    ['CONFIG=/c\n', 'stop', '--script= --config=/c stop\nexit 0'],
    ['CONFIG=/c\n', 'status', '--script= --config=/c status\nexit 0'],
  ];
  for (const [text, action, said] of EMPTY) {
    assert.equal(callTemplate(text, action), said, `${text} ${action}`);
  }
});

const SHELLCHECK = spawnSync('shellcheck', ['--version']).error === undefined;
test('shellcheck finds nothing', { skip: SHELLCHECK ? false : 'shellcheck is not installed' }, () => {
  inDirectory((directory) => {
    const texts = [
      SHELL,
      DEMO,
      writeTemplate(),
      writeShellForm({ ...APP, options: new Map(NASTY), python: 'forbidden' }),
    ];
    const files = texts.map((text, index) => executable(join(directory, String(index)), text));
    const { status, stdout } = spawnSync('shellcheck', files, { encoding: 'utf8' });
    assert.deepEqual([status, stdout], [0, '']);
  });
});
