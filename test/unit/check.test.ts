import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PythonAnswer } from '../../src/host/host.ts';
import { CALL, CONFIG, command, GIVEN, LAUNCHER, type Machine, SETTINGS } from '../support/adapters-world.ts';

const TABLE = `script                      /usr/bin/frontik       --script
config                      /etc/app/app.cfg       --config
app                         -                      default
workers_count               2                      /etc/app/app.cfg:2
start_port                  8000                   /etc/app/app.cfg:1
pidfile_template            /run/app/%(port)s.pid  /etc/app/app.cfg:3
logfile_template            -                      default
supervisor_sigterm_timeout  4                      default
nofile_soft_limit           4096                   default
with_coverage               false                  default
supervisor_start_timeout    60                     default
supervisor_partial_status   1                      default
supervisor_status_path      /status/               default
supervisor_status_server    TornadoServer,Frontik  default
supervisor_python           -                      default
supervisor_user             -                      default
supervisor_group            -                      default
supervisor_batch            1                      default
supervisor_settle           1                      default
supervisor_drain            0                      default
supervisor_before_stop      -                      default
supervisor_after_start      -                      default
supervisor_hook_timeout     10                     default
supervisor_start_retries    5                      default
supervisor_hang_timeout     30                     default

ports                       8000..8001
command                     /usr/bin/frontik --config=/etc/app/app.cfg --port=8000 --pidfile=/run/app/8000.pid
python                      none
`;

test('all that a start goes by, with its sources', async () => {
  const { exit, told, printed, locked } = await command([...GIVEN, 'check']);
  assert.deepEqual([exit, told, locked], [0, [], []]);
  assert.equal(printed, TABLE);
});

/** The rows of some options. */
function rows(printed: string, ...names: readonly string[]): string[] {
  return printed
    .split('\n')
    .filter((line) => names.includes(line.split(' ')[0] ?? ''))
    .map((line) => line.replaceAll(/ {2,}/g, ' '));
}

test('a launcher, options on the command line, values that people must see as they are', async () => {
  const text = `#!/usr/bin/frontik-supervisor --python=/srv/my python\n${CALL.replace('#!/usr/bin/frontik-supervisor\n', '')}`;
  const files = { [LAUNCHER]: text.replace(' python\n', 'python\n'), [CONFIG]: SETTINGS };
  const words = [LAUNCHER, 'check', '--app=my app', '--workers-count=1', '--status_server='];
  const { exit, told, printed } = await command(words, { files });
  assert.deepEqual([exit, told], [0, []]);
  assert.deepEqual(
    rows(printed, 'script', 'app', 'supervisor_python', 'supervisor_status_server', 'ports', 'command'),
    [
      `script /usr/bin/frontik ${LAUNCHER}:3`,
      "app 'my app' --app",
      "supervisor_status_server '' --supervisor_status_server",
      `supervisor_python /srv/mypython ${LAUNCHER}:1`,
      'ports 8000',
      "command /srv/mypython /usr/bin/frontik --config=/etc/app/app.cfg --port=8000 --pidfile=/run/app/8000.pid '--app=my app'",
    ],
  );
});

const QUOTED: readonly (readonly [app: string, word: string])[] = [
  ['a', '--app=a'],
  ["it's", String.raw`'--app=it'\''s'`],
  ['$HOME', "'--app=$HOME'"],
  ['a;b', "'--app=a;b'"],
  ['a\nb', String.raw`$'--app=a\nb'`],
  ["\u001b[1m'\\", String.raw`$'--app=\x1b[1m\'\\'`],
  ['\u043f', "'--app=\u043f'"],
];
for (const [app, word] of QUOTED) {
  test(`the command is for a shell: ${JSON.stringify(app)}`, async () => {
    const { printed } = await command([...GIVEN, `--app=${app}`, 'check']);
    const [line] = rows(printed, 'command');
    assert.equal(line?.endsWith(` ${word}`), true, line);
  });
}

test('problems and cautions are told, after the table; any of the former is exit 6', async () => {
  const text = "workers_count = '2'\nstart_port = 'x'\nnofile_soft_limit: 5\nstart_port = f()\n";
  const files = { [CONFIG]: text.replace('start_port = f()\n', '') };
  const { exit, told, printed } = await command([...GIVEN, '--nonsense', '--partial_status=999', 'check'], { files });
  assert.equal(exit, 6);
  assert.deepEqual(rows(printed, 'workers_count', 'start_port', 'supervisor_partial_status', 'ports', 'command'), [
    `workers_count 2 ${CONFIG}:1`,
    `start_port ? ${CONFIG}:2`,
    'supervisor_partial_status 999 --supervisor_partial_status',
    'ports -',
    'command -',
  ]);
  assert.deepEqual(told, [
    `warning: ${CONFIG}:3:1: "nofile_soft_limit: ..." sets nothing in Python; write "nofile_soft_limit = ..."`,
    `warning: ${CONFIG}:1:17: workers_count should be an int, got str '2'; it is read as 2`,
    'error: --nonsense: unknown option',
    `error: ${CONFIG}:2:14: start_port must be an int, got str 'x'`,
    'error: --supervisor_partial_status: must be from 0 to 255, got 999',
  ]);
});

