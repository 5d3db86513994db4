// Commands that want the lock of an application, each a process of its own.

import assert from 'node:assert/strict';
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { asNobody, begin, isRoot, linesOf, NOBODY, nextOf, nodeRunning, scratch } from './adapters.ts';

const TAKE = `
  const { locks } = await load('host/lock');
  const { promise, resolve } = Promise.withResolvers();
  const taken = locks.take(given.name, given.note, promise, (holder) => say({ waiting: holder ?? null }));
  const done = taken.then((result) => { say(result); return result; });
  for (let word = await told(); word !== undefined; word = await told()) {
    if (word === 'interrupt') resolve();
    if (word === 'release') { (await done).lock.release(); say('released'); }
    if (word === 'spawn') {
      const { spawn } = await import('node:child_process');
      const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
      child.once('spawn', () => say({ spawned: child.pid }));
      child.unref();
    }
  }`;

/** What one says that has the lock: because nobody had it, and because nobody has it any more. */
export const AT_ONCE = { kind: 'held', hasWaited: false, lock: {} };
export const WAITED = { kind: 'held', hasWaited: true, lock: {} };

export interface Note {
  readonly action: string;
  readonly most: number;
}

/** A process that has asked for a lock. */
export interface Contender {
  readonly pid: number;
  /** The next thing that it says. */
  next(): Promise<unknown>;
  tell(word: 'interrupt' | 'release' | 'spawn'): void;
  kill(): Promise<void>;
}

export interface Contest {
  /** Where the lock files are. */
  readonly directory: string;
  contend(note: Note, name?: string): Promise<Contender>;
}

/** A place for locks of its own; as root it is an ordinary user`s, since root's one place is the whole machine's. */
export function contest(t: TestContext, env: NodeJS.ProcessEnv = {}): Contest {
  const runtime = scratch(t);
  const directory = join(runtime, 'frontik-supervisor');
  mkdirSync(directory, { mode: 0o700 });
  if (isRoot) {
    chownSync(directory, NOBODY, NOBODY);
    chownSync(runtime, NOBODY, NOBODY);
  }
  const under = isRoot ? asNobody : [];
  return {
    directory,
    contend: (note, name = '/etc/app.cfg') =>
      contender(t, nodeRunning(TAKE, { name, note }), under, { ...process.env, XDG_RUNTIME_DIR: runtime, ...env }),
  };
}

/** One that contends under other circumstances. */
export function contender(
  t: TestContext,
  command: readonly string[],
  under: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Contender> {
  return begin(t, [...under, ...command], { env }).then((child) => {
    const lines = linesOf(child);
    const gone = new Promise<void>((over) => child.once('exit', () => over()));
    return {
      pid: child.pid,
      next: () => nextOf(lines),
      tell: (word) => assert(child.stdin?.write(`${word}\n`)),
      kill: () => {
        child.kill('SIGKILL');
        return gone;
      },
    };
  });
}

/** The command of a contender, for `contender`. */
export function taking(name: string, note: Note): string[] {
  return nodeRunning(TAKE, { name, note });
}
