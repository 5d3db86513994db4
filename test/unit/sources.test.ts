import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from '../../src/cli/parse.ts';
import { type ConfigSource, type Launch, readConfigSource, readLaunch } from '../../src/cli/sources.ts';
import type { Layer } from '../../src/config/given.ts';
import type { Generation } from '../../src/config/launcher.ts';
import { repr } from '../../src/config/python-value.ts';
import { hostOn, type Machine, simulated } from '../support/adapters-world.ts';

const LAUNCHER = '/etc/init.d/app';

/** What a command line with a launcher comes to. */
async function launch(words: readonly string[], files: Machine['files'] = {}): Promise<Launch> {
  const line = parse(words);
  assert(line.kind === 'request');
  return readLaunch(words, line, undefined, hostOn(simulated(), { files }), NEVER);
}

const NEVER = new Promise<void>(() => undefined);

async function config(
  text: string | { readonly code: string },
  generation: Generation = 'frontik',
): Promise<ConfigSource> {
  const plain = await launch(['start']);
  const host = hostOn(simulated(), { files: { 'app.cfg': text } });
  return readConfigSource('app.cfg', { ...plain, generation }, host, NEVER);
}

/** `name=value origin source`, as given. */
function show(layer: Layer): string[] {
  return [...layer].map(([name, { value, origin, source }]) => {
    const shown = value.kind === 'text' ? value.value : value.kind === 'object' ? value.repr : repr(value);
    return `${name}=${shown} ${origin} ${source}`;
  });
}

/** What the first line of a launcher gives. */
function ofFirstLine({ launcher }: Launch): string[] {
  return show(launcher).filter((line) => line.endsWith(`${LAUNCHER}:1`));
}

function troubles({ troubles: all }: Pick<Launch, 'troubles'>): string[] {
  return all.map(
    ({ origin, source, text, exit }) => `${origin} ${source}: ${text}${exit === undefined ? '' : ` (${exit})`}`,
  );
}

const HEAD = '#!/usr/bin/frontik-supervisor\n# coding=utf-8\nfrom frontik.server.supervisor import supervisor\n';
const CALL = "supervisor(script='/usr/bin/frontik', app='pages', config='/etc/app.cfg')\n";

test('without a launcher: what the command line gives', async () => {
  const {
    action,
    launcher,
    commandLine,
    generation,
    troubles: none,
  } = await launch(['--workers-count=2', 'start', '--user', 'app']);
  assert.deepEqual(
    [action, show(launcher), show(commandLine), generation, none],
    [
      'start',
      [],
      ['workers_count=2 command-line --workers_count', 'supervisor_user=app command-line --supervisor_user'],
      'frontik',
      [],
    ],
  );
});

test('a launcher of the original: its call, each value with its place', async () => {
  const {
    action,
    launcher,
    commandLine,
    troubles: none,
  } = await launch([LAUNCHER, 'start', '--app=x'], { [LAUNCHER]: HEAD + CALL });
  assert.deepEqual(
    [action, show(launcher), show(commandLine), none],
    [
      'start',
      [
        `script='/usr/bin/frontik' launcher ${LAUNCHER}:4:19`,
        `app='pages' launcher ${LAUNCHER}:4:43`,
        `config='/etc/app.cfg' launcher ${LAUNCHER}:4:59`,
      ],
      ['app=x command-line --app'],
      [],
    ],
  );
});

test('a launcher may give the new options by their short names', async () => {
  const call = "supervisor('/usr/bin/frontik', '/etc/app.cfg', python='/srv/python', workers_count=2)\n";
  const { launcher, troubles: none } = await launch([LAUNCHER, 'start'], { [LAUNCHER]: HEAD + call });
  assert.deepEqual(
    [show(launcher).map((line) => line.split(' ')[0]), none],
    [["script='/usr/bin/frontik'", "config='/etc/app.cfg'", "supervisor_python='/srv/python'", 'workers_count=2'], []],
  );
});

const FIRST_LINES: readonly (readonly [line: string, given: readonly string[], told: readonly string[]])[] = [
  ['#!/usr/bin/frontik-supervisor', [], []],
  ['#!/usr/bin/frontik-supervisor --python=/srv/python', ['supervisor_python=/srv/python'], []],
  [
    '#! /usr/bin/frontik-supervisor \t--python /srv/python  --user=app ',
    ['supervisor_python=/srv/python', 'supervisor_user=app'],
    [],
  ],
  ['#!/opt/frontik-supervisor-1.2 --with-coverage', ['with_coverage=true'], []],
  ['#!/usr/bin/frontik-supervisor --python=/srv/python\r', ['supervisor_python=/srv/python'], []],
  ['#!/usr/bin/python3 -u', [], []],
  ['#!/usr/bin/env frontik-supervisor', [], []],
  ['# --python=/srv/python', [], []],
  ['#!/usr/bin/frontik-supervisor --nonsense', [], ['--nonsense: unknown option']],
  ['#!/usr/bin/frontik-supervisor --python', [], ['--python: needs a value']],
  ['#!/usr/bin/frontik-supervisor start', [], ['start: only options may stand here']],
  ['#!/usr/bin/frontik-supervisor --help', [], ['--help: only options with a value may stand here']],
];
for (const [line, given, told] of FIRST_LINES) {
  test(`first line: ${JSON.stringify(line)}`, async () => {
    const read = await launch([LAUNCHER, 'start'], { [LAUNCHER]: `${line}\n${HEAD}${CALL}` });
    const place = `launcher ${LAUNCHER}:1`;
    assert.deepEqual(
      ofFirstLine(read),
      given.map((option) => `${option} ${place}`),
    );
    assert.deepEqual(
      troubles(read),
      told.map((text) => `${place}: ${text}`),
    );
  });
}

