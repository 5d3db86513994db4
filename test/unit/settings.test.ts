import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Layer } from '../../src/config/given.ts';
import type { PyValue } from '../../src/config/python-value.ts';
import type { Settings } from '../../src/config/settings.ts';
import {
  bool,
  commandLine,
  config,
  int,
  launcher,
  none,
  problemsOf,
  settleWith,
  show,
  str,
  text,
} from '../support/adapters-settings.ts';

/** What comes out, without what the templates were made into. */
function plain(...layers: readonly Layer[]): Record<string, unknown> {
  const settled = settleWith(...layers);
  assert(settled.ok, problemsOf(settled).join('\n'));
  const { pidfileTemplate, logfileTemplate, given: _, ...rest } = settled.settings;
  return { ...rest, pidfileTemplate: pidfileTemplate?.text, logfileTemplate: logfileTemplate?.text };
}

const DEFAULTS: Readonly<Record<Exclude<keyof Settings, 'given'>, unknown>> = {
  script: ['/usr/bin/frontik'],
  config: '/etc/app.cfg',
  app: undefined,
  workersCount: 4,
  startPort: 8000,
  pidfileTemplate: undefined,
  logfileTemplate: undefined,
  sigtermTimeout: 4,
  nofileSoftLimit: 4096,
  withCoverage: false,
  startTimeout: 60,
  partialStatus: 1,
  statusPath: '/status/',
  statusServers: ['TornadoServer', 'Frontik'],
  python: undefined,
  user: undefined,
  group: undefined,
  batch: { count: 1 },
  settle: 1,
  drain: 0,
  beforeStop: undefined,
  afterStart: undefined,
  hookTimeout: 10,
  startRetries: 5,
  hangTimeout: 30,
};

test('nothing but script and config: the defaults', () => assert.deepEqual(plain(), DEFAULTS));

test('everything given', () => {
  const given = commandLine({
    script: text('/srv/venv/bin/frontik  --debug\t-v '),
    config: text('app.cfg'),
    app: text('pages'),
    workers_count: text('2'),
    start_port: text('1500'),
    pidfile_template: text('run/%(port)s.pid'),
    logfile_template: text('log/%(port)s.log'),
    supervisor_sigterm_timeout: text('0'),
    nofile_soft_limit: text('100'),
    with_coverage: text('true'),
    supervisor_start_timeout: text('5'),
    supervisor_partial_status: text('4'),
    supervisor_status_path: text('/ping?x=1'),
    supervisor_status_server: text(' nginx , ,uWSGI,'),
    supervisor_python: text('/usr/bin/python3'),
    supervisor_user: text('app'),
    supervisor_group: text('www-data'),
    supervisor_batch: text('25%'),
    supervisor_settle: text('0'),
    supervisor_drain: text('5'),
    supervisor_hook_timeout: text('30'),
    supervisor_start_retries: text('3'),
    supervisor_hang_timeout: text('0'),
  });
  assert.deepEqual(plain(given), {
    script: ['/srv/venv/bin/frontik', '--debug', '-v'],
    config: 'app.cfg',
    app: 'pages',
    workersCount: 2,
    startPort: 1500,
    pidfileTemplate: 'run/%(port)s.pid',
    logfileTemplate: 'log/%(port)s.log',
    sigtermTimeout: 0,
    nofileSoftLimit: 100,
    withCoverage: true,
    startTimeout: 5,
    partialStatus: 4,
    statusPath: '/ping?x=1',
    statusServers: ['nginx', 'uWSGI'],
    python: '/usr/bin/python3',
    user: 'app',
    group: 'www-data',
    batch: { percent: 25 },
    settle: 0,
    drain: 5,
    beforeStop: undefined,
    afterStart: undefined,
    hookTimeout: 30,
    startRetries: 3,
    hangTimeout: 0,
  });
});

