import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../src/config/config-file.ts';
import { type PyValue, repr, typeName } from '../../src/config/python-value.ts';
import { surroundings } from '../support/python-surroundings.ts';

// The value of a file's name `a`, as type and repr.
function evaluated(file: string): string {
  const result = readConfig(new TextEncoder().encode(file), (name) => name === 'a', surroundings());
  if (result.kind !== 'read') return `${result.kind} ${result.at.line}:${result.at.col} ${result.text}`;
  const value = result.assigned.get('a')?.value;
  return value === undefined ? 'unset' : `${typeName(value)} ${repr(value)}`;
}

const EXPRESSIONS: readonly (readonly [expression: string, value: string])[] = [
  ['9001', 'int 9001'],
  ['0', 'int 0'],
  ['00', 'int 0'],
  ['0_0', 'int 0'],
  ['1_000', 'int 1000'],
  ['0x232A', 'int 9002'],
  ['0X_fF', 'int 255'],
  ['0b1010', 'int 10'],
  ['0O17', 'int 15'],
  ['123456789012345678901234567890', 'int 123456789012345678901234567890'],
  ['1.', 'float 1.0'],
  ['.5', 'float 0.5'],
  ['1e3', 'float 1000.0'],
  ['1_0.0_1e1_0', 'float 100100000000.0'],
  ['08.5', 'float 8.5'],
  ['1e16', 'float 1e+16'],
  ['1e15', 'float 1000000000000000.0'],
  ['0.0001', 'float 0.0001'],
  ['0.00012', 'float 0.00012'],
  ['1e-5', 'float 1e-05'],
  ['1.5e400', 'float inf'],
  ['-0.', 'float -0.0'],
  ['1j', 'complex 1j'],
  ['1.5J', 'complex 1.5j'],
  ['True', 'bool True'],
  ['None', 'NoneType None'],
  ['...', 'ellipsis Ellipsis'],
  ["'a'", "str 'a'"],
  ['"it\'s"', 'str "it\'s"'],
  [String.raw`'it\'s "x"'`, String.raw`str 'it\'s "x"'`],
  [String.raw`'\n\t\\\a\0\x41\101\u0442\U0001F600'`, String.raw`str '\n\t\\\x07\x00AAт😀'`],
  [String.raw`'\d\/\%'`, String.raw`str '\\d\\/\\%'`],
  [String.raw`r'\d\''`, String.raw`str "\\d\\'"`],
  [String.raw`u'\u0442'`, "str 'т'"],
  [String.raw`b'\xff\u0442\777'`, String.raw`bytes b'\xff\\u0442\xff'`],
  [String.raw`Rb'\n'`, String.raw`bytes b'\\n'`],
  ["f'/a'", "str '/a'"],
  ["'a\\\nb'", "str 'ab'"],
  ['"""a\n\'b"""', String.raw`str "a\n'b"`],
  ["'''a'' '''", 'str "a\'\' "'],
  ['"/var" \'/run\' """/x"""', "str '/var/run/x'"],
  ["('/var'\n  # comment\n  '/run')", "str '/var/run'"],
  ["b'a' b'b'", "bytes b'ab'"],
  ['[]', 'list []'],
  ["[1, 'a', [None],]", "list [1, 'a', [None]]"],
  ['()', 'tuple ()'],
  ['1,', 'tuple (1,)'],
  ['(1, 2)', 'tuple (1, 2)'],
  ['1, 2,', 'tuple (1, 2)'],
  ['(((1)))', 'int 1'],
  ["{'x': 1, 2: [3]}", 'dict {...}'],
  ['{}', 'dict {...}'],
  ['{1, 2}', 'set {...}'],
  ['+7', 'int 7'],
  ['- -7', 'int 7'],
  ['~5', 'int -6'],
  ['not None', 'bool True'],
  ["not 'x'", 'bool False'],
  ['not []', 'bool True'],
  ['3000 * 3 + 1', 'int 9001'],
  ['1 - 2 - 3', 'int -4'],
  ['2 * (3 - 4)', 'int -2'],
  ['-7 // 2', 'int -4'],
  ['7 // -2', 'int -4'],
  ['-7 % 3', 'int 2'],
  ['7 % -3', 'int -2'],
  ["'/var' + '/run'", "str '/var/run'"],
  ["'ab' * 2 + 'c' * -1", "str 'abab'"],
  ["2 * 'ab'", "str 'abab'"],
  ["'/run/%s/%s.%%(port)s.pid' % ('app', 3)", "str '/run/app/3.%(port)s.pid'"],
  ["'%s' % 'a'", "str 'a'"],
  ["'%d%%' % 5", "str '5%'"],
  // What only a running Python should say.
  ['1 / 2', 'needs-python 1:5 the operation int / int'],
  ['2 ** 3', 'needs-python 1:5 the operation int ** int'],
  ['1 // 0', 'needs-python 1:5 the operation int // int'],
  ["1 + 'a'", 'needs-python 1:5 the operation int + str'],
  ['True + 1', 'needs-python 1:5 the operation bool + int'],
  ['1. + 1', 'needs-python 1:5 the operation float + int'],
  ["'%s' % ('a', 'b')", 'needs-python 1:5 the operation str % tuple'],
  ["'%05d' % 4", 'needs-python 1:5 the operation str % int'],
  ["'%d' % 'x'", 'needs-python 1:5 the operation str % str'],
  ["'x' * 10000", 'needs-python 1:5 the operation str * int'],
  ['-True', 'needs-python 1:5 the operation - bool'],
  ['lambda: 1', 'needs-python 1:5 a lambda'],
  ['[x for x in y]', 'needs-python 1:6 a list comprehension'],
  ['len(1)', 'needs-python 1:5 a function call'],
  ['1, len(1)', 'needs-python 1:8 a function call'],
  ["{'a': 1}['a']", 'needs-python 1:5 a subscript'],
  ['{[]: 1}', 'needs-python 1:6 a list as a key'],
  ['int', 'needs-python 1:5 the built-in name int'],
  ['__doc__', 'needs-python 1:5 the built-in name __doc__'],
  ['[*b]', 'needs-python 1:6 an unpacking'],
  ["f'{b}'", 'needs-python 1:5 an f-string'],
  [String.raw`'\N{BULLET}'`, 'needs-python 1:5 a character by its name, \\N{...}'],
  [String.raw`'\ud83d\ude00'`, 'needs-python 1:5 half of a surrogate pair'],
  ['1if 2 else 3', 'needs-python 1:5 a number that runs into a word'],
  ['è', 'needs-python 1:5 a name with letters beyond ASCII'],
  ['(b := 1)', 'needs-python 1:8 an assignment inside an expression'],
  ['[1][*b]', 'needs-python 1:9 a starred subscript'],
  ['lambda x, /: 1', 'needs-python 1:15 a parameter list with /'],
  ['globals()', 'needs-python 1:5 globals'],
  ['x.__dict__', 'needs-python 1:7 the attribute __dict__'],
];

