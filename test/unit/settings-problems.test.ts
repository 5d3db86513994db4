import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Layer } from '../../src/config/given.ts';
import { OPTIONS, type OptionName } from '../../src/config/options.ts';
import type { PyValue } from '../../src/config/python-value.ts';
import { settle } from '../../src/config/settings.ts';
import {
  BASE,
  bool,
  commandLine,
  config,
  float,
  int,
  launcher,
  NEEDED,
  none,
  problemsOf,
  settleWith,
  str,
  text,
} from '../support/adapters-settings.ts';

/** Values that each type refuses in a file, and how they are named. */
const JUNK: readonly (readonly [value: PyValue, shown: string])[] = [
  [float(4), 'float 4.0'],
  [{ kind: 'complex', imaginary: 1 }, 'complex 1j'],
  [{ kind: 'bytes', value: 'abc' }, "bytes b'abc'"],
  [{ kind: 'list', items: [int(1), str('a')] }, "list [1, 'a']"],
  [{ kind: 'tuple', items: [] }, 'tuple ()'],
  [{ kind: 'set' }, 'set {...}'],
  [{ kind: 'dict' }, 'dict {...}'],
  [{ kind: 'ellipsis' }, 'ellipsis Ellipsis'],
];
const OWN_JUNK: Readonly<Record<'str' | 'int' | 'bool', typeof JUNK>> = {
  str: [
    [int(1), 'int 1'],
    [bool(true), 'bool True'],
  ],
  int: [
    [str('four'), "str 'four'"],
    [str(''), "str ''"],
    [str('4.0'), "str '4.0'"],
    [str('0x4'), "str '0x4'"],
    [str('4 4'), "str '4 4'"],
    [str('4_'), "str '4_'"],
  ],
  bool: [
    [int(1), 'int 1'],
    [int(0), 'int 0'],
    [str('yes'), "str 'yes'"],
    [str(''), "str ''"],
  ],
};
const ARTICLE = { str: 'a str', int: 'an int', bool: 'a bool' };

for (const { name, type } of OPTIONS) {
  test(`${name}: every value of a wrong type is named, with its place`, () => {
    for (const [value, shown] of [...JUNK, ...OWN_JUNK[type]]) {
      const wrong = `${name} must be ${ARTICLE[type]}, got ${shown}`;
      assert.deepEqual(problemsOf(settleWith(config({ [name]: value }))), [`config app.cfg:1:1: ${wrong}`]);
      assert.deepEqual(problemsOf(settleWith(launcher({ [name]: value }))), [`launcher launcher:1:1: ${wrong}`]);
    }
  });
}

const TEXTS: readonly (readonly [type: 'int' | 'bool', value: string, wrong: string])[] = [
  ['int', 'four', "must be an int, got 'four'"],
  ['int', '', "must be an int, got ''"],
  ['int', '4.5', "must be an int, got '4.5'"],
  ['int', '1e3', "must be an int, got '1e3'"],
  ['int', '0x10', "must be an int, got '0x10'"],
  ['int', '--4', "must be an int, got '--4'"],
  ['int', 'NaN', "must be an int, got 'NaN'"],
  ['int', '_4', "must be an int, got '_4'"],
  ['int', '\u0664', "must be an int, got '\u0664'"],
  ['bool', 'yes', "must be true or false, got 'yes'"],
  ['bool', '', "must be true or false, got ''"],
  ['bool', '2', "must be true or false, got '2'"],
];
for (const [type, value, wrong] of TEXTS) {
  test(`${JSON.stringify(value)} is no ${type}`, () => {
    for (const { name } of OPTIONS.filter((option) => option.type === type)) {
      assert.deepEqual(problemsOf(settleWith(commandLine({ [name]: text(value) }))), [
        `command-line --${name}: ${wrong}`,
      ]);
    }
  });
}

test('no text may hold a NUL', () => {
  for (const { name } of OPTIONS.filter(({ type }) => type === 'str')) {
    const wrong = "must not hold a NUL, got 'a\\x00b'";
    assert.deepEqual(problemsOf(settleWith(config({ [name]: str('a\0b') }))), [`config app.cfg:1:1: ${name} ${wrong}`]);
    assert.deepEqual(problemsOf(settleWith(commandLine({ [name]: text('a\0b') }))), [
      `command-line --${name}: ${wrong}`,
    ]);
  }
});