test('what would hinder a start is found, and nothing is done', async () => {
  const machine = {
    programs: { '/usr/bin/frontik': { kind: 'missing' as const } },
    closed: { '/run/app': 'EACCES' },
    limits: { hard: 100, kernelMost: 1000, mayRaise: false },
  };
  const { exit, told, printed, locked } = await command([...GIVEN, 'check'], machine);
  assert.deepEqual([exit, locked], [6, []]);
  assert.deepEqual(rows(printed, 'ports', 'command'), ['ports 8000..8001', 'command -']);
  assert.deepEqual(told, [
    "warning: We don't have CAP_SYS_RESOURCE, therefore soft NOFILE limit will be set to 100",
    'error: --script: /usr/bin/frontik is not installed',
    'error: /run/app: no permission to write to this directory: workers need it',
  ]);
});

test('without script and config', async () => {
  const { exit, told } = await command(['check']);
  assert.deepEqual(
    [exit, told],
    [
      6,
      [
        'error: --script: is required: give it on the command line or in a launcher',
        'error: --config: is required: give it on the command line or in a launcher',
      ],
    ],
  );
});

test('a launcher or a configuration that is not there', async () => {
  const { exit, told } = await command([LAUNCHER, 'check'], { files: {} });
  assert.deepEqual([exit, told], [6, [`error: ${LAUNCHER}: this launcher does not exist`]]);
  const other = await command([...GIVEN, 'check'], { files: {} });
  assert.deepEqual([other.exit, other.told], [6, [`error: ${CONFIG}: this configuration file does not exist`]]);
});

test('JSON: one document, and nothing else', async () => {
  const { exit, told, printed } = await command([...GIVEN, 'check', '--json']);
  assert.deepEqual([exit, told], [0, []]);
  const source = (line: number) => `${CONFIG}:${line}`;
  const option = (name: string, value: unknown, source_ = 'default') => ({ name, value, source: source_ });
  assert.deepEqual(JSON.parse(printed), {
    ok: true,
    options: [
      option('script', '/usr/bin/frontik', '--script'),
      option('config', CONFIG, '--config'),
      option('app', null),
      option('workers_count', 2, source(2)),
      option('start_port', 8000, source(1)),
      option('pidfile_template', '/run/app/%(port)s.pid', source(3)),
      option('logfile_template', null),
      option('supervisor_sigterm_timeout', 4),
      option('nofile_soft_limit', 4096),
      option('with_coverage', false),
      option('supervisor_start_timeout', 60),
      option('supervisor_partial_status', 1),
      option('supervisor_status_path', '/status/'),
      option('supervisor_status_server', 'TornadoServer,Frontik'),
      option('supervisor_python', null),
      option('supervisor_user', null),
      option('supervisor_group', null),
      option('supervisor_batch', '1'),
      option('supervisor_settle', 1),
      option('supervisor_drain', 0),
      option('supervisor_before_stop', null),
      option('supervisor_after_start', null),
      option('supervisor_hook_timeout', 10),
      option('supervisor_start_retries', 5),
      option('supervisor_hang_timeout', 30),
    ],
    ports: [8000, 8001],
    command: ['/usr/bin/frontik', `--config=${CONFIG}`, '--port=8000', '--pidfile=/run/app/8000.pid'],
    python: 'none',
    problems: [],
    cautions: [],
  });
});

test('JSON: problems and cautions are in it', async () => {
  const machine = {
    files: { [CONFIG]: "with_coverage = 'no'\nworkers_count = '2'\n" },
    limits: { hard: 100, kernelMost: 1000, mayRaise: false },
  };
  const { exit, told, printed } = await command([...GIVEN, '--json', 'check'], machine);
  const { ok, problems, cautions, ports, command: words } = JSON.parse(printed) as Record<string, unknown>;
  assert.deepEqual([exit, told], [6, []]);
  assert.deepEqual(
    { ok, problems, cautions, ports, words },
    {
      ok: false,
      problems: [{ source: `${CONFIG}:1:17`, text: "with_coverage must be a bool, got str 'no'" }],
      cautions: [{ source: `${CONFIG}:2:17`, text: "workers_count should be an int, got str '2'; it is read as 2" }],
      ports: [],
      words: null,
    },
  );
  const fine = { ...machine, files: { [CONFIG]: SETTINGS } };
  const lowered = JSON.parse((await command([...GIVEN, '--json', 'check'], fine)).printed) as Record<string, unknown>;
  assert.deepEqual(lowered['cautions'], [
    {
      source: 'start',
      text: "We don't have CAP_SYS_RESOURCE, therefore soft NOFILE limit will be set to 100",
    },
  ]);
});

