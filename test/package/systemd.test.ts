import assert from 'node:assert/strict';
import { booted, type Machine } from '../support/boot.ts';
import {
  type Application,
  configure,
  installApplication,
  installProduct,
  processesOf,
  shebangLauncher,
  shellLauncher,
  unitState,
  whoAnswers,
} from '../support/boot-application.ts';
import { until } from '../support/e2e-command.ts';

const DEMO: Application = { name: 'demo', workers: 4, firstPort: 8000 };

function prepareWith(launcher: string): (machine: Machine) => void {
  return (machine) => {
    installProduct(machine);
    installApplication(machine, DEMO, launcher);
  };
}

/** Asks the workers in turn as a proxy does: who refuses is passed over, and only a request that nobody answers has failed. */
const KNOCK = `import http.client, json, os, time
done = failed = 0
end = time.time() + 100
while not os.path.exists('/tmp/enough') and time.time() < end:
    for attempt in range(${DEMO.workers}):
        link = http.client.HTTPConnection('127.0.0.1', ${DEMO.firstPort} + (done + attempt) % ${DEMO.workers}, timeout=5)
        try:
            link.request('GET', '/status/')
            if link.getresponse().status == 200:
                break
        except (OSError, http.client.HTTPException):
            continue
    else:
        failed += 1
    done += 1
    time.sleep(0.002)
print(json.dumps([done, failed]))
`;

for (const variant of ['bookworm-systemd', 'forky-systemd'] as const) {
  for (const [form, launcher] of [
    ['a launcher of its own', shebangLauncher('demo')],
    ['a shell launcher', shellLauncher('demo')],
  ] as const) {
    booted(
      `an application behind ${form}, from its first start to its end`,
      variant,
      prepareWith(launcher),
      async (machine) => {
        await machine.ok('update-rc.d demo defaults');
        assert.equal(await unitState(machine, 'demo', 'ActiveState'), 'inactive');
        assert.equal((await machine.run('service demo status')).code, 3);

        await machine.ok('systemctl start demo');
        const before = await whoAnswers(machine, DEMO);
        assert(!before.includes('-'), 'all are ready when start returns');
        assert.match(await machine.ok('systemctl status --no-pager --full demo'), /Status: "4\/4 workers are running"/);
        await machine.ok('service demo status');
        await machine.ok('invoke-rc.d demo status');
        await machine.ok('frontik-supervisor --script=/usr/bin/demo-worker --config=/etc/demo/frontik.cfg status');

        await machine.ok(`kill -9 ${before[2]}`);
        await until(async () =>
          assert.equal(await unitState(machine, 'demo', 'StatusText'), '3/4 workers are running'),
        );
        await until(async () =>
          assert.equal(await unitState(machine, 'demo', 'StatusText'), '4/4 workers are running'),
        );
        const after = await whoAnswers(machine, DEMO);
        assert.deepEqual([after[0], after[1], after[3]], [before[0], before[1], before[3]]);
        assert(after[2] !== '-' && after[2] !== before[2], 'another process serves in place of the dead one');
        assert.equal(await unitState(machine, 'demo', 'ActiveState', 'NRestarts'), 'active 0');

        await machine.ok('invoke-rc.d demo restart');
        const restarted = await whoAnswers(machine, DEMO);
        assert.deepEqual(
          restarted.filter((pid) => pid === '-' || after.includes(pid)),
          [],
          'all are new',
        );

        await machine.ok('systemctl stop demo');
        assert.deepEqual(await processesOf(machine, DEMO), []);
        assert.equal(await unitState(machine, 'demo', 'ActiveState', 'Result'), 'inactive success');
        assert.equal((await machine.run('systemctl status --no-pager demo')).code, 3);

        await machine.ok('service demo start');
        await machine.ok('service demo stop');
        assert.deepEqual(await processesOf(machine, DEMO), []);
      },
    );
  }

  booted(
    'what is registered runs after the boot, and its system goes down with it in order',
    variant,
    async (machine) => {
      prepareWith(shebangLauncher('demo'))(machine);
      await machine.ok('update-rc.d demo defaults');
    },
    async (machine) => {
      assert.equal(await unitState(machine, 'demo', 'ActiveState', 'StatusText'), 'active 4/4 workers are running');
      const began = performance.now();
      await machine.powerOff();
      assert(performance.now() - began < 15_000, 'nothing of ours holds it up');
    },
  );

  booted(
    'reload replaces all workers under load, and loses no request',
    variant,
    prepareWith(shebangLauncher('demo')),
    async (machine) => {
      configure(machine, DEMO, 'stop_timeout = 1');
      machine.write('/usr/local/lib/knock', KNOCK);
      await machine.ok('systemctl daemon-reload; systemctl start demo');
      const before = await whoAnswers(machine, DEMO);
      const knocking = machine.begin('python3 /usr/local/lib/knock');
      await machine.ok('systemctl reload demo');
      const after = await whoAnswers(machine, DEMO);
      assert.deepEqual(
        after.filter((pid) => pid === '-' || before.includes(pid)),
        [],
        'all are new when reload returns',
      );
      await machine.ok('touch /tmp/enough');
      const [done, failed] = JSON.parse((await knocking.outcome).stdout) as readonly number[];
      machine.note(`${done} requests during the reload, ${failed} failed`);
      assert(done !== undefined && done > 100, `only ${done} requests`);
      assert.equal(failed, 0);
      assert.equal(await unitState(machine, 'demo', 'ActiveState', 'StatusText'), 'active 4/4 workers are running');
    },
  );

  booted(
    'reload fails when a new worker does not come up, and the others serve on',
    variant,
    prepareWith(shebangLauncher('demo')),
    async (machine) => {
      await machine.ok('systemctl start demo');
      const before = await whoAnswers(machine, DEMO);
      machine.write('/etc/control.json', '{"all": {"fail_start": "broken release"}}');
      assert.equal((await machine.run('systemctl reload demo')).code, 1);
      assert.match(await machine.journal('demo'), /broken release/);
      const after = await whoAnswers(machine, DEMO);
      assert.equal(after[0], '-');
      assert.deepEqual(after.slice(1), before.slice(1));
      assert.equal(await unitState(machine, 'demo', 'ActiveState', 'StatusText'), 'active 3/4 workers are running');
      machine.write('/etc/control.json', '{}');
      await machine.ok('systemctl reload demo');
      const repaired = await whoAnswers(machine, DEMO);
      assert.deepEqual(
        repaired.filter((pid) => pid === '-' || before.includes(pid)),
        [],
      );
    },
  );
}
