// Starts one worker: a session of its own, /dev/null as stdin, its log as stdout and stderr, nothing else of ours, and the
// limit of open files, set by a shell that becomes the worker.

import type { ChildProcess } from 'node:child_process';
import { closeSync, readdirSync } from 'node:fs';
import type { Failure } from '../core/failure.ts';
import { asPid } from '../core/units.ts';
import type { StarterSight, WorkerSpec } from '../core/worker.ts';
import { codeOf } from './errno.ts';
import { findHelper } from './helper.ts';
import type { Result, Starter } from './host.ts';
import { MARKER, readProc } from './proc.ts';
import { openWords, type Words } from './words.ts';

const SHELL = '/bin/sh';

/** The ulimit wrapper. `exec` leaves no shell behind. Without -S, ulimit sets both limits: POSIX.1-2024, ulimit. */
function wrapper({ openFiles, account }: WorkerSpec): string[] {
  const limit = `ulimit ${openFiles.raiseHard ? '-n' : '-S -n'} ${openFiles.soft}`;
  const become =
    account === undefined
      ? ''
      : `${findHelper('setpriv')} --reuid=${account.uid} --regid=${account.gid} --init-groups -- `;
  // A shell makes itself a PWD where the caller has none.
  const tidy = process.env['PWD'] === undefined ? 'unset PWD; ' : '';
  return ['-c', `${tidy}${limit} && exec ${become}"$@"`, SHELL];
}

let isClean = false;

/**
 * Closes what the caller left open: what is not close-on-exec would live on in every worker. Node opens everything with
 * O_CLOEXEC, so what is left is the caller's. The flag is octal 2000000 in proc_pid_fdinfo(5).
 */
export function closeInherited(): void {
  if (isClean) return;
  for (const name of readdirSync('/proc/self/fd')) {
    const flags = /^flags:\s+([0-7]+)/m.exec(readProc(`/proc/self/fdinfo/${name}`)?.toString('latin1') ?? '')?.[1];
    if (Number(name) > 2 && flags !== undefined && (Number.parseInt(flags, 8) & 0o2000000) === 0)
      closeSync(Number(name));
  }
  isClean = true;
}

/** Launches a worker. What the machine refuses comes back as a failure. */
export async function launch(spec: WorkerSpec): Promise<Result<Starter, Failure>> {
  const refused = (code: string): Result<Starter, Failure> => {
    return { ok: false, error: { kind: 'launch-refused', program: spec.argv[0], code } };
  };
  let words: Words | undefined;
  try {
    closeInherited();
    words = openWords(spec);
    const child = spawn(spec, words.fd);
    const code = await outcome(child);
    const pid = asPid(child.pid ?? 0);
    if (code !== undefined || pid === undefined) {
      words.release();
      return refused(code ?? 'ECHILD');
    }
    child.unref();
    return { ok: true, value: watch(child, pid, words) };
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    words?.release();
    return refused(code);
  } finally {
    words?.handedOver();
  }
}

function spawn(spec: WorkerSpec, output: number): ChildProcess {
  const { spawn: spawnProcess } = process.getBuiltinModule('node:child_process');
  return spawnProcess(SHELL, [...wrapper(spec), ...spec.argv], {
    detached: true,
    stdio: ['ignore', output, output],
    env: { ...process.env, [MARKER]: spec.marker },
  });
}

/** The errno of a failed fork or exec, or undefined when the child runs. Node tells either on its next turn. */
function outcome(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(undefined));
    child.once('error', (error) => {
      const code = codeOf(error);
      if (code === undefined) reject(error);
      else resolve(code);
    });
  });
}

function watch(child: ChildProcess, pid: Starter['pid'], words: Words): Starter {
  let state: StarterSight = { kind: 'running' };
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  child.once('exit', (status, signal) => {
    // Status 0 is a daemon's starter that did its work: what died is the daemon.
    const how = status === 0 ? 'died' : `exited with status ${status}`;
    state = { kind: 'exited', how: signal === null ? how : `was killed by ${signal}` };
    resolve();
  });
  return {
    pid,
    state: () => state,
    lastWords: () => words.read(),
    release: () => words.release(),
    ended,
    ...(words.trouble === undefined ? {} : { logTrouble: words.trouble }),
  };
}
