// Where this program keeps what belongs to one application and one user while something runs: the lock, the control socket.
// Other users can neither read nor hold it.

import { chmodSync, lstatSync, mkdirSync, readdirSync, readlinkSync } from 'node:fs';
import { homeOf } from './accounts.ts';
import { codeOf, orElse } from './errno.ts';
import type { Obstacle, Result } from './host.ts';

/**
 * The name of an application's lock or socket. Who cannot see each other's processes has nothing to do with each other, even if
 * they share /run: the pid namespace is a part of it. pid_namespaces(7)
 */
export function fileNameOf(application: string, kind: 'lock' | 'sock'): string {
  const namespace = orElse(
    () => readlinkSync('/proc/self/ns/pid'),
    () => '',
  );
  return `${digest(`${application}\0${namespace}`)}.${kind}`;
}

/**
 * FNV-1a with 64 bits. Not node:crypto: loading it would cost a tenth of a whole `stop`, and all that a collision does is that
 * two applications take turns.
 */
export function digest(text: string): string {
  let value = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text))
    value = BigInt.asUintN(64, (value ^ BigInt(byte)) * 0x100000001b3n);
  return value.toString(16).padStart(16, '0');
}

/**
 * Calls `use` with a path in the first directory that can be had; a system error there, or NotOwn, leads to the next one. The
 * obstacle is what somebody else has put in the way, if anybody has.
 */
export function inRuntimeDirectory<T>(file: string, use: (path: string, uid: number) => T): Result<T, Obstacle> {
  const uid = process.getuid?.() ?? 0;
  let obstacle: Obstacle = { path: '/run', code: 'ENOENT' };
  let foreign: Obstacle | undefined;
  for (const directory of directories(uid)) {
    try {
      makeOwn(directory, uid);
      return { ok: true, value: use(`${directory.path}/${file}`, uid) };
    } catch (error) {
      if (error instanceof NotOwn) {
        foreign = { path: error.path, code: 'EPERM' };
        continue;
      }
      const code = codeOf(error);
      if (code === undefined) throw error;
      obstacle = { path: directory.path, code };
    }
  }
  return { ok: false, error: foreign ?? obstacle };
}

interface Place {
  readonly path: string;
  readonly mode: number;
}

function* directories(uid: number): Generator<Place, undefined> {
  if (uid === 0) {
    yield { path: '/run/frontik-supervisor', mode: 0o755 };
    return;
  }
  const runtime = process.env['XDG_RUNTIME_DIR'];
  if (runtime?.startsWith('/')) yield { path: `${runtime}/frontik-supervisor`, mode: 0o700 };
  yield { path: `/tmp/frontik-supervisor-${uid}`, mode: 0o700 };
  // Anybody may have taken that name. At home nobody else can.
  const home = homeOf(uid);
  if (home !== undefined) yield { path: `${home}/.frontik-supervisor`, mode: 0o700 };
}

/** Where other users may have that file: anybody can have put something there. */
export function placesOfOthers(file: string): string[] {
  const runtime = namesIn('/run/user').map((uid) => `/run/user/${uid}/frontik-supervisor/${file}`);
  const temporary = namesIn('/tmp').filter((name) => name.startsWith('frontik-supervisor-'));
  return [...runtime, ...temporary.map((name) => `/tmp/${name}/${file}`)];
}

function namesIn(directory: string): string[] {
  return orElse(
    () => readdirSync(directory),
    () => [],
  );
}

/** What is there belongs to somebody else, or may be changed by him. */
export class NotOwn extends Error {
  readonly path: string;

  constructor(path: string) {
    super(path);
    this.path = path;
  }
}

/** In /tmp anybody may have made that directory before us: then it is not ours, and not used. */
function makeOwn({ path, mode }: Place, uid: number): void {
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
}
