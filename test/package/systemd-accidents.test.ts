import assert from 'node:assert/strict';
import { booted, type Machine } from '../support/boot.ts';
import {
  type Application,
  configure,
  installApplication,
  installProduct,
  processesOf,
  shebangLauncher,
  unitState,
  whoAnswers,
} from '../support/boot-application.ts';
import { until } from '../support/e2e-command.ts';

const DEMO: Application = { name: 'demo', workers: 3, firstPort: 8000 };
const KILL_RUN = 'kill -9 $(systemctl show demo --value -p MainPID)';
const SLOW = '{"all": {"sleep_start": 4}}';
const BROKEN = '{"all": {"fail_start": "broken release"}}';

function prepare(machine: Machine): void {
  installProduct(machine);
  installApplication(machine, DEMO, shebangLauncher('demo'));
}

/** Starts it; who answers then. */
async function started(machine: Machine): Promise<readonly string[]> {
  await machine.ok('systemctl start demo');
  const answering = await whoAnswers(machine, DEMO);
  assert(!answering.includes('-'));
  return answering;
}

/** The unit is up, under a `run` that is not `before`. */
async function isBack(machine: Machine, before: string): Promise<void> {
  await until(async () => {
    const [active, main] = (await unitState(machine, 'demo', 'ActiveState', 'MainPID')).split(' ');
    assert.equal(active, 'active');
    assert.notEqual(main, before);
  });
}

