// Pidfiles, directories and programs. Pidfiles lie where a service user may write, and root reads them: nothing in them is
// followed, nothing is written through an existing name.

import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fchownSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { asPid, type Pid } from '../core/units.ts';
import type { Account, PidfileSight } from '../core/worker.ts';
import { codeOf, orElse } from './errno.ts';
import { isExecutable } from './helper.ts';
import type { Files, Obstacle, ProgramSight, Result } from './host.ts';
import { isRoot, openDirectory, parentOf, throughParent } from './parent.ts';
import { readAll, readProc } from './proc.ts';
import { distrust } from './trust.ts';

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** A pid and white space around it. */
const MOST_PIDFILE = 64;
/** No configuration or launcher is larger; /dev/zero is. */
export const MOST_TEXT = 4_194_304;
/** Linux counts process times in this unit for user space: getconf CLK_TCK, time(7). */
const TICKS_PER_SECOND = 100;

export const files: Files = {
  cwd: () =>
    orElse<string | undefined>(
      () => process.cwd(),
      () => undefined,
    ),
  target: (path) =>
    orElse(
      () => realpathSync(path),
      () => path,
    ),
  readPidfile,
  removePidfile,
  createPidfile,
  directoryOwner: (path) =>
    orElse<number | undefined>(
      () => statSync(parentOf(path)).uid,
      () => undefined,
    ),
  prepareDirectory: (path, owner) => makeDirectory(parentOf(path), owner),
  checkDirectory: (path) => checkDirectory(parentOf(path)),
  read,
  distrust,
  program,
  enter: (path) =>
    orElse<Result<undefined, Obstacle>>(
      () => {
        process.chdir(path);
        return { ok: true, value: undefined };
      },
      (code) => ({ ok: false, error: { path, code } }),
    ),
};

/** O_NONBLOCK: opening a fifo must not wait for a writer. open(2), fifo(7). */
function readPidfile(path: string): PidfileSight {
  const opened = orElse<number | string>(
    () => openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK),
    (code) => code,
  );
  if (opened === 'ENOENT' || opened === 'ENOTDIR') return { kind: 'none' };
  if (typeof opened === 'string') return { kind: 'unusable', why: opened };
  try {
    const stat = fstatSync(opened);
    if (!stat.isFile()) return { kind: 'unusable', why: 'no regular file' };
    if (stat.nlink > 1) return { kind: 'unusable', why: 'a hard link' };
    const bytes = Buffer.alloc(MOST_PIDFILE + 1);
    const length = readSync(opened, bytes, 0, bytes.length, 0);
    if (length > MOST_PIDFILE) return { kind: 'unusable', why: 'too large' };
    const text = bytes.toString('latin1', 0, length).trim();
    const pid = /^\d{1,10}$/.test(text) ? asPid(Number(text)) : undefined;
    return pid === undefined
      ? { kind: 'garbled' }
      : { kind: 'names', pid, writtenTicks: ticksAt(stat.mtimeMs), writer: stat.uid };
  } finally {
    closeSync(opened);
  }
}

/** A moment of the wall clock as ticks since boot. */
function ticksAt(wallMillis: number): number {
  // Not once and for all: a `run` lives longer than a wrong date.
  const bootedAt = Date.now() - 1000 * Number(readProc('/proc/uptime')?.toString('latin1').split(' ', 1)[0]);
  return Math.floor(((wallMillis - bootedAt) / 1000) * TICKS_PER_SECOND);
}

function removePidfile(path: string, seen: PidfileSight): Obstacle | undefined {
  const now = readPidfile(path);
  const isUnchanged = now.kind === seen.kind && (now.kind !== 'names' || seen.kind !== 'names' || now.pid === seen.pid);
  if (!isUnchanged) return undefined;
  return orElse<Obstacle | undefined>(
    () => {
      throughParent(path, unlinkSync);
      return undefined;
    },
    (code) => (code === 'ENOENT' ? undefined : { path, code }),
  );
}

function createPidfile(path: string, pid: Pid, owner: Account | undefined): Obstacle | undefined {
  const opened = orElse<number | string>(
    () => throughParent(path, (inside) => openSync(inside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644)),
    (code) => code,
  );
  // The worker was faster.
  if (opened === 'EEXIST') return undefined;
  if (typeof opened === 'string') return { path, code: opened };
  try {
    if (owner !== undefined) fchownSync(opened, owner.uid, owner.gid);
    writeSync(opened, `${pid}\n`);
    return undefined;
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    return { path, code };
  } finally {
    closeSync(opened);
  }
}

