// Configurations that look at the environment and at paths, decide, and define, for fast-check.

import fc from 'fast-check';

const one = fc.constantFrom;
const join = (parts: readonly string[]): string => parts.join('');

/** The variables that are set where these files are executed. */
export const VARIABLES: Readonly<Record<string, string>> = {
  A: '1',
  B: 'x/y',
  C: '',
  D: ' 42 ',
  E: '-7_0',
  F: '/run//app/',
  G: 'т',
  H: '4x',
};

const IMPORTS = [
  'import os',
  'import os',
  'import os, sys',
  'import os.path',
  'import os as o, os.path as p',
  'from os import environ, getenv as g, path',
  'from os.path import join, dirname as d, basename, abspath, realpath, normpath',
  'import os\nfrom os import path',
  'import os, json, logging',
  'import os\nimport nonexistent',
];

const PATHS = fc.oneof(
  fc
    .array(one('/', '/', '//', '.', '..', 'a', 'b.c', '~', ' ', 'é', 'lib', '/usr', 'usr', '/bin', '$A'), {
      maxLength: 7,
    })
    .map((parts) => `'${join(parts)}'`),
  one(
    '__file__',
    '__file__',
    'os.getcwd()',
    "os.environ['B']",
    'os.sep',
    'os.curdir',
    "r'\\\\'",
    "u'x'",
    "b'/x'",
    'None',
    "''",
  ),
);

const FUNCTIONS = [
  'os.path.join',
  'os.path.join',
  'os.path.dirname',
  'os.path.basename',
  'os.path.abspath',
  'os.path.realpath',
  'os.path.normpath',
  'os.path.isdir',
  'os.path.expanduser',
  'p.join',
  'o.path.dirname',
  'path.join',
  'path.basename',
  'join',
  'd',
  'basename',
  'abspath',
  'realpath',
  'normpath',
];

const KEYS = one(
  "'A'",
  "'B'",
  "'C'",
  "'D'",
  "'E'",
  "'F'",
  "'G'",
  "'H'",
  "'NO'",
  "'NO'",
  "''",
  "'A=1'",
  "'\\0'",
  'None',
  "b'A'",
  'x',
);
const NAMES = one('a', 'b', 'start_port', 'workers_count', 'pidfile_template', 'with_coverage', 'x', 'y');
const ENVIRONS = one('os.environ', 'os.environ', 'os.environ', 'environ', 'o.environ', 'e');
const COMPARISONS = one(
  ' == ',
  ' != ',
  ' < ',
  ' <= ',
  ' > ',
  ' >= ',
  ' in ',
  ' not in ',
  ' is ',
  ' is not ',
  ' and ',
  ' or ',
);
const PLAIN = one(
  '0',
  '1',
  '2',
  '9001',
  'True',
  'False',
  'None',
  "'x'",
  "''",
  "'1'",
  '1.5',
  '[1, 2]',
  "('x', 1)",
  '()',
  'undefined',
  '{}',
);

function upTo3(depthIdentifier: string, ...arbitraries: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  return fc.oneof({ maxDepth: 3, depthIdentifier }, ...arbitraries);
}

interface Tied {
  readonly value: string;
  readonly condition: string;
  readonly block: string;
  readonly statement: string;
}

