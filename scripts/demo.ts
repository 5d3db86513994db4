// The life of one application under the built binary, as a transcript. Every step is checked; the first that does not do
// what it should ends the demo with exit 1. What was started is stopped in any case.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binary, fetchPage, fixture } from '../test/support/e2e.ts';
import { until } from '../test/support/e2e-command.ts';
import { takePorts } from '../test/support/e2e-ports.ts';
import { type Identity, isAlive, look, mentioning, signal } from '../test/support/e2e-processes.ts';

const WORKERS = 4;

const range = await takePorts();
const ports = Array.from({ length: WORKERS }, (_, index) => range.first + index);
const dir = mkdtempSync(join(tmpdir(), 'frontik-demo-'));
const launcher = join(dir, 'app');
const config = join(dir, 'app.cfg');

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function show(path: string, text: string, mode: number): void {
  writeFileSync(path, text, { mode });
  say(`\n$ cat ${path}\n${text.trimEnd()}`);
}

/** Runs the launcher as an operator would, with the terminal as it is, and checks its exit code. */
async function run(action: string, expected: number): Promise<void> {
  say(`\n$ ${launcher} ${action}`);
  // Both streams into one, so that a transcript in a file is in order too.
  const child = spawn(launcher, [action], { stdio: ['ignore', 1, 1] });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  say(`(exit ${code})`);
  assert(code === expected, `${action} should exit with ${expected}, not ${code}`);
}

/** Fetches a page from every worker; returns who answered. */
async function fetchPages(): Promise<readonly Identity[]> {
  const workers: Identity[] = [];
  for (const port of ports) {
    say(`\n$ curl http://127.0.0.1:${port}/`);
    const { status, body } = await fetchPage(port, '/');
    say(body);
    const page = JSON.parse(body) as { readonly port: number; readonly pid: number };
    const worker = look(page.pid);
    assert(status === 200 && page.port === port && worker !== undefined, `the worker on port ${port} should answer`);
    workers.push(worker);
  }
  return workers;
}

async function killOne(port: number): Promise<void> {
  const pid = Number(readFileSync(join(dir, `app.${port}.pid`), 'utf8'));
  const worker = look(pid);
  assert(worker !== undefined, `the pidfile should name the worker on port ${port}`);
  assert(worker.argv.includes(`--port=${port}`), `process ${pid} should be the worker on port ${port}`);
  say(`\n$ kill -9 ${pid}`);
  signal(worker, 'SIGKILL');
  await until(() => assert(!isAlive(worker)));
}

/** Stops what still runs, by the binary and then by identity, and removes the directory. */
function cleanUp(): void {
  spawnSync(launcher, ['stop'], { stdio: 'ignore', timeout: 20_000 });
  for (const left of mentioning(dir)) {
    signal(left, 'SIGKILL');
  }
  rmSync(dir, { recursive: true, force: true });
}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(name, () => {
    cleanUp();
    process.exit(1);
  });
}

try {
  say(
    `An application is ${WORKERS} equal Tornado workers, one a port. It has a configuration, which its workers read too:`,
  );
  const settings = {
    start_port: range.first,
    workers_count: WORKERS,
    pidfile_template: `'${join(dir, 'app.%(port)s.pid')}'`,
    logfile_template: `'${join(dir, 'app.%(port)s.log')}'`,
    daemonize: 'True',
  };
  show(
    config,
    Object.entries(settings)
      .map(([name, value]) => `${name} = ${value}\n`)
      .join(''),
    0o644,
  );
  say('\nand a launcher, which would be /etc/init.d/app on a server:');
  const call = `supervisor(script='${fixture}', config='${config}')`;
  show(launcher, `#!${binary}\nfrom frontik.server.supervisor import supervisor\n${call}\n`, 0o755);

  say('\nNothing runs yet. Start it, and look:');
  await run('start', 0);
  await run('status', 0);
  say('\nEach worker serves pages:');
  const before = await fetchPages();
  say('\nOne worker dies. The status is partial now, exit 1:');
  await killOne(range.first + 2);
  await run('status', 1);
  say('\nstart starts what is missing, and leaves the others alone:');
  await run('start', 0);
  await run('status', 0);
  say('\nRestart all, as after an upgrade:');
  await run('restart', 0);
  const after = await fetchPages();
  assert(!before.some(isAlive), 'restart should have replaced every worker');
  assert.equal(new Set(after.map(({ pid }) => pid)).size, WORKERS);
  say('\nStop all. A stopped application has status 3:');
  await run('stop', 0);
  await run('status', 3);
  assert.deepEqual(mentioning(dir), [], 'no process should be left');
  say('\nNo process is left. That was all.');
} catch (error) {
  say(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  cleanUp();
  await range.release();
}
