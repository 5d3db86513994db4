// Listening TCP sockets and who holds them: proc_pid_net(5), proc_pid_fd(5).

import { closeSync, type Dir, opendirSync, openSync, readlinkSync, readSync } from 'node:fs';
import { asPort } from '../core/units.ts';
import type { Holder, ProcessSight } from '../core/worker.ts';
import { codeOf } from './errno.ts';
import type { Listener } from './host.ts';
import { listPids, readProc } from './proc.ts';

const LISTEN = '0A';
const BLOCK = 65_536;

/** All listening TCP sockets of this network namespace. */
export function readListeners(): Listener[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => parseListeners(readListenRows(path)));
}

/** The kernel lists listening sockets first, so that the thousands of connections of a busy server need not be read. */
function readListenRows(path: string): string {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    // A kernel without IPv6 has no tcp6.
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
  try {
    const block = Buffer.allocUnsafeSlow(BLOCK);
    let text = '';
    while (true) {
      const read = readSync(fd, block, 0, BLOCK, null);
      text += block.toString('latin1', 0, read);
      if (read === 0 || !lastRowListens(text)) return text;
    }
  } finally {
    closeSync(fd);
  }
}

function lastRowListens(text: string): boolean {
  const rows = text.split('\n');
  const last = rows.at(-2) ?? '';
  return rows.length < 3 || last.trim().split(/\s+/)[3] === LISTEN;
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

function hasSocket(pid: number | string, inode: string): boolean | undefined {
  let directory: Dir;
  try {
    // By the kernel's order and a few at a time: a listening socket is among the oldest of thousands of descriptors.
    directory = opendirSync(`/proc/${pid}/fd`);
  } catch (error) {
    switch (codeOf(error)) {
      case 'ENOENT':
      case 'ESRCH':
        return false;
      case 'EACCES':
      case 'EPERM':
        return undefined;
      default:
        throw error;
    }
  }
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      if (readLink(`/proc/${pid}/fd/${entry.name}`) === `socket:[${inode}]`) return true;
    }
    return false;
  } finally {
    directory.closeSync();
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    switch (codeOf(error)) {
      case 'ENOENT': // closed meanwhile
      case 'ESRCH':
      case 'EACCES':
      case 'EPERM':
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

function nameOf(pid: string): string {
  const comm = readProc(`/proc/${pid}/comm`)?.toString('utf8').trim() ?? '';
  // Node names its main thread, not its program.
  if (comm !== '' && !comm.endsWith('MainThread')) return comm;
  const program = readProc(`/proc/${pid}/cmdline`)?.toString('utf8').split('\0', 1)[0] ?? '';
  return program.slice(program.lastIndexOf('/') + 1) || comm || 'a process';
}
