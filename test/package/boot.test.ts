import assert from 'node:assert/strict';
import { booted } from '../support/boot.ts';
import type { Variant } from '../support/boot-roots.ts';
import { isAlive } from '../support/e2e-processes.ts';

const VARIANTS: readonly Variant[] = ['bookworm-systemd', 'bookworm-sysvinit', 'forky-systemd'];
const INIT = { 'bookworm-systemd': 'systemd\n', 'bookworm-sysvinit': 'init\n', 'forky-systemd': 'systemd\n' } as const;

for (const variant of VARIANTS) {
  booted(
    'it boots, hears commands, and switches itself off',
    variant,
    (machine) => machine.write('/etc/prepared', 'yes\n'),
    async (machine) => {
      assert.equal(await machine.ok('cat /etc/prepared'), 'yes\n');
      assert.equal(await machine.ok('cat /proc/1/comm'), INIT[variant]);
      assert.equal(await machine.ok("python3 -c 'import tornado.web, daemon; print(1)'"), '1\n');
      assert.match(await machine.ok('ip -o addr show lo'), /127\.0\.0\.1/);
      assert.equal((await machine.run('echo 1 >/proc/sys/kernel/panic')).code, 2, "the machine's settings are closed");
      if (variant !== 'bookworm-sysvinit') {
        assert.equal(
          await machine.ok('systemctl is-system-running'),
          'running\n',
          await machine.ok('systemctl --failed'),
        );
      }
      assert.equal((await machine.run('exit 3')).code, 3);
      await machine.powerOff();
      assert(!isAlive(machine.init));
    },
  );
}

booted(
  'a command in there that kills its process group hits nobody out here',
  'bookworm-sysvinit',
  () => undefined,
  async (machine) => {
    assert.equal((await machine.run('kill -9 0')).signal, 'SIGKILL');
    assert.equal(await machine.ok('echo alive'), 'alive\n');
  },
);
