// Python files, right and wrong, for fast-check.

import fc from 'fast-check';
import { PROGRAMS } from './python-programs.ts';

const one = fc.constantFrom;
const join = (parts: readonly string[]): string => parts.join('');
const close = (open: string): string => (open[0] === '(' ? ')' : open[0] === '[' ? ']' : '}');

/** Names of the files that readers of the tests ask for. */
export const OPTIONS: readonly string[] = [
  'start_port',
  'workers_count',
  'pidfile_template',
  'with_coverage',
  'a',
  'b',
];

/** The pieces that files are made of: `sound` ones alone give files that compile, as a rule. */
interface Pieces {
  readonly literals: readonly string[];
  readonly infixes: readonly string[];
  readonly prefixes: readonly string[];
  readonly suffixes: readonly string[];
  readonly loops: readonly string[];
  readonly targets: readonly string[];
  readonly statements: readonly string[];
}

const SOUND: Pieces = {
  literals: [
    ...(
      '0 1 7 00 0x1F 0XfF 0b101 0o17 1_000 1. .5 1e3 1E-5 1.5e400 1j 1.5J 0_0 08.5 1_0.0_1e1_0 1e16 0.0001 1e-5 0.1 00. ' +
      '123456789012345678901234567890 12345.678 9007199254740993. True False None ... [] () {}'
    ).split(' '),
    ...String.raw`'a'  "b"  'it\'s'  "it's"  "\x41\n"  u'\u0442'  b'x'  rb'\d'  r'\\'  Rb'q'  '\d'  '\777'  b'\777'
      '\U0001F600'  f'p'  'тест'  '\"'  '%s-%d'  '%s'  '%(port)s.%%'  ''  ""  b''  '\0'  '\t\\'  """q"""  '''it's'''
      '\1234'  '\x7f\xa0'  b'\u1234\N{x}'  "\'"  '\ud800'  '\N{BULLET}'  f'{a}'`.split(/\s+/),
    "'a\\\nb'",
    '"""t\nt"""',
  ],
  infixes: [...'+,-,*,//,%,/, or , and ,==,<, in , not in , is , is not ,@,|,^,&,<<,>>,**'.split(','), ' % ', ' + '],
  prefixes: '-;+;~;not ;- -;lambda: ;lambda x, *y, z=1: ;lambda *, k: ;lambda **k: ;lambda x, /: ;lambda x, y,: '.split(
    ';',
  ),
  suffixes:
    '.x;.y();[1];[1:2];[:, ::x];(*a);(**k, x=1);(x=1, *a);(x for x in y); if a else b;[1:2, 3];[*a];(*a, *b);(1,)'.split(
      ';',
    ),
  loops: [
    ' for x in y',
    ' for x in y if z',
    ' for x, in (1, 2)',
    ' for *x, z in y',
    ' for () in x',
    ' for (a.b) in c',
    ' for x, (y, z) in a if b for b in c',
  ],
  targets: ['a, b', '(a)', '[a, b]', 'a, (b, x)', '*a, b', 'a.b', 'a[0]', '(a, b),', '()', '[]', '(*a, b)', 'a, b.c'],
  statements: [
    ...`pass|import os|import os.path as p, sys|from os import (path, sep as x,)|from . import a|from ...a.b import c
from os import *|from __future__ import division|from __future__ import annotations as x, division|import __future__|'''doc'''
#c|pass;|del a|if a: b = 1|a = 1; b = 2|[frontik]|start_port: 9000|a = b = 3|match = 1|if __name__ == '__main__': a = 1|raise
global a|x = 1 # c|f(a)|a.b = 1|a[1] = 2|x['a'] = 3|x = {**a, "b": 1}|x = {*a, 1}|x = *a,|a = a|b = a|a = [1]|b = [a, 1]|è = 1
a += [2]|x = a.append(5)|a *= 0|with_coverage = not a|with_coverage = not []|a = '%s' % (1,)|a = '%s/%s' % ('x', 'y')|a = '%d%%' % 5
b = 'q' * 3|a = -7 // 2|a = -7 % -3|a = 7 % -3|a = 1 // 0|b = 7 // -2|a = '%s' % 'x' 'y'|(a, b) = (b, a)|a = b = [1]|a, b = [1, [2]]
a, b = 'xy'|x = lambda: a|x = App('a', b=1)|x: int = 3|(x): int = 3|a: undefined = 3|x = globals()|x = [a for a in (1, 2)]
x = a.__class__|x = sys.exit|import a.b as a|from os import path as a|a = {'x': 1}|a = {1, 2}|a = {[]: 1}|a = {(1, 2): 3}
a = [undefined]|a = 'x' f'y'|a += 1|b -= a|a = a + b|b = a * 2|a = a % b|pidfile_template = '%s/%s' % (a, b)|b = -a|a = +b|a = ~a`.split(
      /[|\n]/,
    ),
    'x = 5 \\\n + 6',
    "if __name__ == '__main__':\n    a = 1\n    b = 2",
    '@x\ndef f(): pass',
    'if a:\n\tb = 1\n\n  # c\n\tpass',
  ],
};