test('run by the kernel: the options of the first line come in front, as one word, and are the launcher`s', async () => {
  const line = '#!/usr/bin/frontik-supervisor --python=/srv/python --user=app';
  const words = ['--python=/srv/python --user=app', LAUNCHER, 'restart', '--user=root'];
  const read = await launch(words, { [LAUNCHER]: `${line}\n${HEAD}${CALL}` });
  assert.deepEqual(
    [read.action, ofFirstLine(read), show(read.commandLine), troubles(read)],
    [
      'restart',
      [`supervisor_python=/srv/python launcher ${LAUNCHER}:1`, `supervisor_user=app launcher ${LAUNCHER}:1`],
      ['supervisor_user=root command-line --supervisor_user'],
      [],
    ],
  );
});

test('run by the kernel: one option with a value of its own', async () => {
  const words = ['--python /srv/python', LAUNCHER, 'start'];
  const read = await launch(words, {
    [LAUNCHER]: `#!/usr/bin/frontik-supervisor --python /srv/python\n${HEAD}${CALL}`,
  });
  assert.deepEqual(
    [read.action, ofFirstLine(read), show(read.commandLine), troubles(read)],
    ['start', [`supervisor_python=/srv/python launcher ${LAUNCHER}:1`], [], []],
  );
});

test('the first line of a launcher, being a command line, wins over its call', async () => {
  const text = `#!/usr/bin/frontik-supervisor --app=first\n${HEAD}${CALL}`;
  assert.equal((await launch([LAUNCHER, 'start'], { [LAUNCHER]: text })).launcher.get('app')?.source, `${LAUNCHER}:1`);
});

const UNREADABLE: readonly (readonly [code: string, launcher: string, configuration: string])[] = [
  ['ENOENT', 'this launcher does not exist (5)', 'this configuration file does not exist'],
  ['ENOTDIR', 'this launcher does not exist (5)', 'this configuration file does not exist'],
  ['EACCES', 'no permission to read this launcher (4)', 'no permission to read this configuration file (4)'],
  ['EPERM', 'no permission to read this launcher (4)', 'no permission to read this configuration file (4)'],
  ['EISDIR', 'this launcher is a directory', 'this configuration file is a directory'],
  ['EFBIG', 'this launcher cannot be read: EFBIG', 'this configuration file cannot be read: EFBIG'],
];
for (const [code, launcher, configuration] of UNREADABLE) {
  test(`a file that cannot be read: ${code}`, async () => {
    const read = await launch([LAUNCHER, 'start', '--app=x'], { [LAUNCHER]: { code } });
    assert.deepEqual(
      [troubles(read), show(read.commandLine), read.action],
      [[`launcher ${LAUNCHER}: ${launcher}`], ['app=x command-line --app'], 'start'],
    );
    const { layer, isDaemonized, cautions, ...rest } = await config({ code });
    assert.deepEqual(
      [troubles(rest), layer.size, isDaemonized, cautions],
      [[`config app.cfg: ${configuration}`], 0, false, []],
    );
  });
}

test('a launcher that is no Python is told of, together with the command line', async () => {
  const read = await launch([LAUNCHER, '--nonsense', 'start'], { [LAUNCHER]: "supervisor(script='x'\n" });
  assert.equal(read.troubles.length, 2);
  assert.deepEqual(
    read.troubles.map(({ origin, source, exit }) => [origin, source.split(':')[0], exit]),
    [
      ['command-line', '--nonsense', undefined],
      ['launcher', LAUNCHER, undefined],
    ],
  );
});

test('a configuration: the supervisor`s options only, each with its place', async () => {
  const text =
    "port = 9\nworkers_count = 2\n\nscript = 'x'\napp = 'y'\nconfig = 'z'\n  \nsupervisor_user = 'app'\nuser = 'no'\nstart_port = 8000\nstart_port = 9000\n";
  const { layer, isDaemonized, troubles: none } = await config(text);
  assert.deepEqual(
    [show(layer), isDaemonized, none],
    [
      [
        'workers_count=2 config app.cfg:2:17',
        "supervisor_user='app' config app.cfg:8:19",
        'start_port=9000 config app.cfg:11:14',
      ],
      false,
      [],
    ],
  );
});

const DAEMONS: readonly (readonly [text: string, is: boolean])[] = [
  ['daemonize = True\n', true],
  ['daemonize = False\n', false],
  ['daemonize = 1\n', false],
  ["daemonize = 'True'\n", false],
  ['daemonize = True\ndaemonize = False\n', false],
  ['', false],
];
for (const [text, is] of DAEMONS) {
  test(`whether it daemonizes: ${JSON.stringify(text)}`, async () =>
    assert.equal((await config(text)).isDaemonized, is));
}

test('for the supervisors of tornado_util the base port is `port`', async () => {
  const text = 'port = 7000\nworkers_count = 2\nstart_port = 9000\n';
  assert.deepEqual(show((await config(text, 'tornado_util')).layer), [
    'start_port=7000 config app.cfg:1:8',
    'workers_count=2 config app.cfg:2:17',
  ]);
  assert.deepEqual(show((await config(text, 'frontik')).layer), [
    'workers_count=2 config app.cfg:2:17',
    'start_port=9000 config app.cfg:3:14',
  ]);
});

test('a launcher says which generation it is of', async () => {
  const text = `from tornado_util.supervisor import supervisor\n${CALL}`;
  assert.equal((await launch([LAUNCHER, 'start'], { [LAUNCHER]: text })).generation, 'tornado_util');
});
