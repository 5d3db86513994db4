// Listening TCP sockets and who holds them: proc_pid_net(5), proc_pid_fd(5).

import { closeSync, type Dir, opendirSync, openSync, readlinkSync, readSync } from 'node:fs';
import { asPort } from '../core/units.ts';
import type { Holder, ProcessSight } from '../core/worker.ts';
import { codeOf } from './errno.ts';
import type { Listener } from './host.ts';
import { listPids, readProc } from './proc.ts';

const LISTEN = '0A';
/** A row of /proc/net/tcp is 150 bytes long, one of tcp6 longer. */
const ROW = 150;

/**
 * Listening TCP sockets of this network namespace. The kernel lists them before all connections, and advances by one row a
 * read; only behind the last one it walks its table of connections, which takes milliseconds even when it is empty.
 */
export function readListeners(isEnough: (listener: Listener) => boolean = () => false): Listener[] {
  const found: Listener[] = [];
  for (const path of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const listener of readRows(path)) {
      found.push(listener);
      if (isEnough(listener)) return found;
    }
  }
  return found;
}

function* readRows(path: string): Generator<Listener> {
  const fd = openTable(path);
  if (fd === undefined) return;
  try {
    const block = Buffer.allocUnsafe(ROW);
    for (let row = ''; ; ) {
      const read = readSync(fd, block, 0, ROW, null);
      const parts = (row + block.toString('latin1', 0, read)).split('\n');
      row = parts.pop() ?? '';
      const listeners = parseListeners(parts.join('\n'));
      yield* listeners;
      const hasHeading = parts.some((part) => part.includes('local_address'));
      if (read === 0 || listeners.length + (hasHeading ? 1 : 0) < parts.length) return;
    }
  } finally {
    closeSync(fd);
  }
}

function openTable(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    // A kernel without IPv6 has no tcp6.
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Rows of /proc/net/tcp: `sl local_address rem_address st queues timer retransmits uid timeout inode …`. */
export function parseListeners(text: string): Listener[] {
  const found: Listener[] = [];
  for (const row of text.split('\n')) {
    const [, local = '', , state, , , , uid, , inode] = row.trim().split(/\s+/);
    if (state !== LISTEN || inode === undefined) continue;
    const port = asPort(Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16));
    if (port !== undefined) found.push({ port, inode, uid: Number(uid) });
  }
  return found;
}

/** Whether a process has the socket. Its owner decides where the descriptors of another user's process are closed to us. */
export function holds(process: ProcessSight, listener: Listener): boolean {
  return hasSocket(process.id.pid, listener.inode) ?? process.uids[1] === listener.uid;
}

/** Whether a process has any socket: a cheap sign, long before a port is asked, that it may listen. */
export function holdsAny(process: ProcessSight): boolean {
  return hasSocket(process.id.pid, '') ?? true;
}

/** How many descriptors are tried one by one. */
const FEW = 12;

/** An empty inode means any; undefined: the descriptors may not be read. */
function hasSocket(pid: number | string, inode: string): boolean | undefined {
  const wanted = inode === '' ? 'socket:[' : `socket:[${inode}]`;
  // A listening socket is among the first descriptors; to read a few links costs less than to open a directory.
  for (let fd = 3; fd < FEW; fd += 1) {
    const target = readDescriptor(`/proc/${pid}/fd/${fd}`);
    if (target === 'hidden') return undefined;
    if (target === undefined) break;
    if (target.startsWith(wanted)) return true;
  }
  let directory: Dir | undefined;
  try {
    // By the kernel's order and a few at a time: a listening socket is among the oldest of thousands of descriptors.
    directory = opendirSync(`/proc/${pid}/fd`);
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      const target = readDescriptor(`/proc/${pid}/fd/${entry.name}`);
      if (target === 'hidden') return undefined;
      if (target?.startsWith(wanted) === true) return true;
    }
    return false;
  } catch (error) {
    switch (codeOf(error)) {
      case 'ENOENT': // it ended, perhaps while it was read
      case 'ESRCH':
        return false;
      case 'EACCES':
      case 'EPERM':
        return undefined;
      default:
        throw error;
    }
  } finally {
    directory?.closeSync();
  }
}

/**
 * What a descriptor is: undefined when it is closed, its process gone or its path too long; 'hidden' where it may not be read: root
 * without CAP_SYS_PTRACE, as in most containers, may list another user's descriptors, and no more. proc_pid_fd(5)
 */
function readDescriptor(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    switch (codeOf(error)) {
      case 'EACCES':
      case 'EPERM':
        return 'hidden';
      case 'ENOENT':
      case 'ESRCH':
      case 'EINVAL':
      case 'ENAMETOOLONG':
        return undefined;
      default:
        throw error;
    }
  }
}

/** The process that has the socket, the oldest if there are several; undefined where it may not be seen. */
export function holderOf(listener: Listener): Holder {
  const pid = listPids().find((name) => hasSocket(name, listener.inode) === true);
  return pid === undefined ? undefined : { pid: Number(pid), name: nameOf(pid) };
}

/** No program's name is longer: TASK_COMM_LEN is 16, and what follows the first word of a command line is no name. */
const LONGEST_NAME = 40;

/** Whoever holds a port names himself: in a line of ours that is one word, and no line of his own. */
function nameOf(pid: string): string {
  return ownNameOf(pid)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '?')
    .slice(0, LONGEST_NAME);
}

function ownNameOf(pid: string): string {
  const comm = readProc(`/proc/${pid}/comm`)?.toString('utf8').trim() ?? '';
  // Node names its main thread, not its program.
  if (comm !== '' && !comm.endsWith('MainThread')) return comm;
  const program = readProc(`/proc/${pid}/cmdline`)?.toString('utf8').split('\0', 1)[0] ?? '';
  return program.slice(program.lastIndexOf('/') + 1) || comm || 'a process';
}
