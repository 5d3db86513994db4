// The real machine for the tests of the adapters: scratch directories, puppet processes, and scripts that run as somebody else.

import assert from 'node:assert/strict';
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import type { TestContext } from 'node:test';
import { asPid, asPort, type Pid, type Port } from '../../src/core/units.ts';
import { until } from './e2e-command.ts';
import { type Identity, isAlive, look, signal } from './e2e-processes.ts';

const ROOT = resolve(import.meta.dirname, '../..');

export const isRoot: boolean = process.getuid?.() === 0;

/** Debian's Python: what else PATH offers may be a script around one. */
export const PYTHON = '/usr/bin/python3';

/** Debian's user without rights. */
export const NOBODY = 65_534;
export const asNobody: readonly string[] = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];

/** Why a test that needs root cannot run here; false when it can. */
export const unlessRoot: string | false = isRoot ? false : 'only root can become somebody else';

/** Why a test that needs a pid namespace cannot run here; false when it can. */
export const unlessNamespaces: string | false =
  spawnSync('unshare', ['-pf', '--mount-proc', 'true']).status === 0 ? false : 'unshare(1) is not permitted here';

export function pidOf(number: number | undefined): Pid {
  const pid = asPid(number ?? 0);
  assert(pid !== undefined, `${number} is no pid`);
  return pid;
}

export function portOf(number: number): Port {
  const port = asPort(number);
  assert(port !== undefined, `${number} is no port`);
  return port;
}

/** A directory that everybody may enter and that goes with the test. */
export function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'adapters-'));
  chmodSync(directory, 0o755);
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Ends a process with the test, if it is still the same one then; undefined when it has ended already. */
export function endWith(t: TestContext, pid: number): Identity | undefined {
  const id = look(pid);
  if (id === undefined) return undefined;
  t.after(async () => {
    signal(id, 'SIGKILL');
    await until(() => assert(!isAlive(id), `process ${pid} does not end`), 10_000);
  });
  return id;
}

/** Starts a process that ends with the test; resolves when its program runs. */
export async function begin(
  t: TestContext,
  [program = '', ...args]: readonly string[],
  options: SpawnOptions = {},
): Promise<ChildProcess & { readonly pid: Pid }> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], ...options });
  await new Promise((ready, reject) => {
    child.once('spawn', ready);
    child.once('error', reject);
  });
  const gone = new Promise((over) => child.once('exit', over));
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await gone;
    child.stdin?.destroy();
    child.stdout?.destroy();
  });
  return Object.assign(child, { pid: pidOf(child.pid) });
}

/** A process that does nothing: it lives until its stdin closes, so it cannot outlive this one. */
export function puppet(
  t: TestContext,
  { args = [], ...options }: SpawnOptions & { readonly args?: readonly string[] } = {},
): Promise<ChildProcess & { readonly pid: Pid }> {
  return begin(t, ['/bin/sh', '-c', 'read line', 'sh', ...args], { stdio: ['pipe', 'pipe', 'ignore'], ...options });
}

/** The next lines a child writes, as they come. */
export function linesOf(child: ChildProcess): AsyncGenerator<string, void, undefined> {
  assert(child.stdout !== null);
  // From now on, and not from the first question: what nobody has begun to read when a child ends Node throws away.
  return linesIn(child.stdout.pipe(new PassThrough({ encoding: 'utf8' })));
}

async function* linesIn(text: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
  let rest = '';
  for await (const part of text) {
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

/** The next line of a child, as JSON. */
export async function nextOf(lines: AsyncGenerator<string, void, undefined>): Promise<unknown> {
  const { value, done } = await lines.next();
  assert(done !== true && typeof value === 'string', 'it ended without a word');
  return JSON.parse(value) as unknown;
}

/**
 * The command of a Node that runs a script. In it, `load('host/proc')` imports a file of src, `say(value)` writes a line of
 * JSON, and `told()` waits for a line on stdin; the script may await. `given` is what is passed in.
 */
export function nodeRunning(script: string, given?: unknown): string[] {
  const prelude = `
    import { writeSync } from 'node:fs';
    import { createInterface } from 'node:readline';
    const load = (name) => import(${JSON.stringify(join(ROOT, 'src'))} + '/' + name + '.ts');
    const say = (value) => writeSync(1, JSON.stringify(value ?? null, (_, part) => part instanceof Set ? [...part] : part) + '\\n');
    let heard;
    const told = async () => (await (heard ??= createInterface({ input: process.stdin })[Symbol.asyncIterator]()).next()).value;
    const given = ${JSON.stringify(given ?? null)};`;
  return [process.execPath, '--input-type=module', '-e', `${prelude}\n${script}`];
}

export interface ScriptOptions {
  readonly given?: unknown;
  /** A program, with its words, that is to run Node. */
  readonly under?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/** Runs a script to its end, in a process of its own; the result is the last value it said. */
export function inNode(script: string, { given, under = [], env, cwd }: ScriptOptions = {}): unknown {
  const [program = '', ...args] = [...under, ...nodeRunning(script, given)];
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: 30_000,
    ...(env === undefined ? {} : { env }),
    ...(cwd === undefined ? {} : { cwd }),
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as unknown;
}

/** Whether somebody without rights could run a script of ours here: false when so, else why not. */
export const unlessNobodyCan: string | false = whyNotNobody();

function whyNotNobody(): string | false {
  if (unlessRoot !== false) return unlessRoot;
  const look = [...asNobody.slice(1), process.execPath, '-e', `fs.readdirSync(${JSON.stringify(ROOT)})`];
  return spawnSync('setpriv', look).status === 0 ? false : 'nobody may not read this directory';
}