const WILD: Pieces = {
  literals: [
    ...String.raw`0777 1__0 1_ 9001L 1e 0x 0b2 1if 5.6.7 0o8 '\xZZ' b'\x1' '\U00110000' ur'a' b'т' 'open '''`.split(
      ' ',
    ),
    'true',
    '__name__',
    'yield',
    'await',
    '1.real',
    '٣',
    '1٣',
    '’',
  ],
  infixes: [' not ', ' if ', ':=', ' ', '<>', '!', ' else ', ' is is ', ' in in ', '=', ','],
  prefixes:
    '*;**;lambda x=1, y: ;lambda x, x: ;lambda *a, *b: ;lambda *: ;lambda *, **k: ;lambda **k, x: ;lambda (x): ;lambda'.split(
      ';',
    ),
  suffixes: (
    '[];.if;(x=1, 2);(**k, *a);(**k, 2);(x=1, x=2);(x for x in y, 1);(1, x for x in y);(x for x in y,);(x.y=1);(None=1);' +
    '.__dict__; if a;(,);(x=1 for x in y);(*);[1 2];(a b);.1;..x;[a=1]'
  ).split(';'),
  loops: (
    ' for x in 1, 2; async for x in y; for x in lambda: 1; for x in y if lambda: 1;: 1 for x in y; for 1 in b; for x y; for x;' +
    ' for f() in y; for *x in y; for x in *y; for in y; if x'
  ).split(';'),
  targets: (
    'f();1;None;a, *b, *x;*a;-a;"s";a + b;{a};[x for x in y];"a" "b";lambda: 1;__debug__;True, a;(a, 1);a if b else c;not a;' +
    '...;{};(yield);a < b;*f(), a;**a'
  ).split(';'),
  statements: [
    ...`from os import path,|from .. a import b|import|import a as b.c|from a import ()|from __future__ import braces
from __future__ import nope|;|print 1|print "x"|exec "x"|print (1) 2|break|return 1|class = 1|a = 1;; b = 2|match x|else|a = 1 if
@x|x = “a”|x = $|x = a!|x = a ? b|x = a <> b|x = {**a for a in b}|x = (*a)|x = *a|x = not|x = 1 not 2|a = b'x' 'y'|a = 'x' b'y'
a = (1 2)|a = f(a b)|a = [1, 2 3]|a = {1: 2 3: 4}|a = 5 5|a = {1:}|a = {1: 2, 3}|a = {1, 2: 3}|a = {**b, 1}|from a import b.c
import a.b as c.d|import (a)|from a import (b|from . import *|from import a|import .a|x = (1, 2]|a =|= 1|a = = 1|a == 1 = 2|a: int: str
a, b: int|a, b += 1|f() += 1|f(): int|1: int|a: |a += |a = pass|nonlocal a|elif a: pass|def f(: pass|in|not|a.|a..b|a[|(|)|]`.split(
      /[|\n]/,
    ),
    'x = 1 \\ ',
    '\\',
    "if __name__ == '__main__':\na = 1",
    'x = a\u00a0',
    'x = 1\u0001',
    'x = `a`',
    'a = (\n1',
    'if 1:\n\ta = 1\n        b = 2',
    'if 1:\n  a = 1\n b = 2',
  ],
};

function mixed(key: keyof Pieces): fc.Arbitrary<string> {
  return fc.oneof({ arbitrary: one(...SOUND[key]), weight: 5 }, { arbitrary: one(...WILD[key]), weight: 1 });
}