for (const [expression, value] of EXPRESSIONS) {
  test(`${JSON.stringify(expression)} is ${value}`, () => assert.equal(evaluated(`a = ${expression}`), value));
}

test('a long number, a deep and a long expression are left to Python', () => {
  assert.equal(evaluated(`a = ${'1'.repeat(1001)}`), 'needs-python 1:5 a very long number');
  assert.equal(
    evaluated(`a = ${'('.repeat(60)}1${')'.repeat(60)}`),
    'needs-python 1:55 more than 50 brackets in each other',
  );
  assert.equal(evaluated(`a = ${'-'.repeat(200)}1`), 'needs-python 1:105 a deeply nested expression');
  assert.equal(evaluated(`a = ${'1+'.repeat(2001)}1`), 'needs-python 1:4006 a very long expression');
});

const REPRS: readonly (readonly [PyValue, string])[] = [
  [{ kind: 'str', value: 'x'.repeat(58) }, `'${'x'.repeat(58)}'`],
  [{ kind: 'str', value: 'x'.repeat(59) }, `'${'x'.repeat(56)}...`],
  [{ kind: 'str', value: '\u00a0\u200b\u{e0001}' }, String.raw`'\xa0\u200b\U000e0001'`],
  [{ kind: 'bytes', value: "\0é'" }, String.raw`b"\x00\xe9'"`],
  [{ kind: 'list', items: Array.from({ length: 100 }, () => ({ kind: 'none' })) }, `[${'None, '.repeat(9)}No...`],
  [{ kind: 'float', value: Number.NaN }, 'nan'],
  [{ kind: 'float', value: -2.5e-7 }, '-2.5e-07'],
  [{ kind: 'float', value: 1e100 }, '1e+100'],
];

for (const [value, text] of REPRS) test(`a ${value.kind} is written ${text}`, () => assert.equal(repr(value), text));
