// Launching workers as a command does: from a process of its own, so that what it closes and inherits is not the test's.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { WorkerSpec } from '../../src/core/worker.ts';
import { begin, endWith, linesOf, nextOf, nodeRunning, portOf } from './adapters.ts';
import { until } from './e2e-command.ts';
import { descriptorsOf, look } from './e2e-processes.ts';

const PORT = portOf(8000);

/** A worker that does nothing but live; most tests change something about it. */
export function spec(changes: Partial<WorkerSpec> = {}): WorkerSpec {
  return {
    port: PORT,
    argv: ['sleep', '1000'],
    marker: '/etc/app.cfg:8000',
    pidfile: undefined,
    logfile: undefined,
    firstWords: 'dropped',
    openFiles: { soft: 512, raiseHard: false },
    account: undefined,
    ...changes,
  };
}

const LAUNCH = `
  const { launch } = await load('host/launch');
  const result = await launch(given);
  if (!result.ok) say(result);
  else {
    const { pid, state, lastWords, release, ...rest } = result.value;
    say({ ok: true, pid, ...rest });
    while ((await told()) === 'how is it') say({ state: state(), words: lastWords() });
    release();
    say({ words: lastWords() });
  }`;

export interface LaunchOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** A program, with its words, that is to run the launching Node. */
  readonly under?: readonly string[];
}

export type Answer =
  | { readonly ok: true; readonly pid: number; readonly logTrouble?: string }
  | { readonly ok: false; readonly error: unknown };

/** What a command knows of a worker that it launched. */
export interface Knowledge {
  readonly state: unknown;
  readonly words: readonly string[];
}

export interface Launched {
  readonly answer: Answer;
  readonly supervisor: number;
  /** What the launching process knows of the worker now. */
  ask(): Promise<Knowledge>;
  /** What it knows when the worker has ended. */
  end(): Promise<Knowledge>;
  /** Lets go of what was kept, and asks once more for the last words. */
  release(): Promise<unknown>;
}

/** Launches a worker; it ends with the test. */
export async function launchIn(t: TestContext, worker: WorkerSpec, options: LaunchOptions = {}): Promise<Launched> {
  const { env, cwd, under = [] } = options;
  const child = await begin(t, [...under, ...nodeRunning(LAUNCH, worker)], {
    ...(env === undefined ? {} : { env }),
    ...(cwd === undefined ? {} : { cwd }),
  });
  const lines = linesOf(child);
  const ask = async (): Promise<Knowledge> => {
    child.stdin?.write('how is it\n');
    return (await nextOf(lines)) as Knowledge;
  };
  const answer = (await nextOf(lines)) as Answer;
  if (answer.ok) endWith(t, answer.pid);
  return {
    answer,
    supervisor: child.pid,
    ask,
    end: () =>
      until(async () => {
        const knowledge = await ask();
        assert.notDeepEqual(knowledge.state, { kind: 'running' });
        return knowledge;
      }),
    release: () => {
      child.stdin?.write('that is all\n');
      return nextOf(lines);
    },
  };
}

/** A worker from outside, once its program runs. */
export interface Facts {
  readonly pid: number;
  readonly argv: readonly string[];
  readonly environment: readonly string[];
  readonly session: number;
  readonly descriptors: Readonly<Record<string, string>>;
  /** A field of proc_pid_status(5). */
  status(field: string): string | undefined;
  /** Soft and hard RLIMIT_NOFILE. */
  readonly openFiles: readonly number[];
}

/** Looks at a launched worker when the shell has become its program. */
export async function factsOf({ answer }: Launched, program = 'sleep'): Promise<Facts> {
  assert(answer.ok, JSON.stringify(answer));
  const { pid } = answer;
  const seen = await until(() => {
    const now = look(pid);
    assert.equal(now?.argv[0], program);
    // While a program starts it has its libraries open for a moment.
    const opening = Object.values(descriptorsOf(pid)).filter((path) => /^\/(usr|lib|etc\/ld)/.test(path));
    assert.deepEqual([now.state, opening], ['S', []]);
    return now;
  });
  const read = (name: string): string => readFileSync(join('/proc', String(pid), name), 'utf8');
  const limits = /^Max open files\s+(\d+)\s+(\d+)/m.exec(read('limits'))?.slice(1).map(Number) ?? [];
  const status = new Map(
    read('status')
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as const),
  );
  return {
    pid,
    argv: seen.argv,
    environment: seen.environment,
    session: seen.session,
    descriptors: descriptorsOf(pid),
    status: (field) => status.get(field),
    openFiles: limits,
  };
}
