// Processes as /proc shows them: proc(5). Synchronous on purpose: a pass over /proc costs some microseconds a process.

import { closeSync, openSync, readdirSync, readlinkSync, readSync, statSync } from 'node:fs';
import { asPid, type Pid } from '../core/units.ts';
import type { ProcessIdentity, ProcessSight } from '../core/worker.ts';
import { codeOf } from './errno.ts';

/** The environment variable that marks workers. */
export const MARKER = 'FRONTIK_SUPERVISOR_WORKER';

/** What is read at once, of everything, into the same place. */
const BLOCK = 65_536;
/** No file of /proc that matters is longer. A process may put its arguments and its environment anywhere, at any length. */
const MOST = 4_194_304;
/** The kernel takes no longer environment: three quarters of 8 MiB, execve(2). */
const MOST_ENVIRON = 6_291_456;
/** A marker is a path and a port. */
const MOST_MARKER = 8192;
/** A worker has a few words, paths among them; whoever has more has them to himself. One word may be 128 KiB long, execve(2). */
const MOST_ARGUMENTS = 262_144;
const MOST_WORDS = 4096;
const block = Buffer.allocUnsafeSlow(BLOCK);

/**
 * What a file of /proc holds, `most` bytes of it or a few more; undefined when the process is gone or may not be looked at. Valid
 * until the next call.
 */
export function readProc(path: string, most: number = MOST): Buffer | undefined {
  return withFile(path, (fd) => readAll(fd, most));
}

/** What an open file holds, up to `most` bytes or a few more, whatever its size is said to be. Valid until the next call. */
export function readAll(fd: number, most: number): Buffer {
  // The larger one goes with what was read: a `run` lives long.
  let bytes = block;
  let length = 0;
  while (true) {
    if (length === bytes.length) bytes = Buffer.concat([bytes], bytes.length * 2);
    const read = readSync(fd, bytes, length, bytes.length - length, null);
    length += read;
    if (read === 0 || length >= most) return bytes.subarray(0, length);
  }
}

function withFile<T>(path: string, use: (fd: number) => T): T | undefined {
  try {
    const fd = openSync(path, 'r');
    try {
      return use(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    return undefinedIfHidden(error);
  }
}

/** That one process is gone, is another user's or is odd concerns nobody else; what we or the machine have run out of does. */
function undefinedIfHidden(error: unknown): undefined {
  switch (codeOf(error)) {
    case undefined:
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOMEM':
      throw error;
    default:
      return undefined;
  }
}

/** The numbers of all processes, in the kernel's order. */
export function listPids(): string[] {
  return readdirSync('/proc').filter((name) => isDigit(name.charCodeAt(0)));
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

interface Stat {
  readonly state: string;
  readonly parent: number;
  readonly session: number;
  readonly startTicks: number;
}

/** /proc/PID/stat; undefined when there is no such process. */
export function readStat(pid: number | string): Stat | undefined {
  const bytes = readProc(`/proc/${pid}/stat`);
  return bytes === undefined ? undefined : parseStat(bytes.toString('latin1'));
}

/** The name in it may contain anything, also ")", so only the last one ends it: proc_pid_stat(5), field 2. */
export function parseStat(text: string): Stat | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = '', parent, , session] = fields;
  const startTicks = Number(fields[19]);
  return Number.isSafeInteger(startTicks)
    ? { state, parent: Number(parent), session: Number(session), startTicks }
    : undefined;
}

/** A zombie has ended, and so has what the kernel is just taking apart: proc_pid_stat(5), field 3. */
function hasEnded(stat: Stat): boolean {
  return stat.state === 'Z' || stat.state === 'X' || stat.state === 'x';
}

/** Whether that very process lives. */
export function isAlive({ pid, startTicks }: ProcessIdentity): boolean {
  const stat = readStat(pid);
  return stat !== undefined && stat.startTicks === startTicks && !hasEnded(stat);
}

/** The beginning of a command line. */
function readCommandLine(pid: number | string): Buffer | undefined {
  return readProc(`/proc/${pid}/cmdline`, MOST_ARGUMENTS);
}

/** Strings that NULs end. */
function splitWords(bytes: Buffer): string[] {
  const words = bytes.toString('utf8').split('\0', MOST_WORDS);
  if (words.at(-1) === '') words.pop();
  return words;
}

const PORT = Buffer.from('--port=');
const SIGN = Buffer.from(`\0${MARKER}=`);

function readMarker(pid: number | string): string | undefined {
  return withFile(`/proc/${pid}/environ`, findMarker);
}

/** Block by block, so that the longest environment takes no more memory than any other. */
function findMarker(environ: number): string | undefined {
  block[0] = 0;
  let length = 1;
  for (let read = 0; read < MOST_ENVIRON; read += BLOCK) {
    length += readSync(environ, block, length, BLOCK - length, null);
    const bytes = block.subarray(0, length);
    const at = bytes.indexOf(SIGN);
    if (at !== -1) return readValue(environ, bytes.subarray(at + SIGN.length));
    // Of these files the kernel gives as much as is asked for, up to their end.
    if (length < BLOCK) break;
    block.copyWithin(0, length - SIGN.length);
    length = SIGN.length;
  }
  return undefined;
}

/** What NUL ends, of which the block may hold only a part. */
function readValue(environ: number, begun: Buffer): string {
  const value = Buffer.alloc(MOST_MARKER);
  const length = begun.copy(value);
  readSync(environ, value, length, MOST_MARKER - length, null);
  const end = value.indexOf(0);
  return value.toString('utf8', 0, end === -1 ? MOST_MARKER : end);
}

/** One process in full; undefined when it is gone, a zombie, or in another pid namespace than ours. */
export function readProcess(pid: Pid): ProcessSight | undefined {
  const stat = readStat(pid);
  if (stat === undefined || hasEnded(stat)) return undefined;
  const status = readProc(`/proc/${pid}/status`)?.toString('latin1');
  const uids = /^Uid:\s+(\d+)\s+(\d+)/m.exec(status ?? '');
  // One number: it has no pid in a namespace below ours. pid_namespaces(7); kernels before 4.1 have no such line.
  const isInside = /^NSpid:\s+\d+\s+\d/m.test(status ?? '');
  if (uids === null || isInside) return undefined;
  const argv = splitWords(readCommandLine(pid) ?? Buffer.alloc(0));
  const marker = readMarker(pid);
  const needsCwd = argv.some((word) => word.startsWith('--config=') && word[9] !== '/');
  const cwd = needsCwd ? readProcLink(`/proc/${pid}/cwd`) : undefined;
  // All of this was one process only if it is still the same one.
  if (readStat(pid)?.startTicks !== stat.startTicks) return undefined;
  return {
    id: { pid, startTicks: stat.startTicks },
    parent: stat.parent,
    session: stat.session,
    argv,
    marker,
    uids: [Number(uids[1]), Number(uids[2])],
    cwd,
  };
}

/** Where a link of /proc leads; undefined when the process is gone, may not be looked at, or is where no path leads. */
export function readProcLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    return undefinedIfHidden(error);
  }
}