for (const variant of ['bookworm-systemd', 'forky-systemd'] as const) {
  booted('kill -9 of run, again and again: the next one has the same workers', variant, prepare, async (machine) => {
    const before = await started(machine);
    for (const _ of [1, 2, 3]) {
      const main = await unitState(machine, 'demo', 'MainPID');
      await machine.ok(`kill -9 ${main}`);
      await isBack(machine, main);
      assert.deepEqual(await whoAnswers(machine, DEMO), before);
      assert.equal(await unitState(machine, 'demo', 'StatusText'), '3/3 workers are running');
    }
    // Before it is ready, too.
    const main = await unitState(machine, 'demo', 'MainPID');
    await machine.ok(`kill -9 ${main}`);
    await until(async () => assert.equal(await unitState(machine, 'demo', 'SubState'), 'start'));
    await machine.ok(KILL_RUN);
    await isBack(machine, main);
    assert.deepEqual(await whoAnswers(machine, DEMO), before);
    await machine.ok('systemctl stop demo');
    assert.deepEqual(await processesOf(machine, DEMO), []);
  });

  booted(
    'stop and restart right after kill -9 of run leave none of the old workers',
    variant,
    prepare,
    async (machine) => {
      const before = await started(machine);
      await machine.ok(`${KILL_RUN}; systemctl restart demo`);
      const after = await whoAnswers(machine, DEMO);
      assert.deepEqual(
        after.filter((pid) => pid === '-' || before.includes(pid)),
        [],
      );
      await machine.ok(`${KILL_RUN}; systemctl stop demo`);
      assert.deepEqual(await processesOf(machine, DEMO), []);
      await started(machine);
      await machine.ok(`${KILL_RUN}; sleep 0.3; systemctl stop demo`);
      assert.deepEqual(await processesOf(machine, DEMO), []);
    },
  );

  booted(
    'a run that does not react is killed when its time is over, and leaves nothing',
    variant,
    (machine) => {
      prepare(machine);
      machine.write(
        '/etc/systemd/system/demo.service.d/time.conf',
        '[Service]\nKillSignal=SIGCONT\nTimeoutStopSec=1\n',
      );
    },
    async (machine) => {
      await started(machine);
      await machine.ok('systemctl stop demo');
      assert.equal(await unitState(machine, 'demo', 'ActiveState', 'Result'), 'failed timeout');
      assert.deepEqual(await processesOf(machine, DEMO), []);
    },
  );

  booted(
    'a configuration that breaks while run is away ends the service, which says so',
    variant,
    prepare,
    async (machine) => {
      await started(machine);
      configure(machine, DEMO, 'workers_count = "x"');
      assert.equal((await machine.run('systemctl reload demo')).code, 1, 'to a run that lives it changes nothing');
      assert.equal(await unitState(machine, 'demo', 'ActiveState', 'StatusText'), 'active 3/3 workers are running');
      await machine.ok(KILL_RUN);
      await until(async () => assert.equal(await unitState(machine, 'demo', 'ActiveState'), 'failed'));
      assert.deepEqual(await processesOf(machine, DEMO), []);
      assert.match(await machine.journal('demo'), /workers_count must be an int/);
      assert.equal((await machine.run('systemctl start demo')).code, 1);
      assert.equal(await unitState(machine, 'demo', 'ActiveState', 'NRestarts'), 'failed 0', 'it is not tried again');
      configure(machine, DEMO);
      await started(machine);
    },
  );

  booted(
    'a start in which no worker comes up fails, and heals when the cause is gone',
    variant,
    prepare,
    async (machine) => {
      machine.write('/etc/control.json', BROKEN);
      const outcome = await machine.run('systemctl start demo');
      assert.equal(outcome.code, 1);
      assert(outcome.took < 10_000, `it took ${outcome.took} ms`);
      await until(async () => assert.notEqual(await unitState(machine, 'demo', 'NRestarts'), '0'));
      machine.write('/etc/control.json', '{}');
      await until(async () => assert.equal(await unitState(machine, 'demo', 'ActiveState'), 'active'));
      assert.equal(await unitState(machine, 'demo', 'StatusText'), '3/3 workers are running');
    },
  );

  booted(
    'a worker that cannot come up does not hold up the others, and is not hidden',
    variant,
    prepare,
    async (machine) => {
      machine.write('/etc/control.json', '{"8001": {"fail_start": "broken release"}}');
      await machine.ok('systemctl start demo');
      const [first, second, third] = await whoAnswers(machine, DEMO);
      assert.deepEqual([first === '-', second, third === '-'], [false, '-', false]);
      assert.equal(await unitState(machine, 'demo', 'StatusText'), '2/3 workers are running');
      assert.equal((await machine.run('/etc/init.d/demo status')).code, 1);
      machine.write('/etc/control.json', '{}');
      await until(async () => assert.equal(await unitState(machine, 'demo', 'StatusText'), '3/3 workers are running'));
    },
  );

  booted(
    'stop in the midst of a start or of a reload leaves nothing, restart nothing old',
    variant,
    prepare,
    async (machine) => {
      machine.write('/etc/control.json', SLOW);
      await machine.ok('systemctl --no-block start demo');
      await until(async () => assert.notDeepEqual(await processesOf(machine, DEMO), []));
      await machine.ok('systemctl stop demo');
      assert.deepEqual(await processesOf(machine, DEMO), []);

      machine.write('/etc/control.json', '{}');
      await started(machine);
      machine.write('/etc/control.json', SLOW);
      await machine.ok('systemctl --no-block reload demo');
      await until(async () => assert.match(await unitState(machine, 'demo', 'StatusText'), /^2/));
      await machine.ok('systemctl stop demo');
      assert.deepEqual(await processesOf(machine, DEMO), []);

      machine.write('/etc/control.json', '{}');
      const before = await started(machine);
      await machine.ok('systemctl --no-block reload demo');
      await machine.ok('systemctl restart demo');
      const after = await whoAnswers(machine, DEMO);
      assert.deepEqual(
        after.filter((pid) => pid === '-' || before.includes(pid)),
        [],
      );
    },
  );

  booted(
    'killed all at once they come back, and a systemd that executes itself anew knows them still',
    variant,
    prepare,
    async (machine) => {
      const before = await started(machine);
      await machine.ok('systemctl kill -s KILL demo');
      await until(async () => {
        const after = await whoAnswers(machine, DEMO);
        assert.deepEqual(
          after.filter((pid) => pid === '-' || before.includes(pid)),
          [],
        );
      });
      await until(async () => assert.equal(await unitState(machine, 'demo', 'StatusText'), '3/3 workers are running'));
      await machine.ok('systemctl daemon-reexec');
      await machine.ok('systemctl reload demo');
      await machine.ok('systemctl kill demo');
      await until(async () =>
        assert.equal(await unitState(machine, 'demo', 'ActiveState', 'Result'), 'inactive success'),
      );
      assert.deepEqual(await processesOf(machine, DEMO), []);
    },
  );
}
