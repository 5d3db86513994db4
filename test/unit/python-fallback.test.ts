import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseInterpreter, findScript, ownInterpreter } from '../../src/cli/interpreter.ts';
import { readConfig } from '../../src/config/config-file.ts';
import { millis } from '../../src/core/units.ts';
import type { PythonAnswer, PythonFailure, PythonQuestion, PythonResult } from '../../src/host/host.ts';
import { commandLine, launcher, str, text } from '../support/adapters-settings.ts';
import {
  CONFIG,
  command,
  GIVEN,
  hostOn,
  LAUNCHER,
  type Machine,
  SETTINGS,
  simulated,
} from '../support/adapters-world.ts';

// Whatever native reading learns to follow, it will not follow this.
const DYNAMIC = "start_port = __import__('app').port\n";
const WHY = whyDynamic();

/** The native reader's own words for it. */
function whyDynamic(): string {
  const surroundings = { environ: () => undefined, path: CONFIG, directory: '/srv', realpath: (path: string) => path };
  const read = readConfig(new TextEncoder().encode(DYNAMIC), (name) => name === 'start_port', surroundings);
  assert(read.kind === 'needs-python');
  return `${CONFIG}:${read.at.line}:${read.at.col}: ${read.text}`;
}

const EMPTY: PythonResult = {
  values: [],
  unset: [],
  called: undefined,
  imported: undefined,
  effects: [],
  argv: [],
};

/** An answer with these values, all of them at 1:14. */
function answer(
  values: Readonly<Record<string, PythonResult['values'][number]['value']>>,
  more: Partial<PythonResult> = {},
  printed: readonly string[] = [],
): PythonAnswer {
  const at = { line: 1, col: 14 };
  const told = Object.entries(values).map(([name, value]) => ({ name, value, at }));
  return { kind: 'evaluated', result: { ...EMPTY, values: told, ...more }, printed };
}

interface Asked {
  readonly questions: PythonQuestion[];
  readonly machine: Machine;
}

/** A machine whose Python says that. */
function machine(said: PythonAnswer | ((question: PythonQuestion) => PythonAnswer), more: Machine = {}): Asked {
  const questions: PythonQuestion[] = [];
  const python = (question: PythonQuestion): PythonAnswer => {
    questions.push(question);
    const given = typeof said === 'function' ? said(question) : said;
    // What a real one gives back when nobody has changed it.
    return given.kind === 'evaluated' && given.result.argv.length === 0
      ? { ...given, result: { ...given.result, argv: question.argv } }
      : given;
  };
  return { questions, machine: { files: { [CONFIG]: DYNAMIC }, python, ...more } };
}

const PORT = { start_port: { kind: 'int' as const, value: 9000n }, workers_count: { kind: 'int' as const, value: 1n } };

test('a Python is asked only for what cannot be read natively', async () => {
  const { machine: native, questions: none } = machine(answer(PORT), { files: { [CONFIG]: SETTINGS } });
  assert.equal((await command([...GIVEN, 'check'], native)).exit, 0);
  assert.deepEqual(none, []);
  const { machine: dynamic, questions } = machine(answer(PORT));
  const { exit, told } = await command([...GIVEN, 'start'], dynamic);
  assert.deepEqual([exit, told], [0, ['debug: start worker 9000', 'info: all workers are running']]);
  const [question] = questions;
  assert(question !== undefined && questions.length === 1);
  const { names, ...rest } = question;
  assert.deepEqual(rest, {
    kind: 'config',
    path: CONFIG,
    python: 'python3',
    argv: ['frontik-supervisor', ...GIVEN, 'start'],
    importsFrom: '/usr/bin',
  });
  assert.deepEqual(
    [names.includes('daemonize'), names.includes('start_port'), names.includes('script')],
    [true, true, false],
  );
});

