import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { expand, hasPort, parseTemplate } from '../../src/config/template.ts';
import { trials } from '../support/fuzz.ts';

const PIECES = [
  '%',
  '%(port)',
  '%(port)s',
  '%(port)d',
  '%%',
  '(port)',
  '(',
  ')',
  '%(ports)',
  '%()',
  '%(',
  's',
  'd',
  'i',
  'u',
  'r',
  'a',
  'x',
  'c',
  'f',
  'l',
  '0',
  '5',
  '08',
  '12',
  '-',
  '+',
  ' ',
  '#',
  '.',
  '*',
  '/run/',
  '.pid',
  'я',
  '\n',
];
const texts = fc.oneof(
  fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }).map((pieces) => pieces.join('')),
  fc
    .record({
      flags: fc.array(fc.constantFrom('-', '+', ' ', '0', '#'), { maxLength: 4 }),
      width: fc.constantFrom('', '1', '4', '5', '9', '30'),
      conversion: fc.constantFrom('s', 'd', 'i', 'u', 'r', 'a', '%', 'x', 'ld', '.3d'),
    })
    .map(({ flags, width, conversion }) => `a%(port)${flags.join('')}${width}${conversion}b`),
);
const ports = fc.integer({ min: 1, max: 65_535 });

const PYTHON = `
import json, sys
for template, port in json.load(sys.stdin):
    try:
        print(json.dumps(template % {'port': port}))
    except Exception as error:
        print('null')
`;

test('what Python gives is what we give, and what Python refuses we refuse', () => {
  const cases = fc.sample(fc.tuple(texts, ports), trials(3000));
  const output = execFileSync('/usr/bin/python3', ['-c', PYTHON], { input: JSON.stringify(cases), encoding: 'utf8' });
  const answers = output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as string | null);
  assert.equal(answers.length, cases.length);
  let taken = 0;
  for (const [index, [text, port]] of cases.entries()) {
    const parsed = parseTemplate(text);
    if ('wrong' in parsed) continue;
    taken += 1;
    assert.equal(expand(parsed.template, port), answers[index], JSON.stringify(text));
  }
  assert(taken > 300, `only ${taken} of them were taken`);
});

test('a usual template is always taken', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), ports, (before, behind, port) => {
      const text = `${before.replaceAll('%', '%%')}%(port)s${behind.replaceAll('%', '%%')}`;
      const parsed = parseTemplate(text);
      assert('template' in parsed);
      assert.deepEqual([expand(parsed.template, port), hasPort(parsed.template)], [`${before}${port}${behind}`, true]);
    }),
    trials(100),
  );
});

test('no text is too odd to be read or refused', () => {
  fc.assert(
    fc.property(fc.oneof(texts, fc.string({ unit: 'binary' })), (text) => {
      const parsed = parseTemplate(text);
      assert('wrong' in parsed ? parsed.wrong.length > 0 : parsed.template.pieces.every((piece) => piece !== ''));
    }),
    trials(100),
  );
});