const BOUNDS: readonly (readonly [name: OptionName, least: number, most: number])[] = [
  ['workers_count', 1, 65_535],
  ['start_port', 1, 65_535],
  ['supervisor_sigterm_timeout', 0, 86_400],
  ['nofile_soft_limit', 0, 2_147_483_647],
  ['supervisor_start_timeout', 1, 86_400],
  ['supervisor_partial_status', 0, 255],
  ['supervisor_settle', 0, 86_400],
  ['supervisor_drain', 0, 86_400],
  ['supervisor_hook_timeout', 1, 86_400],
  ['supervisor_start_retries', 1, 1000],
  ['supervisor_hang_timeout', 0, 86_400],
];
for (const [name, least, most] of BOUNDS) {
  test(`${name} is from ${least} to ${most}`, () => {
    const wrong = (value: number | string) => `must be from ${least} to ${most}, got ${value}`;
    const one = name === 'start_port' ? { workers_count: int(1) } : { start_port: int(1) };
    for (const value of [least, most])
      assert.deepEqual(problemsOf(settleWith(config({ ...one, [name]: int(value) }))), []);
    for (const value of [least - 1, most + 1, -1_000_000]) {
      assert.deepEqual(problemsOf(settleWith(config({ [name]: int(value) }))), [
        `config app.cfg:1:1: ${name} ${wrong(value)}`,
      ]);
      assert.deepEqual(problemsOf(settleWith(commandLine({ [name]: text(String(value)) }))), [
        `command-line --${name}: ${wrong(value)}`,
      ]);
    }
  });
}

test('the options with bounds are those', () => {
  assert.deepEqual(
    OPTIONS.filter(({ bounds }) => bounds !== undefined).map(({ name, bounds }) => [name, ...(bounds ?? [])]),
    BOUNDS,
  );
});

test('without script and config: both are missing on the command line', () => {
  const missing = (name: string) => `command-line --${name}: is required: give it on the command line or in a launcher`;
  assert.deepEqual(problemsOf(settle([], NEEDED)), [missing('script'), missing('config')]);
  assert.deepEqual(problemsOf(settle([], ['config'])), [missing('config')]);
  assert.deepEqual(problemsOf(settle([], [])), []);
  assert.deepEqual(problemsOf(settle([BASE], NEEDED)), []);
});

test('an empty or blank script is no script', () => {
  const wrong = 'is required: give it on the command line or in a launcher';
  assert.deepEqual(problemsOf(settleWith(commandLine({ script: text(' \t') }))), [`command-line --script: ${wrong}`]);
  assert.deepEqual(problemsOf(settleWith(launcher({ script: str('') }))), [`launcher launcher:1:1: script ${wrong}`]);
});

const TOO_FAR = 'leads to ports 65535..65536, but the highest port is 65535';
const PORTS: readonly (readonly [layers: readonly Layer[], problems: readonly string[]])[] = [
  [[config({ start_port: int(65_532) })], []],
  [[config({ start_port: int(65_535), workers_count: int(1) })], []],
  [[config({ start_port: int(65_535), workers_count: int(2) })], [`config app.cfg:1:1: start_port ${TOO_FAR}`]],
  [
    [config({ start_port: int(65_535) }), commandLine({ workers_count: text('2') })],
    [`command-line --workers_count: ${TOO_FAR}`],
  ],
  [
    [config({ workers_count: int(2) }), commandLine({ start_port: text('65535') })],
    [`command-line --start_port: ${TOO_FAR}`],
  ],
  [
    [commandLine({ workers_count: text('60000') })],
    ['command-line --workers_count: leads to ports 8000..67999, but the highest port is 65535'],
  ],
  [
    [config({ start_port: int(65_533) })],
    ['config app.cfg:1:1: start_port leads to ports 65533..65536, but the highest port is 65535'],
  ],
];
for (const [layers, problems] of PORTS) {
  test(`ports: ${problems[0] ?? 'they fit'}`, () => assert.deepEqual(problemsOf(settleWith(...layers)), problems));
}

