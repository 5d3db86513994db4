// Runs hooks: commands of the operator's that take a worker's port out of rotation and put it back. Without a shell, in a
// process group of its own that is ended in time, with /dev/null as stdin and its output apart.

import type { ChildProcess } from 'node:child_process';
import type { Hook } from '../core/application.ts';
import type { Millis } from '../core/units.ts';
import { codeOf, orElse } from './errno.ts';
import type { HookFailure, Hooks, Result } from './host.ts';
import { closeInherited } from './launch.ts';

/** What is kept of a hook's output, and shown of it when it has failed. */
const MOST_OUTPUT = 16_384;
const MOST_LINES = 10;

export const hooks: Hooks = { run };

function run([program, ...args]: Hook, within: Millis): Promise<Result<undefined, HookFailure>> {
  const { spawn } = process.getBuiltinModule('node:child_process');
  let child: ChildProcess;
  try {
    closeInherited();
    child = spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    return Promise.resolve(refused(error));
  }
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-MOST_OUTPUT);
    });
  }
  return new Promise((resolve) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      killGroup(child);
    }, within);
    const finish = (result: Result<undefined, HookFailure>): void => {
      clearTimeout(timer);
      // What it left running in the background may hold its output open: nobody waits for that.
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve(result);
    };
    child.once('error', (error) => finish(refused(error)));
    child.once('exit', (status, signal) => {
      // What it wrote last may still be in the pipe.
      setImmediate(() => {
        if (status === 0) finish({ ok: true, value: undefined });
        else finish({ ok: false, error: { how: ending(status, signal, isLate, within), words: lastLines(output) } });
      });
    });
  });
}

function ending(status: number | null, signal: string | null, isLate: boolean, within: Millis): string {
  if (isLate) return `did not finish within ${within / 1000} s`;
  return signal === null ? `exited with status ${status}` : `was killed by ${signal}`;
}

function refused(error: unknown): Result<undefined, HookFailure> {
  const code = codeOf(error);
  if (code === undefined) throw error;
  return { ok: false, error: { how: `could not be started: ${code}`, words: [] } };
}

/** It leads its process group: setsid(2). */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  orElse(
    () => process.kill(-pid, 'SIGKILL'),
    () => false, // it has just ended
  );
}

function lastLines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-MOST_LINES);
}
