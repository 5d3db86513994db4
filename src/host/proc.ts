// Processes as /proc shows them: proc(5). Synchronous on purpose: a pass over /proc costs some microseconds a process.

import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statSync } from 'node:fs';
import { asPid, type Pid } from '../core/units.ts';
import type { ProcessIdentity, ProcessSight } from '../core/worker.ts';
import { codeOf } from './errno.ts';

/** The environment variable that marks workers. */
export const MARKER = 'FRONTIK_SUPERVISOR_WORKER';

const BLOCK = 65_536;
/** No command line or environment that matters is longer: ARG_MAX of execve(2) is 2 MiB by default. */
const MOST = 4_194_304;
let buffer = Buffer.allocUnsafeSlow(BLOCK);

/** What a file of /proc holds; undefined when the process is gone or may not be looked at. Valid until the next call. */
export function readProc(path: string): Buffer | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    return undefinedIfHidden(error);
  }
  try {
    let length = 0;
    while (true) {
      if (length === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2);
      const read = readSync(fd, buffer, length, buffer.length - length, null);
      length += read;
      if (read === 0 || length >= MOST) return buffer.subarray(0, length);
    }
  } catch (error) {
    return undefinedIfHidden(error);
  } finally {
    closeSync(fd);
  }
}

function undefinedIfHidden(error: unknown): undefined {
  switch (codeOf(error)) {
    case 'ENOENT':
    case 'ESRCH': // it ended while it was read
    case 'EACCES': // another user's
    case 'EPERM':
    case 'EINVAL': // a link of a process that is ending
    case 'ENAMETOOLONG': // a link to what lies deeper than a path can say; no worker is there, but anybody may be
      return undefined;
    default:
      throw error;
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

/** Strings that NULs end, as in cmdline and environ. */
function splitWords(bytes: Buffer): string[] {
  const words = bytes.toString('utf8').split('\0');
  if (words.at(-1) === '') words.pop();
  return words;
}

function findMarker(environ: Buffer): string | undefined {
  const name = `${MARKER}=`;
  for (let at = environ.indexOf(name); at !== -1; at = environ.indexOf(name, at + 1)) {
    if (at > 0 && environ[at - 1] !== 0) continue;
    const end = environ.indexOf(0, at);
    return environ.toString('utf8', at + name.length, end === -1 ? environ.length : end);
  }
  return undefined;
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
  const argv = splitWords(readProc(`/proc/${pid}/cmdline`) ?? Buffer.alloc(0));
  const environ = readProc(`/proc/${pid}/environ`);
  const marker = environ === undefined ? undefined : findMarker(environ);
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
  const cmdline = readText(`/proc/${name}/cmdline`);
  // Kernel threads and zombies have none.
  if (cmdline === undefined || cmdline.length === 0) return undefined;
  const pid = asPid(Number(name));
  if (pid === undefined || !(cmdline.includes('--port=') || hasMarker(name, uid))) return undefined;
  return readProcess(pid);
}

function hasMarker(pid: string, uid: number): boolean {
  // Another user's environment is closed to all but root, and finding that out by an error costs more than asking first.
  if (uid !== 0 && statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid !== uid) return false;
  const environ = readText(`/proc/${pid}/environ`) ?? '';
  return environ.startsWith(`${MARKER}=`) || environ.includes(`\0${MARKER}=`);
}

/** The same as readProc for hundreds of files in a row: with this encoding Node does it in one call. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return undefinedIfHidden(error);
  }
}

/** This process and all of its ancestors. */
export function ownLine(): Set<number> {
  const line = new Set<number>();
  for (let pid = process.pid; pid > 1 && !line.has(pid); pid = readStat(pid)?.parent ?? 0) line.add(pid);
  return line;
}
