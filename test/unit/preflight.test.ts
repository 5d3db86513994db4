import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findAccount, findMissingHooks, type Preflight, preflight } from '../../src/cli/preflight.ts';
import type { OptionName } from '../../src/config/options.ts';
import type { Settings } from '../../src/config/settings.ts';
import type { Account } from '../../src/core/worker.ts';
import type { ProgramSight } from '../../src/host/host.ts';
import { lines } from '../../src/report/wording.ts';
import { commandLine, config, problemsOf, settleWith, str, text } from '../support/adapters-settings.ts';
import { hostOn, type Machine, simulated } from '../support/adapters-world.ts';

type Options = Readonly<Partial<Record<OptionName, string>>>;

function settingsOf(options: Options): Settings {
  const given = Object.entries(options).map(([name, value]) => [name, text(value)] as const);
  const settled = settleWith(commandLine(Object.fromEntries(given)));
  assert(settled.ok, problemsOf(settled).join('\n'));
  return settled.settings;
}

interface Checked {
  readonly result: Preflight;
  readonly told: readonly string[];
}

function check(
  options: Options,
  machine: Machine = {},
  daemonize: 'daemonizes' | 'stays' = 'stays',
  account?: Account,
): Checked {
  const told: string[] = [];
  const host = hostOn(simulated(), machine);
  const result = preflight(settingsOf(options), '/srv', daemonize === 'daemonizes', account, host, (event) => {
    for (const [level, words] of lines(event)) told.push(`${level}: ${words}`);
  });
  return { result, told };
}

/** The first worker that would be launched. */
function first({ result }: Checked) {
  assert(result.ok, JSON.stringify(result));
  const [spec] = result.application.specs;
  assert(spec !== undefined);
  return spec;
}

function hindrances({ result }: Checked): string[] {
  return result.ok ? [] : result.hindrances.map(({ source, text: words, exit }) => `${source}: ${words} (${exit})`);
}

const MISSING: ProgramSight = { kind: 'missing' };
const CLOSED: ProgramSight = { kind: 'needs-interpreter', path: './run.py', why: 'is not executable' };
const LOST: ProgramSight = {
  kind: 'needs-interpreter',
  path: '/usr/bin/frontik',
  why: 'wants python, which is not installed',
};
const without = (...words: string[]): NonNullable<Machine['programs']> =>
  Object.fromEntries(words.map((word) => [word, MISSING]));

const COMMANDS: readonly (readonly [
  options: Options,
  programs: Machine['programs'],
  command: readonly string[],
  told?: string,
])[] = [
  [{}, {}, ['/usr/bin/frontik']],
  [{ script: '/usr/bin/frontik -v  --debug' }, {}, ['/usr/bin/frontik', '-v', '--debug']],
  [{ script: 'frontik' }, { frontik: { kind: 'runnable', path: './frontik' } }, ['./frontik']],
  [{ supervisor_python: '/srv/python' }, {}, ['/srv/python', '/usr/bin/frontik']],
  [{ supervisor_python: '/srv/python' }, { '/usr/bin/frontik': LOST }, ['/srv/python', '/usr/bin/frontik']],
  [{ script: 'run.py x', supervisor_python: 'python2' }, { 'run.py': CLOSED }, ['python2', './run.py', 'x']],
  [{ with_coverage: 'true' }, {}, ['coverage', 'run', '/usr/bin/frontik']],
  [{ with_coverage: 'true', script: 'run.py x' }, { 'run.py': CLOSED }, ['coverage', 'run', './run.py', 'x']],
  [
    { with_coverage: 'true', supervisor_python: 'python2' },
    without('coverage'),
    ['python2', '-m', 'coverage', 'run', '/usr/bin/frontik'],
  ],
  [
    { script: 'run.py x' },
    { 'run.py': CLOSED },
    ['python3', './run.py', 'x'],
    'warning: run.py is not executable, so python3 runs it: --supervisor_python says which Python it should be',
  ],
  [
    {},
    { '/usr/bin/frontik': LOST },
    ['python3', '/usr/bin/frontik'],
    'warning: /usr/bin/frontik wants python, which is not installed, so python3 runs it: --supervisor_python says which Python it should be',
  ],
];
for (const [options, programs = {}, command, told] of COMMANDS) {
  test(`command: ${command.join(' ')}${told === undefined ? '' : ', with a warning'}`, () => {
    const checked = check(options, { programs });
    assert.deepEqual(first(checked).argv, [...command, '--config=/etc/app.cfg', '--port=8000']);
    assert.deepEqual(checked.told, told === undefined ? [] : [told]);
  });
}

