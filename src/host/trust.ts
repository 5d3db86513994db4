// Who may change a file. What others may write must not be executed by root.

import { lstatSync, readlinkSync } from 'node:fs';
import { accounts } from './accounts.ts';
import { orElse } from './errno.ts';
import { isGuarded, MOST_LINKS, parentOf, partsOf } from './parent.ts';

/** What is wrong with a path that root would have to trust, and whether it is the file or a directory on the way to it. */
export interface Distrust {
  readonly path: string;
  readonly why: string;
}

interface Owned {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** Debian's administrators: base-passwd's group staff, to which it may give /usr/local. Debian Policy, 9.1.2 */
const STAFF = 50;

/** Why others may change what is there; undefined when only root may. The sticky bit does not help: /tmp is no place. */
export function distrustOf(path: string, { uid, gid, mode }: Owned): Distrust | undefined {
  if (uid !== 0) return { path, why: `belongs to ${accounts.nameOf(uid)}` };
  if ((mode & 0o002) !== 0) return { path, why: 'may be written by everybody' };
  const isStaffs = gid === STAFF && /^\/usr\/local(\/|$)/.test(path);
  return (mode & 0o020) === 0 || isStaffs ? undefined : { path, why: 'may be written by its group' };
}

/** Why others may change what a path leads to: the file or directory itself, or any directory or link on the way. */
export function distrust(path: string): Distrust | undefined {
  return orElse<Distrust | undefined>(
    () => walk(path),
    (code) => ({ path, why: `cannot be looked at: ${code}` }),
  );
}

/**
 * Goes the kernel's way, from the top: path_resolution(7). What is found behind directories that only root may change was
 * there before, too: whoever read the file a moment ago has read this one. What is not there, nobody can have changed, if
 * nobody else may make it.
 */
function walk(path: string): Distrust | undefined {
  const rest = partsOf(path.startsWith('/') ? path : `${process.cwd()}/${path}`);
  let at = '/';
  for (let links = 0; links <= MOST_LINKS; ) {
    const stat = lstatSync(at);
    const part = rest.shift();
    const next = part === '..' ? parentOf(at) : `${at === '/' ? '' : at}/${part}`;
    const sight = part === undefined ? undefined : lstatSync(next, { throwIfNoEntry: false });
    // A sticky directory keeps root's directories where they are; files and links of root's others can move into it.
    const found = sight?.isDirectory() === true && isGuarded(stat) ? undefined : distrustOf(at, stat);
    if (found !== undefined || sight === undefined) return found;
    if (!sight.isSymbolicLink()) {
      at = next;
      continue;
    }
    links += 1;
    const target = readlinkSync(next);
    rest.unshift(...partsOf(target));
    if (target.startsWith('/')) at = '/';
  }
  return { path, why: 'cannot be looked at: ELOOP' };
}