const TEMPLATES: readonly (readonly [template: string, workers: number, wrong: string | undefined])[] = [
  ['/run/%(port)s.pid', 4, undefined],
  ['/run/%(port)d.pid', 4, undefined],
  ['/run/app.pid', 1, undefined],
  ['/run/app.pid', 2, "has no %(port)s, so 2 workers would share '/run/app.pid'"],
  ['/run/%%(port)s.pid', 4, "has no %(port)s, so 4 workers would share '/run/%%(port)s.pid'"],
  ['/run/%s.pid', 4, "has a stray '%' at character 6: write %(port)s, or %% for a percent sign"],
  ['/run/%(ports)s.pid', 1, 'names %(ports)s, but only %(port)s is known'],
  ['/run/%(port).pid', 1, "has '%(port).' where %(port)s was expected"],
];
for (const [template, workers, wrong] of TEMPLATES) {
  test(`${template} for ${workers} workers: ${wrong ?? 'fits'}`, () => {
    for (const name of ['pidfile_template', 'logfile_template'] as const) {
      const given = config({ [name]: str(template), workers_count: int(workers) });
      assert.deepEqual(
        problemsOf(settleWith(given)),
        wrong === undefined ? [] : [`config app.cfg:1:1: ${name} ${wrong}`],
      );
    }
  });
}

test('more workers on the command line than a template of the configuration is for', () => {
  const layers = [config({ pidfile_template: str('/run/app.pid') }), commandLine({ workers_count: text('2') })];
  assert.deepEqual(problemsOf(settleWith(...layers)), [
    "command-line --workers_count: must be 1, since pidfile_template has no %(port)s: 2 would share '/run/app.pid'",
  ]);
});

test('a path that is asked for begins with a slash and holds nothing that would end the request', () => {
  const wrong = "must begin with '/' and hold no blanks";
  for (const path of ['status', 'http://127.0.0.1/', '/a b', '/a\r\nX: y', '/é', ' /', '']) {
    const problems = problemsOf(settleWith(commandLine({ supervisor_status_path: text(path) })));
    assert.deepEqual(problems, [`command-line --supervisor_status_path: ${wrong}`], path);
  }
});

test('everything that is wrong is told at once, in the order of the options', () => {
  const settled = settle(
    [
      config({
        start_port: str('abc'),
        workers_count: float(1.5),
        pidfile_template: str('/run/%s'),
        nofile_soft_limit: int(-1),
        app: int(1),
      }),
      launcher({ with_coverage: str('perhaps'), app: none }),
      commandLine({ start_port: text('70000'), supervisor_status_path: text('x') }),
    ],
    NEEDED,
  );
  const required = 'is required: give it on the command line or in a launcher';
  assert.deepEqual(problemsOf(settled), [
    'config app.cfg:5:1: app must be a str, got int 1',
    'config app.cfg:2:1: workers_count must be an int, got float 1.5',
    "config app.cfg:1:1: start_port must be an int, got str 'abc'",
    'command-line --start_port: must be from 1 to 65535, got 70000',
    'config app.cfg:4:1: nofile_soft_limit must be from 0 to 2147483647, got -1',
    "launcher launcher:1:1: with_coverage must be a bool, got str 'perhaps'",
    `command-line --script: ${required}`,
    `command-line --config: ${required}`,
    "command-line --supervisor_status_path: must begin with '/' and hold no blanks",
    "config app.cfg:3:1: pidfile_template has a stray '%' at character 6: write %(port)s, or %% for a percent sign",
  ]);
});

test('what is wrong is told even where a later layer replaces it; a number out of bounds only if it counts', () => {
  const settled = settleWith(
    config({ start_port: str('abc'), workers_count: int(0) }),
    commandLine({ start_port: text('9000'), workers_count: text('2') }),
  );
  assert.deepEqual(problemsOf(settled), ["config app.cfg:1:1: start_port must be an int, got str 'abc'"]);
});

test('a batch is a number or a share', () => {
  const wrong = 'command-line --supervisor_batch: must be a number of workers, or a share from 1% to 99%';
  for (const batch of ['0', '-1', '100%', '0%', 'all', '1.5', '%', '']) {
    assert.deepEqual(problemsOf(settleWith(commandLine({ supervisor_batch: text(batch) }))), [wrong], batch);
  }
});

test('a hook knows only the port', () => {
  const given = commandLine({ supervisor_before_stop: text('/usr/bin/leave %(pid)s') });
  assert.deepEqual(problemsOf(settleWith(given)), [
    'command-line --supervisor_before_stop: names %(pid)s, but only %(port)s is known',
  ]);
});