test('check says which Python was asked', async () => {
  const { machine: dynamic } = machine(answer(PORT, {}, ['hello', '...']));
  const { exit, told, printed } = await command([...GIVEN, 'check'], dynamic);
  assert.deepEqual([exit, told], [0, [`warning: ${CONFIG}: | hello`, `warning: ${CONFIG}: | ...`]]);
  assert.match(printed, /^start_port +9000 +\/etc\/app\/app\.cfg:1$/m);
  assert.match(printed, /^python +python3$/m);
});

test('what Python tells is checked as what is read natively', async () => {
  const values = {
    start_port: {
      kind: 'object' as const,
      type: 'module',
      repr: `<module 'os' from '/usr/lib/python3.11/${'x'.repeat(80)}'>`,
    },
    workers_count: { kind: 'str' as const, value: 'four' },
    with_coverage: { kind: 'int' as const, value: 1n },
    pidfile_template: { kind: 'str' as const, value: '/run/\ud800%(port)s' },
  };
  const { machine: dynamic } = machine(
    answer(values, { unset: [{ name: 'nofile_soft_limit', at: { line: 3, col: 1 } }] }),
  );
  const { exit, told } = await command([...GIVEN, 'start'], dynamic);
  assert.deepEqual(
    [exit, told],
    [
      6,
      [
        `warning: ${CONFIG}:3:1: "nofile_soft_limit: ..." sets nothing in Python; write "nofile_soft_limit = ..."`,
        `error: ${CONFIG}:1:14: workers_count must be an int, got str 'four'`,
        `error: ${CONFIG}:1:14: start_port must be an int, got module <module 'os' from '/usr/lib/python3.11/xxxxxxxxxxxxxxxxxxxxx`,
        `error: ${CONFIG}:1:14: pidfile_template must be UTF-8, got '/run/\\ud800%(port)s'`,
        `error: ${CONFIG}:1:14: with_coverage must be a bool, got int 1`,
      ],
    ],
  );
});

test('whether the configuration daemonizes may be told by Python', async () => {
  const { machine: dynamic } = machine(answer({ daemonize: { kind: 'bool', value: true } }));
  assert.equal((await command([...GIVEN, 'check'], dynamic)).exit, 0);
});

const failed = (how: PythonFailure): PythonAnswer => ({ kind: 'failed', how, printed: [] });
const raised = (line: number, col: number | undefined, words: string): PythonAnswer => {
  return { kind: 'raised', line, col, text: words, isImport: false, printed: [] };
};
const REFUSALS: readonly (readonly [said: PythonAnswer, told: string])[] = [
  [raised(7, undefined, "NameError: name 'x' is not defined"), `${CONFIG}:7: NameError: name 'x' is not defined`],
  [raised(7, 3, 'SyntaxError: invalid syntax'), `${CONFIG}:7:3: SyntaxError: invalid syntax`],
  [raised(1, undefined, 'ValueError: a\nb'), `${CONFIG}:1: ValueError: a`],
  [failed({ kind: 'late', limit: millis(10_000) }), `${CONFIG}: Python did not finish within 10 s`],
  [failed({ kind: 'not-started', code: 'EACCES' }), `${CONFIG}: python3 cannot be started: EACCES`],
  [failed({ kind: 'too-much' }), `${CONFIG}: the values that Python found are too large`],
  [
    failed({ kind: 'ended', how: 'exited with status 3' }),
    `${CONFIG}: python3 exited with status 3 instead of telling what the file says`,
  ],
  [{ kind: 'unreadable', obstacle: { path: CONFIG, code: 'EIO' } }, `${CONFIG}: cannot be read: EIO`],
  [
    { kind: 'untrusted', path: '/etc/app', why: 'belongs to app' },
    `${WHY} needs a Python, and root lets none execute what others may change: /etc/app belongs to app; chown it to root and chmod it go-w, or write a literal value`,
  ],
];
for (const [said, told] of REFUSALS) {
  test(told, async () => {
    for (const [action, status] of [
      ['start', 6],
      ['status', 4],
      ['check', 6],
    ] as const) {
      const result = await command([...GIVEN, action], machine(said).machine);
      assert.deepEqual([result.exit, result.told], [status, [`error: ${told}`]]);
    }
  });
}