const NOT_INSTALLED: readonly (readonly [options: Options, programs: Machine['programs'], told: string])[] = [
  [{}, without('/usr/bin/frontik'), 'launcher:1:1: script: /usr/bin/frontik is not installed (5)'],
  [{ script: 'frontik -v' }, without('frontik'), '--script: frontik is not installed (5)'],
  [{ supervisor_python: 'python2' }, without('python2'), '--supervisor_python: python2 is not installed (5)'],
  [{ supervisor_python: 'run.py' }, { 'run.py': CLOSED }, '--supervisor_python: run.py is not installed (5)'],
  [{ with_coverage: 'true' }, without('coverage'), '--with_coverage: coverage is not installed (5)'],
  [{}, { ...without('python3'), '/usr/bin/frontik': LOST }, '--supervisor_python: python3 is not installed (5)'],
];
for (const [options, programs = {}, told] of NOT_INSTALLED) {
  test(told, () => assert.deepEqual(hindrances(check(options, { programs })), [told]));
}

const DIRECTORIES: readonly (readonly [code: string, told: string])[] = [
  ['EACCES', 'no permission to write to this directory: workers need it (4)'],
  ['EPERM', 'no permission to write to this directory: workers need it (4)'],
  ['EROFS', 'this directory is on a read-only file system: workers need it (4)'],
  ['ENOTDIR', 'this is no directory: workers need it (1)'],
  ['ENOENT', 'this directory does not exist and cannot be made: workers need it (1)'],
  ['ELOOP', 'ELOOP: workers need it (1)'],
];
for (const [code, told] of DIRECTORIES) {
  test(`a directory: ${code}`, () => {
    const options = { pidfile_template: '/run/app/%(port)s.pid', logfile_template: '/run/app/%(port)s.log' };
    assert.deepEqual(hindrances(check(options, { closed: { '/run/app': code } })), [`/run/app: ${told}`]);
  });
}

test('each directory is told of once, whatever the number of workers', () => {
  const options = { pidfile_template: 'run/%(port)s.pid', logfile_template: '/log/%(port)s/log', workers_count: '3' };
  const closed = { '/srv/run': 'EACCES', '/log/8000': 'EACCES', '/log/8001': 'EACCES', '/log/8002': 'EROFS' };
  assert.deepEqual(hindrances(check(options, { closed })), [
    '/srv/run: no permission to write to this directory: workers need it (4)',
    '/log/8000: no permission to write to this directory: workers need it (4)',
    '/log/8001: no permission to write to this directory: workers need it (4)',
    '/log/8002: this directory is on a read-only file system: workers need it (4)',
  ]);
});

const LIMITS: readonly (readonly [
  wanted: string,
  limits: readonly [hard: number, most: number, mayRaise: boolean],
  found: object,
  told?: string,
])[] = [
  ['4096', [20_000, 1_048_576, false], { soft: 4096, raiseHard: false }],
  ['4096', [4096, 1_048_576, false], { soft: 4096, raiseHard: false }],
  ['0', [4096, 1_048_576, true], { soft: 0, raiseHard: false }],
  [
    '4096',
    [1024, 1_048_576, false],
    { soft: 1024, raiseHard: false },
    "warning: We don't have CAP_SYS_RESOURCE, therefore soft NOFILE limit will be set to 1024",
  ],
  ['4096', [1024, 1_048_576, true], { soft: 4096, raiseHard: true }],
  ['1048576', [1024, 1_048_576, true], { soft: 1_048_576, raiseHard: true }],
  [
    '1048577',
    [1024, 1_048_576, true],
    { soft: 1_048_576, raiseHard: true },
    "warning: The kernel's fs.nr_open is 1048576, therefore soft NOFILE limit will be set to 1048576",
  ],
];
for (const [wanted, [hard, kernelMost, mayRaise], found, told] of LIMITS) {
  test(`${wanted} open files, hard limit ${hard}, ${mayRaise ? 'may' : 'may not'} be raised`, () => {
    const checked = check({ nofile_soft_limit: wanted }, { limits: { hard, kernelMost, mayRaise } });
    assert.deepEqual([first(checked).openFiles, checked.told], [found, told === undefined ? [] : [told]]);
  });
}

