// Where a worker's stdout and stderr go, and its last words read back from there.

import { closeSync, constants, fchownSync, fstatSync, openSync, readSync, unlinkSync } from 'node:fs';
import type { WorkerSpec } from '../core/worker.ts';
import { orElse } from './errno.ts';
import { throughParent } from './parent.ts';

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants;

/** What is shown of a failed worker's output at most: a traceback fits. */
const MOST_BYTES = 16_384;
const MOST_LINES = 60;

/** The output of one worker. */
export interface Words {
  /** For the worker's descriptors 1 and 2. */
  readonly fd: number;
  /** Why the log file cannot take them. */
  readonly trouble: string | undefined;
  /** The worker has its descriptors now. */
  handedOver(): void;
  /** What was added since the launch, by line. */
  read(): string[];
  release(): void;
}

/** Opens the log file; else an unlinked file that only we can read; else /dev/null. */
export function openWords(spec: WorkerSpec): Words {
  const log = spec.logfile === undefined ? undefined : openLog(spec.logfile, spec);
  if (typeof log === 'number') return kept(log);
  const temporary = log === undefined && spec.firstWords === 'kept' ? openTemporary(spec) : undefined;
  return temporary === undefined ? dropped(log) : kept(temporary);
}

function kept(fd: number): Words {
  const from = fstatSync(fd).size;
  let isOpen = true;
  return {
    fd,
    trouble: undefined,
    handedOver: () => undefined,
    read: () => (isOpen ? tail(fd, from) : []),
    release: () => {
      if (isOpen) closeSync(fd);
      isOpen = false;
    },
  };
}

function dropped(trouble: string | undefined): Words {
  const fd = openSync('/dev/null', 'w');
  return { fd, trouble, handedOver: () => closeSync(fd), read: () => [], release: () => undefined };
}

/**
 * The log file's descriptor, or why it is not used. Its directory may be the service user's, who could put a link to
 * another file of root's there, or a fifo that would hold us up: open(2), O_NOFOLLOW and O_NONBLOCK.
 */
function openLog(path: string, { account }: WorkerSpec): number | string {
  const flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK;
  const created = orElse<number | string>(
    () => throughParent(path, (inside) => openSync(inside, flags | O_CREAT | O_EXCL, 0o644)),
    (code) => code,
  );
  if (typeof created === 'number') {
    if (account !== undefined) fchownSync(created, account.uid, account.gid);
    return created;
  }
  const opened =
    created === 'EEXIST'
      ? orElse<number | string>(
          () => throughParent(path, (inside) => openSync(inside, flags)),
          (code) => code,
        )
      : created;
  if (typeof opened === 'string') return LOG_WORDS[opened] ?? `cannot be opened: ${opened}`;
  const stat = fstatSync(opened);
  if (stat.isFile() && stat.nlink === 1) return opened;
  closeSync(opened);
  return stat.isFile() ? 'has more than one name (a hard link)' : 'is no regular file';
}

const LOG_WORDS: Readonly<Record<string, string>> = {
  ELOOP: 'is a symbolic link',
  ENXIO: 'is no regular file',
  EISDIR: 'is a directory',
  EACCES: 'cannot be written: no permission',
};

/** Nameless from the start on, so that it is gone when the last process that writes to it is. */
function openTemporary({ port }: WorkerSpec): number | undefined {
  const path = `${process.env['TMPDIR'] || '/tmp'}/.frontik-supervisor-${process.pid}-${port}-${process.hrtime.bigint()}`;
  const fd = orElse<number | undefined>(
    () => openSync(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600),
    () => undefined, // a full or read-only disk only costs the words
  );
  if (fd !== undefined) unlinkSync(path);
  return fd;
}

function tail(fd: number, from: number): string[] {
  const { size } = fstatSync(fd);
  const begin = Math.max(from, size - MOST_BYTES);
  const bytes = Buffer.alloc(Math.max(0, size - begin));
  const read = readSync(fd, bytes, 0, bytes.length, begin);
  const lines = bytes
    .toString('utf8', 0, read)
    .split('\n')
    .filter((line) => line.trim() !== '');
  const shown = lines.slice(begin > from ? 1 : 0).slice(-MOST_LINES);
  return shown.length < lines.length ? ['...', ...shown] : shown;
}
