// Runs a finished binary where programs like to break: without any environment, and in a hostile directory.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from '../src/cli/parse.ts';

/** Throws unless the binary behaves. */
export function smoke(path: string, version: string): void {
  const binary = resolve(path);
  const help = parse(['--help']);
  if (help.kind !== 'help') throw new Error('--help is no help');
  const directory = mkdtempSync(join(tmpdir(), 'frontik-supervisor-smoke-'));
  try {
    // What signale and yargs would look at, if they could.
    writeFileSync(join(directory, 'package.json'), '{ "signale": ');
    const run = (argument: string, env: Readonly<Record<string, string>>) => {
      const { error, status, signal, stdout, stderr } = spawnSync(binary, [argument], {
        cwd: directory,
        env,
        encoding: 'utf8',
      });
      if (error !== undefined) throw error;
      return { status: status ?? signal, stdout, stderr };
    };
    const done = { status: 0, stdout: `frontik-supervisor ${version}\n`, stderr: '' };
    expect('--version', run('--version', {}), done);
    expect('--version with NODE_OPTIONS', run('--version', { NODE_OPTIONS: '--bogus' }), done);
    expect('--help', run('--help', {}), { status: 0, stdout: help.text, stderr: '' });
    const wrong = run('--bogus', {});
    const stderr = wrong.stderr.replace(/^\[\d\d:\d\d:\d\d/gm, '[HH:MM:SS').split('\n')[0] ?? '';
    expect(
      '--bogus',
      { ...wrong, stderr },
      { status: 2, stdout: '', stderr: '[HH:MM:SS root] --bogus: unknown option' },
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function expect(what: string, seen: object, wanted: object): void {
  const [is, should] = [JSON.stringify(seen), JSON.stringify(wanted)];
  if (is !== should) throw new Error(`smoke test: ${what} gave ${is} instead of ${should}`);
}
