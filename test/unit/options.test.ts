import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isConfigOption, OPTIONS, optionNamed } from '../../src/config/options.ts';

const TABLE: readonly (readonly [name: string, alias: string | undefined, type: string, fallback: unknown])[] = [
  ['script', undefined, 'str', undefined],
  ['config', undefined, 'str', undefined],
  ['app', undefined, 'str', undefined],
  ['workers_count', undefined, 'int', 4],
  ['start_port', undefined, 'int', 8000],
  ['pidfile_template', undefined, 'str', undefined],
  ['logfile_template', undefined, 'str', undefined],
  ['supervisor_sigterm_timeout', undefined, 'int', 4],
  ['nofile_soft_limit', undefined, 'int', 4096],
  ['with_coverage', undefined, 'bool', false],
  ['supervisor_start_timeout', 'start_timeout', 'int', 60],
  ['supervisor_partial_status', 'partial_status', 'int', 1],
  ['supervisor_status_path', 'status_path', 'str', '/status/'],
  ['supervisor_status_server', 'status_server', 'str', 'TornadoServer,Frontik'],
  ['supervisor_python', 'python', 'str', undefined],
  ['supervisor_user', 'user', 'str', undefined],
  ['supervisor_group', 'group', 'str', undefined],
  ['supervisor_batch', 'batch', 'str', '1'],
  ['supervisor_settle', 'settle', 'int', 1],
  ['supervisor_drain', 'drain', 'int', 0],
  ['supervisor_before_stop', 'before_stop', 'str', undefined],
  ['supervisor_after_start', 'after_start', 'str', undefined],
  ['supervisor_hook_timeout', 'hook_timeout', 'int', 10],
  ['supervisor_start_retries', 'start_retries', 'int', 5],
  ['supervisor_hang_timeout', 'hang_timeout', 'int', 30],
];

test('the options, their short names, types and defaults', () => {
  assert.deepEqual(
    OPTIONS.map((option) => [option.name, option.alias, option.type, option.default]),
    TABLE,
  );
});

test('a configuration file sets the original`s seven and what begins with supervisor_, by their full names', () => {
  const names = TABLE.flatMap(([name, alias]) => (alias === undefined ? [name] : [name, alias]));
  assert.deepEqual(names.filter(isConfigOption), [
    'workers_count',
    'start_port',
    'pidfile_template',
    'logfile_template',
    'supervisor_sigterm_timeout',
    'nofile_soft_limit',
    'with_coverage',
    'supervisor_start_timeout',
    'supervisor_partial_status',
    'supervisor_status_path',
    'supervisor_status_server',
    'supervisor_python',
    'supervisor_user',
    'supervisor_group',
    'supervisor_batch',
    'supervisor_settle',
    'supervisor_drain',
    'supervisor_before_stop',
    'supervisor_after_start',
    'supervisor_hook_timeout',
    'supervisor_start_retries',
    'supervisor_hang_timeout',
  ]);
});

test('an option is known by its name and its short name, and by nothing else', () => {
  for (const [name, alias] of TABLE) {
    assert.equal(optionNamed(name)?.name, name);
    if (alias !== undefined) assert.equal(optionNamed(alias)?.name, name);
  }
  for (const name of [
    '',
    'port',
    'Script',
    'workers-count',
    'sigterm_timeout',
    'supervisor_',
    'constructor',
    'toString',
    '__proto__',
  ]) {
    assert.equal(optionNamed(name), undefined);
    assert.equal(isConfigOption(name), false);
  }
});

test('only numbers have bounds, and every default is within them', () => {
  for (const { type, bounds, default: fallback } of OPTIONS) {
    assert.equal(bounds !== undefined, type === 'int');
    if (bounds !== undefined) assert(Number(fallback) >= bounds[0] && Number(fallback) <= bounds[1]);
  }
});

test('the README shows this very table', () => {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  const rows = readme
    .split('\n')
    .filter((line) => line.startsWith('| `--'))
    .map((line) => line.slice(2, -2).split(' | '));
  const shown = OPTIONS.map(({ name, alias, type, default: fallback, help }) => [
    alias === undefined ? `\`--${name}\`` : `\`--${name}\`, \`--${alias}\``,
    type,
    fallback === undefined ? '' : `\`${fallback}\``,
    help,
  ]);
  assert.deepEqual(rows, shown);
});
