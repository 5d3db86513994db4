// Who may change a file. What others may write must not be executed by root.

import { realpathSync, statSync } from 'node:fs';
import { accounts } from './accounts.ts';
import { orElse } from './errno.ts';
import { parentOf } from './parent.ts';

/** What is wrong with a path that root would have to trust, and whether it is the file or its directory. */
export interface Distrust {
  readonly path: string;
  readonly why: string;
}

interface Owned {
  readonly uid: number;
  readonly mode: number;
}

/** Why others may change what is there; undefined when only root may. The sticky bit does not help: /tmp is no place. */
export function distrustOf(path: string, { uid, mode }: Owned): Distrust | undefined {
  if (uid !== 0) return { path, why: `belongs to ${accounts.nameOf(uid)}` };
  if ((mode & 0o002) !== 0) return { path, why: 'may be written by everybody' };
  return (mode & 0o020) === 0 ? undefined : { path, why: 'may be written by its group' };
}

/** Why others may change what a file holds: the file itself, where it really lies, or its directory. */
export function distrustFile(path: string): Distrust | undefined {
  const real = orElse<string>(
    () => realpathSync(path),
    () => path, // what is not there is told of by whoever reads it
  );
  return distrust(real) ?? distrust(parentOf(real)) ?? distrust(parentOf(path));
}

/** The same for a path that is looked at now; what is not there, nobody can have changed. */
export function distrust(path: string): Distrust | undefined {
  return orElse<Distrust | undefined>(
    () => {
      const stat = statSync(path, { throwIfNoEntry: false });
      return stat === undefined ? undefined : distrustOf(path, stat);
    },
    (code) => ({ path, why: `cannot be looked at: ${code}` }),
  );
}