test('without any Python', async () => {
  const programs = { python3: { kind: 'missing' as const } };
  const { exit, told } = await command([...GIVEN, 'start'], machine(answer(PORT), { programs }).machine);
  assert.deepEqual([exit, told], [5, [`error: ${WHY} needs a Python, and python3 is not installed`]]);
});

test('--no-python forbids it, on the command line and on the first line of a launcher', async () => {
  const told = [`error: ${WHY} cannot be read without a Python; write a literal value`];
  const { machine: dynamic, questions } = machine(answer(PORT));
  for (const words of [
    ['--no-python', 'start'],
    ['start', '--no_python'],
  ]) {
    const result = await command([...GIVEN, ...words], dynamic);
    assert.deepEqual([result.exit, result.told], [6, told]);
  }
  const call = `from frontik.server.supervisor import supervisor\nsupervisor('/usr/bin/frontik', '${CONFIG}')\n`;
  const files = { [CONFIG]: DYNAMIC, [LAUNCHER]: `#!/usr/bin/frontik-supervisor --no-python\n${call}` };
  for (const words of [
    [LAUNCHER, 'start'],
    ['--no-python', LAUNCHER, 'start'],
  ]) {
    const result = await command(words, { ...dynamic, files });
    assert.deepEqual([result.exit, result.told], [6, told]);
  }
  const computed = { ...files, [LAUNCHER]: `x = __import__('app')\nscript = x.script\n` };
  const result = await command([LAUNCHER, '--no-python', 'start'], { ...dynamic, files: computed });
  assert.equal(result.exit, 6);
  assert.match(result.told.join('\n'), /cannot be read without a Python; write a literal value$/);
  assert.deepEqual(questions, []);
  const wrong = await command([...GIVEN, '--no-python=1', 'start'], dynamic);
  assert.deepEqual([wrong.exit, wrong.told[0]], [2, 'error: --no-python: takes no value']);
});

// ── launchers ───────────────────────────────────────────────────

const COMPUTED = `#!/usr/bin/frontik-supervisor
from frontik.server.supervisor import supervisor
supervisor(**__import__('app').arguments)
`;
const CALLED = {
  script: { kind: 'str' as const, value: '/usr/bin/frontik' },
  config: { kind: 'str' as const, value: CONFIG },
};
const called = (more: Partial<PythonResult> = {}): PythonAnswer =>
  answer(CALLED, { called: 'frontik.server.supervisor', ...more });
const FILES = { [CONFIG]: SETTINGS, [LAUNCHER]: COMPUTED };

test('a launcher that is executed: its call, its generation, and what it did to its process', async () => {
  const { machine: dynamic, questions } = machine(
    called({
      called: 'tornado_util.supervisor',
      effects: [
        { kind: 'directory', path: '/opt/app' },
        { kind: 'variable', name: 'LANG', value: 'ru' },
        { kind: 'variable', name: 'TZ', value: undefined },
      ],
    }),
    { files: { ...FILES, [CONFIG]: "port = 8000\nworkers_count = 2\npidfile_template = 'run/%(port)s.pid'\n" } },
  );
  const { exit, told, printed, effects } = await command(['--app=x', LAUNCHER, 'check'], dynamic);
  assert.deepEqual([exit, told, effects], [0, [], ['cd /opt/app', 'LANG=ru', 'unset TZ']]);
  assert.match(printed, /^start_port +8000 +\/etc\/app\/app\.cfg:1$/m);
  assert.match(printed, /--pidfile=\/opt\/app\/run\/8000\.pid --app=x$/m);
  const [asked] = questions;
  assert(asked !== undefined);
  const { names, ...question } = asked;
  assert.deepEqual(question, {
    kind: 'launcher',
    path: LAUNCHER,
    python: 'python3',
    argv: [LAUNCHER, '--app=x', 'check'],
    importsFrom: '/etc/init.d',
  });
  assert(['script', 'config', 'app', 'python', 'workers_count'].every((name) => names.includes(name)));
});

