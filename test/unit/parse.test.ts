import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ACTIONS, parse, parseOptions, writeHelp } from '../../src/cli/parse.ts';
import { FLAGS } from '../../src/cli/words.ts';
import { OPTIONS } from '../../src/config/options.ts';
import { trials } from '../support/fuzz.ts';

/** A request in one line: launcher | action | options | problems; what is not there is left empty. */
function read(line: string | readonly string[]): string {
  const seen = parse(typeof line === 'string' ? line.split(' ').filter((word) => word !== '') : line);
  if (seen.kind !== 'request') return seen.kind;
  const given = [...seen.given].map(([name, value]) => `${name}=${value}`).join(' ');
  const problems = seen.problems.map(({ source, text }) => `${source}: ${text}`).join('; ');
  return [seen.launcher ?? '', seen.action ?? '', given, problems].join(' | ').trim();
}

const CASES: readonly (readonly [what: string, line: string | readonly string[], wanted: string])[] = [
  ['nothing at all', '', '|  |  |'],
  ['an action', 'start', '| start |  |'],
  ['an action that does not exist is for others to refuse', 'sing', '| sing |  |'],
  ['a launcher and an action', '/etc/init.d/app stop', '/etc/init.d/app | stop |  |'],
  ['a relative launcher', './app stop', './app | stop |  |'],
  ['a launcher alone', 'x/app', 'x/app |  |  |'],
  ['a bare word is an action, not a launcher', 'app stop', '| app |  | stop: unexpected word after the action app'],
  ['a path after the action', 'stop ./app', '| stop |  | ./app: unexpected word after the action stop'],
  ['a path as a value is no launcher', '--config /etc/a.cfg stop', '| stop | config=/etc/a.cfg |'],
  ['options in all places', '--app=a ./l --script=b start --config c', './l | start | app=a script=b config=c |'],
  ['dashes in a name', '--start-port=1 start', '| start | start_port=1 |'],
  [
    'dashes and underscores in a name',
    '--supervisor-sigterm_timeout=1 start',
    '| start | supervisor_sigterm_timeout=1 |',
  ],
  ['one leading dash, as Tornado takes it', '-start_port=1 start', '| start | start_port=1 |'],
  ['many leading dashes', '----start_port=1 start', '| start | start_port=1 |'],
  ['a value in the next word', '--start_port 1 start', '| start | start_port=1 |'],
  ['a negative number in the next word', '--start_port -1 start', '| start | start_port=-1 |'],
  ['a lone dash as a value', '--logfile_template - start', '| start | logfile_template=- |'],
  ['an empty value', '--app= start', '| start | app= |'],
  ['an empty word as a value', ['--app', '', 'start'], '| start | app= |'],
  ['a value with equals signs', '--app=a=b=c start', '| start | app=a=b=c |'],
  ['a value with blanks and a newline', ['--script=a b\nc', 'start'], '| start | script=a b\nc |'],
  [
    'a value in quotes keeps them',
    ['--app="a"', "--script='b'", '--config', '""', 'start'],
    `| start | app="a" script='b' config="" |`,
  ],
  ['numbers stay text', '--start_port=1e3 --workers_count=0x10 start', '| start | start_port=1e3 workers_count=0x10 |'],
  ['a number as an action stays text', '1e3', '| 1e3 |  |'],
  ['the last of repeated options wins', '--app=a --app=b start --app c', '| start | app=c |'],
  ['an alias is the option', '--python=a start', '| start | supervisor_python=a |'],
  ['the last wins over alias and name', '--supervisor_user=a --user=b start', '| start | supervisor_user=b |'],
  ['a bool alone', '--with_coverage start', '| start | with_coverage=true |'],
  ['a bool never takes the next word', '--with-coverage false', '| false | with_coverage=true |'],
  ['a bool that is false', '--with_coverage=False start', '| start | with_coverage=false |'],
  ['a bool that is 0', '--with_coverage=0 start', '| start | with_coverage=false |'],
  ['a bool that is f', '--with_coverage=f start', '| start | with_coverage=false |'],
  ['a bool with another text keeps it', '--with_coverage=maybe start', '| start | with_coverage=maybe |'],
  [
    'no negation',
    '--no-with_coverage start',
    '| start |  | --no-with_coverage: unknown option, did you mean --with_coverage?',
  ],
  ['a value is missing at the end', 'start --config', '| start |  | --config: needs a value'],
  ['a value is missing before an option', '--config --app=a start', '| start | app=a | --config: needs a value'],
  ['a value is missing before --', '--config -- start', '| start |  | --config: needs a value'],
  ['-- ends the options', '-- --bogus', '| --bogus |  |'],
  ['a launcher after --', '--app=a -- ./l start', './l | start | app=a |'],
  ['a lone dash is a word', '-', '| - |  |'],
  ['an unknown option takes nothing with it', '--bogus start', '| start |  | --bogus: unknown option'],
  ['a typing error', '--confg=a start', '| start |  | --confg: unknown option, did you mean --config?'],
  [
    'a typing error with dashes',
    '--start-prt=1 start',
    '| start |  | --start-prt: unknown option, did you mean --start_port?',
  ],
  ['a name of another case', '--Config=a start', '| start |  | --Config: unknown option, did you mean --config?'],
  [
    'a name on Object.prototype',
    '--constructor=1 --__proto__=1 --toString start',
    '| start |  | --constructor: unknown option; --__proto__: unknown option; --toString: unknown option',
  ],
  ['dotted names', '--app.x=1 start', '| start |  | --app.x: unknown option, did you mean --app?'],
  ['an option without a name', '--=a --- start', '| start |  | --: unknown option; ---: unknown option'],
  [
    'everything wrong is told together',
    '--bogus --config --sript=a start now',
    '| start |  | --bogus: unknown option; --config: needs a value; --sript: unknown option, did you mean --script?; now: unexpected word after the action start',
  ],
  ['help', '--help', 'help'],
  ['help anywhere, whatever else is wrong', 'start --bogus -h', 'help'],
  ['version', '--version', 'version'],
  ['version, short', '-V start', 'version'],
  ['help goes before version', '-V --help', 'help'],
  ['help after -- is a word', '-- --help', '| --help |  |'],
  ['the word help is an action', 'help', '| help |  |'],
];

