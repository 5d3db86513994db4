// The real operating system: the adapters put together.

import type { Failure } from '../core/failure.ts';
import { type Instant, LONGEST_TIMER, type Millis } from '../core/units.ts';
import type { ProcessIdentity } from '../core/worker.ts';
import { accounts } from './accounts.ts';
import { control } from './control.ts';
import { orElse } from './errno.ts';
import { files } from './files.ts';
import { hooks } from './hooks.ts';
import type { Host, Result } from './host.ts';
import { attend, probe } from './http-probe.ts';
import { installation } from './installation.ts';
import { launch } from './launch.ts';
import { readOpenFileLimits } from './limits.ts';
import { locks } from './lock.ts';
import { openNotifier } from './notify.ts';
import { isAlive, ownLine, readProcess, scanProcesses } from './proc.ts';
import { pythonWithin } from './python.ts';
import { serviceManager } from './service-manager.ts';
import { holderOf, holds, holdsAny, readListeners } from './sockets.ts';

/** How long a configuration file or launcher may take to be executed. */
const PYTHON_LIMIT = 10_000 as Millis;

/** The host this process runs on. */
export function openHost(): Host {
  const uid = process.geteuid?.() ?? 0;
  let line: ReadonlySet<number> | undefined;
  return {
    clock: {
      now: monotonic,
      sleep: (wait) => new Promise((resolve) => setTimeout(resolve, Math.min(wait, LONGEST_TIMER))),
      // Twice: where I/O is handed out, the first comes before anything that has begun here has been polled.
      turn: () => new Promise((resolve) => setImmediate(() => setImmediate(resolve))),
    },
    processes: {
      self: {
        get pids(): ReadonlySet<number> {
          line ??= ownLine();
          return line;
        },
        uid,
      },
      scan: () => scanProcesses(uid),
      inspect: readProcess,
      isAlive,
      signal,
      launch,
    },
    sockets: { listeners: readListeners, holds, holdsAny, holderOf, probe, attend },
    files,
    accounts,
    locks,
    environment: {
      get: (name) => process.env[name],
      set: (name, value) => {
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
      },
    },
    python: pythonWithin(PYTHON_LIMIT),
    hooks,
    control,
    serviceManager,
    installation,
    notifier: openNotifier,
    random: Math.random,
    openFileLimits: readOpenFileLimits,
  };
}

/** Not performance.now(): loading that costs more than this command's look at /proc. */
function monotonic(): Instant {
  const [seconds, nanoseconds] = process.hrtime();
  return (seconds * 1000 + nanoseconds / 1e6) as Instant;
}

/** A pid is a rumour: what was seen some milliseconds ago is looked at again. */
function signal(id: ProcessIdentity, name: 'SIGTERM' | 'SIGKILL'): Result<'sent' | 'already-gone', Failure> {
  if (!isAlive(id)) return { ok: true, value: 'already-gone' };
  return orElse<Result<'sent' | 'already-gone', Failure>>(
    () => {
      process.kill(id.pid, name);
      return { ok: true, value: 'sent' };
    },
    (code) => {
      if (code === 'ESRCH') return { ok: true, value: 'already-gone' };
      if (code === 'EPERM') return { ok: false, error: { kind: 'not-permitted', id } };
      throw new Error(`kill(2) cannot fail with ${code}`);
    },
  );
}
