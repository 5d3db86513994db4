// The reader against a real CPython: what it refuses, and what it makes of every option.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ConfigRead, readConfig } from '../../src/config/config-file.ts';
import type { Surroundings } from '../../src/config/python-surroundings.ts';
import type { Unread } from '../../src/config/python-value.ts';
import { trials } from '../support/fuzz.ts';
import { files, OPTIONS } from '../support/python-arbitraries.ts';
import { type Answer, type Around, ask, encode } from '../support/python-oracle.ts';
import { VARIABLES } from '../support/python-programs.ts';

const TRIALS = trials(600);

// A file and a directory that exist, the first behind a symbolic link.
const AROUND: Around = { variables: VARIABLES, directory: '/usr/lib', path: '/lib/os-release' };

const surroundings: Surroundings = {
  environ: (name) => (Object.hasOwn(VARIABLES, name) ? VARIABLES[name] : undefined),
  path: AROUND.path,
  directory: AROUND.directory,
  realpath: (path) => (existsSync(path) ? realpathSync(path) : path),
};

// What is wrong with a result, in the light of what CPython says; '' when nothing is.
function judge(result: ConfigRead | Unread, answer: Answer): string {
  if (result.kind === 'needs-python') return '';
  if (result.kind === 'read')
    return answer.refused === undefined ? compare(result, answer) : `read, but ${answer.refused.join(' ')}`;
  const [raises] = /^(?:Name|Key|Value)Error/.exec(result.text) ?? [];
  if (raises !== undefined) {
    const { raised = ['nothing', 0] } = answer;
    // What is passed over may raise before.
    const isEarlier = raised[0] !== 'nothing' && raised[1] < result.at.line;
    return isEarlier || (raised[0] === raises && raised[1] === result.at.line)
      ? ''
      : `${result.text}, but ${raised.join(' at line ')}`;
  }
  if (answer.refused === undefined)
    return /unicode error.*offset/.test(result.text) ? '' : `${result.text}, but it compiles`;
  return '';
}

function compare({ assigned }: ConfigRead, { values = {} }: Answer): string {
  const mine = JSON.stringify(byName([...assigned].map(([name, { value }]) => [name, encode(value)])));
  const theirs = JSON.stringify(byName(Object.entries(values)));
  return mine === theirs ? '' : `${mine}, but ${theirs}`;
}

function byName(entries: [name: string, value: unknown][]): [name: string, value: unknown][] {
  return entries.sort(([one], [other]) => (one < other ? -1 : 1));
}

function examples(): string[] {
  const text = readFileSync(new URL('../vectors/config.json', import.meta.url), 'utf8');
  const { vectors } = JSON.parse(text) as { readonly vectors: readonly { readonly config: string | null }[] };
  return vectors.flatMap(({ config }) => (typeof config === 'string' && !/exec|open/.test(config) ? [config] : []));
}

test('no file is read that CPython refuses, none refused that it compiles, and every value is the one it gives', () => {
  const items = fc.sample(files(examples()), TRIALS).map((text) => {
    const code = new TextEncoder().encode(text);
    return { text, code, result: readConfig(code, (name) => OPTIONS.includes(name), surroundings) };
  });
  const answers = ask(items, OPTIONS, AROUND);
  const faults = items.flatMap(({ text, result }, index) => {
    const fault = judge(result, answers[index] ?? {});
    return fault === '' ? [] : [`${JSON.stringify(text)}: ${fault}`];
  });
  assert.deepEqual(faults, [], `FUZZ_SEED=${TRIALS.seed}`);
  // Some lines differ by design: in brackets that span lines CPython guesses at the cause, and at what it cannot decode it names none.
  const refused = items.filter(
    ({ result }, index) => result.kind === 'invalid' && answers[index]?.refused !== undefined,
  );
  const elsewhere = items.filter(({ result }, index) => {
    const { refused: [, line] = [] } = answers[index] ?? {};
    return result.kind === 'invalid' && line !== undefined && line !== 0 && line !== result.at.line;
  });
  assert.ok(
    elsewhere.length * 20 <= refused.length,
    `the line differs in ${elsewhere.length} of ${refused.length} refused files`,
  );
  const kinds = new Set(items.map(({ result }) => result.kind));
  assert.deepEqual([...kinds].sort(), ['invalid', 'needs-python', 'read'], 'the generator gives all kinds of files');
});
