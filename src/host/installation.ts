// Files in the system's own directories, and the programs that register them. Nothing is written through an existing name.

import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import type { Millis } from '../core/units.ts';
import { codeOf, orElse } from './errno.ts';
import { findProgram, MOST_TEXT } from './files.ts';
import { findHelper } from './helper.ts';
import { hooks } from './hooks.ts';
import type { HookFailure, Installation, Obstacle, Place, Result } from './host.ts';
import { parentOf } from './parent.ts';

/** update-rc.d and a reload of systemd take less than a second on an idle machine. */
const LIMIT = 60_000 as Millis;
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

export const installation: Installation = {
  get binary() {
    return orElse(
      () => realpathSync(process.execPath),
      () => process.execPath, // replaced while it runs
    );
  },
  look,
  find: findProgram,
  write: (path, text, mode) => attempt(path, () => write(path, text, mode)),
  link: (path, target) =>
    attempt(path, () => {
      makeDirectory(parentOf(path));
      symlinkSync(target, path);
    }),
  remove: (path) => attempt(path, () => remove(path)),
  run,
};

function look(path: string): Place {
  return orElse<Place>(
    () => {
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat === undefined) return { kind: 'free' };
      if (stat.isSymbolicLink()) return { kind: 'link', target: readlinkSync(path) };
      if (stat.isDirectory()) return { kind: 'directory' };
      if (!stat.isFile() || stat.size > MOST_TEXT) return { kind: 'other', why: 'is no text' };
      return { kind: 'file', text: readFileSync(path, 'utf8'), mode: stat.mode & 0o7777 };
    },
    (code) => (code === 'ENOTDIR' ? { kind: 'free' } : { kind: 'other', why: `cannot be looked at: ${code}` }),
  );
}

function attempt(path: string, act: () => void): Obstacle | undefined {
  return orElse<Obstacle | undefined>(
    () => {
      act();
      return undefined;
    },
    (code) => ({ path, code }),
  );
}

/** Beside it under a name that nobody reads, to the disk, then in its place at once: a crash leaves the old one or the new one. */
function write(path: string, text: string, mode: number): void {
  const directory = parentOf(path);
  makeDirectory(directory);
  const beside = `${directory}/.frontik-supervisor.${process.pid}.${process.hrtime().join('.')}`;
  const fd = openSync(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    try {
      writeFileSync(fd, text);
      fchmodSync(fd, mode);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(beside, path);
  } catch (error) {
    unlinkSync(beside);
    throw error;
  }
}

/** Whatever the umask is, the system's directories may be read by all. */
function makeDirectory(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return;
  makeDirectory(parentOf(path));
  mkdirSync(path);
  chmodSync(path, 0o755);
}

function remove(path: string): void {
  unlinkSync(path);
  const directory = parentOf(path);
  if (!directory.endsWith('.wants')) return;
  try {
    // As systemctl does: what holds links only goes with the last of them.
    rmdirSync(directory);
  } catch (error) {
    if (codeOf(error) !== 'ENOTEMPTY') throw error;
  }
}

function run(words: readonly [program: string, ...args: string[]]): Promise<Result<undefined, HookFailure>> {
  const [program, ...args] = words;
  return hooks.run([findHelper(program), ...args], LIMIT);
}
