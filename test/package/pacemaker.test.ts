import assert from 'node:assert/strict';
import type { Machine } from '../support/boot.ts';
import { whoAnswers } from '../support/boot-application.ts';
import { apt, assertReplaced, DEMO, demoProcesses, packaged, serving } from '../support/boot-package.ts';
import { until } from '../support/e2e-command.ts';
import { demoPackage, supervisorPackage } from '../support/packages.ts';

const COROSYNC = `totem {
  version: 2
  cluster_name: one
  transport: udpu
  token: 3000
}
nodelist {
  node {
    ring0_addr: 127.0.0.1
    name: booted
    nodeid: 1
  }
}
quorum {
  provider: corosync_votequorum
  expected_votes: 1
}
logging {
  to_syslog: no
  to_logfile: yes
  logfile: /var/log/corosync.log
}
`;

/** Waits until the cluster has done its work on the workers; their pids. */
async function settled(machine: Machine, check: (pids: readonly string[]) => void): Promise<readonly string[]> {
  return await until(async () => {
    const pids = await whoAnswers(machine, DEMO);
    assert(!pids.includes('-'), pids.join(' '));
    check(pids);
    return pids;
  }, 60_000);
}

async function formCluster(machine: Machine): Promise<void> {
  machine.write('/etc/corosync/corosync.conf', COROSYNC);
  await machine.ok('service corosync start');
  await machine.ok('service pacemaker start');
  await until(
    async () => assert.match((await machine.begin('crm_mon -1').outcome).stdout, /Online: \[ booted \]/),
    120_000,
  );
  await machine.ok('crm_attribute --type crm_config --name stonith-enabled --update false');
}

const OPERATIONS = 'op monitor interval=5s timeout=15s op start interval=0 timeout=90s op stop interval=0 timeout=30s';

packaged(
  'a cluster of one node starts, mends, restarts, leaves alone and stops what the launcher controls',
  'bookworm-sysvinit',
  async () => [await supervisorPackage(), demoPackage('1.0'), demoPackage('1.1')],
  async (machine) => {
    await machine.ok(apt('frontik-supervisor_*.deb', 'frontik-demo_1.0_all.deb'));
    await machine.ok('service frontik-demo stop; update-rc.d frontik-demo disable');
    machine.write('/etc/default/frontik-demo', "OPTIONS='--partial-status=4'\n");
    await formCluster(machine);

    machine.note('----- it starts');
    await machine.ok(`crm configure primitive demo lsb:frontik-demo ${OPERATIONS}`);
    await machine.ok('crm configure clone demo-clone demo');
    const started = await settled(machine, () => undefined);
    await serving(machine);

    machine.note('----- a worker is killed');
    await machine.ok('kill -9 $(cat /run/frontik-demo/8402.pid)');
    const began = performance.now();
    const mended = await settled(machine, (pids) => assert.notEqual(pids[2], started[2]));
    machine.note(`all workers run again after ${Math.round(performance.now() - began)} ms`);
    assertReplaced(started, mended);
    assert.match(await machine.ok('crm_mon -1 --inactive --failcounts'), /demo.*fail-count=1/s);
    await machine.ok('crm_resource --wait --timeout 60');
    await machine.ok('crm_resource --cleanup --resource demo');
    // It has forgotten what runs, and looks.
    await machine.ok('crm_resource --wait --timeout 60');

    machine.note('----- a restart on this node alone');
    await machine.ok('crm_resource --restart --resource demo-clone --node booted');
    const restarted = await settled(machine, () => undefined);
    assertReplaced(mended, restarted);

    machine.note('----- an upgrade while the cluster keeps its hands off');
    await machine.ok('crm_attribute --type crm_config --name maintenance-mode --update true');
    await machine.ok(apt('frontik-demo_1.1_all.deb'));
    // What init does not start at the boot, invoke-rc.d does not restart.
    assert.deepEqual(await serving(machine), restarted);
    await machine.ok('service frontik-demo reload');
    const upgraded = await serving(machine);
    assertReplaced(restarted, upgraded);
    await machine.ok('crm_attribute --type crm_config --name maintenance-mode --update false');
    await machine.ok('crm_resource --wait --timeout 60');
    // Two of its looks.
    await machine.ok('sleep 11');
    assert.deepEqual(await serving(machine), upgraded, 'it finds them running, and leaves them alone');
    assert.doesNotMatch(await machine.ok('crm_mon -1 --inactive --failcounts'), /fail-count/);

    machine.note('----- it stops');
    await machine.ok('crm resource stop demo-clone');
    await machine.ok('crm_resource --wait --timeout 60');
    assert.deepEqual(await demoProcesses(machine), []);
    assert.match(await machine.ok('crm_mon -1 --inactive'), /demo.*Stopped/s);
    await machine.ok('service pacemaker stop; service corosync stop');
  },
  ['corosync', 'pacemaker', 'pacemaker-cli-utils', 'crmsh'],
);
