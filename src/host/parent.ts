// Acting on a file in a directory that may be somebody else's. A service user who owns /run/app can replace /run/app/deep by a
// link to anywhere, at any moment; root must not follow it. So no name is looked at twice: each directory on the way is opened
// from the one before it, and the file is reached through what was opened.

import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync } from 'node:fs';
import { codeOf } from './errno.ts';

/** Names a file without opening it; of Linux, and not among Node's constants. open(2) */
const O_PATH = 0o10000000;
const DIRECTORY = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** As many links as the kernel follows: path_resolution(7). */
export const MOST_LINKS = 40;

/** The directory that a path is in. */
export function parentOf(path: string): string {
  const end = path.lastIndexOf('/');
  return end === -1 ? '.' : path.slice(0, end) || '/';
}

/**
 * Calls `act` with a path that leads into the directory that was found on the way. As root it refuses, with ELOOP, links that
 * somebody else has made or could exchange (/var/run is root's, in a directory of root's); other users can only harm themselves.
 */
export function throughParent<T>(path: string, act: (inside: string) => T): T {
  if (!isRoot()) return act(path);
  const fd = openDirectory(parentOf(path));
  try {
    return act(`/proc/self/fd/${fd}/${path.slice(path.lastIndexOf('/') + 1)}`);
  } finally {
    closeSync(fd);
  }
}

export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/** Opens a directory, to be closed by the caller; refuses what `throughParent` refuses. */
export function openDirectory(directory: string): number {
  let at = openSync(directory.startsWith('/') ? '/' : '.', DIRECTORY);
  try {
    const rest = partsOf(directory);
    let links = 0;
    for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
      const next = openPart(at, part);
      if (next !== undefined) {
        closeSync(at);
        at = next;
        continue;
      }
      links += 1;
      const target = links <= MOST_LINKS ? readLinkOfRoot(at, part) : undefined;
      if (target === undefined) throw refusal(directory);
      rest.unshift(...partsOf(target));
      if (!target.startsWith('/')) continue;
      closeSync(at);
      at = openSync('/', DIRECTORY);
    }
    return at;
  } catch (error) {
    closeSync(at);
    throw error;
  }
}

/** The names of a path, in their order. */
export function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

/** Undefined when that is a link. */
function openPart(at: number, part: string): number | undefined {
  const path = `/proc/self/fd/${at}/${part}`;
  try {
    return openSync(path, DIRECTORY);
  } catch (error) {
    if (codeOf(error) === 'ENOTDIR' && lstatSync(path).isSymbolicLink()) return undefined;
    throw error;
  }
}

/** Where a link leads, if it is root's and stands where only root, or its maker in a directory like /tmp, can exchange it. */
function readLinkOfRoot(at: number, part: string): string | undefined {
  const path = `/proc/self/fd/${at}/${part}`;
  return isGuarded(fstatSync(at)) && lstatSync(path).uid === 0 ? readlinkSync(path) : undefined;
}

/** Whether what root has in a directory stays there: nobody else may write in it, or only to what is his own. */
export function isGuarded({ uid, mode }: { readonly uid: number; readonly mode: number }): boolean {
  return uid === 0 && ((mode & 0o022) === 0 || (mode & 0o1000) !== 0);
}

/** As the system says it of a link that must not be followed: open(2), ELOOP. */
function refusal(path: string): Error {
  return Object.assign(new Error(`ELOOP: a link that is not root's: ${path}`), {
    code: 'ELOOP',
    syscall: 'open',
    path,
  });
}
