import assert from 'node:assert/strict';
import type { Machine } from '../support/boot.ts';
import { whoAnswers } from '../support/boot-application.ts';
import { apt, DEMO, demoProcesses, packaged } from '../support/boot-package.ts';
import { demoPackage, supervisorPackage } from '../support/packages.ts';

const LAUNCHER = '/etc/init.d/frontik-demo';
/** In ms: how long Pacemaker waits for a script before it takes it for failed, unless it is told otherwise. */
const PATIENCE = 15_000;

/** "LSB Compliance" in Pacemaker Administration: what is done, and the only answer that its lsb: class works with. */
const CHECKLIST: readonly (readonly [state: string, action: string, code: number])[] = [
  ['stopped', 'status', 3],
  ['stopped', 'start', 0],
  ['running', 'status', 0],
  ['running', 'start', 0],
  ['running', 'status', 0],
  ['running', 'stop', 0],
  ['stopped', 'status', 3],
  ['stopped', 'stop', 0],
  ['stopped', 'status', 3],
];

/** As Pacemaker's executor calls it: no terminal, no HOME, another directory. */
async function lsb(machine: Machine, action: string): Promise<number | null> {
  const { code, took } = await machine.run(`cd / && env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin ${LAUNCHER} ${action}`);
  assert(took < PATIENCE, `${action} took ${Math.round(took)} ms`);
  return code;
}

async function isServing(machine: Machine): Promise<boolean> {
  return !(await whoAnswers(machine, DEMO)).includes('-');
}

packaged(
  "Pacemaker's checklist for init scripts, line by line",
  'bookworm-sysvinit',
  async () => [await supervisorPackage(), demoPackage('1.0')],
  async (machine) => {
    await machine.ok(apt('frontik-supervisor_*.deb', 'frontik-demo_1.0_all.deb'));
    await machine.ok('service frontik-demo stop');
    machine.write('/etc/default/frontik-demo', "OPTIONS='--partial-status=4'\n");

    for (const [state, action, code] of CHECKLIST) {
      machine.note(`----- ${state}, ${action}: ${code}`);
      assert.equal(await lsb(machine, action), code, `${action} while it is ${state}`);
      // What the exit status says is so, and is so already.
      const runs = action === 'start' || (state === 'running' && action === 'status');
      assert.equal(await isServing(machine), runs, `after ${action} while it was ${state}`);
    }
    assert.deepEqual(await demoProcesses(machine), []);

    machine.note('----- failed: status is none of 0, 1, 2, 3');
    assert.equal(await lsb(machine, 'start'), 0);
    await machine.ok('kill -9 $(cat /run/frontik-demo/8402.pid)');
    assert.equal(await lsb(machine, 'status'), 4, 'what would be 1 is "not running" to Pacemaker');
    assert.equal(await lsb(machine, 'stop'), 0);
    assert.equal(await lsb(machine, 'start'), 0);
    assert.equal(await lsb(machine, 'status'), 0);

    machine.note('----- all killed: nothing runs, and nothing is in the way of a start');
    await machine.ok('kill -9 $(cat /run/frontik-demo/*.pid)');
    assert.equal(await lsb(machine, 'status'), 3);
    assert.equal(await lsb(machine, 'start'), 0);

    machine.note('----- a worker that ignores SIGTERM does not make stop fail, which would cost the node');
    await machine.ok('kill -STOP $(cat /run/frontik-demo/8401.pid)');
    assert.equal(await lsb(machine, 'stop'), 0);
    assert.deepEqual(await demoProcesses(machine), []);

    machine.note('----- the actions that it must have, with no mistake in their names');
    assert.equal(await lsb(machine, 'restart'), 0);
    assert.equal(await lsb(machine, 'force-reload'), 0);
    assert.equal(await lsb(machine, 'no-such-action'), 1);
    assert.equal(await lsb(machine, 'stop'), 0);
  },
);