function filesOf(pieces: (key: keyof Pieces) => fc.Arbitrary<string>): fc.Arbitrary<string> {
  const literal = pieces('literals');
  const names = one(...OPTIONS, 'a', 'b', 'x', 'y', 'os', 'App', 'print', 'int', 'match', 'type');
  const expression = expressionsOf(pieces, fc.oneof(literal, names));
  const targets = fc.oneof({ arbitrary: names, weight: 4 }, pieces('targets'));
  const augmented = one(' += ', ' -= ', ' *= ', ' //= ', ' %= ', ' @= ', ' >>= ');
  const statement = fc.oneof(
    { arbitrary: fc.tuple(names, one(' = ', '=', ' =\t'), expression).map(join), weight: 5 },
    { arbitrary: fc.tuple(names, fc.constant(' = '), literal).map(join), weight: 10 },
    { arbitrary: fc.tuple(targets, targets, expression).map((parts) => parts.join(' = ')), weight: 1 },
    { arbitrary: fc.tuple(names, augmented, expression).map(join), weight: 2 },
    { arbitrary: fc.tuple(targets, one(': ', ': int = '), expression).map(join), weight: 1 },
    { arbitrary: fc.tuple(targets, literal, literal).map(([left, a, b]) => `${left} = ${a}, ${b}`), weight: 2 },
    { arbitrary: pieces('statements'), weight: 12 },
  );
  return fc
    .tuple(
      one('', '', '', '', '', '', '# coding: utf-8\n', '#!x\n# -*- coding: latin-1 -*-\n', '\ufeff'),
      fc.array(statement, { minLength: 1, maxLength: 6 }),
      one('\n', '\n', '\n', '\n', '\r\n', '\r', '\n\n', '\n\f'),
      one('', '\n', '\n', ' ', '\n  ', '\n#'),
    )
    .map(([head, lines, newline, end]) => head + lines.join(newline) + end);
}

function expressionsOf(
  pieces: (key: keyof Pieces) => fc.Arbitrary<string>,
  leaf: fc.Arbitrary<string>,
): fc.Arbitrary<string> {
  const opening = one('(', '[', '{', '[\n', '(\n  ');
  const comma = one(', ', ', ', ',', ',\n', ',#c\n');
  return fc.letrec<{ expression: string; item: string }>((tie) => {
    const items = fc.array(tie('item'), { maxLength: 4 });
    return {
      expression: fc.oneof(
        { maxDepth: 4, depthIdentifier: 'expression' },
        { arbitrary: leaf, weight: 9 },
        { arbitrary: fc.tuple(tie('expression'), pieces('infixes'), tie('expression')).map(join), weight: 5 },
        { arbitrary: fc.tuple(pieces('prefixes'), tie('expression')).map(join), weight: 2 },
        { arbitrary: fc.tuple(tie('expression'), pieces('suffixes')).map(join), weight: 2 },
        {
          arbitrary: fc
            .tuple(opening, items, comma, one('', ',', '\n'))
            .map(
              ([open, parts, between, last]) =>
                open + parts.join(between) + (parts.length > 0 ? last : '') + close(open),
            ),
          weight: 6,
        },
        {
          arbitrary: fc
            .tuple(tie('expression'), opening, items)
            .map(([callee, open, parts]) => callee + open + parts.join(', ') + close(open)),
          weight: 1,
        },
        {
          arbitrary: fc
            .tuple(opening, tie('expression'), pieces('loops'))
            .map(([open, item, loops]) => open + item + loops + close(open)),
          weight: 2,
        },
      ),
      item: fc.oneof(
        { arbitrary: tie('expression'), weight: 20 },
        { arbitrary: tie('expression').map((expression) => `*${expression}`), weight: 1 },
        { arbitrary: tie('expression').map((expression) => `**${expression}`), weight: 1 },
        { arbitrary: tie('expression').map((expression) => `x=${expression}`), weight: 1 },
        { arbitrary: fc.tuple(tie('expression'), tie('expression')).map((parts) => parts.join(': ')), weight: 2 },
      ),
    };
  }).expression;
}

interface Mutation {
  readonly at: number;
  readonly cut: number;
  readonly put: string;
}

const MUTATION: fc.Arbitrary<Mutation> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  cut: fc.integer({ min: 0, max: 3 }),
  put: one(
    ...'~ ~(~)~[~]~{~}~,~:~=~\\~\'~"~0~_~.~*~%~x~b~r~f~e~for~in~not~lambda~#~;~"""~é~  ~=1~==~-~1~\n~\t~\r~\f~\0~\n  ~~~'.split(
      '~',
    ),
  ),
});

function mutate(file: string, mutations: readonly Mutation[]): string {
  let text = file;
  for (const { at, cut, put } of mutations) {
    const start = Math.floor(at * text.length);
    text = text.slice(0, start) + put + text.slice(start + cut);
  }
  return text;
}

/** Files of sound pieces, of all pieces, and the given ones; some of them with a few characters changed. */
export function files(examples: readonly string[]): fc.Arbitrary<string> {
  const sound = filesOf((key) => one(...SOUND[key]));
  const whole = fc.oneof(
    { arbitrary: sound, weight: 4 },
    { arbitrary: filesOf(mixed), weight: 2 },
    { arbitrary: PROGRAMS, weight: 6 },
    one(...examples),
  );
  const changed = fc.tuple(whole, fc.array(MUTATION, { maxLength: 3 }));
  return fc.oneof(
    { arbitrary: whole, weight: 3 },
    { arbitrary: changed.map(([file, mutations]) => mutate(file, mutations)), weight: 2 },
  );
}
