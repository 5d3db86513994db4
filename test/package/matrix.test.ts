import assert from 'node:assert/strict';
import type { Machine } from '../support/boot.ts';
import { unitState, whoAnswers } from '../support/boot-application.ts';
import {
  apt,
  assertReplaced,
  DEMO,
  demoProcesses,
  packaged,
  SHELF,
  serving,
  stateOf,
} from '../support/boot-package.ts';
import { demoPackage, supervisorPackage } from '../support/packages.ts';

const CONFIG = '/etc/frontik-demo/frontik.cfg';
const LAUNCHER = '/etc/init.d/frontik-demo';
const BINARY = '/usr/bin/frontik-supervisor';

/** All files but what dpkg, apt and systemd write of every package, and what this test writes. */
const NOT_OURS = ['/var/cache', '/var/lib/apt', '/var/lib/dpkg', '/var/log/apt', '/run/systemd', '/run/log', '/etc/*-'];
const PRUNE = [...NOT_OURS, '/usr/local/lib/who-answers'].map((path) => `-path '${path}' -prune -o`).join(' ');

async function files(machine: Machine): Promise<readonly string[]> {
  const { stdout } = await machine.begin(`find / /run -xdev ${PRUNE} -print; find /run/systemd -name '*frontik*'`)
    .outcome;
  return stdout.split('\n').toSorted();
}

async function install(machine: Machine): Promise<void> {
  await machine.ok(apt('frontik-supervisor_*-1_amd64.deb', 'frontik-demo_1.0_all.deb'));
  const owned = "stat -c '%U:%G %a %n'";
  assert.equal(
    await machine.ok(`${owned} /run/frontik /var/log/frontik /run/frontik-demo /var/log/frontik-demo`),
    'frontik:frontik 755 /run/frontik\nfrontik:adm 750 /var/log/frontik\n' +
      'frontik-demo:frontik-demo 755 /run/frontik-demo\nfrontik-demo:adm 750 /var/log/frontik-demo\n',
  );
  await serving(machine);
  assert.equal(await machine.ok("ps -o user:20= -p $(cat /run/frontik-demo/8400.pid) | tr -d ' '"), 'frontik-demo\n');
  assert.match(await machine.ok('ls /etc/rc?.d'), /^S\d\dfrontik-demo$/m);
}

async function upgradeApplication(machine: Machine): Promise<void> {
  const old = await serving(machine);
  await machine.ok(`sed -i "s/'Hello'/'Local'/" ${CONFIG}`);
  await machine.ok(apt('frontik-demo_1.1_all.deb'));
  assertReplaced(old, await serving(machine));
  assert.match(await machine.ok('curl -s http://127.0.0.1:8400/'), /"Local"/, 'an edited conffile is kept');
  await machine.ok(`${apt('frontik-demo_1.2_all.deb')} -o Dpkg::Options::=--force-confold`);
  assert.match(await machine.ok('curl -s http://127.0.0.1:8400/'), /"Local"/, 'and where the package brings another');
  assert(machine.has(`${CONFIG}.dpkg-dist`));
}

async function upgradeSupervisor(machine: Machine): Promise<void> {
  const old = await serving(machine);
  const main = await unitOf(machine);
  await machine.ok(apt('frontik-supervisor_*-2_amd64.deb'));
  assert.match(await machine.ok('dpkg-query -W frontik-supervisor'), /-2$/m);
  assert.deepEqual([await serving(machine), await unitOf(machine)], [old, main], 'nothing that runs is touched');
  await machine.ok(`install -m755 ${BINARY} /var/cache/copy && install -m755 /var/cache/copy ${BINARY}`);
  assert.deepEqual([await serving(machine), await unitOf(machine)], [old, main]);
  // What was started by the old binary hears the new one.
  await machine.ok('service frontik-demo reload');
  const reloaded = await serving(machine);
  assertReplaced(old, reloaded);
  await machine.ok('service frontik-demo restart');
  assertReplaced(reloaded, await serving(machine));
}

/** What is disabled is somebody else's to start, a cluster's for one: no release touches its workers. */
async function upgradeDisabled(machine: Machine): Promise<void> {
  const again = apt('--reinstall', 'frontik-demo_1.2_all.deb');
  const old = await serving(machine);
  await machine.ok('update-rc.d frontik-demo disable');
  for (const command of [again, 'dpkg-reconfigure -f noninteractive frontik-demo']) {
    const { code, stderr } = await machine.run(command);
    assert.deepEqual([code, /frontik-demo: is disabled/.test(stderr)], [0, true]);
    assert.deepEqual(await serving(machine), old, 'what runs is not restarted');
  }
  await machine.ok('service frontik-demo reload');
  assertReplaced(old, await serving(machine));
  await machine.ok('service frontik-demo stop');
  for (const command of [again, `apt-get remove -q -y -o Dpkg::Use-Pty=0 frontik-demo && ${again}`]) {
    await machine.ok(command);
    assert.deepEqual(await demoProcesses(machine), [], 'what is stopped is not started');
  }
  assert.doesNotMatch(await machine.ok('ls /etc/rc[2345].d'), /^S\d\dfrontik-demo$/m, 'and it stays disabled');
  await machine.ok('update-rc.d frontik-demo enable');
  await machine.ok(again);
  const started = await serving(machine);
  await machine.ok(again);
  assertReplaced(started, await serving(machine));
}