test('--json belongs to check', async () => {
  const { exit, told } = await command([...GIVEN, 'start', '--json']);
  assert.deepEqual([exit, told], [2, ['error: --json: belongs to the action check']]);
  const text = `#!/usr/bin/frontik-supervisor --json\n${CALL}`;
  const first = await command([LAUNCHER, 'check'], { files: { [LAUNCHER]: text, [CONFIG]: SETTINGS } });
  assert.deepEqual([first.exit, first.told], [6, [`error: ${LAUNCHER}:1: --json: belongs on the command line`]]);
});

const DYNAMIC = "import json\nstart_port = json.loads('8000')\nworkers_count = 2\n";

/** What `check` shows of a file that nobody understands: its path where it, or nobody, would have given a value. */
const HIDDEN: readonly (readonly [why: RegExp, text: string | { code: string }, words: readonly string[]])[] = [
  [/cannot be read without a Python/, DYNAMIC, ['--no-python']],
  [/root lets none execute/, DYNAMIC, []],
  [/invalid syntax|SyntaxError/i, 'start_port = = 1\n', []],
  [/no permission to read/, { code: 'EACCES' }, []],
  [/does not exist/, { code: 'ENOENT' }, []],
];
const untrusted = (): PythonAnswer => ({ kind: 'untrusted', path: CONFIG, why: 'may be written by everybody' });

for (const [why, text, words] of HIDDEN) {
  test(`nobody knows what the configuration says: ${why.source}`, async () => {
    const machine = { files: { [CONFIG]: text }, python: untrusted };
    const { exit, told, printed } = await command([...GIVEN, '--workers_count=3', ...words, 'check'], machine);
    assert.deepEqual([exit, told.length], [6, 1], told.join('\n'));
    assert.match(told[0] ?? '', why);
    assert.deepEqual(
      rows(printed, 'script', 'app', 'workers_count', 'start_port', 'supervisor_python', 'ports', 'python'),
      [
        'script /usr/bin/frontik --script',
        'app - default',
        'workers_count 3 --workers_count',
        `start_port ? ${CONFIG}`,
        `supervisor_python ? ${CONFIG}`,
        'ports -',
        'python none',
      ],
    );
    const json = await command([...GIVEN, ...words, 'check', '--json'], machine);
    const { options, python } = JSON.parse(json.printed) as { options: { name: string }[]; python: string };
    const found = options.find(({ name }) => name === 'start_port');
    assert.deepEqual([found, python], [{ name: 'start_port', value: null, source: CONFIG }, 'none']);
  });
}

test('nobody knows what the launcher says: only the command line and its first line are certain', async () => {
  const text = CALL.replace('#!/usr/bin/frontik-supervisor', '#!/usr/bin/frontik-supervisor --batch=2').replace(
    "'/usr/bin/frontik'",
    'os.getcwd()',
  );
  const files = { [LAUNCHER]: text, [CONFIG]: SETTINGS };
  const words = [LAUNCHER, `--config=${CONFIG}`, '--no-python', 'check'];
  const { exit, printed } = await command(words, { files });
  assert.equal(exit, 6);
  assert.deepEqual(rows(printed, 'script', 'config', 'app', 'start_port', 'supervisor_batch', 'supervisor_drain'), [
    `script ? ${LAUNCHER}`,
    `config ${CONFIG} --config`,
    `app ? ${LAUNCHER}`,
    // The launcher might give another.
    `start_port ? ${LAUNCHER}`,
    `supervisor_batch 2 ${LAUNCHER}:1`,
    `supervisor_drain ? ${LAUNCHER}`,
  ]);
});

test('a Python that was asked in vain is shown', async () => {
  const machine: Machine = {
    files: { [CONFIG]: DYNAMIC },
    python: (): PythonAnswer => ({ kind: 'failed', how: { kind: 'ended', how: 'was killed by SIGKILL' }, printed: [] }),
  };
  const { printed } = await command([...GIVEN, 'check'], machine);
  assert.deepEqual(rows(printed, 'start_port', 'python'), [`start_port ? ${CONFIG}`, 'python python3']);
});
