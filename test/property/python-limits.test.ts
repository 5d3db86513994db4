// No input makes the readers throw, recurse without bound, or take more than time in proportion to its length.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ConfigRead, readConfig } from '../../src/config/config-file.ts';
import { type LauncherRead, readLauncher } from '../../src/config/launcher.ts';
import { type PyValue, repr, type Unread } from '../../src/config/python-value.ts';
import { trials } from '../support/fuzz.ts';
import { files } from '../support/python-arbitraries.ts';
import { surroundings } from '../support/python-surroundings.ts';

const RUNS = trials(300);
const isOption = (name: string): boolean => name === 'a' || name === 'start_port';

function readBoth(bytes: Uint8Array): readonly (ConfigRead | LauncherRead | Unread)[] {
  return [readConfig(bytes, isOption, surroundings()), readLauncher(bytes, isOption, surroundings())];
}

function isInside({ line, col }: { readonly line: number; readonly col: number }, bytes: Uint8Array): boolean {
  const lines = new TextDecoder().decode(bytes).split(/\r\n?|\n/);
  return line >= 1 && line <= lines.length && col >= 1 && col <= (lines[line - 1] ?? '').length + 1;
}

function staysInside(bytes: Uint8Array): void {
  for (const result of readBoth(bytes)) {
    if (result.kind !== 'read')
      assert.ok(isInside(result.at, bytes), `${result.at.line}:${result.at.col} ${result.text}`);
  }
}

test('any bytes are read, invalid or for Python, at a place that is in the file', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), staysInside), RUNS);
});

test('so is any Python, right or wrong', () => {
  const python = files(['supervisor(script="s")', 'from frontik.server.supervisor import supervisor\nsupervisor("s")']);
  fc.assert(
    fc.property(python, (file) => staysInside(new TextEncoder().encode(file))),
    RUNS,
  );
});

// Surrogates that stand alone, which Python has and UTF-8 has not, cannot come from a file.
const SCALARS: fc.Arbitrary<PyValue> = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }).map((value): PyValue => ({ kind: 'str', value })),
  fc.string({ unit: 'binary-ascii', maxLength: 20 }).map((value): PyValue => ({ kind: 'bytes', value })),
  fc.bigInt({ min: 0n, max: 10n ** 50n }).map((value): PyValue => ({ kind: 'int', value })),
  fc.double({ min: 0, noDefaultInfinity: true, noNaN: true }).map((value): PyValue => ({ kind: 'float', value })),
  fc.constantFrom<PyValue>({ kind: 'none' }, { kind: 'bool', value: true }, { kind: 'bool', value: false }),
);

test('what repr writes is read as the same value', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        SCALARS,
        fc.array(SCALARS, { maxLength: 3 }).map((items): PyValue => ({ kind: 'tuple', items })),
      ),
      (value) => {
        const text = repr(value);
        fc.pre(!text.endsWith('...'));
        const result = readConfig(new TextEncoder().encode(`a = ${text}`), isOption, surroundings());
        assert.deepEqual(result.kind === 'read' ? result.assigned.get('a')?.value : result, value);
      },
    ),
    RUNS,
  );
});

test('subscripts in each other are evaluated once', { timeout: 30_000 }, () => {
  const file = `from os import environ\na = ${'environ['.repeat(45)}'A'${']'.repeat(45)}`;
  const result = readConfig(new TextEncoder().encode(file), isOption, surroundings({ A: 'A' }));
  assert.deepEqual(result.kind === 'read' && result.assigned.get('a')?.value, { kind: 'str', value: 'A' });
});

const LONG = 200_000;

// A piece again and again, then an end: what is quadratic in it takes minutes, what recurses overflows the stack.
const REPEATED: readonly (readonly [piece: string, before?: string, after?: string])[] = [
  ['('],
  ['[1],', 'a = [', ']'],
  ['-', 'a = ', '1'],
  ['not ', 'a = ', '1'],
  ['1 + ', 'a = ', '1'],
  ['1 < ', 'a = ', '1'],
  ['2 ** ', 'a = ', '1'],
  ['.x', 'a = x'],
  ['()', 'a = x'],
  ['lambda: ', 'a = ', '1'],
  ['1 if 1 else ', 'a = ', '1'],
  ["'x' ", 'a = '],
  ['a = ', '', '1'],
  ['a = 1; '],
  ['a = 1\n'],
  ['a = 1\r'],
  ['1, ', 'a = '],
  ['*a, ', '', ' = 1'],
  ['1: 1, ', 'a = {', '}'],
  ['x=1, ', 'a = f(', ')'],
  ['x, ', 'a = lambda ', ': 1'],
  [':, ', 'a = x[', ']'],
  ['for x in y ', 'a = [x ', ']'],
  ['a = a + a\n', 'a = "xxxxxxxx"\n'],
  ['a = a * a\n', 'a = 3\n'],
  ['a = a, a\n', 'a = 1\n'],
  ['start_port: 1\n'],
  ['import os\n'],
  ['from __future__ import division\n'],
  ['b, ', 'from a import ', 'c'],
  ["if __name__ == '__main__':\n a = 1\n"],
  ['if x:\n', '', ''],
  ['if 1: a = 1\n'],
  ['elif 0: a = 1\n', 'if 0: pass\n'],
  ['elif x(): b = 1\n', 'import x\nif x(): pass\n'],
  ['if x(): b = 1\n', 'import x\n'],
  ['def f(): pass\n'],
  ['f()\n', 'def f():\n if x: y = 1\n'],
  ['def f(): pass\nclass C: f()\nf()\n'],
  ['try: pass\nexcept: pass\n'],
  ['except x: pass\n', 'try: pass\n'],
  ['@x\n', 'x = print\n', 'def f(): pass'],
  ['[0]', 'a = x'],
  ['.x()', 'import x\nx'],
  ['.x[0].y', 'import x\nx', ' = 1'],
  ["os.environ['A'] = '1'\n", 'import os\n'],
  ['os.chdir("a")\n', 'import os\n'],
  ['/a', 'import os\na = os.path.realpath("', '")'],
  ['/..', 'import os\na = os.path.normpath("', '")'],
  ['a, ', 'del '],
  ['x.a = ', 'x = []\n', '1'],
  ["'"],
  ['"\'', ''],
  ['\\', 'a = "'],
  ['\\n', 'a = "', '"'],
  ['\n', 'a = """'],
  ['%s', 'a = "', '" % 1'],
  ['9', 'a = '],
  ['1_', 'a = '],
  ['f', 'a = 0x'],
  ['0', 'a = .', '1'],
  ['#\n'],
  ['\\\n', 'a = 1 +', '1'],
  ['\t', '', 'a'],
  ['é'],
  ['é', 'a = “'],
  ['coding ', '# '],
  ['\ufffd', 'a = "', '"'],
];

for (const [piece, before = '', after = ''] of REPEATED) {
  test(`${JSON.stringify(before + piece)} … ${JSON.stringify(after)} of ${LONG} characters`, {
    timeout: 30_000,
  }, () => {
    const file = before + piece.repeat(LONG / piece.length) + after;
    for (const result of readBoth(new TextEncoder().encode(file)))
      assert.ok(['read', 'invalid', 'needs-python'].includes(result.kind));
  });
}