test('a directory that cannot be entered is the launcher`s problem', async () => {
  const { machine: dynamic } = machine(called({ effects: [{ kind: 'directory', path: '/gone' }] }), {
    files: FILES,
    closed: { '/gone': 'ENOENT' },
  });
  const { exit, told } = await command([LAUNCHER, 'start'], dynamic);
  assert.deepEqual([exit, told], [6, [`error: ${LAUNCHER}: os.chdir: /gone cannot be entered: ENOENT`]]);
});

const UNUSABLE: readonly (readonly [more: Partial<PythonResult>, told: string])[] = [
  [{ effects: [{ kind: 'variable', name: 'A', value: '\udcff' }] }, `${LAUNCHER}: os.environ: A must be UTF-8`],
  [
    { effects: [{ kind: 'variable', name: 'A\udcff', value: undefined }] },
    `${LAUNCHER}: os.environ: A\ufffd must be UTF-8`,
  ],
  [{ effects: [{ kind: 'directory', path: '/\udcff' }] }, `${LAUNCHER}: os.chdir: the path must be UTF-8`],
];
for (const [more, told] of UNUSABLE) {
  test(told, async () => {
    const {
      exit,
      told: all,
      effects,
    } = await command([LAUNCHER, 'start'], machine(called(more), { files: FILES }).machine);
    assert.deepEqual([exit, all, effects], [6, [`error: ${told}`], []]);
  });
}

test('a path that cannot be one is a problem of the settings, and never looked for', async () => {
  for (const [path, told] of [
    ['/a\0b', String.raw`config must not hold a NUL, got '/a\x00b'`],
    ['/\ud800', String.raw`config must be UTF-8, got '/\ud800'`],
  ] as const) {
    const values = { ...CALLED, config: { kind: 'str' as const, value: path } };
    const said = answer(values, { called: 'frontik.server.supervisor' });
    const { exit, told: all } = await command([LAUNCHER, 'start'], machine(said, { files: FILES }).machine);
    assert.deepEqual([exit, all], [6, [`error: ${LAUNCHER}:1:14: ${told}`]]);
  }
});

test('a launcher may change its words', async () => {
  const argv = [LAUNCHER, '--workers_count=1', 'check', '--nonsense'];
  const { machine: dynamic } = machine(called({ argv }), { files: FILES });
  const { exit, told, printed } = await command([LAUNCHER, 'start'], dynamic);
  assert.deepEqual([exit, told], [6, ['error: --nonsense: unknown option']]);
  assert.match(printed, /^workers_count +1 +--workers_count$/m);
});

const LACKS: readonly (readonly [result: Partial<PythonResult>, told: string])[] = [
  [
    { values: [], imported: 'frontik.server.supervisor' },
    'supervisor() is imported from frontik.server.supervisor and never called',
  ],
  [{ values: [] }, 'there is neither a call of supervisor() nor a script, app or config'],
];
for (const [result, told] of LACKS) {
  test(told, async () => {
    const { machine: dynamic } = machine(answer({}, result), { files: FILES });
    const ended = await command([LAUNCHER, 'start'], dynamic);
    assert.deepEqual([ended.exit, ended.told], [6, [`error: ${LAUNCHER}:1:1: ${told}`]]);
  });
}

test('the configuration is executed with the words and the directory of the launcher', async () => {
  const { machine: dynamic, questions } = machine(({ kind }) => (kind === 'launcher' ? called() : answer(PORT)), {
    files: { ...FILES, [CONFIG]: DYNAMIC },
  });
  assert.equal((await command([LAUNCHER, 'start'], dynamic)).exit, 0);
  assert.deepEqual(
    questions.map(({ kind, argv, importsFrom }) => [kind, argv, importsFrom]),
    ['launcher', 'config'].map((kind) => [kind, [LAUNCHER, 'start'], '/etc/init.d']),
  );
});

test('a signal while Python is at work ends the command', async () => {
  for (const action of ['start', 'check']) {
    const { machine: dynamic } = machine({ kind: 'interrupted' }, { signal: 'SIGINT' });
    const { exit, told } = await command([...GIVEN, action], dynamic);
    assert.deepEqual([exit, told], [130, []]);
  }
});

