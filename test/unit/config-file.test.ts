import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type ConfigRead, readConfig } from '../../src/config/config-file.ts';
import { type PyValue, repr, type Unread } from '../../src/config/python-value.ts';
import { surroundings } from '../support/python-surroundings.ts';

// What the file sets, each as name=value@line:col, then its warnings; or why it is not read.
function read(file: string | Uint8Array): string {
  const bytes = typeof file === 'string' ? new TextEncoder().encode(file) : file;
  const result = readConfig(bytes, (name) => OPTIONS.has(name), surroundings());
  if (result.kind !== 'read') return `${result.kind} ${result.at.line}:${result.at.col} ${result.text}`;
  const assigned = [...result.assigned].map(([name, { value, at }]) => `${name}=${repr(value)}@${at.line}:${at.col}`);
  const warnings = result.warnings.map(({ text, at }) => `${at.line}:${at.col} ${text}`);
  return [...assigned, ...warnings].join(' ');
}

const OPTIONS: ReadonlySet<string> = new Set(
  'start_port port workers_count pidfile_template logfile_template supervisor_sigterm_timeout nofile_soft_limit with_coverage'.split(
    ' ',
  ),
);

const CASES: readonly (readonly [file: string, result: string])[] = [
  ['', ''],
  ['start_port = 9001', 'start_port=9001@1:14'],
  ['foo = 1\nStart_Port = 2', ''],
  ['start_port = 1\nstart_port = 2', 'start_port=2@2:14'],
  ['start_port = workers_count = 3', 'start_port=3@1:30 workers_count=3@1:30'],
  ['start_port, workers_count = 9001, 2', 'start_port=9001@1:29 workers_count=2@1:35'],
  ['[start_port, (workers_count, x)] = [1, (2, 3)]', 'start_port=1@1:37 workers_count=2@1:41'],
  [
    'workers_count, start_port = 1, 2\nworkers_count, start_port = start_port, workers_count',
    'workers_count=2@2:29 start_port=1@2:41',
  ],
  ['start_port, x = 1, [2]', 'start_port=1@1:17'],
  ['x = start_port, workers_count = 1, 2', 'start_port=1@1:33 workers_count=2@1:36'],
  ['start_port = 9000\nstart_port += 1', 'start_port=9001@2:15'],
  ["base = '/run'\npidfile_template = base + '/%(port)s.pid'", "pidfile_template='/run/%(port)s.pid'@2:20"],
  ["pidfile_template: str = '/a'", "pidfile_template='/a'@1:25"],
  ['start_port = None', 'start_port=None@1:14'],
  ['start_port = [9001]', 'start_port=[9001]@1:14'],
  ["x = '😀'; start_port = 1", 'start_port=1@1:23'],
  ["from frontik.app import App\nimport x.y\nurls = [('/', App('a')), x.y.Z]\nstart_port = 1", 'start_port=1@4:14'],
  ['f = lambda x: x + undefined\nstart_port = 1', 'start_port=1@2:14'],
  ['x = 1\nstart_port = f = x.y() if x else y\nstart_port = 1', 'start_port=1@3:14'],
  // A name that a mistake of YAML leaves unset.
  ['start_port: 9000\nfoo: 1', '1:1 "start_port: ..." sets nothing in Python; write "start_port = ..."'],
  ['start_port: 9000\nstart_port: 9001', '1:1 "start_port: ..." sets nothing in Python; write "start_port = ..."'],
  ['start_port: int\nstart_port = 1', 'start_port=1@2:14'],
  // A name that has no value, surely or perhaps.
  ['with_coverage = false', "invalid 1:17 NameError: name 'false' is not defined"],
  ['[frontik]\nstart_port = 9000', "invalid 1:2 NameError: name 'frontik' is not defined"],
  ["urls = [\n    (r'/x', SomeHandler),\n]", "invalid 2:13 NameError: name 'SomeHandler' is not defined"],
  ['start_port += 1', "invalid 1:1 NameError: name 'start_port' is not defined"],
  ['from __future__ import division\nstart_port = false', "invalid 2:14 NameError: name 'false' is not defined"],
  ['import os\nstart_port = false', "invalid 2:14 NameError: name 'false' is not defined"],
  ['import x\nstart_port = false', 'needs-python 2:14 the name false, which is not assigned here'],
  ['x = open()\nstart_port = false', 'needs-python 2:14 the name false, which is not assigned here'],
  ['import y\nx = false\nstart_port = 1', 'start_port=1@3:14'],
  ['x = f()', "invalid 1:5 NameError: name 'f' is not defined"],
  ['x = f.y', "invalid 1:5 NameError: name 'f' is not defined"],
  ['x = f[1]', "invalid 1:5 NameError: name 'f' is not defined"],
  ['x = len\nx = x(f)', ''],
  ['x = open(open(), f)', ''],
  ["y = 1\nx = ''(*y, *f)", ''],
  ["x = ''(*f)", "invalid 1:9 NameError: name 'f' is not defined"],
  ['start_port: undefined = 1', "needs-python 1:13 NameError: name 'undefined' is not defined"],
  // An option that depends on what is not executed.
  ['import os\nstart_port = os', 'needs-python 2:14 the name os, which holds the import os'],
  ['import start_port', 'needs-python 1:1 the import start_port'],
  ['start_port = len("1")', 'needs-python 1:14 a function call'],
  ['n = len("1")\nm = n\nstart_port = 1 + m', 'needs-python 3:18 the name m, which holds a function call'],
  ['n = [1]\nstart_port = n', 'needs-python 2:14 the name n, which holds a list'],
  ['workers_count = open()\nstart_port = len()', 'needs-python 1:17 a function call'],
  ['start_port = 1\nstart_port += len()', 'needs-python 2:15 a function call'],
  ['n = 2\nn /= 2\nstart_port = n', 'needs-python 3:14 the name n, which holds the operation int /= int'],
  ['start_port, workers_count = 9001', 'needs-python 1:29 an unpacking'],
  ['start_port, workers_count = 1, 2, 3', 'needs-python 1:29 an unpacking'],
  ['start_port = (x, y) = 1', 'needs-python 1:23 an unpacking'],
  ['*start_port, x = [1, 2]', 'needs-python 1:18 an unpacking'],
  // A list that something else may have changed since.
  ['start_port = [1]\nx = start_port.append(2)', 'needs-python 1:14 a list that may have been changed later'],
  ['start_port = x = [1]\nx += [2]', 'needs-python 1:18 a list that may have been changed later'],
  ["if __name__ == '__main__':\n    start_port = 1", ''],
];

