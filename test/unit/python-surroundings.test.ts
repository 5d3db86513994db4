// What configurations learn about the place where they are executed, what they decide by it, and what they define.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../src/config/config-file.ts';
import { repr } from '../../src/config/python-value.ts';
import { surroundings } from '../support/python-surroundings.ts';

const VARIABLES = { PORT: '9100', DIR: '/run/app/', EMPTY: '', SPACES: ' 9_1 ', WORD: 'four', BAD: 'a\ufffdb' };
const LINKS: Readonly<Record<string, string>> = {
  '/etc/app': '/srv/app',
  '/etc/app/app.cfg': '/srv/app/1.cfg',
  '/srv/app/app.cfg': '/srv/app/1.cfg',
};

// The value of `a` after the imports of os and sys and the given lines.
function read(lines: string): string {
  const file = `import os, sys\n${lines}`;
  const around = { ...surroundings(VARIABLES), realpath: (path: string) => LINKS[path] ?? path };
  const result = readConfig(new TextEncoder().encode(file), (name) => name === 'a', around);
  if (result.kind !== 'read') return `${result.kind} ${result.at.line}:${result.at.col} ${result.text}`;
  const value = result.assigned.get('a')?.value;
  return value === undefined ? 'unset' : repr(value);
}

const EXPRESSIONS: readonly (readonly [expression: string, value: string])[] = [
  // The environment.
  ["os.environ.get('PORT')", "'9100'"],
  ["os.environ.get('PORT', 1)", "'9100'"],
  ["os.environ.get('NO', 1)", '1'],
  ["os.environ.get('NO')", 'None'],
  ["os.environ['DIR']", "'/run/app/'"],
  ["os.environ['NO']", "invalid 2:5 KeyError: 'NO'"],
  ["os.getenv('EMPTY', 'x')", "''"],
  ["os.getenv('PORT=1')", 'None'],
  ["'PORT' in os.environ", 'True'],
  ["'NO' not in os.environ", 'True'],
  ["'PORT' in os.environ == True", 'needs-python 2:5 a long comparison'],
  ["os.environ.get('BAD')", 'needs-python 2:5 the variable BAD, which may not be UTF-8'],
  ["os.environ.get('_')", 'needs-python 2:5 the variable _, which depends on the program that reads it'],
  ["os.environ.get('NO', default=1)", 'needs-python 2:5 a function call'],
  ['os.environ.get(1)', 'needs-python 2:5 a variable with an unusual name'],
  ['os.environ.get()', 'needs-python 2:5 a function call'],
  ['os.environ', 'needs-python 2:5 an attribute'],
  // Paths.
  ['__file__', "'/etc/app/app.cfg'"],
  ['os.path.dirname(os.path.abspath(__file__))', "'/etc/app'"],
  ['os.path.realpath(__file__)', "'/srv/app/1.cfg'"],
  ["os.path.realpath('/etc/app/../x')", 'needs-python 2:5 os.path.realpath of what may not exist'],
  ["os.path.realpath('/etc/app/..')", "'/srv'"],
  ["os.path.join('/a', 'b', 'c/', 'd')", "'/a/b/c/d'"],
  ["os.path.join('/a', '/b', '')", "'/b/'"],
  ["os.path.join('', 'a')", "'a'"],
  ["os.path.join(b'a', b'b')", 'needs-python 2:5 a function call'],
  ["os.path.basename('/a/b')", "'b'"],
  ["os.path.basename('/a/')", "''"],
  ["os.path.dirname('//a')", "'//'"],
  ["os.path.dirname('/a//b')", "'/a'"],
  ["os.path.dirname('a')", "''"],
  ["os.path.normpath('a/./b//../c/')", "'a/c'"],
  ["os.path.normpath('//a/..')", "'//'"],
  ["os.path.normpath('///a')", "'/a'"],
  ["os.path.normpath('../../a')", "'../../a'"],
  ["os.path.normpath('')", "'.'"],
  ["os.path.abspath('x/..')", "'/srv'"],
  ['os.getcwd()', "'/srv'"],
  ['os.sep + os.curdir + os.name', "'/.posix'"],
  ["os.path.expanduser('~')", 'needs-python 2:5 a function call'],
  ["os.path.exists('/')", 'needs-python 2:5 a function call'],
  // Conversions.
  ["int('7')", '7'],
  ["int(os.environ['SPACES'])", '91'],
  ["int('-0012')", '-12'],
  ["int('+1_0')", '10'],
  ["int(os.environ['WORD'])", "invalid 2:5 ValueError: invalid literal for int() with base 10: 'four'"],
  ["int('')", "invalid 2:5 ValueError: invalid literal for int() with base 10: ''"],
  ["int('٣')", 'needs-python 2:5 a function call'],
  ["int('10', 16)", 'needs-python 2:5 a function call'],
  ['int(True)', '1'],
  ['int(1.5)', 'needs-python 2:5 a function call'],
  ['int(None)', 'needs-python 2:5 a function call'],
  ['str(12)', "'12'"],
  ['str(None) + str(True)', "'NoneTrue'"],
  ["bool('') or bool(2)", 'True'],
  ['max(1, 5, 3) - min(4, 2)', '3'],
  ['max(1, 2.)', 'needs-python 2:5 a function call'],
  ['max(1)', 'needs-python 2:5 a function call'],
  ["int(x='1')", 'needs-python 2:5 a function call'],
  // Comparisons and decisions.
  ['1 < 2 <= 2 != 3', 'True'],
  ['1 < 2 > 5', 'False'],
  ['(1 < 2) == True', 'True'],
  ['3 > 5 > undefined', 'False'],
  ['1 == 1.0 == True', 'True'],
  ['9007199254740993 == 9007199254740992.0', 'False'],
  ["1 == '1'", 'False'],
  ["'a' < 'b'", 'True'],
  ["'a' < '😀'", 'needs-python 2:5 the operation str < str'],
  ["1 < 'a'", 'needs-python 2:5 the operation int < str'],
  ["'a' == b'a'", 'needs-python 2:5 the operation str == bytes'],
  ['None is None', 'True'],
  ['1 is not None', 'True'],
  ['True is False', 'False'],
  ['1 is 1', 'needs-python 2:5 the operation int is int'],
  ["'b' in 'abc'", 'True'],
  ["'x' not in ['a', 'x']", 'False'],
  ['1 in (True, 2)', 'True'],
  ['0 or "x" and None', 'None'],
  ['1 and 0 or 7', '7'],
  ['1 or undefined', '1'],
  ['not 1 or 2', '2'],
  ['{} or 1', 'needs-python 2:5 the operator or'],
  ["8 if os.environ['PORT'] else undefined", '8'],
  ['undefined if 0 else 1 if 0 else 2', '2'],
  ['1 if {} else 2', 'needs-python 2:10 whether a dict is empty'],
  ['__name__', "'builtins'"],
];

