// What the kernel lets us give a worker for open files: getrlimit(2), capabilities(7), proc_sys_fs(5).

import type { OpenFileLimits } from './host.ts';
import { readProc } from './proc.ts';

// Bit 24 of CapEff in proc_pid_status(5).
const CAP_SYS_RESOURCE = 1n << 24n;

/** Limits of this process, which its children inherit. */
export function readOpenFileLimits(): OpenFileLimits {
  const read = (path: string): string => readProc(path)?.toString('latin1') ?? '';
  const [, hard] = /^Max open files\s+\S+\s+(\d+)/m.exec(read('/proc/self/limits')) ?? [];
  const [, capabilities] = /^CapEff:\s+([0-9a-f]+)/m.exec(read('/proc/self/status')) ?? [];
  const kernelMost = Number(read('/proc/sys/fs/nr_open').trim() || Number.MAX_SAFE_INTEGER);
  return {
    // No number: unlimited, which only kernels before 2.6.25 allow.
    hard: hard === undefined ? kernelMost : Number(hard),
    kernelMost,
    mayRaise: (BigInt(`0x${capabilities ?? '0'}`) & CAP_SYS_RESOURCE) !== 0n,
  };
}