/** The state and main process of the unit, where there are units. */
function unitOf(machine: Machine): Promise<string> | '' {
  return machine.variant === 'bookworm-sysvinit' ? '' : unitState(machine, 'frontik-demo', 'ActiveState', 'MainPID');
}

/** The launcher's exit status for each action. */
async function statusesOf(machine: Machine, ...actions: readonly string[]): Promise<readonly (number | null)[]> {
  const codes: (number | null)[] = [];
  for (const action of actions) {
    codes.push((await machine.run(`sh ${LAUNCHER} ${action}`)).code);
  }
  return codes;
}

async function removeApplication(machine: Machine): Promise<void> {
  await machine.ok('apt-get remove -q -y -o Dpkg::Use-Pty=0 frontik-demo');
  assert.deepEqual(await demoProcesses(machine), []);
  assert.equal(await stateOf(machine, 'frontik-demo'), 'rc');
  assert.equal(await machine.ok(`stat -c %a ${LAUNCHER}`), '644\n', 'nothing can start it');
  assert.deepEqual(await statusesOf(machine, 'start', 'status', 'stop', 'restart'), [0, 4, 0, 0]);
  assert.notEqual((await machine.run('service frontik-demo status')).code, 0);
  assert.deepEqual(await demoProcesses(machine), []);
  await machine.ok(apt('frontik-demo_1.2_all.deb'));
  await serving(machine);
  assert.match(
    await machine.ok('curl -s http://127.0.0.1:8400/'),
    /"Local"/,
    'what was edited has outlived the removal',
  );
}

async function removeSupervisor(machine: Machine): Promise<void> {
  await machine.ok('service frontik-demo stop');
  assert.deepEqual(await demoProcesses(machine), []);
  await machine.ok('dpkg --remove --force-depends frontik-supervisor');
  assert.deepEqual(await statusesOf(machine, 'start', 'status', 'stop', 'restart'), [0, 4, 0, 0]);
  machine.write('/etc/init.d/shebang', `#!${BINARY}\nsupervisor(script='/bin/true', config='${CONFIG}')\n`, 0o755);
  assert.equal((await machine.run('/etc/init.d/shebang status')).code, 127, 'a shell says "not found"');
  await machine.ok('rm /etc/init.d/shebang');
  await machine.ok(`dpkg -i ${SHELF}/frontik-supervisor_*-2_amd64.deb`);
  await machine.ok('service frontik-demo start');
  await serving(machine);
}

async function purge(machine: Machine, before: readonly string[]): Promise<void> {
  await machine.ok('apt-get purge -q -y -o Dpkg::Use-Pty=0 frontik-demo frontik-supervisor');
  assert.deepEqual(await demoProcesses(machine), []);
  assert.deepEqual(await whoAnswers(machine, DEMO), ['-', '-', '-', '-']);
  assert.deepEqual([await stateOf(machine, 'frontik-demo'), await stateOf(machine, 'frontik-supervisor')], ['', '']);
  const left = new Set(before);
  assert.deepEqual(
    (await files(machine)).filter((file) => !left.has(file)),
    [],
    'no file is left',
  );
  // As everywhere in Debian: their numbers must not become others'.
  await machine.ok('getent passwd frontik frontik-demo');
  if (machine.variant !== 'bookworm-sysvinit') {
    assert.doesNotMatch(await machine.ok("systemctl list-units --all --no-legend 'frontik*'"), /frontik/);
  }
}

for (const variant of ['bookworm-sysvinit', 'bookworm-systemd', 'forky-systemd'] as const) {
  packaged(
    'both packages, from the installation to the purge',
    variant,
    async () => [
      await supervisorPackage(),
      await supervisorPackage('0.1.0-2'),
      demoPackage('1.0'),
      demoPackage('1.1'),
      demoPackage('1.2', { 'root/etc/frontik-demo/frontik.cfg': ["'Hello'", "'Good day'"] }),
    ],
    async (machine) => {
      const before = await files(machine);
      for (const step of [
        install,
        upgradeApplication,
        upgradeDisabled,
        upgradeSupervisor,
        removeApplication,
        removeSupervisor,
      ]) {
        machine.note(`----- ${step.name}`);
        await step(machine);
      }
      await purge(machine, before);
      await machine.ok(`rm -r ${SHELF}`);
    },
  );
}
