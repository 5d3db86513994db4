// systemd, for init scripts that are called by hand: what they start must land in their unit, not in the caller's session.
// The conditions are those of Debian's init-functions (lsb-base, init-functions.d/40-systemd).

import { realpathSync, statSync } from 'node:fs';
import type { Millis } from '../core/units.ts';
import { begin, howEnded, linesOf } from './child.ts';
import { orElse } from './errno.ts';
import { findHelper } from './helper.ts';
import type { Result, ServiceManager } from './host.ts';

export const serviceManager: ServiceManager = { unitOf, pursue };

const SCRIPTS = '/etc/init.d/';
/** systemd answers a question in milliseconds, or not at all. */
const ANSWER = 10_000;

function unitOf(launcher: string): string | undefined {
  // sd_booted(3). What systemd itself calls is its child, and not called by hand.
  const isBooted = statSync('/run/systemd/system', { throwIfNoEntry: false })?.isDirectory() === true;
  // Debian has had both names.
  const skip = `${process.env['SYSTEMCTL_SKIP_REDIRECT'] ?? ''}${process.env['_SYSTEMCTL_SKIP_REDIRECT'] ?? ''}`;
  if (!isBooted || process.ppid === 1 || skip !== '') return undefined;
  // rc links lead to it, too.
  const path = orElse<string>(
    () => realpathSync(launcher),
    () => '',
  );
  const name = path.startsWith(SCRIPTS) ? path.slice(SCRIPTS.length) : '';
  if (!/^[\w+@.:-]+$/.test(name)) return undefined;
  const unit = `${name.replace(/\.sh$/, '')}.service`;
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const shown = spawnSync(findHelper('systemctl'), ['show', '--property=LoadState', '--value', unit], {
    encoding: 'utf8',
    timeout: ANSWER,
    killSignal: 'SIGKILL',
  });
  return shown.status === 0 && shown.stdout.trim() === 'loaded' ? unit : undefined;
}

async function pursue(
  verb: 'start' | 'stop' | 'restart',
  unit: string,
  most: Millis,
  interrupted: Promise<void>,
): Promise<Result<undefined, string>> {
  const begun = await begin([findHelper('systemctl'), '--no-ask-password', verb, unit], ['ignore', 'ignore', 'pipe']);
  if (!begun.ok) return { ok: false, error: `could not be started: ${begun.error}` };
  const child = begun.value;
  let said = '';
  child.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, 4096);
  });
  let isLate = false;
  // The job goes on without its client: systemctl(1), --no-block.
  const timer = setTimeout(() => {
    isLate = true;
    child.kill();
  }, most);
  void interrupted.then(() => child.kill());
  const end = await child.ended;
  clearTimeout(timer);
  if (end.kind === 'ended' && end.status === 0) return { ok: true, value: undefined };
  if (isLate) return { ok: false, error: `did not finish within ${Math.round(most / 1000)} s` };
  return { ok: false, error: linesOf(said)[0] ?? howEnded(end) };
}
