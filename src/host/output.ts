// Writing to stdout and stderr: synchronous, and never a reason to fail. process.stdout costs milliseconds to open, and
// ends the program with a stack trace when its reader is gone.

import { fstatSync, writeSync } from 'node:fs';

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
 * Writes all of the text to a descriptor, or as much as can be. A reader that is gone, a full disk or a closed
 * descriptor loses the text, not the command: its exit status must stay what the workers make it.
 */
export function writeText(fd: 1 | 2, text: string, descriptors: Descriptors = REAL): void {
  const bytes = new TextEncoder().encode(text);
  let written = 0;
  // Each wait has an end: a pipe nobody reads holds us up for two seconds without progress, not for ever.
  for (let refusals = 0; written < bytes.length && refusals < RETRIES; ) {
    try {
      written += descriptors.write(fd, bytes, written);
      refusals = 0;
    } catch (error) {
      switch (error instanceof Error && 'code' in error ? error.code : undefined) {
        case 'EAGAIN': // Somebody made the pipe non-blocking, and it is full: write(2).
          refusals += 1;
          descriptors.pause(PAUSE);
          break;
        case 'EINTR':
          break;
        case 'EPIPE': // The reader left; Node ignores SIGPIPE.
        case 'EIO': // The terminal hung up.
        case 'EBADF': // Closed, or not open for writing.
        case 'ENOSPC':
          return;
        default:
          throw error;
      }
    }
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
