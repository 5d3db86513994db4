// What the build refuses, and what it calls itself.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { bundle } from '../../build/bundle.ts';

const ROOT = join(import.meta.dirname, '../..');

function inDirectory(body: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'build-'));
  try {
    body(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('the bundle says its version and leaves nothing to be found beside it', async () => {
  const text = await bundle('1.2.3 (commit abcdef1)');
  assert.ok(text.includes('"1.2.3 (commit abcdef1)"'));
  const required = [...text.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name]) => name?.replace(/^node:/, ''));
  assert.deepEqual(
    required.filter((name) => !['fs', 'path', 'util'].includes(name ?? '')),
    [],
  );
  assert.doesNotMatch(text, /Intl\.Segmenter|RGI_Emoji|toLocaleString\(/);
});

for (const name of ['net', 'node:child_process', 'node:fs/promises', 'fast-check']) {
  test(`a bundle that loads ${name} at its start is refused`, () => {
    inDirectory((directory) => {
      const app = join(directory, 'app.js');
      writeFileSync(
        app,
        `(function (exports, require, module) { require('${name}'); exports.main = async () => {}; })`,
      );
      const { status, stderr } = spawnSync(
        process.execPath,
        [join(ROOT, 'build/warm.ts'), app, '0', 'all', process.execPath, join(directory, 'cache')],
        {
          encoding: 'utf8',
        },
      );
      assert.equal(status, 1);
      assert.match(stderr, /Error: node:\S+ is loaded at start: take it by process\.getBuiltinModule/);
    });
  });
}

test('the version names the commit, and tells when the sources differ from it', () => {
  inDirectory((directory) => {
    const git = (...args: readonly string[]): string => {
      const identity = ['-c', 'user.name=a', '-c', 'user.email=a@b.invalid', '-c', 'commit.gpgsign=false'];
      const { status, stdout, stderr } = spawnSync('git', ['-C', directory, ...identity, ...args], {
        encoding: 'utf8',
      });
      assert.equal(status, 0, stderr);
      return stdout.trim();
    };
    const version = (): string => {
      const file = join(directory, 'dist/version');
      const { status, stderr } = spawnSync(process.execPath, [join(directory, 'build/version.ts'), file], {
        encoding: 'utf8',
      });
      assert.equal(status, 0, stderr);
      return readFileSync(file, 'utf8');
    };
    for (const file of ['build/version.ts', 'package.json', 'package-lock.json']) {
      mkdirSync(dirname(join(directory, file)), { recursive: true });
      cpSync(join(ROOT, file), join(directory, file));
    }
    const { version: number } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    assert.equal(version(), `${number} (commit unknown)\n`);
    git('init', '-q');
    git('add', 'build', 'package.json', 'package-lock.json');
    git('commit', '-q', '-m', 'x');
    const hash = git('rev-parse', '--short=7', 'HEAD');
    assert.equal(version(), `${number} (commit ${hash})\n`);
    const { mtimeNs } = statSync(join(directory, 'dist/version'), { bigint: true });
    writeFileSync(join(directory, 'notes'), 'no part of the program');
    assert.equal(version(), `${number} (commit ${hash})\n`);
    assert.equal(statSync(join(directory, 'dist/version'), { bigint: true }).mtimeNs, mtimeNs);
    mkdirSync(join(directory, 'src'));
    writeFileSync(join(directory, 'src/new.ts'), '');
    assert.equal(version(), `${number} (commit ${hash}-dirty)\n`);
  });
});
