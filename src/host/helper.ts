// Programs of the system's that we use ourselves, often as root.

import { accessSync, constants } from 'node:fs';
import { orElse } from './errno.ts';

/** Where a system has its own programs: hier(7). */
const PLACES = ['/usr/bin', '/usr/sbin', '/bin', '/sbin'];

/**
 * The path of a program of the system's. PATH is the workers': it may begin with a directory that a service user may write, so it
 * decides only where the system has no such program in its own places, by the name that is given back then.
 */
export function findHelper(name: string): string {
  return PLACES.map((place) => `${place}/${name}`).find(isExecutable) ?? name;
}

/** Whether this user may execute a file. */
export function isExecutable(path: string): boolean {
  return orElse(
    () => {
      accessSync(path, constants.X_OK);
      return true;
    },
    () => false,
  );
}