for (const [file, result] of CASES) {
  test(`${JSON.stringify(file)}: ${result}`, () => assert.equal(read(file), result));
}

interface Vector {
  readonly id: string;
  readonly category: string;
  readonly config: string | null;
  readonly config_base64?: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly expected:
    | { readonly ok: true; readonly values: Readonly<Record<string, unknown>> }
    | { readonly ok: false; readonly error?: string; readonly line?: number };
}

const { vectors } = JSON.parse(readFileSync(new URL('../vectors/config.json', import.meta.url), 'utf8')) as {
  readonly vectors: readonly Vector[];
};
const OF_FILES = vectors.filter(({ category }) => category !== 'cli');
const DEFAULTS: Readonly<Record<string, unknown>> = {
  start_port: 8000,
  port: 8000,
  workers_count: 4,
  pidfile_template: null,
  logfile_template: null,
  supervisor_sigterm_timeout: 4,
  nofile_soft_limit: 4096,
  with_coverage: false,
};

function bytesOf({ config, config_base64: encoded }: Vector): Uint8Array {
  return encoded === undefined
    ? new TextEncoder().encode(config ?? '')
    : Uint8Array.from(Buffer.from(encoded, 'base64'));
}

const placed = (value: unknown): unknown => (typeof value === 'string' ? value.replace('<DIR>', '/srv/app') : value);

