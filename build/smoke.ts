// Runs a finished binary where programs like to break: without any environment, and in a hostile directory.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { writeHelp } from '../src/cli/parse.ts';
import type { Target } from './target.ts';

/** Throws unless the binary behaves, on the machine that it was made for. */
export function smoke(path: string, version: string, target: Target): void {
  const binary = resolve(path);
  const directory = mkdtempSync(join(tmpdir(), 'frontik-supervisor-smoke-'));
  try {
    // What signale and yargs would look at, if they could.
    writeFileSync(join(directory, 'package.json'), '{ "signale": ');
    const runAll = (args: readonly string[], env: Readonly<Record<string, string>>) => {
      const [file, words] = target.command(binary, args);
      const { error, status, signal, stdout, stderr } = spawnSync(file, words, {
        cwd: directory,
        env,
        encoding: 'utf8',
      });
      if (error !== undefined) throw error;
      return { status: status ?? signal, stdout, stderr: stderr.replace(/^\[\d\d:\d\d:\d\d/gm, '[HH:MM:SS') };
    };
    const run = (argument: string, env: Readonly<Record<string, string>>) => runAll([argument], env);
    const done = { status: 0, stdout: `frontik-supervisor ${version}\n`, stderr: '' };
    expect('--version', run('--version', {}), done);
    expect('--version with NODE_OPTIONS', run('--version', { NODE_OPTIONS: '--bogus' }), done);
    expect('--help', run('--help', {}), { status: 0, stdout: writeHelp(undefined), stderr: '' });
    const wrong = run('--bogus', {});
    expect(
      '--bogus',
      { ...wrong, stderr: wrong.stderr.split('\n')[0] ?? '' },
      { status: 2, stdout: '', stderr: '[HH:MM:SS root] --bogus: unknown option' },
    );
    // A fleet that nobody has ever started, in a place where nobody else can have one.
    writeFileSync(join(directory, 'app.cfg'), 'start_port = 65535\nworkers_count = 1\n');
    const fleet = ['--script=/bin/true', `--config=${directory}/app.cfg`, '--pidfile_template=%(port)s.pid'];
    const stopped = { status: 3, stdout: '', stderr: '[HH:MM:SS root] all workers are stopped\n' };
    expect('status', runAll([...fleet, 'status'], {}), stopped);
    const checked = runAll([...fleet, 'check', '--json'], {});
    const { ports } = JSON.parse(checked.stdout) as { ports: unknown };
    expect('check', { status: checked.status, ports }, { status: 0, ports: [65_535] });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function expect(what: string, seen: object, wanted: object): void {
  const [is, should] = [JSON.stringify(seen), JSON.stringify(wanted)];
  if (is !== should) throw new Error(`smoke test: ${what} gave ${is} instead of ${should}`);
}
