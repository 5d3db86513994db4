import assert from 'node:assert/strict';
import type { Machine } from '../support/boot.ts';
import { whoAnswers } from '../support/boot-application.ts';
import {
  apt,
  assertReplaced,
  BROKEN,
  DEMO,
  demoProcesses,
  packaged,
  SHELF,
  STRICT,
  serving,
  stateOf,
} from '../support/boot-package.ts';
import { demoPackage, supervisorPackage } from '../support/packages.ts';

const MENDED = `dpkg --unpack ${SHELF}/frontik-demo_9.0_all.deb`;

async function packages(): Promise<readonly string[]> {
  return [
    await supervisorPackage(),
    demoPackage('1.0'),
    demoPackage('1.1', BROKEN),
    demoPackage('1.2', { ...BROKEN, ...STRICT }),
    demoPackage('9.0', STRICT),
  ];
}

/** dpkg has not configured it, and its workers do not run. */
async function assertHalfConfigured(machine: Machine): Promise<void> {
  assert.equal(await stateOf(machine, 'frontik-demo'), 'iF');
  assert.deepEqual(await whoAnswers(machine, DEMO), ['-', '-', '-', '-']);
}

async function mend(machine: Machine): Promise<void> {
  await machine.ok(MENDED);
  await machine.ok('dpkg --configure -a');
  assert.equal(await stateOf(machine, 'frontik-demo'), 'ii');
  await serving(machine);
}

for (const variant of ['bookworm-sysvinit', 'bookworm-systemd', 'forky-systemd'] as const) {
  packaged('a release that does not start, lenient and strict, and its repair', variant, packages, async (machine) => {
    await machine.ok(apt('frontik-supervisor_*.deb', 'frontik-demo_1.0_all.deb'));
    await serving(machine);

    const lenient = await machine.run(apt('frontik-demo_1.1_all.deb'));
    assert.equal(lenient.code, 0);
    assert.match(`${lenient.stdout}${lenient.stderr}`, /frontik-demo: not all workers run/);
    assert.equal(await stateOf(machine, 'frontik-demo'), 'ii');
    assert.deepEqual(await whoAnswers(machine, DEMO), ['-', '-', '-', '-']);
    // systemd tries again and again, so that some of them may be alive just then.
    const { code } = await machine.run('/etc/init.d/frontik-demo status');
    assert(code === 3 || (code === 1 && variant !== 'bookworm-sysvinit'), `status ${code}`);
    assert.match(await machine.ok('cat /var/log/frontik-demo/8400.log'), /RuntimeError: broken/);
    await machine.ok(apt('--allow-downgrades', 'frontik-demo_1.0_all.deb'));
    await serving(machine);

    assert.notEqual((await machine.run(apt('frontik-demo_1.2_all.deb'))).code, 0);
    await assertHalfConfigured(machine);
    assert.notEqual((await machine.run('dpkg --configure -a')).code, 0, 'nothing is mended yet');
    await assertHalfConfigured(machine);
    await mend(machine);

    await machine.ok('dpkg --purge frontik-demo');
    assert.deepEqual(await demoProcesses(machine), []);
    assert.notEqual((await machine.run(apt('frontik-demo_1.2_all.deb'))).code, 0, 'strict at the first installation');
    await assertHalfConfigured(machine);
    await mend(machine);
  });

  packaged('policy-rc.d forbids everything, and nothing fails', variant, packages, async (machine) => {
    machine.write('/usr/sbin/policy-rc.d', '#!/bin/sh\nexit 101\n', 0o755);
    await machine.ok(apt('frontik-supervisor_*.deb', 'frontik-demo_1.0_all.deb'));
    assert.deepEqual(await demoProcesses(machine), []);
    assert.match(await machine.ok('ls /etc/rc2.d'), /^S\d\dfrontik-demo$/m, 'the next boot starts it');
    await machine.ok(apt('frontik-demo_1.2_all.deb'));
    assert.deepEqual(await demoProcesses(machine), []);
    await machine.ok(apt('frontik-demo_9.0_all.deb'));

    await machine.ok('service frontik-demo start');
    const running = await serving(machine);
    await machine.ok('dpkg-reconfigure -f noninteractive frontik-demo');
    assert.deepEqual(await serving(machine), running, 'what runs is not restarted');
    await machine.ok('rm /usr/sbin/policy-rc.d; dpkg-reconfigure -f noninteractive frontik-demo');
    assertReplaced(running, await serving(machine));
    machine.write('/usr/sbin/policy-rc.d', '#!/bin/sh\nexit 101\n', 0o755);
    await machine.ok('dpkg --purge frontik-demo frontik-supervisor');
  });
}