// What tornado.options makes of a value: a str is parsed for the option's type.
function parsed(name: string, value: PyValue | undefined): unknown {
  const usual = DEFAULTS[name];
  switch (value?.kind) {
    case undefined:
      return usual;
    case 'none':
      return null;
    case 'int':
      return Number(value.value);
    case 'bool':
      return value.value;
    case 'str':
      if (typeof usual === 'boolean') return !/^(?:false|0|f)$/i.test(value.value);
      return typeof usual === 'number' ? Number(value.value.replaceAll('_', '')) : value.value;
    default:
      return value;
  }
}

// Where the vectors were executed, with <DIR> called /srv/app.
function readVector(vector: Vector): ConfigRead | Unread {
  const around = surroundings({ PATH: '/bin', HOME: '/root', LANG: 'C.UTF-8', ...vector.env });
  return readConfig(bytesOf(vector), (name) => OPTIONS.has(name), { ...around, path: '/srv/app/x.cfg' });
}

// A vector's file on the reader, '' when it gives what CPython and Tornado gave, or asks for them.
function differs(vector: Vector): string {
  const { expected, args } = vector;
  const result = readVector(vector);
  if (result.kind === 'needs-python') return '';
  if (!expected.ok) {
    // A SyntaxError and a NameError have their lines; what only Tornado minds is not the reader's matter.
    if (result.kind === 'read')
      return /^(?:Error|ValueError|undefined)$/.test(String(expected.error)) ? '' : `not ${expected.error}`;
    const isSame = result.text.startsWith(expected.error ?? '?') && result.at.line === expected.line;
    return isSame ? '' : `${result.at.line} ${result.text}`;
  }
  if (result.kind === 'invalid') return result.text;
  const given = new Set(args.map((arg) => /^--([a-z_]+)=/.exec(arg)?.[1]));
  const wrong = Object.entries(expected.values).filter(([name, value]) => {
    return OPTIONS.has(name) && !given.has(name) && placed(value) !== parsed(name, result.assigned.get(name)?.value);
  });
  return wrong.map(([name]) => name).join(' ');
}

test('every vector gives what CPython and Tornado gave, or asks for them', () => {
  const wrong = OF_FILES.flatMap((vector) => (differs(vector) === '' ? [] : [`${vector.id}: ${differs(vector)}`]));
  assert.deepEqual(wrong, [
    // Tornado decodes the file itself and CPython meets the mark; CPython alone accepts it, and so do we.
    'lex.bom: not SyntaxError',
    // Tornado's decoding error has no line.
    "lex.bad_utf8: 1 SyntaxError: (unicode error) 'utf-8' codec can't decode what is here",
  ]);
});

test('these vectors, and no others, need a Python', () => {
  const left = OF_FILES.filter((vector) => readVector(vector).kind === 'needs-python');
  assert.deepEqual(
    left.map(({ id }) => id).join(' '),
    'real.cpu_expr int.long int.big int.pow_neg int.truediv int.int_base int.dict int.dict_get str.ur str.f_brace ' +
      'str.concat_b_mix str.pct_dict_call str.pct_toomany str.pct_d str.pct_d_str str.fmt str.fmt_missing str.strip ' +
      'str.replace str.upper str.slice str.ospath str.nonbmp stmt.unpack_bad stmt.walrus stmt.for stmt.while stmt.listcomp ' +
      'stmt.func stmt.class stmt.star_import stmt.assert_bad stmt.raise stmt.globals stmt.globals_dash stmt.locals ' +
      'stmt.list_append stmt.dict_item stmt.alias_list stmt.def_option stmt.module_option stmt.match stmt.cond_unknown',
  );
});