for (const [what, line, wanted] of CASES) {
  test(what, () => assert.equal(read(line), wanted));
}

const FLAGGED: readonly (readonly [line: string, flags: readonly string[], problems?: string])[] = [
  ['check', []],
  ['check --json', ['json']],
  ['--no-python check -json', ['no_python', 'json']],
  ['--no_python --no-python check', ['no_python']],
  ['check --json=1', [], '--json: takes no value'],
  ['check --no-pythn', [], '--no-pythn: unknown option, did you mean --no-python?'],
  ['check -- --json', [], '--json: unexpected word after the action check'],
];
for (const [line, flags, problems = ''] of FLAGGED) {
  test(`flags are said or not said: ${line}`, () => {
    const seen = parse(line.split(' '));
    assert.ok(seen.kind === 'request');
    const told = seen.problems.map(({ source, text }) => `${source}: ${text}`).join('; ');
    assert.deepEqual([[...seen.flags.keys()], told, seen.given.size], [flags, problems, 0]);
  });
}

test('flags on a first line', () => {
  const { flags, problems } = parseOptions(['--no-python', '--json']);
  assert.deepEqual(
    [flags.has('no_python'), problems],
    [true, [{ source: '--json', text: 'belongs on the command line' }]],
  );
});

test('options on a first line: aliases, and words that may not stand there', () => {
  const { given, problems } = parseOptions(['--python=/x', '--user', 'a', 'start', '--bogus', '--help']);
  assert.deepEqual(
    [...given],
    [
      ['supervisor_python', '/x'],
      ['supervisor_user', 'a'],
    ],
  );
  assert.deepEqual(problems, [
    { source: '--bogus', text: 'unknown option' },
    { source: 'start', text: 'only options may stand here' },
    { source: '--help', text: 'only options with a value may stand here' },
  ]);
});

