// Writing to stdout and stderr: synchronous, and never a reason to fail. process.stdout costs milliseconds to open, and
// ends the program with a stack trace when its reader is gone.

import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { codeOf, orElse } from './errno.ts';

const RETRIES = 400;
const PAUSE = 5;

/** What this module needs of the machine; tests give their own. */
export interface Descriptors {
  write(fd: number, bytes: Uint8Array, offset: number): number;
  pause(milliseconds: number): void;
}

const REAL: Descriptors = {
  write: (fd, bytes, offset) => writeSync(fd, bytes, offset),
  pause: (milliseconds) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
  },
};

/**
 * Writes all of the text to a descriptor, or as much as can be. Whatever the system says against it loses the rest of the text
 * and nothing else: its errno is returned, undefined when all is written.
 */
export function writeText(
  fd: number,
  text: string,
  descriptors: Descriptors = REAL,
  retries = RETRIES,
): string | undefined {
  const bytes = new TextEncoder().encode(text);
  let written = 0;
  // Each wait has an end: a pipe nobody reads holds us up for two seconds without progress, not for ever.
  for (let refusals = 0; written < bytes.length; ) {
    try {
      written += descriptors.write(fd, bytes, written);
      refusals = 0;
    } catch (error) {
      const code = codeOf(error);
      if (code === undefined) throw error;
      // A reader that left, a terminal that hung up, a full disk, a quota, a connection that was reset: there is no end of it.
      if (code !== 'EAGAIN' && code !== 'EINTR') return code;
      // Somebody made the pipe non-blocking, and it is full: write(2).
      if (code === 'EAGAIN') {
        refusals += 1;
        descriptors.pause(PAUSE);
        if (refusals >= retries) return code;
      }
    }
  }
  return undefined;
}

/** How long a line of a program that stays may wait for its reader, in tries. */
const FEW_RETRIES = 20;

/**
 * Writes lines without ever being held up for long by a reader that does not read, be it behind a pipe, a socket (as systemd's
 * journal is) or a terminal (where Ctrl-S was typed): such a reader loses lines.
 */
export function openPatientWriter(fd: 1 | 2): (text: string) => void {
  const own = openUnblocked(fd);
  let retries = FEW_RETRIES;
  return (text) => {
    // Whoever has lost a line is not waited for again before he reads.
    retries = writeText(own, text, REAL, retries) === undefined ? FEW_RETRIES : 1;
  };
}

/** A descriptor with the same reader that does not block, where that can be had; a file answers as soon as it can anyhow. */
function openUnblocked(fd: 1 | 2): number {
  const stat = fstatSync(fd);
  if (stat.isSocket()) unblockSocket(fd);
  if (!(stat.isFIFO() || isTerminal(fd))) return fd;
  // Anew, since its flags are shared with everybody who has it, as the shell has its terminal: open(2), "Open file descriptions".
  return orElse<number>(
    () => openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY),
    () => fd, // it may be another user's
  );
}

/**
 * A socket cannot be opened anew. Node sets O_NONBLOCK on every one that it is given; those of the first three descriptors it never
 * closes, and sets as they were when we end. Nothing that we start has this one.
 */
function unblockSocket(fd: 1 | 2): void {
  const { Socket } = process.getBuiltinModule('node:net');
  try {
    new Socket({ fd, readable: false, writable: false }).destroy();
  } catch (error) {
    // A kind of socket that Node does not know, such as one for datagrams.
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_FD_TYPE')) throw error;
  }
}

// Character device 1:3 is /dev/null on every Linux: devices.txt of the kernel.
const DEV_NULL = 0x103;

/**
 * Whether a descriptor is a terminal. node:tty is asked (and loaded, which costs 3 ms) only for what may be one: a
 * program's usual stderr in scripts is a pipe, a file or /dev/null.
 */
export function isTerminal(fd: 1 | 2): boolean {
  const stat = fstatSync(fd);
  if (!stat.isCharacterDevice() || stat.rdev === DEV_NULL) return false;
  return process.getBuiltinModule('node:tty').isatty(fd);
}

/** The columns of a terminal; undefined when stdout is none, or one that does not know (a serial line). Opens it, for good. */
export function columnsOfStdout(): number | undefined {
  const columns = isTerminal(1) ? process.stdout.columns : 0;
  return columns > 0 ? columns : undefined;
}