// ── which Python ────────────────────────────────────────────────

const INTERPRETERS: readonly (readonly [
  given: readonly [script: string | undefined, python?: string],
  files: Machine['files'],
  missing: readonly string[],
  wanted: string,
])[] = [
  [[undefined], {}, [], 'python3'],
  [['/srv/run', '/srv/venv/bin/python'], { '/srv/run': '#!/usr/bin/python2.7\n' }, [], '/srv/venv/bin/python'],
  [['/srv/run', '/srv/nosuch'], {}, ['/srv/nosuch'], 'no /srv/nosuch'],
  [['/usr/bin/python2.7 -u /srv/run'], {}, [], '/usr/bin/python2.7'],
  [['python3.9  /srv/run'], {}, ['python3.9'], 'python3'],
  [['/srv/run -x'], { '/srv/run': '#!/srv/venv/bin/python3 -u\nx' }, [], '/srv/venv/bin/python3'],
  [['/srv/run'], { '/srv/run': '#! /usr/bin/env python2\n' }, [], 'python2'],
  [['/srv/run'], { '/srv/run': '#!/usr/bin/env python\r\n' }, [], 'python'],
  [['/srv/run'], { '/srv/run': '#!/usr/bin/env python\n' }, ['python'], 'python3'],
  [['/srv/run'], { '/srv/run': '#!/usr/bin/env -S python3 -u\n' }, [], 'python3'],
  [['/srv/run'], { '/srv/run': '#!/bin/sh\nexec python2 x\n' }, [], 'python3'],
  [['/srv/run'], { '/srv/run': '\u007fELF' }, [], 'python3'],
  [['/srv/run'], { '/srv/run': '#!/opt/python-wrapper/run\n' }, [], 'python3'],
  [['/srv/run'], {}, ['/srv/run'], 'python3'],
  [['/srv/run'], {}, ['/srv/run', 'python3'], 'no python3'],
];
for (const [[script, python], files, missing, wanted] of INTERPRETERS) {
  test(`${script} with ${JSON.stringify(files)}: ${wanted}`, () => {
    const programs = Object.fromEntries(missing.map((name) => [name, { kind: 'missing' as const }]));
    const host = hostOn(simulated(), { files: files ?? {}, programs });
    const layers = [
      launcher(script === undefined ? {} : { script: str(script) }),
      commandLine(python === undefined ? {} : { supervisor_python: text(python) }),
    ];
    const { kind, program } = chooseInterpreter(layers, host);
    assert.equal(kind === 'found' ? program : `no ${program}`, wanted);
  });
}

test('a launcher that names a Python is executed by it, unless another is chosen', () => {
  const host = hostOn(simulated(), {
    files: { '/srv/app': '#!/usr/bin/python2.7\n', '/srv/run': '#!/usr/bin/python3.9\n' },
  });
  const script = commandLine({ script: text('/srv/run') });
  const chosen = commandLine({ supervisor_python: text('/srv/python') });
  assert.equal(ownInterpreter([], '/srv/app', host).program, '/usr/bin/python2.7');
  assert.equal(ownInterpreter([script], '/srv/nosuch', host).program, '/usr/bin/python3.9');
  assert.equal(ownInterpreter([chosen], '/srv/app', host).program, '/srv/python');
});

test('the script among its words', () => {
  const of = (script: string) => findScript([commandLine({ script: text(script) })]);
  assert.deepEqual(
    [of('/srv/run -x'), of('frontik'), of('/usr/bin/python3 /srv/run.py'), of('./run'), findScript([])],
    ['/srv/run', undefined, '/srv/run.py', './run', undefined],
  );
});

test('an empty python or script is none', () => {
  const host = hostOn(simulated(), { files: {} });
  const layers = [commandLine({ supervisor_python: text(''), script: text(' ') })];
  assert.deepEqual(chooseInterpreter(layers, host), { kind: 'found', program: 'python3' });
});
