// One command at a time on one application: flock(1) on a file of our own. The lock belongs to our open file, which flock
// inherits and leaves locked when it ends; so it goes when we go, however that happens.

import type { ChildProcess } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { codeOf } from './errno.ts';
import type { LockNote, LockResult, Locks, Obstacle } from './host.ts';

const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants;

/** When to tell that we wait. */
const PATIENT = 1000;
/** Commands that may be before us in the queue. */
const MOST_HOLDERS = 20;

export const locks: Locks = { take };

async function take(
  name: string,
  note: LockNote,
  interrupted: Promise<void>,
  onWait: (holder: string | undefined) => void,
): Promise<LockResult> {
  const opened = openLockFile(name);
  if (typeof opened !== 'number') return { kind: 'unusable', obstacle: opened };
  const held = (): LockResult => {
    ftruncateSync(opened, 0);
    writeSync(opened, `${process.pid} ${note.action} ${note.most}\n`, 0);
    return { kind: 'held', lock: { release: () => letGo(opened) } };
  };
  const failed = (code: string): LockResult =>
    giveUp(opened, { kind: 'unusable', obstacle: { path: 'flock(1) of util-linux', code } });
  const first = tryNow(opened);
  if (first === 'held') return held();
  if (first !== 'timed-out') return failed(first.code);
  const timer = setTimeout(() => onWait(describe(readNote(opened))), PATIENT);
  try {
    for (let holders = 0; holders < MOST_HOLDERS; holders += 1) {
      const holder = readNote(opened);
      const outcome = await wait(opened, holder?.most ?? note.most, interrupted);
      if (outcome === 'held') return held();
      if (outcome === 'interrupted') return giveUp(opened, { kind: 'interrupted' });
      if (outcome !== 'timed-out') return failed(outcome.code);
      // Another command came before us: it has its own time.
      if (readNote(opened)?.pid === holder?.pid) break;
    }
    return giveUp(opened, { kind: 'timed-out', holder: describe(readNote(opened)) });
  } finally {
    clearTimeout(timer);
  }
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
  const { status, error } = spawnSync('flock', ['-n', '-x', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
  return error === undefined ? judge(status) : { code: codeOf(error) ?? String(error) };
}

function judge(status: number | null): Attempt {
  if (status === 0) return 'held';
  return status === 1 ? 'timed-out' : { code: `status ${status}` };
}

async function wait(fd: number, most: number, interrupted: Promise<void>): Promise<Attempt | 'interrupted'> {
  const { spawn } = process.getBuiltinModule('node:child_process');
  const seconds = String(Math.ceil(most / 1000));
  const child = spawn('flock', ['-x', '-w', seconds, '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
  const outcome = await Promise.race([ended(child), interrupted.then(() => 'interrupted' as const)]);
  if (outcome === 'interrupted') child.kill('SIGKILL');
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

/**
 * The name of an application's lock file: FNV-1a with 64 bits of its configuration's path. Not node:crypto: loading it would
 * cost a tenth of a whole `stop`, and all that a collision does is that two applications take turns.
 */
export function lockFileName(path: string): string {
  let value = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(path))
    value = BigInt.asUintN(64, (value ^ BigInt(byte)) * 0x100000001b3n);
  return `${value.toString(16).padStart(16, '0')}.lock`;
}

/** Opens the lock file of an application; other users can neither read nor hold it. */
function openLockFile(name: string): number | Obstacle {
  const file = lockFileName(name);
  const uid = process.getuid?.() ?? 0;
  let obstacle: Obstacle = { path: '/run', code: 'ENOENT' };
  for (const directory of directories(uid)) {
    try {
      const path = `${makeOwn(directory, uid)}/${file}`;
      const fd = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
      if (fstatSync(fd).isFile() && fstatSync(fd).uid === uid) return fd;
      closeSync(fd);
      obstacle = { path, code: 'EPERM' };
    } catch (error) {
      const code = codeOf(error) ?? (error instanceof NotOwn ? 'EPERM' : undefined);
      if (code === undefined) throw error;
      obstacle = { path: directory.path, code };
    }
  }
  return obstacle;
}

interface Place {
  readonly path: string;
  readonly mode: number;
}

function directories(uid: number): Place[] {
  if (uid === 0) return [{ path: '/run/frontik-supervisor', mode: 0o755 }];
  const runtime = process.env['XDG_RUNTIME_DIR'];
  const own = { path: `/tmp/frontik-supervisor-${uid}`, mode: 0o700 };
  return runtime?.startsWith('/') ? [{ path: `${runtime}/frontik-supervisor`, mode: 0o700 }, own] : [own];
}

class NotOwn extends Error {}

/** In /tmp anybody may have made that directory before us: then it is not ours, and not used. */
function makeOwn({ path, mode }: Place, uid: number): string {
  const isThere = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  if (!isThere) {
    try {
      mkdirSync(path, mode);
      chmodSync(path, mode);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  }
  const stat = lstatSync(path);
  if (!stat.isDirectory() || stat.uid !== uid || (stat.mode & 0o022) !== 0) throw new NotOwn(path);
  return path;
}
