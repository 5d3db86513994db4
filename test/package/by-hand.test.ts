import assert from 'node:assert/strict';
import type { Machine } from '../support/boot.ts';
import { unitState, whoAnswers } from '../support/boot-application.ts';
import { apt, assertReplaced, DEMO, demoProcesses, packaged, serving } from '../support/boot-package.ts';
import type { Outcome } from '../support/e2e-command.ts';
import { until } from '../support/e2e-command.ts';
import { demoPackage, supervisorPackage } from '../support/packages.ts';

const LAUNCHER = '/etc/init.d/frontik-demo';
const APPLICATION = '/usr/share/frontik-demo/frontik_demo/__init__.py';

/** The launcher by root from a shell, as an operator types it: its parent is not PID 1. */
async function hand(machine: Machine, action: string): Promise<Outcome> {
  return await machine.run(`sh -c '${LAUNCHER} ${action}; exit $?'`);
}

/** It ends with this status, and its last line says that, as without systemd. */
async function assertEnds(machine: Machine, action: string, code: number, last: string): Promise<void> {
  const outcome = await hand(machine, action);
  const lines = outcome.stderr.trimEnd().split('\n');
  const said = lines.at(-1)?.replace(/^\[\d\d:\d\d:\d\d root\] /, '');
  assert.deepEqual([outcome.code, said, outcome.stdout], [code, last, ''], action);
}

async function assertActive(machine: Machine): Promise<readonly string[]> {
  assert.equal(await unitState(machine, 'frontik-demo', 'ActiveState'), 'active');
  const pids = await serving(machine);
  for (const pid of pids) {
    assert.match(machine.read(`/proc/${pid}/cgroup`), /\/system\.slice\/frontik-demo\.service$/m);
  }
  return pids;
}

async function assertInactive(machine: Machine): Promise<void> {
  assert.deepEqual(await demoProcesses(machine), []);
  assert.equal(await unitState(machine, 'frontik-demo', 'ActiveState', 'Result'), 'inactive success');
}

async function goThroughActions(machine: Machine): Promise<void> {
  await assertInactive(machine);
  await assertEnds(machine, 'status', 3, 'all workers are stopped');
  await assertEnds(machine, 'try-restart', 0, '');
  await assertInactive(machine);
  assert.equal((await hand(machine, 'reload')).code, 7);
  await assertInactive(machine);

  await assertEnds(machine, 'start', 0, 'all workers are running');
  const started = await assertActive(machine);
  await assertEnds(machine, 'start', 0, 'all workers are running');
  assert.deepEqual(await assertActive(machine), started, 'what runs is left alone');

  let last = started;
  for (const action of ['restart', 'reload', 'force-reload', 'try-restart']) {
    await assertEnds(machine, action, 0, 'all workers are running');
    const now = await assertActive(machine);
    assertReplaced(last, now);
    last = now;
  }

  await assertEnds(machine, 'stop', 0, 'all workers are stopped');
  await assertInactive(machine);
  await assertEnds(machine, 'stop', 0, 'all workers are stopped');
  await assertInactive(machine);
}

/** systemd holds a unit for active whose workers are gone, as long as nobody tells it. */
async function lookForItself(machine: Machine): Promise<void> {
  await assertEnds(machine, 'start', 0, 'all workers are running');
  const [first] = await assertActive(machine);
  const run = await unitState(machine, 'frontik-demo', 'MainPID');
  await machine.ok(`kill -STOP ${run}; kill -9 ${first}`);
  await until(async () => assert.equal((await whoAnswers(machine, DEMO))[0], '-'));
  assert.equal(await unitState(machine, 'frontik-demo', 'ActiveState'), 'active');
  await assertEnds(machine, 'status', 1, 'some workers are running!');
  assert.match((await hand(machine, 'check')).stdout, /^workers_count +4 /m, 'nor is check handed over');
  await machine.ok(`kill -CONT ${run}`);
  await until(async () => assert.equal((await machine.begin(`${LAUNCHER} status`).outcome).code, 0));
  await assertEnds(machine, 'stop', 0, 'all workers are stopped');
  await assertInactive(machine);
}

