// Every vector, executed by a real Python, and as the product does it: natively where that is possible, else by Python.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { type Asking, evaluateConfig, evaluateLauncher, type Reading } from '../../src/cli/evaluate.ts';
import { OPTIONS } from '../../src/config/options.ts';
import { millis } from '../../src/core/units.ts';
import type { PythonAnswer } from '../../src/host/host.ts';
import { openHost } from '../../src/host/node-host.ts';
import { pythonWithin } from '../../src/host/python.ts';
import { PYTHON, scratch } from '../support/adapters.ts';
import {
  CONFIGS,
  type ConfigVector,
  differences,
  LAUNCHERS,
  type LauncherVector,
  NAMES,
  withVariables,
  writeConfig,
} from '../support/python-vectors.ts';

const NEVER = new Promise<void>(() => undefined);
const python = pythonWithin(millis(30_000));
const LAUNCHER_NAMES = OPTIONS.map(({ name }) => name);

function executeConfig(t: TestContext, vector: ConfigVector, interpreter: string): Promise<[PythonAnswer, string]> {
  const directory = scratch(t);
  const path = writeConfig(directory, vector);
  return withVariables(vector.env ?? {}, async () => [
    await python.evaluate(
      { kind: 'config', python: interpreter, path, names: NAMES, argv: ['./app', 'start'], importsFrom: directory },
      NEVER,
    ),
    directory,
  ]);
}

/** '' when Python's answer is that of the vector. */
async function differsWhenExecuted(t: TestContext, vector: ConfigVector): Promise<string> {
  const [answer, directory] = await executeConfig(t, vector, PYTHON);
  const { expected } = vector;
  if (answer.kind === 'evaluated') {
    if (expected.ok) return differences(vector, answer.result.values, directory);
    // What only Tornado minds, a wrong type, has no line; the settings tell of it.
    return expected.line === undefined ? '' : `no ${expected.error}`;
  }
  if (answer.kind !== 'raised') return JSON.stringify(answer);
  const isSame = !expected.ok && answer.text.startsWith(`${expected.error}: `) && answer.line === (expected.line ?? 1);
  return isSame ? '' : `${answer.line}: ${answer.text}`;
}

test('every configuration gives what CPython and Tornado gave when a Python executes it', async (t) => {
  const wrong: string[] = [];
  for (const vector of CONFIGS) {
    const difference = await differsWhenExecuted(t, vector);
    if (difference !== '') wrong.push(`${vector.id}: ${difference}`);
  }
  // Tornado decodes the file itself, so that CPython meets the mark; CPython alone accepts it.
  assert.deepEqual(wrong, [
    'lex.bom: no SyntaxError',
    // Tornado's decoding error is not that of a file that is run.
    'lex.bad_utf8: 1: SyntaxError: invalid or missing encoding declaration',
  ]);
});

function asking(argv: readonly string[], importsFrom: string): Asking {
  return {
    host: openHost(),
    interrupted: NEVER,
    policy: 'allowed',
    chooseInterpreter: () => ({ kind: 'found', program: PYTHON }),
    argv,
    importsFrom,
  };
}

/** '' when the product reads what the vector says. */
async function differsAsRead(t: TestContext, vector: ConfigVector): Promise<string> {
  const directory = scratch(t);
  const path = writeConfig(directory, vector);
  const { values, troubles } = await withVariables(vector.env ?? {}, () =>
    evaluateConfig(path, readFileSync(path), NAMES, asking(['./app', 'start'], directory)),
  );
  const { expected } = vector;
  const [trouble] = troubles;
  if (trouble === undefined) {
    if (expected.ok) return differences(vector, values, directory);
    return expected.line === undefined ? '' : `no ${expected.error}`;
  }
  const isSame =
    !expected.ok &&
    trouble.text.startsWith(expected.error ?? '?') &&
    trouble.source.startsWith(`${path}:${expected.line}`);
  return isSame ? '' : `${trouble.source.slice(path.length)}: ${trouble.text}`;
}

test('every configuration gives what CPython and Tornado gave, natively or by a Python', async (t) => {
  const wrong: string[] = [];
  for (const vector of CONFIGS) {
    const difference = await differsAsRead(t, vector);
    if (difference !== '') wrong.push(`${vector.id}: ${difference}`);
  }
  assert.deepEqual(wrong, [
    'lex.bom: no SyntaxError',
    // Tornado's decoding error has no line.
    "lex.bad_utf8: :1:3: SyntaxError: (unicode error) 'utf-8' codec can't decode what is here",
  ]);
});

/** What a launcher came to, in the vectors' words. */
function shown(read: Reading, argv: readonly string[]): unknown {
  const [trouble] = read.troubles;
  if (trouble !== undefined) return trouble.text;
  const variables = read.effects.flatMap((effect) => (effect.kind === 'variable' ? [[effect.name, effect.value]] : []));
  return {
    gen: read.generation,
    call: Object.fromEntries(read.values.map(({ name, value }) => [name, 'value' in value ? value.value : null])),
    directory: read.effects.find((effect) => effect.kind === 'directory')?.path,
    variables: Object.fromEntries(variables) as unknown,
    words: read.words ?? argv.slice(1),
  };
}