/** The columns of a terminal, and those that the text may have. */
const WIDTHS: readonly (readonly [columns: number | undefined, most: number])[] = [
  [undefined, 80],
  [40, 80],
  [80, 80],
  [99, 80],
  [100, 100],
  [250, 100],
];
for (const [columns, most] of WIDTHS) {
  test(`help names every action, option and alias, in ASCII: ${columns ?? 'no'} columns`, () =>
    checkHelp(writeHelp(columns), most));
}

function checkHelp(text: string, most: number): void {
  const names = [
    ...OPTIONS.flatMap(({ name, alias }) => (alias === undefined ? [name] : [name, alias])),
    ...FLAGS.map(([name]) => name),
    'help',
    'version',
  ];
  for (const name of names) assert.match(text, new RegExp(`--${name}\\b`));
  const lines = text.split('\n');
  // Each action and each exit code in one line.
  for (const [action, help, operand = ''] of ACTIONS) {
    const line = lines.find((each) => each.startsWith(`  ${`${action} ${operand}`.trimEnd()}  `));
    assert.equal(line?.endsWith(`  ${help}`), true, action);
  }
  for (const code of ['0', '1', '2', '3', '4', '5', '6', '7', '128+n'])
    assert.ok(
      lines.some((line) => line.startsWith(`  ${code}  `)),
      code,
    );
  for (const { default: value } of OPTIONS) {
    if (value !== undefined) assert.ok(text.includes(`[default: ${JSON.stringify(value)}]`), String(value));
  }
  for (const line of lines) assert.match(line, /^[ -~]*$/);
  const longest = Math.max(...lines.map((line) => line.length));
  assert.ok(longest <= most && longest > most - 3, `${longest} of ${most} columns`);
}

test('help is the same wherever it is asked for', () => {
  const wanted = writeHelp(undefined);
  const before = { ...process.env };
  try {
    Object.assign(process.env, { COLUMNS: '20', LANG: 'de_DE.UTF-8', LC_ALL: 'fr_FR' });
    assert.equal(writeHelp(undefined), wanted);
  } finally {
    process.env = before;
  }
});

test('whatever the words are, nothing is thrown', () => {
  const names = OPTIONS.map(({ name }) => name);
  const word = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('-', '=', '_', '/', 'h', '"', "'", '.', '0') }),
    fc.constantFrom(...Object.getOwnPropertyNames(Object.prototype).map((name) => `--${name}`)),
    fc
      .tuple(fc.constantFrom('-', '--'), fc.constantFrom(...names), fc.constantFrom('', '=', '=1'))
      .map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(fc.array(word), (words) => {
      parse(words);
      parseOptions(words);
    }),
    trials(100),
  );
});

test('any text given to any option arrives as it is', () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('"', "'", '=', '-', ' ', '\n', 'a', '1') }),
  );
  const options = OPTIONS.filter(({ type }) => type !== 'bool').map(({ name }) => name);
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...options), value), (wanted) => {
      const seen = parse([...Object.entries(wanted).map(([name, text]) => `--${name}=${text}`), 'start']);
      assert.ok(seen.kind === 'request');
      assert.deepEqual(Object.fromEntries(seen.given), { ...wanted });
      assert.deepEqual([seen.launcher, seen.action, seen.problems], [undefined, 'start', []]);
    }),
    trials(100),
  );
});

test('any words after -- arrive as they are', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (word) => {
      const seen = parse(['--', word]);
      assert.ok(seen.kind === 'request');
      assert.equal(seen.launcher ?? seen.action, word);
    }),
    trials(100),
  );
});