test('later layers win: config, launcher, command line', () => {
  const layers = [config, launcher, commandLine].map((make, index) =>
    make({ start_port: int(9000 + index), app: str(`app${index}`) }),
  );
  const [first, second, third] = layers;
  assert(first !== undefined && second !== undefined && third !== undefined);
  const ports = [[first], [first, second], [first, second, third], [first, third]].map((some) => {
    const { startPort, app } = plain(...some);
    return [startPort, app];
  });
  assert.deepEqual(ports, [
    [9000, 'app0'],
    [9001, 'app1'],
    [9002, 'app2'],
    [9002, 'app2'],
  ]);
});

test('which layer a value is from', () => {
  const settled = settleWith(config({ app: str('a'), start_port: int(1) }), commandLine({ app: text('b') }));
  assert(settled.ok);
  assert.deepEqual([...settled.settings.given].map(([name, { source }]) => `${name} ${source}`).sort(), [
    'app --app',
    'config launcher:2:1',
    'script launcher:1:1',
    'start_port app.cfg:2:1',
  ]);
});

test('None is the default, also over an earlier layer', () => {
  const everything = config({
    app: none,
    workers_count: none,
    start_port: none,
    pidfile_template: none,
    logfile_template: none,
    supervisor_sigterm_timeout: none,
    nofile_soft_limit: none,
    with_coverage: none,
    supervisor_start_timeout: none,
    supervisor_partial_status: none,
    supervisor_status_path: none,
    supervisor_status_server: none,
    supervisor_python: none,
    supervisor_user: none,
    supervisor_group: none,
  });
  assert.deepEqual(plain(everything), DEFAULTS);
  assert.equal(plain(config({ app: str('pages') }), launcher({ app: none }))['app'], undefined);
});

test('an empty text is as good as none, but for the servers, which may be any', () => {
  const empty = config({
    app: str(''),
    pidfile_template: str(''),
    logfile_template: str(''),
    supervisor_status_server: str(''),
    supervisor_python: str(''),
    supervisor_user: str(''),
    supervisor_group: str(''),
  });
  assert.deepEqual(plain(empty), { ...DEFAULTS, statusServers: [] });
});

const NUMBERS: readonly (readonly [value: PyValue | ReturnType<typeof text>, number: number])[] = [
  [int(7), 7],
  [text('7'), 7],
  [text(' 7\n'), 7],
  [text('+7'), 7],
  [text('007'), 7],
  [text('1_000'), 1000],
  [bool(true), 1],
];
for (const [value, number] of NUMBERS) {
  test(`an int: ${JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? Number(part) : part))}`, () =>
    assert.equal(plain(config({ workers_count: value }))['workersCount'], number));
}

test('False is the int 0', () =>
  assert.equal(plain(config({ supervisor_sigterm_timeout: bool(false) }))['sigtermTimeout'], 0));

const TRUTHS: readonly (readonly [word: string, truth: boolean])[] = [
  ['true', true],
  ['True', true],
  ['1', true],
  ['t', true],
  ['T', true],
  ['false', false],
  ['FALSE', false],
  ['0', false],
  ['f', false],
];
for (const [word, truth] of TRUTHS) {
  test(`a bool: ${word}`, () => assert.equal(plain(commandLine({ with_coverage: text(word) }))['withCoverage'], truth));
}

test('text for an int or a bool in a file is read, with a caution', () => {
  const settled = settleWith(
    config({ workers_count: str('2'), with_coverage: str('True') }),
    launcher({ nofile_soft_limit: str('07') }),
  );
  assert(settled.ok);
  const { workersCount, withCoverage, nofileSoftLimit } = settled.settings;
  assert.deepEqual([workersCount, withCoverage, nofileSoftLimit], [2, true, 7]);
  assert.deepEqual(settled.cautions.map(show), [
    "config app.cfg:1:1: workers_count should be an int, got str '2'; it is read as 2",
    "launcher launcher:1:1: nofile_soft_limit should be an int, got str '07'; it is read as 7",
    "config app.cfg:2:1: with_coverage should be a bool, got str 'True'; it is read as true",
  ]);
});