function wantedOf({ expected, id }: LauncherVector): unknown {
  if (id === 'positional2_frontik') {
    // The app became required in 2015; here it may always be left out.
    const call = { config: '/etc/s.cfg', script: '/usr/bin/s' };
    return { gen: 'frontik', call, directory: undefined, variables: {}, words: ['start'] };
  }
  if (!expected.ok) {
    return expected.error === 'NoCall'
      ? 'supervisor() is imported from frontik.server.supervisor and never called'
      : `${expected.error}: ${expected.message}`;
  }
  const { gen, call = {}, chdir, env = {}, argv = ['start'] } = expected;
  return { gen, call, directory: chdir, variables: env, words: argv };
}

/** `script` and `app` of the launcher generation have a default of None, which nobody needs to be told of. */
function withoutNone(result: unknown): unknown {
  if (typeof result !== 'object' || result === null || !('call' in result)) return result;
  const call = result.call as Readonly<Record<string, unknown>>;
  return {
    ...result,
    call: Object.fromEntries(Object.entries(call).filter(([, value]) => value !== null)),
  };
}

for (const how of ['natively or by a Python', 'executed']) {
  test(`every launcher gives what CPython gave: ${how}`, async (t) => {
    const wrong: unknown[] = [];
    for (const vector of LAUNCHERS) {
      const directory = scratch(t);
      const path = join(directory, 'launcher');
      writeFileSync(path, vector.script);
      chmodSync(path, 0o755);
      const argv = [path, 'start'];
      // Any call that is not known is left to Python, which reads the file anew.
      const bytes = how === 'executed' ? Buffer.from('exec("")\n') : readFileSync(path);
      const read = await withVariables(vector.env ?? {}, () => evaluateLauncher(path, bytes, asking(argv, directory)));
      const [found, wanted] = [withoutNone(shown(read, argv)), withoutNone(wantedOf(vector))];
      if (!isDeepStrictEqual(found, wanted)) wrong.push({ id: vector.id, found, wanted });
      if (how === 'executed') assert.equal(read.python, PYTHON, vector.id);
      const line = vector.expected.line;
      if (line !== undefined && !vector.expected.ok && vector.id !== 'positional2_frontik')
        assert.match(read.troubles[0]?.source ?? '', new RegExp(`launcher:${line}(:|$)`));
    }
    assert.deepEqual(wrong, []);
  });
}

/** A Python 2.7, if this machine has one: PYTHON2 names it where PATH does not. */
const PYTHON2 = process.env['PYTHON2'] ?? 'python2.7';
const whyNotPython2 =
  spawnSync(PYTHON2, ['-c', 'import json']).status === 0 ? false : `there is no Python 2.7 here (${PYTHON2})`;

test('Python 2.7 executes every configuration that it can read', { skip: whyNotPython2 }, async (t) => {
  const wrong: string[] = [];
  for (const vector of CONFIGS) {
    const [answer, directory] = await executeConfig(t, vector, PYTHON2);
    if (answer.kind === 'raised') continue;
    if (answer.kind !== 'evaluated') wrong.push(`${vector.id}: ${JSON.stringify(answer)}`);
    else if (vector.expected.ok) {
      const difference = differences(vector, answer.result.values, directory);
      if (difference !== '') wrong.push(`${vector.id}: ${difference}`);
    }
  }
  // Its text is made of bytes, and its list comprehensions leak their names.
  assert.deepEqual(wrong, [
    'str.nonbmp: pidfile_template is "\x9F", not "x"',
    'stmt.py2_leak: workers_count is 6, not 4',
  ]);
});

test('Python 2.7 executes every launcher', { skip: whyNotPython2 }, async (t) => {
  for (const { id, script, expected, env } of LAUNCHERS) {
    const directory = scratch(t);
    const path = join(directory, 'launcher');
    writeFileSync(path, script);
    const answer = await withVariables(env ?? {}, () =>
      python.evaluate(
        {
          kind: 'launcher',
          python: PYTHON2,
          path,
          names: LAUNCHER_NAMES,
          argv: [path, 'start'],
          importsFrom: directory,
        },
        NEVER,
      ),
    );
    if (!expected.ok) continue;
    assert(answer.kind === 'evaluated', `${id}: ${JSON.stringify(answer)}`);
    const { values, called, argv } = answer.result;
    const call = Object.fromEntries(values.map(({ name, value }) => [name, 'value' in value ? value.value : null]));
    for (const [name, value] of Object.entries(expected.call ?? {}))
      assert.equal(call[name] ?? null, value, `${id} ${name}`);
    assert.equal(called?.startsWith('tornado'), expected.gen === 'tornado_util', id);
    assert.deepEqual(argv.slice(1), expected.argv ?? ['start'], id);
  }
});