const WORDS: readonly (readonly [script: string, daemonize: 'daemonizes' | 'stays', firstWords: 'kept' | 'dropped'])[] =
  [
    ['frontik', 'stays', 'dropped'],
    ['frontik', 'daemonizes', 'kept'],
    ['frontik --daemonize', 'stays', 'kept'],
    ['frontik --daemonize=True', 'stays', 'kept'],
    ['frontik --daemonize=true', 'stays', 'kept'],
    ['frontik --daemonize=1', 'stays', 'kept'],
    ['frontik --daemonize=False', 'stays', 'dropped'],
    ['frontik --daemonize=False', 'daemonizes', 'dropped'],
    ['frontik --daemonize=False --daemonize=t', 'stays', 'kept'],
    ['frontik -daemonize=TRUE', 'stays', 'kept'],
    ['frontik --daemonized', 'stays', 'dropped'],
    ['frontik daemonize', 'stays', 'dropped'],
  ];
for (const [script, daemonize, firstWords] of WORDS) {
  test(`${script}, and by its configuration it ${daemonize}: first words are ${firstWords}`, () =>
    assert.equal(first(check({ script }, {}, daemonize)).firstWords, firstWords));
}

const app: Account = { user: 'app', uid: 1000, gid: 1000 };

const users = { app, root: { user: 'root', uid: 0, gid: 0 }, '0': { user: 'root', uid: 0, gid: 0 } };
const WHO: readonly (readonly [options: Options, uid: number, found: ReturnType<typeof findAccount>])[] = [
  [{}, 0, { account: undefined }],
  [{ supervisor_user: 'app' }, 0, { account: app }],
  [{ supervisor_user: 'app' }, 1000, { account: app }],
  [{ supervisor_user: 'app' }, 1001, { account: app }],
  [{ supervisor_user: 'app', supervisor_group: 'root' }, 0, { account: { ...app, gid: 0 } }],
  [{ supervisor_group: 'app' }, 0, { account: { user: 'root', uid: 0, gid: 1000 } }],
  [
    { supervisor_user: 'nosuch' },
    0,
    { problem: { origin: 'command-line', source: '--supervisor_user', text: 'there is no user nosuch' } },
  ],
  [
    { supervisor_user: 'app', supervisor_group: 'nosuch' },
    0,
    { problem: { origin: 'command-line', source: '--supervisor_group', text: 'there is no group nosuch' } },
  ],
];
for (const [options, uid, found] of WHO) {
  test(`the workers' user: ${JSON.stringify(options)}, asked by ${uid}`, () =>
    assert.deepEqual(findAccount(settingsOf(options), hostOn(simulated(), { users, uid })), found));
}

test('only root starts workers as another user, or with another group', () => {
  const told = '--supervisor_user: only root can start workers as app (4)';
  const as = (uid: number, options: Options) => check(options, { uid, users }, 'stays', app);
  assert.equal(first(as(0, { supervisor_user: 'app' })).account, app);
  assert.equal(first(as(1000, { supervisor_user: 'app' })).account, undefined);
  assert.deepEqual(hindrances(as(1001, { supervisor_user: 'app' })), [told]);
  const group = '--supervisor_group: only root can start workers with the group root (4)';
  assert.deepEqual(hindrances(as(1000, { supervisor_user: 'app', supervisor_group: 'root' })), [group]);
});

test('what hinders a start is told of the place that gave the option, with its name', () => {
  const layer = config({
    supervisor_user: str('app'),
    supervisor_python: str('python2'),
    supervisor_before_stop: str('leave %(port)s'),
  });
  const settled = settleWith(layer);
  assert(settled.ok, problemsOf(settled).join('\n'));
  const { settings } = settled;
  const host = hostOn(simulated(), { uid: 1001, users, programs: without('python2', 'leave') });
  const result = preflight(settings, '/srv', false, app, host, () => undefined);
  assert.deepEqual(hindrances({ result, told: [] }), [
    'app.cfg:2:1: supervisor_python: python2 is not installed (5)',
    'app.cfg:1:1: supervisor_user: only root can start workers as app (4)',
  ]);
  const ready = preflight(
    settings,
    '/srv',
    false,
    app,
    hostOn(simulated(), { users, programs: without('leave') }),
    () => undefined,
  );
  assert(ready.ok);
  assert.deepEqual(findMissingHooks(ready.application, settings, host), [
    { source: 'app.cfg:3:1', text: 'supervisor_before_stop: leave is not installed, or no program', exit: 5 },
  ]);
});
