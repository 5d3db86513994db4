// A program that somebody waits for, for so long and no longer: started, ended with all of its process group, and how it ended.

import type { ChildProcess, StdioOptions } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { codeOf, orElse } from './errno.ts';
import type { Result } from './host.ts';
import { closeInherited } from './launch.ts';

/** After its end: what it wrote last may still be on the way, and what it left behind may hold its output open for ever. */
const LINGER = 200;
/** How long a killed process may take to be gone. */
const DYING = 1000;

/** As many descriptors as to start a program with three pipes takes, and a few more. */
const NEEDED = 12;

/** How a program ended. */
export type ChildEnd =
  | { readonly kind: 'ended'; readonly status: number | null; readonly signal: NodeJS.Signals | null }
  /** It was to be killed and is still there: it has become somebody else's, as by sudo(8), or sleeps in the kernel. */
  | { readonly kind: 'unending' };

/** A program that runs. Nobody hears it any more when `ended` resolves. */
export interface Child {
  readonly process: ChildProcess;
  readonly ended: Promise<ChildEnd>;
  /** Kills it and all of its process group; `ended` resolves within a second, whatever comes of that. */
  kill(): void;
}

/**
 * Starts a program without a shell, in a session and a process group of its own and without any descriptor of the caller's. The
 * error is an errno.
 */
export async function begin(
  [program, ...args]: readonly [program: string, ...args: string[]],
  stdio: StdioOptions,
): Promise<Result<Child, string>> {
  const { spawn } = process.getBuiltinModule('node:child_process');
  try {
    closeInherited();
    tryDescriptors();
    const child = spawn(program, args, { detached: true, stdio });
    if (child.pid === undefined) throw await new Promise((resolve) => child.once('error', resolve));
    return { ok: true, value: attend(child) };
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    return { ok: false, error: code };
  }
}

/** Throws when there are too few: in the middle of a start Node would lose some of them for ever, and make no streams. */
function tryDescriptors(): void {
  const fds: number[] = [];
  try {
    while (fds.length < NEEDED) fds.push(openSync('/', constants.O_RDONLY | constants.O_DIRECTORY));
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

function attend(child: ChildProcess): Child {
  const { promise: ended, resolve } = Promise.withResolvers<ChildEnd>();
  let timer: NodeJS.Timeout | undefined;
  const finish = (end: ChildEnd): void => {
    clearTimeout(timer);
    for (const stream of child.stdio) stream?.destroy();
    child.unref();
    resolve(end);
  };
  const finishAfter = (wait: number, end: ChildEnd): void => {
    clearTimeout(timer);
    timer = setTimeout(() => finish(end), wait);
  };
  child.once('exit', (status, signal) => {
    const end: ChildEnd = { kind: 'ended', status, signal };
    child.once('close', () => finish(end));
    finishAfter(LINGER, end);
  });
  const kill = (): void => {
    // It is dying, or its leader has been waited for, and the group's number may soon be somebody else's.
    if (timer !== undefined) return;
    killGroup(child.pid);
    finishAfter(DYING, { kind: 'unending' });
  };
  return { process: child, ended, kill };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  orElse<void>(
    () => {
      process.kill(-pid, 'SIGKILL');
    },
    () => undefined, // it has just ended, or is somebody else's
  );
}

/** In words. */
export function howEnded(end: ChildEnd): string {
  if (end.kind === 'unending') return 'did not end';
  return end.signal === null ? `exited with status ${end.status}` : `was killed by ${end.signal}`;
}

/** The lines of what a program wrote; empty ones are left out. */
export function linesOf(output: string): string[] {
  return output.split(/\r?\n|\r/).filter((line) => line.trim() !== '');
}
