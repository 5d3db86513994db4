// The copied binary installs an application on a booted sysvinit, where insserv numbers the links of all services.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { booted, type Machine } from '../support/boot.ts';
import { type Application, installApplication, whoAnswers } from '../support/boot-application.ts';
import { binary } from '../support/e2e.ts';

const DEMO: Application = { name: 'demo', workers: 2, firstPort: 8000 };
const PRODUCT = '/opt/tools/frontik-supervisor';
const INSTALL = `${PRODUCT} --script=/usr/bin/demo-worker --config=/etc/demo/frontik.cfg install demo`;
const LINKS = 'find /etc/rc?.d -type l | sort';

/** The binary and an application without an init script. */
async function prepare(machine: Machine): Promise<void> {
  machine.write(PRODUCT, readFileSync(binary), 0o755);
  installApplication(machine, DEMO, '');
  await machine.ok('rm /etc/init.d/demo /etc/default/demo');
}

for (const form of ['', ' --shebang']) {
  booted(
    `install${form}, and uninstall leaves the links of all others`,
    'bookworm-sysvinit',
    prepare,
    async (machine) => {
      const before = await machine.ok(LINKS);
      await machine.ok(INSTALL + form);
      const installed = await machine.ok(LINKS);
      assert.match(installed, /^\/etc\/rc2\.d\/S\d\ddemo$/m);
      await machine.ok('service demo start');
      assert.equal((await machine.run(`${PRODUCT} uninstall demo`)).code, 1, 'its workers are alive');
      assert.equal(await machine.ok(LINKS), installed);
      assert(!(await whoAnswers(machine, DEMO)).includes('-'));
      await machine.ok('service demo stop');
      await machine.ok(`${PRODUCT} uninstall demo`);
      assert.equal(await machine.ok(LINKS), before);
    },
  );
}

booted('an installation that fails leaves the links of all others', 'bookworm-sysvinit', prepare, async (machine) => {
  const before = await machine.ok(LINKS);
  await machine.ok('mv /usr/sbin/update-rc.d /usr/sbin/update-rc.d.real');
  const defaults = `#!/bin/sh\n/usr/sbin/update-rc.d.real "$@"\n[ "$2" != defaults ] || { echo "it is too late" >&2; exit 3; }\n`;
  machine.write('/usr/sbin/update-rc.d', defaults, 0o755);
  const { code, stderr } = await machine.run(INSTALL);
  assert.deepEqual([code, /it is too late/.test(stderr)], [1, true]);
  assert(!machine.has('/etc/init.d/demo'));
  assert.equal(await machine.ok(LINKS), before);
});
