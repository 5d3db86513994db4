import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../src/config/config-file.ts';
import { surroundings } from '../support/python-surroundings.ts';

function refusal(file: string | Uint8Array): string {
  const bytes = typeof file === 'string' ? new TextEncoder().encode(file) : file;
  const result = readConfig(bytes, (name) => name === 'a', surroundings());
  return result.kind === 'read' ? 'read' : `${result.at.line}:${result.at.col} ${result.kind} ${result.text}`;
}

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

const INVALID = 'invalid SyntaxError: invalid syntax';
const COMMA = `${INVALID}. Perhaps you forgot a comma?`;
const LITERAL_TARGET = "invalid SyntaxError: cannot assign to literal here. Maybe you meant '==' instead of '='?";

// The texts and places are those of CPython 3.11, except where it points behind the word that is wrong.
const CASES: readonly (readonly [file: string, refusal: string])[] = [
  // Numbers.
  [
    'a = 1\nb = 0777\n',
    '2:5 invalid SyntaxError: leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers',
  ],
  [
    'a = 0_7',
    '1:5 invalid SyntaxError: leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers',
  ],
  ['a = 9__1', '1:6 invalid SyntaxError: invalid decimal literal'],
  ['a = 9001_', '1:9 invalid SyntaxError: invalid decimal literal'],
  ['a = 9001L', '1:8 invalid SyntaxError: invalid decimal literal'],
  ['a = 0x', '1:5 invalid SyntaxError: invalid hexadecimal literal'],
  ['a = 0b12', "1:8 invalid SyntaxError: invalid digit '2' in binary literal"],
  ['a = 0o8', '1:5 invalid SyntaxError: invalid octal literal'],
  ['a = 1e', '1:5 invalid SyntaxError: invalid decimal literal'],
  ['a = 1.real', '1:6 invalid SyntaxError: invalid decimal literal'],
  ['a = 1.5.6', `1:8 ${INVALID}`],
  // Strings.
  ["a = 'x", '1:5 invalid SyntaxError: unterminated string literal (detected at line 1)'],
  ["a = r'a\\'", '1:5 invalid SyntaxError: unterminated string literal (detected at line 1)'],
  ['a = "x\\\ny', '1:5 invalid SyntaxError: unterminated string literal (detected at line 2)'],
  ["a = '''x\n\n", '1:5 invalid SyntaxError: unterminated triple-quoted string literal (detected at line 2)'],
  ["a = ur'a'", `1:7 ${INVALID}`],
  ["a = 'x' b'y'", '1:9 invalid SyntaxError: cannot mix bytes and nonbytes literals'],
  ["a = b'т'", '1:5 invalid SyntaxError: bytes can only contain ASCII literal characters'],
  [
    "a = '\\xZ1'",
    String.raw`1:5 invalid SyntaxError: (unicode error) 'unicodeescape' codec can't decode the escape at position 0: truncated \xXX escape`,
  ],
  [
    "a = 'b\\u12'",
    String.raw`1:5 invalid SyntaxError: (unicode error) 'unicodeescape' codec can't decode the escape at position 1: truncated \uXXXX escape`,
  ],
  [
    "a = '\\U00110000'",
    "1:5 invalid SyntaxError: (unicode error) 'unicodeescape' codec can't decode the escape at position 0: illegal Unicode character",
  ],
  ["a = b'\\x1'", String.raw`1:5 invalid SyntaxError: (value error) invalid \x escape at position 0`],
  // Brackets.
  ['a = (1', "1:5 invalid SyntaxError: '(' was never closed"],
  ['b = 1\na = (9001\nc = 2', "2:5 invalid SyntaxError: '(' was never closed"],
  ['a = [1, 2)', "1:10 invalid SyntaxError: closing parenthesis ')' does not match opening parenthesis '['"],
  ['a = (\n1]', "2:2 invalid SyntaxError: closing parenthesis ']' does not match opening parenthesis '(' on line 1"],
  ['a = 1)', "1:6 invalid SyntaxError: unmatched ')'"],
  ['b c\na = (1', `1:3 ${INVALID}`],
  ['b c\na = 1)', "2:6 invalid SyntaxError: unmatched ')'"],
  // Lines and indentation.
  ['a = 1 \\ # x', '1:8 invalid SyntaxError: unexpected character after line continuation character'],
  ['a = 1 \\', '1:7 invalid SyntaxError: unexpected EOF while parsing'],
  ['  a = 1', '1:2 invalid IndentationError: unexpected indent'],
  ['a = 1\n  b = 2\nc = 1)', '2:2 invalid IndentationError: unexpected indent'],
  ['if 1:\n    a = 1\n  b = 2', '3:8 invalid IndentationError: unindent does not match any outer indentation level'],
  ['if 1:\n\ta = 1\n        b = 2', '3:9 invalid TabError: inconsistent use of tabs and spaces in indentation'],
  [
    "if __name__ == '__main__':\na = 1",
    "2:1 invalid IndentationError: expected an indented block after 'if' statement",
  ],
  ['a = 1;; b = 2', `1:7 ${INVALID}`],
  // Characters.
  ['a =\u00a01', '1:4 invalid SyntaxError: invalid non-printable character U+00A0'],
  ['a = “x”', "1:5 invalid SyntaxError: invalid character '“' (U+201C)"],
  ['b = "😀"; a = “', "1:14 invalid SyntaxError: invalid character '“' (U+201C)"],
  ['a = 1\u0001', '1:6 invalid SyntaxError: invalid non-printable character U+0001'],
  ['a = 1?', `1:6 ${INVALID}`],
  ['a = `b`', `1:5 ${INVALID}`],
  ['a = b!', `1:6 ${INVALID}`],
  ['a = b <> c', `1:8 ${INVALID}`],
  ['a\0b', '1:2 invalid SyntaxError: source code string cannot contain null bytes'],
  // Expressions.
  ['a = ', `1:5 ${INVALID}`],
  ['a = 1 +', `1:8 ${INVALID}`],
  ['a = 1 2', `1:7 ${INVALID}`],
  ['a = /var/run', `1:5 ${INVALID}`],
  ['a = (1 2)', `1:6 ${COMMA}`],
  ["a = [\n'b'\n'c',\nd\ne]", `4:1 ${COMMA}`],
  ['a = f(b c)', `1:7 ${COMMA}`],
  ['a = {1: 2 3: 4}', `1:9 ${COMMA}`],
  ["a = [ur'a']", `1:8 ${INVALID}`],
  ['a = {1:}', `1:8 ${INVALID}`],
  ['a = {1: 2, 3}', `1:13 ${INVALID}`],
  ['a = {1, 2: 3}', `1:10 ${INVALID}`],
  ['a = (,)', `1:6 ${INVALID}`],
  ['a = b not c', `1:7 ${INVALID}`],
  ['a = b in in c', `1:10 ${INVALID}`],
  ['a = 1 + not b', `1:9 ${INVALID}`],
  ['a = b.if', `1:7 ${INVALID}`],
  ['a = b[]', `1:7 ${INVALID}`],
  ['a = *b', "1:5 invalid SyntaxError: can't use starred expression here"],
  ['a = (*b)', '1:6 invalid SyntaxError: cannot use starred expression here'],
  ['a = [*b for b in c]', '1:6 invalid SyntaxError: iterable unpacking cannot be used in comprehension'],
  ['a = [x for 1 in y]', `1:12 ${INVALID}`],
  ['a = [x for x]', `1:13 ${INVALID}`],
  ['a = b if c', "1:5 invalid SyntaxError: expected 'else' after 'if' expression"],
  ['a = lambda x=1, y: 2', '1:17 invalid SyntaxError: non-default argument follows default argument'],
  ['a = lambda x, x: 2', "1:15 invalid SyntaxError: duplicate argument 'x' in function definition"],
  ['a = lambda *, **k: 2', '1:17 invalid SyntaxError: named arguments must follow bare *'],
  ['a = lambda *b, *c: 2', `1:16 ${INVALID}`],
  ['a = lambda **k, x: 2', `1:17 ${INVALID}`],
  ['b = f(x=1, 2)', '1:12 invalid SyntaxError: positional argument follows keyword argument'],
  ['b = f(**k, 2)', '1:12 invalid SyntaxError: positional argument follows keyword argument unpacking'],
  ['b = f(**k, *c)', '1:12 invalid SyntaxError: iterable argument unpacking follows keyword argument unpacking'],
  ['b = f(x=1, x=2)', '1:12 invalid SyntaxError: keyword argument repeated: x'],
  ['b = f(x for x in y, 1)', '1:7 invalid SyntaxError: Generator expression must be parenthesized'],
  ['b = f(1, x for x in y)', '1:10 invalid SyntaxError: Generator expression must be parenthesized'],
  ['b = f(x.y=1)', '1:7 invalid SyntaxError: expression cannot contain assignment, perhaps you meant "=="?'],
  // Statements.
  ['a = 1 = 2', `1:5 ${LITERAL_TARGET}`],
  ['[a, 1] = 2', `1:5 ${LITERAL_TARGET}`],
  ['None = 1', "1:1 invalid SyntaxError: cannot assign to None here. Maybe you meant '==' instead of '='?"],
  ['f() = 1', "1:1 invalid SyntaxError: cannot assign to function call here. Maybe you meant '==' instead of '='?"],
  ['a + b = 1', "1:1 invalid SyntaxError: cannot assign to expression here. Maybe you meant '==' instead of '='?"],
  ['{} = 1', "1:1 invalid SyntaxError: cannot assign to dict literal here. Maybe you meant '==' instead of '='?"],
  ['{b} = 1', "1:1 invalid SyntaxError: cannot assign to set display here. Maybe you meant '==' instead of '='?"],
  ['*a = 1', '1:1 invalid SyntaxError: starred assignment target must be in a list or tuple'],
  ['*a, *b = c', '1:5 invalid SyntaxError: multiple starred expressions in assignment'],
  ['a, b += 1', "1:1 invalid SyntaxError: 'tuple' is an illegal expression for augmented assignment"],
  ['f() += 1', "1:1 invalid SyntaxError: 'function call' is an illegal expression for augmented assignment"],
  ['a, b: int', '1:1 invalid SyntaxError: only single target (not tuple) can be annotated'],
  ['1: int', '1:1 invalid SyntaxError: illegal target for annotation'],
  ['a: int: str', `1:7 ${INVALID}`],
  ['a = b += 1', `1:7 ${INVALID}`],
  ['a = pass', `1:5 ${INVALID}`],
  ['pass a', `1:6 ${INVALID}`],
  ['else', `1:1 ${INVALID}`],
  ['print 1', "1:1 invalid SyntaxError: Missing parentheses in call to 'print'. Did you mean print(...)?"],
  ['import', `1:7 ${INVALID}`],
  ['import a as b.c', `1:14 ${INVALID}`],
  ['import a,', `1:10 ${INVALID}`],
  ['from import a', `1:6 ${INVALID}`],
  ['from a import b.c', `1:16 ${INVALID}`],
  ['from a import ()', `1:16 ${INVALID}`],
  ['from a import b,', '1:17 invalid SyntaxError: trailing comma not allowed without surrounding parentheses'],
  ['from __future__ import braces', '1:1 invalid SyntaxError: not a chance'],
  ['from __future__ import nope', '1:1 invalid SyntaxError: future feature nope is not defined'],
  [
    'a = 1\nfrom __future__ import division',
    '2:1 invalid SyntaxError: from __future__ imports must occur at the beginning of the file',
  ],
  [
    "if __name__ == '__main__': from __future__ import division",
    '1:28 invalid SyntaxError: from __future__ imports must occur at the beginning of the file',
  ],
  // What has to be executed, or what the versions of Python do not agree upon.
  ['if b:\n  a = 1', '1:1 needs-python an if statement'],
  ['b = 1\ndef f(): pass', '2:1 needs-python a def statement'],
  ['@f\ndef g(): pass', '1:1 needs-python a decorator'],
  ['match b:\n  case 1: pass', '1:1 needs-python a match statement'],
  ['type b = int', '1:1 needs-python a type statement'],
  ['del a', '1:1 needs-python a del statement'],
  ['from b import *', '1:1 needs-python from b import *'],
  ['f()', '1:1 needs-python a function call'],
  ['b.c = 1', '1:1 needs-python an assignment to an attribute'],
  ['b[1] += 1', '1:1 needs-python an assignment to an item'],
  ['b.c: int', '1:1 needs-python an annotation of an attribute'],
  ['\\\na = 1', '1:1 needs-python a backslash at the start of a line'],
  ['from __future__ import barry_as_FLUFL', '1:1 needs-python an import from __future__ that changes what != means'],
  ['1\nfrom __future__ import division', '2:1 needs-python an import from __future__ after a literal'],
  ["if __name__ == '__main__':\n  a = 1\nelse:\n  a = 2", '3:1 needs-python an else statement'],
  ['b = [x async for x in y]', '1:8 needs-python async'],
  ['b = [x for x.y in z]', '1:13 needs-python an unusual loop variable'],
  ['b = [x for *x, y in z]', '1:12 needs-python a starred loop variable'],
  ['b = yield', '1:5 needs-python yield'],
  ['b = __debug__', '1:5 needs-python __debug__'],
  // The whole file is parsed before any of it counts.
  ['b = f{a}\nglobals()', `1:6 ${INVALID}`],
  ['a = undefined\nb = 1 2', `2:7 ${INVALID}`],
  // Encodings.
  ['# coding: koi8-r\na = 1', '1:1 needs-python the encoding koi8-r'],
  ['#!/usr/bin/python\n# vim: set fileencoding=klingon :\na = 1', '2:1 needs-python the encoding klingon'],
  ['\ufeff# coding: latin-1\na = 1', '1:1 invalid SyntaxError: encoding problem: latin-1 with BOM'],
  ["# coding: ascii\na = 'т'", "2:6 invalid SyntaxError: (unicode error) 'ascii' codec can't decode what is here"],
];

