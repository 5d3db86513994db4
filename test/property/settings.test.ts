import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Given, Layer, Origin } from '../../src/config/given.ts';
import { OPTIONS } from '../../src/config/options.ts';
import type { PyValue } from '../../src/config/python-value.ts';
import { settle } from '../../src/config/settings.ts';
import { expand } from '../../src/config/template.ts';
import { trials } from '../support/fuzz.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.constantFrom(
    '',
    ' ',
    '4',
    '-1',
    '65536',
    '1e999',
    '٤',
    'true',
    'F',
    '/run/%(port)s.pid',
    '%',
    '%(port)',
    '/a b',
    '\0',
    '\ud800',
  ),
  fc.integer().map(String),
);
const pythons: fc.Arbitrary<PyValue> = fc.oneof(
  fc.constantFrom<PyValue>({ kind: 'none' }, { kind: 'ellipsis' }, { kind: 'set' }, { kind: 'dict' }),
  fc.boolean().map((value): PyValue => ({ kind: 'bool', value })),
  fc.bigInt().map((value): PyValue => ({ kind: 'int', value })),
  fc.integer({ min: -10, max: 70_000 }).map((value): PyValue => ({ kind: 'int', value: BigInt(value) })),
  fc.double().map((value): PyValue => ({ kind: 'float', value })),
  fc.double().map((imaginary): PyValue => ({ kind: 'complex', imaginary })),
  text.map((value): PyValue => ({ kind: 'str', value })),
  fc.string({ unit: 'binary' }).map((value): PyValue => ({ kind: 'bytes', value })),
  fc.array(text.map((value): PyValue => ({ kind: 'str', value }))).map((items): PyValue => ({ kind: 'list', items })),
);

/** A layer with junk in some options. */
function layers(origin: Origin): fc.Arbitrary<Layer> {
  const value: fc.Arbitrary<Given['value']> =
    origin === 'command-line' ? text.map((word) => ({ kind: 'text' as const, value: word })) : pythons;
  const entry = fc.tuple(fc.constantFrom(...OPTIONS.map(({ name }) => name)), value);
  return fc
    .array(entry, { maxLength: 2 })
    .map(
      (entries) =>
        new Map(entries.map(([name, given]) => [name, { value: given, origin, source: `${origin} ${name}` }])),
    );
}

test('junk gives problems, never exceptions; what is accepted makes sense', () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.tuple(layers('config'), layers('launcher'), layers('command-line')), (given) => {
      const settled = settle(given, []);
      const all = [...settled.cautions, ...(settled.ok ? [] : settled.problems)];
      for (const { source, text: words } of all) assert(source !== '' && words !== '');
      if (!settled.ok) {
        assert(settled.problems.length > 0);
        return;
      }
      accepted += 1;
      const { settings } = settled;
      const { startPort, workersCount, pidfileTemplate } = settings;
      assert(startPort >= 1 && workersCount >= 1 && startPort + workersCount - 1 <= 65_535);
      for (const number of [
        settings.sigtermTimeout,
        settings.nofileSoftLimit,
        settings.startTimeout,
        settings.partialStatus,
      ]) {
        assert(Number.isSafeInteger(number) && number >= 0);
      }
      assert.match(settings.statusPath, /^\/[!-~]*$/);
      if (pidfileTemplate !== undefined && workersCount > 1) {
        assert.notEqual(expand(pidfileTemplate.template, startPort), expand(pidfileTemplate.template, startPort + 1));
      }
    }),
    trials(2000),
  );
  assert(accepted > 50, `only ${accepted} were accepted`);
});

test('one wrong option is one problem at least, whatever else there is', () => {
  const wrong: Layer = new Map([
    ['start_port', { value: { kind: 'float', value: 1.5 }, origin: 'config', source: 'app.cfg:1:1' }],
  ]);
  fc.assert(
    fc.property(layers('launcher'), layers('command-line'), (launcher, commandLine) => {
      const settled = settle([wrong, launcher, commandLine], []);
      assert(!settled.ok);
      assert(settled.problems.some(({ text: words }) => words === 'start_port must be an int, got float 1.5'));
    }),
  );
});
