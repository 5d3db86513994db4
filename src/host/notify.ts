// Tells the service manager how we are: sd_notify(3), by systemd-notify(1), since Node has no datagrams on Unix sockets.

import { findHelper } from './helper.ts';
import type { Notifier } from './host.ts';

/** How long one word may wait for a manager that does not read: the next ones wait behind it, and our end. */
const LIMIT = 5000;

/**
 * The service manager, if it wants to be told. Its socket is taken out of our environment: a worker that inherited it could
 * speak for us.
 */
export function openNotifier(): Notifier | undefined {
  const socket = process.env['NOTIFY_SOCKET'];
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) Reflect.deleteProperty(process.env, name);
  if (socket === undefined || socket === '') return undefined;
  const waiting: (readonly string[])[] = [];
  let last = Promise.resolve();
  return {
    tell: (assignments) => {
      // How we were is nothing to wait for: a manager that does not read would hold up our end by each word.
      if (waiting.at(-1)?.every(isStatus) === true && assignments.some(isStatus)) waiting.pop();
      waiting.push(assignments);
      last = last.then(async () => {
        const next = waiting.shift();
        if (next !== undefined) await notify(socket, next);
      });
    },
    settled: () => last,
  };
}

function isStatus(assignment: string): boolean {
  return assignment.startsWith('STATUS=');
}

/** A service manager that cannot be told, or no systemd-notify, is no reason to fail: workers are what matters. */
function notify(socket: string, assignments: readonly string[]): Promise<void> {
  const { spawn } = process.getBuiltinModule('node:child_process');
  return new Promise((resolve) => {
    try {
      const env = { ...process.env, NOTIFY_SOCKET: socket };
      const child = spawn(findHelper('systemd-notify'), [...assignments], {
        env,
        stdio: 'ignore',
        timeout: LIMIT,
        killSignal: 'SIGKILL',
      });
      child.once('error', () => resolve());
      child.once('exit', () => resolve());
    } catch {
      // No process can be started now; the next word may get through.
      resolve();
    }
  });
}