/** The directory or its nearest existing ancestor, into which the rest would be made. */
function checkDirectory(directory: string): Result<undefined, Obstacle> {
  const stat = orElse<ReturnType<typeof statSync> | string>(
    () => statSync(directory, { throwIfNoEntry: false }),
    (code) => code,
  );
  if (typeof stat === 'string') return { ok: false, error: { path: directory, code: stat } };
  if (stat === undefined) {
    return directory === '/'
      ? { ok: false, error: { path: '/', code: 'ENOENT' } }
      : checkDirectory(parentOf(directory));
  }
  if (!stat.isDirectory()) return { ok: false, error: { path: directory, code: 'ENOTDIR' } };
  return orElse<Result<undefined, Obstacle>>(
    () => {
      // Without /proc no way can be followed step by step; whoever looks for workers next says so, and nothing is touched.
      if (isRoot() && existsSync('/proc/self/fd')) closeSync(openDirectory(directory));
      accessSync(directory, constants.W_OK | constants.X_OK);
      return { ok: true, value: undefined };
    },
    (code) => ({ ok: false, error: { path: directory, code } }),
  );
}

/** Makes what is missing, with the workers' owner: /run is empty after every boot. */
function makeDirectory(directory: string, owner: Account | undefined): Result<undefined, Obstacle> {
  return orElse<Result<undefined, Obstacle>>(
    () => {
      if (statSync(directory, { throwIfNoEntry: false }) !== undefined) return { ok: true, value: undefined };
      const parent = makeDirectory(parentOf(directory), owner);
      if (!parent.ok) return parent;
      throughParent(directory, (inside) => {
        mkdirSync(inside, 0o755);
        if (owner !== undefined) own(inside, owner);
      });
      return { ok: true, value: undefined };
    },
    (code) => (code === 'EEXIST' ? { ok: true, value: undefined } : { ok: false, error: { path: directory, code } }),
  );
}

/** Through a descriptor, and only what is new: a service user can put another directory of root's there meanwhile. */
function own(directory: string, { uid, gid }: Account): void {
  const fd = openSync(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    if (readdirSync(`/proc/self/fd/${fd}`).length === 0) fchownSync(fd, uid, gid);
  } finally {
    closeSync(fd);
  }
}

function read(path: string): Result<Uint8Array, Obstacle> {
  return orElse<Result<Uint8Array, Obstacle>>(
    () => {
      const fd = openSync(path, O_RDONLY | O_NONBLOCK);
      try {
        const stat = fstatSync(fd);
        if (stat.isDirectory()) return { ok: false, error: { path, code: 'EISDIR' } };
        if (!stat.isFile() || stat.size > MOST_TEXT) return { ok: false, error: { path, code: 'EFBIG' } };
        // It may grow meanwhile, and what lies in /proc has no size.
        const bytes = readAll(fd, MOST_TEXT + 1);
        if (bytes.length > MOST_TEXT) return { ok: false, error: { path, code: 'EFBIG' } };
        return { ok: true, value: Buffer.from(bytes) };
      } finally {
        closeSync(fd);
      }
    },
    (code) => ({ ok: false, error: { path, code } }),
  );
}

// dash's and glibc's default when PATH is unset.
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** PATH first, then the working directory, where the original looked: a name must not mean something else in /tmp. */
function program(word: string): ProgramSight {
  if (word.includes('/')) return inspectProgram(word);
  if (findProgram(word) !== undefined) return { kind: 'runnable', path: word };
  return word === '' ? { kind: 'missing' } : inspectProgram(`./${word}`);
}

/** Where on PATH a program is. */
export function findProgram(word: string): string | undefined {
  const directories = word.includes('/') ? [] : (process.env['PATH'] ?? DEFAULT_PATH).split(':');
  return directories
    .filter((directory) => directory.startsWith('/'))
    .map((directory) => `${directory}/${word}`)
    .find((path) => inspectProgram(path).kind === 'runnable');
}

function inspectProgram(path: string): ProgramSight {
  const stat = orElse<ReturnType<typeof statSync>>(
    () => statSync(path, { throwIfNoEntry: false }),
    () => undefined,
  );
  if (stat === undefined || !stat.isFile()) return { kind: 'missing' };
  if (!isExecutable(path)) return { kind: 'needs-interpreter', path, why: 'is not executable' };
  const missing = missingInterpreter(path);
  return missing === undefined
    ? { kind: 'runnable', path }
    : { kind: 'needs-interpreter', path, why: `wants ${missing}, which is not installed` };
}

/** The interpreter that a script's first line names and that does not exist: execve(2), "Interpreter scripts". */
function missingInterpreter(path: string): string | undefined {
  const head = orElse<string>(
    () => readHead(path),
    () => '',
  );
  const [, interpreter, argument] = /^#![ \t]*(\S+)(?:[ \t]+(\S+))?/.exec(head) ?? [];
  if (interpreter === undefined) return undefined;
  if (!isExecutable(interpreter)) return interpreter;
  // `/usr/bin/env python` finds nothing on a host that has only python3.
  const isSearched = /(^|\/)env$/.test(interpreter) && argument !== undefined && !/[-=/]/.test(argument.slice(0, 1));
  return isSearched && program(argument).kind === 'missing' ? argument : undefined;
}

function readHead(path: string): string {
  const fd = openSync(path, O_RDONLY | O_NONBLOCK);
  try {
    const bytes = Buffer.alloc(256);
    return bytes.toString('latin1', 0, readSync(fd, bytes, 0, bytes.length, 0)).split('\n', 1)[0] ?? '';
  } finally {
    closeSync(fd);
  }
}