for (const [expression, value] of EXPRESSIONS) {
  test(`${expression} is ${value}`, () => assert.equal(read(`a = ${expression}`), value));
}

const FILES: readonly (readonly [lines: string, value: string])[] = [
  // Ways to import.
  ["import os.path as p\na = p.join('x', 'y')", "'x/y'"],
  ["from os import environ as e, getenv, path\na = path.join(e['DIR'], getenv('PORT'))", "'/run/app/9100'"],
  ["from os.path import join as j, dirname\na = j(dirname('/x/y'), 'z')", "'/x/z'"],
  ["e = os.environ\nf = e.get\na = f('PORT')", "'9100'"],
  ["int = 5\na = int('1')", 'needs-python 3:5 a function call'],
  ["os = 1\na = os.getenv('PORT')", 'needs-python 3:5 a function call'],
  // Changes of the environment.
  ["os.environ['X'] = 'v'\na = os.environ['X']", "'v'"],
  ["os.environ['PORT'] = '1'\ndel os.environ['PORT']\na = os.getenv('PORT')", 'None'],
  [
    "os.environ.setdefault('PORT', '1')\nos.environ.setdefault('X', '2')\na = os.environ['PORT'] + os.environ['X']",
    "'91002'",
  ],
  ["os.environ.pop('PORT')\na = 'PORT' in os.environ", 'False'],
  ["os.environ.pop('NO', None)\na = 1", '1'],
  ["os.environ.pop('NO')", "invalid 2:1 KeyError: 'NO'"],
  ["del os.environ['NO']", "invalid 2:5 KeyError: 'NO'"],
  ["os.environ['X'] = 1", 'needs-python 2:1 an unusual change of os.environ'],
  ["del os.environ['']", 'needs-python 2:5 an unusual change of os.environ'],
  ["os.environ['X'] += 'v'", 'needs-python 2:1 an assignment to an item'],
  ["os.environ.update(X='v')", 'needs-python 2:1 a call of os.environ.update'],
  ["os.environ.setdefault('X')\na = 1", 'needs-python 2:1 a call of os.environ.setdefault'],
  ["os.environ.setdefault('PORT')\na = 1", 'needs-python 2:1 a call of os.environ.setdefault'],
  ["x = os.environ.setdefault('X', 'v')", 'needs-python 2:5 a call of os.environ.setdefault'],
  [
    "e = [os.environ]\ne[0]['PORT'] = 'v'\na = os.getenv('PORT')",
    'needs-python 4:5 os.environ, which an assignment to an item may have changed',
  ],
  [
    "import dotenv\ndotenv.load()\na = os.getenv('PORT')",
    'needs-python 4:5 os.environ, which the import dotenv may have changed',
  ],
  ["import json\njson.loads('1')\na = os.getenv('PORT')", "'9100'"],
  ['import x\na = os.getcwd()', 'needs-python 3:5 the working directory, which the import x may have changed'],
  // What is passed over, and what is not.
  ["import logging\nlogging.getLogger('x').setLevel(logging.WARN)\na = 1", '1'],
  ["print('x')\na = 1", '1'],
  ["sys.path.insert(0, '/opt')\na = 1", '1'],
  ['x = []\nx.append(1)\na = 1', '1'],
  ['a = []\na.append(1)', 'needs-python 2:5 a list that may have been changed later'],
  ['x = {}\nx["a"] = 1\nx.a = 2\na = 1', '1'],
  ['sys.exit()', 'needs-python 2:1 a call of sys.exit'],
  ['x = sys.exit()', 'needs-python 2:5 a call of sys.exit'],
  ["os.chdir('/')", 'needs-python 2:1 a call of os.chdir'],
  ["os.path.sep = 'x'", 'needs-python 2:1 an assignment to an attribute'],
  ["sys.modules['x'].a = 1", 'needs-python 2:1 an assignment to an attribute'],
  ['exit()', 'needs-python 2:1 a function call'],
  ['x = [exit() for y in (1,)]', 'needs-python 2:6 a call of exit'],
  ['1 // 0', 'needs-python 2:1 the operation int // int'],
  ["'x'.y()", 'needs-python 2:1 a function call'],
  // if
  ["if os.getenv('PORT') == '1':\n    a = 1\nelif 'DIR' in os.environ: a = 2; x = 3\nelse:\n    a = undefined", '2'],
  ['if 0:\n  a = 1', 'unset'],
  ["if __name__ == '__main__':\n  a = 1\nelse:\n  a = 2", '2'],
  ['if 1:\n  if 0: pass\n  else:\n    a = 5', '5'],
  ['if 1:\n  a = undefined', "invalid 3:7 NameError: name 'undefined' is not defined"],
  ['if undefined: pass', "invalid 2:4 NameError: name 'undefined' is not defined"],
  ["a = 1\nif os.path.exists('/'): a = 2", 'needs-python 3:1 a function call'],
  ["a = 1\nif os.path.exists('/'): b = 2", '1'],
  ["if 1: a = 1\nif os.path.exists('/'):\n  for x, (y, a) in (): pass", 'needs-python 3:1 a function call'],
  ["if os.path.exists('/'): raise ValueError('x')", 'needs-python 2:25 a raise statement'],
  ["if os.path.exists('/'):\n  import sys as s\n  s.exit()", 'needs-python 4:3 a call of sys.exit'],
  // Loops and the like
  ['a = 1\nfor x in (1, 2): y = x', '1'],
  ['a = 1\nfor a in (1, 2): y = x', 'needs-python 3:1 a for statement'],
  ['a = 1\ntry:\n  import json\nexcept ImportError as e:\n  json = None', '1'],
  ['try:\n  a = 1\nexcept ImportError:\n  a = 2', 'needs-python 2:1 a try statement'],
  ["with open('/x') as a: pass", 'needs-python 2:1 a with statement'],
  [
    "try: os.environ['PORT'] = '1'\nfinally: a = 1\na = os.getenv('PORT')",
    'needs-python 4:5 os.environ, which an assignment to an item may have changed',
  ],
  ['while 1: pass', 'needs-python 2:1 a while statement'],
  ['assert 1, "x"\na = 1', '1'],
  ['assert 0', 'needs-python 2:1 an assert statement'],
  ['raise ValueError("x")', 'needs-python 2:1 a raise statement'],
  // del
  ['a = 1\ndel a', 'unset'],
  ['x = 1\ndel x\na = x', "invalid 4:5 NameError: name 'x' is not defined"],
  ['del x', "invalid 2:5 NameError: name 'x' is not defined"],
  ['x = open("y")\ndel x', 'needs-python 3:1 a del statement'],
  // def and class
  ['def f(x=1):\n  a = 2\n  return undefined\na = 1', '1'],
  ['a = 1\ndef f(): return 2\nf()', '1'],
  ['def f(): return 2\na = f()', 'needs-python 3:5 a function call'],
  ['def a(): pass', 'needs-python 2:1 a def statement'],
  ['def f(): sys.exit()\nf()', 'needs-python 2:10 a call of sys.exit'],
  ['def f(): raise x\nf()', 'needs-python 2:10 a raise statement'],
  ['def f(): f()\nf()', 'needs-python 2:10 calls of calls'],
  [
    "def f(): os.environ['PORT'] = '1'\nf()\na = os.getenv('PORT')",
    'needs-python 4:5 os.environ, which an assignment to an item may have changed',
  ],
  ['def f():\n  global a\n  a = 2\na = 1\nf()', 'needs-python 3:3 a global statement'],
  ["def f():\n  globals()['a'] = 2\na = 1\nf()", 'needs-python 3:3 globals'],
  ['def f(x=undefined): pass', "needs-python 2:9 NameError: name 'undefined' is not defined"],
  ['class C(object):\n  a = 2\na = 1', '1'],
  ['class C:\n  sys.exit()', 'needs-python 3:3 a call of sys.exit'],
  ['class C: n = 1\na = C.n', 'needs-python 3:5 an attribute'],
  ['@property\ndef f(): pass\na = 1', '1'],
  // Several targets of which one may be refused.
  ['x = []\na, x[0] = 1, 2', 'needs-python 3:11 an unpacking'],
];

for (const [lines, value] of FILES) {
  test(`${JSON.stringify(lines)}: ${value}`, () => assert.equal(read(lines), value));
}

test('a directory that has been removed, and a relative path of the file', () => {
  const gone = { ...surroundings(), directory: undefined };
  const bytes = new TextEncoder().encode('import os\na = os.path.abspath("x")');
  const result = readConfig(bytes, (name) => name === 'a', gone);
  assert.equal(result.kind === 'read' ? 'read' : result.text, 'the working directory, which has been removed');
  const file = new TextEncoder().encode('a = __file__');
  const relative = readConfig(file, (name) => name === 'a', { ...surroundings(), path: '../etc/./x.cfg' });
  assert.deepEqual(relative.kind === 'read' && relative.assigned.get('a')?.value, { kind: 'str', value: '/etc/x.cfg' });
});
