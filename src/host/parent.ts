// Acting on a file in a directory that may be somebody else's. A service user who owns /run/app can replace /run/app/deep by a
// link to anywhere; root must not follow it. So the directory is opened, and the file reached through what was opened.

import { closeSync, constants, lstatSync, openSync, readlinkSync, realpathSync } from 'node:fs';

const { O_DIRECTORY, O_RDONLY } = constants;

/** The directory that a path is in. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/**
 * Calls `act` with a path that leads into the very directory that was checked. As root it refuses, with ELOOP, links on the
 * way that are not root's own (as /var/run is); other users can only harm themselves.
 */
export function throughParent<T>(path: string, act: (inside: string) => T): T {
  if (process.geteuid?.() !== 0) return act(path);
  const directory = parentOf(path);
  const real = realpathSync(directory);
  refuseForeignLinks(directory);
  const fd = openSync(directory, O_RDONLY | O_DIRECTORY);
  try {
    // A link that was put there between the check and the opening leads elsewhere.
    if (readlinkSync(`/proc/self/fd/${fd}`) !== real) throw refusal(directory);
    return act(`/proc/self/fd/${fd}/${path.slice(path.lastIndexOf('/') + 1)}`);
  } finally {
    closeSync(fd);
  }
}

function refuseForeignLinks(directory: string): void {
  let prefix = '';
  for (const part of directory.split('/').slice(1)) {
    prefix += `/${part}`;
    const stat = lstatSync(prefix);
    if (stat.isSymbolicLink() && stat.uid !== 0) throw refusal(prefix);
  }
}

/** As the system says it of a link that must not be followed: open(2), ELOOP. */
function refusal(path: string): Error {
  return Object.assign(new Error(`ELOOP: a link that is not root's: ${path}`), {
    code: 'ELOOP',
    syscall: 'open',
    path,
  });
}