for (const [file, expected] of CASES) {
  test(`${JSON.stringify(file)}: ${expected}`, () => assert.equal(refusal(file), expected));
}

const BYTES: readonly (readonly [bytes: string, refusal: string])[] = [
  ["b = 1\na = 'x\xff'", "2:7 invalid SyntaxError: (unicode error) 'utf-8' codec can't decode what is here"],
  ["a = '\xed\xa0\x80'", "1:6 invalid SyntaxError: (unicode error) 'utf-8' codec can't decode what is here"],
  ["a = '\xd1\x82\xd1", "1:7 invalid SyntaxError: (unicode error) 'utf-8' codec can't decode what is here"],
  ["a = '\xef\xbf\xbd'", 'read'],
  ["\xef\xbb\xbfa = '\xd1\x82'", 'read'],
  ["# coding: latin-1\na = '\xff'", 'read'],
];

for (const [bytes, expected] of BYTES) {
  test(`the bytes ${JSON.stringify(bytes)}: ${expected}`, () => assert.equal(refusal(latin1(bytes)), expected));
}

const SOUND: readonly string[] = [
  '',
  '\n',
  '# c',
  'pass',
  'pass;',
  '"""Settings."""\nfrom __future__ import division, annotations as x\na = 1',
  'a = 1\r\nb = 2\rc = 3',
  '\fa = 1\n \f\n\t# c\n',
  'x = [1,\n2,\n      3]\na = 1',
  'import os.path as p, sys\nfrom os import (path, sep as x,)\nfrom . import y\nfrom ...a.b import c',
  'b = f(1, *x, y=2, *z, **k, w=3,)',
  'b = f(x for x in y if z for w in x)',
  'b = x[1], x[:], x[1:2, ::3], x[lambda: 1], x[1,]',
  'b = {**c, 1: 2, **d}, {*c, 1}, [*c, *d], (*c, d), (*c,)',
  'b = lambda: 1, lambda x, y=1, *a, z, **k: x, lambda *, k: k, lambda *a,: a, lambda **k,: k',
  'b = x if y else z if v else w',
  'b = [x for x, (y, [z]) in a if b if c for d in e], {x: y for x, in z}, {x for () in y}, (x for x in y)',
  'b = not x == y < z is not w not in v in u is t and s or r',
  'b = -x ** -y @ z >> 1 & 2 | 3 ^ ~4',
  'b = x.y.z(1)[2].w',
  'b = c = *d, e',
  'b: int = 3\n(c): str\nd: tuple = 1, 2',
  'b, (c, *d), [e] = x',
  'b = f"p" "q"',
  'b = (yield_, await_, print, exec_, match, type)\nmatch = type = 1',
];

// A NameError comes from following the statements of a file that is sound.
for (const file of SOUND) {
  test(`${JSON.stringify(file)} is sound`, () => assert.match(refusal(file), /^read$|NameError/));
}