async function endWhatIsNotTheUnits(machine: Machine): Promise<void> {
  await machine.ok(`_SYSTEMCTL_SKIP_REDIRECT=yes ${LAUNCHER} start`);
  assert.equal(await unitState(machine, 'frontik-demo', 'ActiveState'), 'inactive');
  assert.equal((await demoProcesses(machine)).length, DEMO.workers);
  await assertEnds(machine, 'stop', 0, 'all workers are stopped');
  await assertInactive(machine);
  await machine.ok(`_SYSTEMCTL_SKIP_REDIRECT=yes ${LAUNCHER} start`);
  const outside = await whoAnswers(machine, DEMO);
  await assertEnds(machine, 'restart', 0, 'all workers are running');
  assertReplaced(outside, await assertActive(machine));
  await assertEnds(machine, 'stop', 0, 'all workers are stopped');
}

async function fail(machine: Machine): Promise<void> {
  const sound = machine.read(APPLICATION);
  machine.write(APPLICATION, "raise RuntimeError('broken')\n");
  const failed = await hand(machine, 'start');
  assert.equal(failed.code, 1);
  // Not the words themselves: journald writes them down some time after its unit has failed.
  assert.match(
    failed.stderr,
    /frontik-demo\.service: journalctl -u frontik-demo\.service -n 50 says why\n.*stopped\n$/,
  );
  await assertEnds(machine, 'stop', 0, 'all workers are stopped');
  assert.deepEqual(await demoProcesses(machine), []);
  assert.match(await unitState(machine, 'frontik-demo', 'ActiveState'), /^(inactive|failed)$/);
  machine.write(APPLICATION, sound);
  await assertEnds(machine, 'start', 0, 'all workers are running');
  await assertActive(machine);
  await assertEnds(machine, 'stop', 0, 'all workers are stopped');
  await assertInactive(machine);
}

const HEADER = `### BEGIN INIT INFO
# Provides:          frontik-demo
# Required-Start:    $remote_fs $network
# Required-Stop:     $remote_fs $network
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: web workers of frontik-demo
### END INIT INFO
`;

/** Puts a launcher of that form in the place of the package's own. */
const FORMS: Readonly<Record<string, ((machine: Machine) => void) | undefined>> = {
  'as the package has it': undefined,
  'as the template': (machine) => {
    const template = machine.read('/usr/share/frontik-supervisor/init.d');
    machine.write(LAUNCHER, template.replace(/^# Provides:.*$/m, '# Provides:          frontik-demo'));
    const words = 'SCRIPT=/usr/lib/frontik-demo/worker APP=frontik_demo CONFIG=/etc/frontik-demo/frontik.cfg\n';
    machine.write('/etc/default/frontik-demo', words);
  },
  'with our name on its first line': (machine) => {
    const words = "script='/usr/lib/frontik-demo/worker', app='frontik_demo', config='/etc/frontik-demo/frontik.cfg'";
    const call = `from frontik.server.supervisor import supervisor\nsupervisor(${words})\n`;
    machine.write(LAUNCHER, `#!/usr/bin/frontik-supervisor\n${HEADER}${call}`);
  },
};

async function packages(): Promise<readonly string[]> {
  return [await supervisorPackage(), demoPackage('1.0')];
}

for (const variant of ['bookworm-systemd', 'forky-systemd'] as const) {
  for (const [form, put] of Object.entries(FORMS)) {
    packaged(`a launcher ${form}, by hand`, variant, packages, async (machine) => {
      await machine.ok(apt('frontik-supervisor_*.deb', 'frontik-demo_1.0_all.deb'));
      await machine.ok('systemctl stop frontik-demo');
      put?.(machine);
      await machine.ok('systemctl daemon-reload');
      for (const step of [goThroughActions, lookForItself, endWhatIsNotTheUnits, fail]) {
        machine.note(`----- ${step.name}`);
        await step(machine);
      }
    });
  }
}