const { block: BLOCK } = fc.letrec<Tied>((tie: fc.LetrecTypedTie<Tied>) => {
  const value = tie('value');
  const list = (least: number): fc.Arbitrary<string> =>
    fc.array(value, { minLength: least, maxLength: 3 }).map((parts) => parts.join(', '));
  const nested = fc.tuple(tie('block'), one('    ', '  ', '\t')).map(([body, indent]) => indented(body, indent));
  return {
    value: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'value' },
      { arbitrary: PLAIN, weight: 4 },
      { arbitrary: NAMES, weight: 3 },
      { arbitrary: PATHS, weight: 2 },
      { arbitrary: fc.tuple(ENVIRONS, one('[', '['), KEYS, one(']')).map(join), weight: 1 },
      {
        arbitrary: fc.tuple(ENVIRONS, one('.get('), KEYS, one(')', ", 'd')", ', 5)', ', None)', ', 1, 2)')).map(join),
        weight: 3,
      },
      { arbitrary: fc.tuple(one('os.getenv(', 'g('), KEYS, one(')', ", 'd')")).map(join), weight: 1 },
      {
        arbitrary: fc
          .tuple(one(...FUNCTIONS), fc.array(fc.oneof(PATHS, PATHS, value), { minLength: 1, maxLength: 3 }))
          .map(([name, args]) => `${name}(${args.join(', ')})`),
        weight: 4,
      },
      {
        arbitrary: fc
          .tuple(
            one('int', 'int', 'str', 'bool', 'max', 'min', 'len', 'float'),
            fc.oneof({ arbitrary: value, weight: 3 }, list(0)),
          )
          .map(([name, args]) => `${name}(${args})`),
        weight: 4,
      },
      { arbitrary: fc.tuple(value, one(' + ', ' + ', ' * ', ' // ', ' % ', ' - '), value).map(join), weight: 1 },
      { arbitrary: fc.tuple(value, tie('condition'), value).map(([a, c, b]) => `(${a} if ${c} else ${b})`), weight: 1 },
      { arbitrary: tie('condition').map((condition) => `(${condition})`), weight: 1 },
      {
        arbitrary: one(
          '__name__',
          '__file__',
          'f()',
          'f',
          'os.name',
          'sys.path',
          'C.n',
          'lambda: 1',
          '[f() for f in x]',
        ),
        weight: 1,
      },
    ),
    condition: upTo3(
      'condition',
      value,
      fc.tuple(value, COMPARISONS, value).map(join),
      fc.tuple(KEYS, one(' in ', ' not in '), ENVIRONS).map(join),
      fc.tuple(value, COMPARISONS, value, COMPARISONS, value).map(join),
      tie('condition').map((condition) => `not ${condition}`),
      one("__name__ == '__main__'", "os.path.exists('/')", 'x', "sys.platform == 'linux'"),
    ),
    statement: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'statement' },
      { arbitrary: fc.tuple(NAMES, one(' = '), value).map(join), weight: 40 },
      { arbitrary: fc.tuple(NAMES, one(' += ', ' *= '), value).map(join), weight: 1 },
      { arbitrary: fc.tuple(ENVIRONS, one('['), KEYS, one('] = '), value).map(join), weight: 1 },
      {
        arbitrary: fc.tuple(ENVIRONS, one('.setdefault(', '.pop('), KEYS, one(', '), value, one(')')).map(join),
        weight: 1,
      },
      { arbitrary: fc.tuple(one('del os.environ['), KEYS, one(']')).map(join), weight: 1 },
      {
        arbitrary: one(
          ...`del a|del x, b|import json as x|f()|x.append(1)|x[0] = 5|x.y = 1|e = os.environ|pass|assert a|logging.getLogger('x').info(a)|
print(a)|os.chdir('/')|sys.path.insert(0, 'x')|x = f|x = dict(a=1)|a = b = x|from os import path as a|os.environ.update(A='9')|
e.clear()|x = os.environ.setdefault('A', '7')|x = [os.putenv('A', '7')]|f = lambda: os.environ.clear()|x = os.environ|json.loads(a)|
int(a)|len(a)|nonexistent.f()|e['A'] = '8'|x = [os.environ]|x[0]['A'] = '5'|int = 5|os = 1|del os|a: int = b|b: undefined`
            .replaceAll('\n', '')
            .split('|'),
        ),
        weight: 6,
      },
      {
        arbitrary: fc
          .tuple(tie('condition'), nested, one('', 'else', 'elif'), tie('condition'), nested)
          .map(([first, body, word, second, other]) => {
            const rest = word === '' ? '' : `\n${word}${word === 'elif' ? ` ${second}` : ''}:\n${other}`;
            return `if ${first}:\n${body}${rest}`;
          }),
        weight: 14,
      },
      {
        arbitrary: fc
          .tuple(
            one(
              'def f():',
              'def f(a=1, *b):',
              'class C:',
              'class C(object):',
              'for a in x:',
              'for x, y in ():',
              'try:',
              'while x:',
              '@f\ndef f():',
            ),
            nested,
            one('', '\nexcept Exception as y:\n    b = 2', '\nfinally:\n    pass', '\nelse:\n    a = 1'),
          )
          .map(([head, body, end]) => `${head}\n${body}${endOf(head, end)}`),
        weight: 2,
      },
      { arbitrary: one('return', 'return a', 'break', 'continue', 'global a', 'yield', 'raise x', 'f()'), weight: 1 },
    ),
    block: fc.array(tie('statement'), { minLength: 1, maxLength: 4 }).map((lines) => lines.join('\n')),
  };
});

function endOf(head: string, end: string): string {
  if (head === 'try:') return end === '' ? '\nexcept NameError:\n    pass' : end;
  return head.startsWith('for') && end.startsWith('\nelse') ? end : '';
}

function indented(body: string, indent: string): string {
  return body.replace(/^/gm, indent);
}

// So that not every file ends at a name without a value.
const ALL = `import os, sys, json, logging
import os as o
import os.path as p
from os import environ, getenv as g, path
from os.path import join, dirname as d, basename, abspath, realpath, normpath
a = 5
b = '/x'
x = []
y = None
e = os.environ
start_port = workers_count = 3
with_coverage = True
pidfile_template = 'p'
def f(): return 3
class C: n = 4`;

const BEGINNINGS = [
  ALL,
  ALL,
  ALL,
  ALL,
  ALL,
  ALL,
  "import os, sys, json, logging\nfrom os import environ\nfrom os.path import join\na = b = x = 1\ny = 'z'",
  "import os\na, b, x, y = 5, 'B', '', None",
  'import os\nimport os as o\nimport os.path as p\nfrom os import environ, getenv as g, path\ne = os.environ',
  'from os.path import join, dirname as d, basename, abspath, realpath, normpath',
  'x = []\ny = {}',
  'def f(): return 3\nclass C: n = 4',
  'start_port = 1\nworkers_count = 2',
];

/** Configurations that begin with imports. */
export const PROGRAMS: fc.Arbitrary<string> = fc
  .tuple(
    one(...IMPORTS),
    fc.array(one(...IMPORTS), { maxLength: 2 }),
    fc.array(one(...BEGINNINGS), { maxLength: 3 }),
    BLOCK,
    fc.option(BLOCK, { nil: '' }),
  )
  .map((parts) => `${parts.flat().join('\n')}\n`);
