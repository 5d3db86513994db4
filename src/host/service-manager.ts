// systemd, for init scripts that are called by hand: what they start must land in their unit, not in the caller's session.
// The conditions are those of Debian's init-functions (lsb-base, init-functions.d/40-systemd).

import { realpathSync, statSync } from 'node:fs';
import { orElse } from './errno.ts';
import type { Result, ServiceManager } from './host.ts';

export const serviceManager: ServiceManager = { unitOf, pursue };

const SCRIPTS = '/etc/init.d/';

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
  const unit = `${name}.service`;
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const shown = spawnSync('systemctl', ['show', '--property=LoadState', '--value', unit], { encoding: 'utf8' });
  return shown.status === 0 && shown.stdout.trim() === 'loaded' ? unit : undefined;
}

function pursue(
  verb: 'start' | 'stop' | 'restart',
  unit: string,
  interrupted: Promise<void>,
): Promise<Result<undefined, string>> {
  const { spawn } = process.getBuiltinModule('node:child_process');
  return new Promise((resolve) => {
    const child = spawn('systemctl', ['--no-ask-password', verb, unit], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(0, 4096);
    });
    const failed = (why: string): void => resolve({ ok: false, error: why });
    // The job goes on without its client: systemctl(1), --no-block.
    void interrupted.then(() => child.kill('SIGKILL'));
    child.once('error', (error) => failed(String(error)));
    child.once('close', (status) => {
      if (status === 0) resolve({ ok: true, value: undefined });
      else failed(said.trim().split('\n')[0] || `ended with status ${status}`);
    });
  });
}