/** Generations that a daemon may pass through while it is looked for. */
const MOST_PASSES = 4;

/**
 * Every process that could be a worker: one that has our marker, or an argument `--port=`. `uid` is the caller's, `list` names
 * the processes there are. A list is older than what is read of each, and the child of one that has ended meanwhile may be too
 * young for it: so it is read again until it has nothing new.
 */
export function scanProcesses(uid: number, list: () => readonly string[] = listPids): ProcessSight[] {
  // Without a /proc of ours nothing can be told: an error, not an empty list.
  if (readlinkSync('/proc/self') !== String(process.pid)) {
    const text = '/proc shows the processes of another pid namespace: mount that of this one';
    throw Object.assign(new Error(text), { code: 'EXDEV', syscall: 'readlink' });
  }
  const found: ProcessSight[] = [];
  const read = new Set<string>();
  for (let pass = 0; pass < MOST_PASSES; pass += 1) {
    const fresh = list().filter((name) => !read.has(name));
    if (fresh.length === 0) break;
    for (const name of fresh) {
      read.add(name);
      const process = readCandidate(name, uid);
      if (process !== undefined) found.push(process);
    }
  }
  return found;
}

function readCandidate(name: string, uid: number): ProcessSight | undefined {
  const hasPort = withFile(`/proc/${name}/cmdline`, findPort);
  // Kernel threads and zombies have none.
  if (hasPort === undefined) return undefined;
  const pid = asPid(Number(name));
  if (pid === undefined || !(hasPort || hasMarker(name, uid))) return undefined;
  return readProcess(pid);
}

/** Whether a command line's first words have a port; undefined when it is empty. */
function findPort(cmdline: number): boolean | undefined {
  const length = readSync(cmdline, block, 0, BLOCK, null);
  return length === 0 ? undefined : block.subarray(0, length).includes(PORT);
}

function hasMarker(pid: string, uid: number): boolean {
  // Another user's environment is closed to all but root, and finding that out by an error costs more than asking first.
  if (uid !== 0 && statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid !== uid) return false;
  return readMarker(pid) !== undefined;
}

/** This process and all of its ancestors. */
export function ownLine(): Set<number> {
  const line = new Set<number>();
  for (let pid = process.pid; pid > 1 && !line.has(pid); pid = readStat(pid)?.parent ?? 0) line.add(pid);
  return line;
}
