// The copied binary installs an application on booted systems that have nothing else of the product.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { booted, type Machine } from '../support/boot.ts';
import {
  type Application,
  installApplication,
  processesOf,
  unitState,
  whoAnswers,
} from '../support/boot-application.ts';
import { binary } from '../support/e2e.ts';

const DEMO: Application = { name: 'demo', workers: 2, firstPort: 8000 };
const PRODUCT = '/opt/tools/frontik-supervisor';
const INSTALL = `${PRODUCT} --script=/usr/bin/demo-worker --config=/etc/demo/frontik.cfg install demo`;
const UNIT = '/etc/systemd/system/demo.service';
const WANTS = '/etc/systemd/system/multi-user.target.wants/demo.service';

/** The binary and an application without an init script. */
async function prepare(machine: Machine): Promise<void> {
  machine.write(PRODUCT, readFileSync(binary), 0o755);
  installApplication(machine, DEMO, '');
  await machine.ok('rm /etc/init.d/demo /etc/default/demo');
}

for (const variant of ['bookworm-systemd', 'forky-systemd'] as const) {
  for (const form of ['', ' --shebang']) {
    booted(`install${form}, from the first start to uninstall`, variant, prepare, async (machine) => {
      const before = await machine.ok('find /etc | sort');
      await machine.ok(INSTALL + form);
      assert.equal(await unitState(machine, 'demo', 'LoadState', 'ActiveState'), 'loaded inactive');
      assert.equal(await unitState(machine, 'demo', 'UnitFileState', 'FragmentPath'), `enabled ${UNIT}`);
      const verified = await machine.run(`systemd-analyze verify --man=no ${UNIT}`);
      assert.deepEqual([verified.code, verified.stderr], [0, '']);
      assert.equal((await machine.run('/etc/init.d/demo status')).code, 3);

      await machine.ok('systemctl start demo');
      assert.equal(await unitState(machine, 'demo', 'ActiveState', 'StatusText'), 'active 2/2 workers are running');
      const first = await whoAnswers(machine, DEMO);
      await machine.ok('/etc/init.d/demo status');
      await machine.ok('service demo restart');
      const second = await whoAnswers(machine, DEMO);
      assert.deepEqual(
        second.filter((pid) => pid === '-' || first.includes(pid)),
        [],
        'all are new',
      );
      assert.equal((await machine.run(`${PRODUCT} uninstall demo`)).code, 1);
      assert.deepEqual(await whoAnswers(machine, DEMO), second);

      await machine.ok('/etc/init.d/demo stop');
      assert.deepEqual(await processesOf(machine, DEMO), []);
      assert.equal(await unitState(machine, 'demo', 'ActiveState', 'Result'), 'inactive success');
      await machine.ok('/etc/init.d/demo start');
      assert.equal(await unitState(machine, 'demo', 'ActiveState'), 'active');
      await machine.ok('systemctl stop demo');

      await machine.ok(`${PRODUCT} uninstall demo`);
      assert.equal(await unitState(machine, 'demo', 'LoadState'), 'not-found');
      assert.equal(await machine.ok('find /etc | sort'), before);
    });
  }

  booted(
    'what was disabled stays so when it is installed again; without the binary nothing is started',
    variant,
    prepare,
    async (machine) => {
      await machine.ok(INSTALL);
      await machine.ok('systemctl disable demo');
      await machine.ok(`${INSTALL} --workers_count=1`);
      assert.equal(machine.has(WANTS), false);
      assert.equal(await unitState(machine, 'demo', 'UnitFileState'), 'disabled');
      await machine.ok(`mv ${PRODUCT} ${PRODUCT}.gone`);
      await machine.ok('systemctl start demo');
      assert.equal(await unitState(machine, 'demo', 'ActiveState', 'ConditionResult'), 'inactive no');
      assert.equal((await machine.run('/etc/init.d/demo status')).code, 4);
    },
  );
}

for (const variant of ['bookworm-systemd', 'forky-systemd', 'bookworm-sysvinit'] as const) {
  booted(
    'what is installed before the first boot, as into an image, runs after it',
    variant,
    async (machine) => {
      await prepare(machine);
      await machine.ok(INSTALL);
      assert.equal(machine.has(UNIT), variant !== 'bookworm-sysvinit', 'a unit where systemd is');
    },
    async (machine) => {
      await machine.ok('/etc/init.d/demo status');
      assert.equal((await whoAnswers(machine, DEMO)).includes('-'), false);
      if (variant !== 'bookworm-sysvinit') assert.equal(await unitState(machine, 'demo', 'ActiveState'), 'active');
    },
  );
}
