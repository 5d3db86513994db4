// One command at a time on one application: flock(1) on a file of our own. The lock belongs to our open file, which flock
// inherits and leaves locked when it ends; so it goes when we go, however that happens.

import type { ChildProcess } from 'node:child_process';
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readlinkSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs';
import { codeOf, orElse } from './errno.ts';
import { findHelper } from './helper.ts';
import type { ForeignRun, LockNote, LockResult, Locks, Obstacle, Result } from './host.ts';
import { fileNameOf, inRuntimeDirectory, NotOwn, placesOfOthers } from './runtime-directory.ts';

const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants;

const DAY = 86_400_000;
/** When to tell that we wait. */
const PATIENT = 1000;
/** The action that holds the lock for as long as it is there, and does what others ask of it: nobody waits for its end. */
const RESIDENT = 'run';
/** How long, at least, one is waited for that has not written yet who it is. */
const UNKNOWN = 10_000;
/** Commands that may be before us in the queue. */
const MOST_HOLDERS = 20;

export const locks: Locks = { take, foreignRuns };

async function take(
  name: string,
  note: LockNote,
  interrupted: Promise<void>,
  onWait: (holder: string | undefined) => void,
): Promise<LockResult> {
  const file = openLockFile(name);
  if (!file.ok) return { kind: 'unusable', obstacle: file.error };
  const opened = file.value;
  const held = (hasWaited: boolean): LockResult => {
    const code = label(opened, note);
    // Others find a `run` by its note alone. Of a command it only tells them for whom they wait.
    if (code !== undefined && note.action === RESIDENT) return failed(code, readlinkSync(`/proc/self/fd/${opened}`));
    // Whoever cleans /tmp spares what is young.
    const daily = setInterval(() => label(opened, note), DAY).unref();
    const relabel = (other: LockNote): void => {
      clearInterval(daily);
      label(opened, other);
    };
    const release = (): void => {
      clearInterval(daily);
      letGo(opened);
    };
    return { kind: 'held', hasWaited, lock: { relabel, release } };
  };
  const failed = (code: string, path = 'flock(1) of util-linux'): LockResult =>
    giveUp(opened, { kind: 'unusable', obstacle: { path, code } });
  const first = tryNow(opened);
  if (first === 'held') return held(false);
  if (first !== 'timed-out') return failed(first.code);
  const timer = setTimeout(() => onWait(describe(readNote(opened))), PATIENT);
  try {
    for (let holders = 0; holders < MOST_HOLDERS; holders += 1) {
      const holder = readNote(opened);
      const outcome = await wait(opened, holder?.most ?? Math.max(note.most, UNKNOWN), interrupted);
      if (outcome === 'held') return held(true);
      if (outcome === 'resident') return giveUp(opened, { kind: outcome, holder: describe(readNote(opened)) });
      if (outcome === 'interrupted') return giveUp(opened, { kind: outcome });
      if (outcome !== 'timed-out') return failed(outcome.code);
      // Another command came before us: it has its own time.
      if (readNote(opened)?.pid === holder?.pid) break;
    }
    return giveUp(opened, { kind: 'timed-out', holder: describe(readNote(opened)) });
  } finally {
    clearTimeout(timer);
  }
}

/** The errno of what is against it: a full disk, a limit of file sizes. */
function label(fd: number, { action, most }: LockNote): string | undefined {
  return orElse<string | undefined>(
    () => {
      const text = `${process.pid} ${action} ${most}\n`;
      // In this order, so that there is a note all the time.
      writeSync(fd, text, 0);
      ftruncateSync(fd, text.length);
      return undefined;
    },
    (code) => code,
  );
}

function giveUp(fd: number, result: LockResult): LockResult {
  closeSync(fd);
  return result;
}

function letGo(fd: number): void {
  ftruncateSync(fd, 0);
  closeSync(fd);
}

type Attempt = 'held' | 'timed-out' | { readonly code: string };

/** flock(1) gets the file as its descriptor 3; it ends with 1 when it cannot have the lock. */
function tryNow(fd: number): Attempt {
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const { status, error } = spawnSync(findHelper('flock'), ['-n', '-x', '3'], {
    stdio: ['ignore', 'ignore', 'ignore', fd],
  });
  return error === undefined ? judge(status) : { code: codeOf(error) ?? String(error) };
}

function judge(status: number | null): Attempt {
  if (status === 0) return 'held';
  return status === 1 ? 'timed-out' : { code: `status ${status}` };
}

async function wait(
  fd: number,
  most: number,
  interrupted: Promise<void>,
): Promise<Attempt | 'interrupted' | 'resident'> {
  const { promise, resolve } = Promise.withResolvers<'resident'>();
  const isResident = (): boolean => readNote(fd)?.action === RESIDENT;
  if (isResident()) return 'resident';
  const { spawn } = process.getBuiltinModule('node:child_process');
  const seconds = String(Math.ceil(most / 1000));
  const child = spawn(findHelper('flock'), ['-x', '-w', seconds, '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
  const timer = setInterval(() => isResident() && resolve('resident'), PATIENT);
  const outcome = await Promise.race([ended(child), interrupted.then(() => 'interrupted' as const), promise]);
  clearInterval(timer);
  if (outcome === 'interrupted' || outcome === 'resident') child.kill('SIGKILL');
  return outcome;
}

function ended(child: ChildProcess): Promise<Attempt> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: codeOf(error) ?? String(error) }));
    child.once('exit', (status) => resolve(judge(status)));
  });
}

interface HolderNote {
  readonly pid: string;
  readonly action: string;
  readonly most: number;
}

/** What the holder wrote; undefined in the moment before it does. */
function readNote(fd: number): HolderNote | undefined {
  const bytes = Buffer.alloc(256);
  const text = bytes.toString('latin1', 0, readSync(fd, bytes, 0, bytes.length, 0));
  const [, pid, action, most] = /^(\d+) ([a-z-]+) (\d+)\n$/.exec(text) ?? [];
  return pid === undefined || action === undefined ? undefined : { pid, action, most: Number(most) };
}

function describe(note: HolderNote | undefined): string | undefined {
  return note === undefined ? undefined : `${note.action}, pid ${note.pid}`;
}

function foreignRuns(name: string): ForeignRun[] {
  return placesOfOthers(fileNameOf(name, 'lock')).flatMap((path) => {
    try {
      const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      try {
        const { uid } = fstatSync(fd);
        const note = fstatSync(fd).isFile() ? readNote(fd) : undefined;
        // The process, too, must be that user's: a `run` that was killed leaves its note behind.
        const isThere = note !== undefined && statSync(`/proc/${note.pid}`).uid === uid;
        return isThere && note.action === RESIDENT ? [{ pid: Number(note.pid), uid }] : [];
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      return [];
    }
  });
}

/** Opens the lock file of an application. */
function openLockFile(name: string): Result<number, Obstacle> {
  return inRuntimeDirectory(fileNameOf(name, 'lock'), (path, uid) => {
    const fd = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
    if (!fstatSync(fd).isFile() || fstatSync(fd).uid !== uid) {
      closeSync(fd);
      throw new NotOwn(path);
    }
    // A umask may have taken our own rights away, for good.
    fchmodSync(fd, 0o600);
    return fd;
  });
}
