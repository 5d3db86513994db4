// When a pidfile may be removed. The file says what it likes: what it names is believed only if it fits.

import type { WorkerSpec } from '../core/worker.ts';
import type { Host, Obstacle } from '../host/host.ts';

/**
 * Removes the pidfile of a worker that is not alive. Left alone is everything that is not plainly ours: what is no small
 * regular file, and the pidfile of another application's worker that shares the template.
 */
export function tidyPidfile(spec: WorkerSpec, host: Host): Obstacle | undefined {
  const { pidfile, port } = spec;
  if (pidfile === undefined) return undefined;
  const seen = host.files.readPidfile(pidfile);
  if (seen.kind !== 'names' && seen.kind !== 'garbled') return undefined;
  const named = seen.kind === 'names' ? host.processes.inspect(seen.pid) : undefined;
  if (named !== undefined) {
    const open = host.sockets.listeners().filter((listener) => listener.port === port);
    const isItsOwn =
      named.argv.includes(`--pidfile=${pidfile}`) ||
      named.argv.includes(`--port=${port}`) ||
      open.some((listener) => host.sockets.holds(named, listener));
    if (isItsOwn) return undefined;
  }
  return host.files.removePidfile(pidfile, seen);
}
