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

const SITE: Application = { name: 'site', workers: 2, firstPort: 8000 };

for (const variant of ['bookworm-systemd', 'forky-systemd'] as const) {
  booted(
    'a host without init scripts: the template unit, confined, with workers of another user',
    variant,
    (machine) => {
      installProduct(machine);
      installApplication(machine, SITE, shebangLauncher('site'));
      machine.write('/etc/frontik/site', shebangLauncher('site'));
      configure(machine, SITE, "supervisor_user = 'www-data'");
    },
    async (machine) => {
      await machine.ok('rm /etc/init.d/site; chown www-data /var/log/site; systemctl daemon-reload');
      await machine.ok('systemctl enable --now frontik@site');
      const before = await whoAnswers(machine, SITE);
      assert(!before.includes('-'));
      assert.equal(await machine.ok(`ps -o user= -p ${before.join(',')}`), 'www-data\nwww-data\n');
      assert.match(
        await machine.ok('systemctl status --no-pager --full frontik@site'),
        /Status: "2\/2 workers are running"/,
      );
      await machine.ok('frontik-supervisor /etc/frontik/site status');

      await machine.ok(`nsenter -t ${before[0]} -m touch /tmp/kept`);
      const main = await unitState(machine, 'frontik@site', 'MainPID');
      await machine.ok(`kill -9 ${main}`);
      await until(async () => {
        const [active, next] = (await unitState(machine, 'frontik@site', 'ActiveState', 'MainPID')).split(' ');
        assert.deepEqual([active, next === main], ['active', false]);
      });
      assert.deepEqual(await whoAnswers(machine, SITE), before);
      // What the workers have in their /tmp stays, and they may write there, as others may not.
      const [worker] = before;
      const inside = (text: string): string => `nsenter -t ${worker} -m setpriv --reuid=www-data sh -c '${text}'`;
      await machine.ok(inside('mktemp; mktemp -p /var/tmp; cat /tmp/kept'));
      assert.equal(machine.has('/tmp/kept'), false);

      await machine.ok('systemctl reload frontik@site');
      const after = await whoAnswers(machine, SITE);
      assert.deepEqual(
        after.filter((pid) => pid === '-' || before.includes(pid)),
        [],
      );

      await machine.ok('systemctl disable --now frontik@site');
      assert.deepEqual(await processesOf(machine, SITE), []);
      await machine.ok('systemd-analyze security --threshold=40 --no-pager frontik@site >/dev/null');
    },
  );

  booted(
    'an application whose name systemd must escape',
    variant,
    (machine) => {
      installProduct(machine);
      installApplication(machine, { ...SITE, name: 'two+two' }, shebangLauncher('two+two'));
    },
    async (machine) => {
      const application: Application = { ...SITE, name: 'two+two' };
      await machine.ok('update-rc.d two+two defaults');
      await machine.ok('service two+two start');
      const before = await whoAnswers(machine, application);
      assert(!before.includes('-'));
      await machine.ok(String.raw`systemctl status --no-pager 'two\x2btwo'`);
      await machine.ok('kill -9 $(systemctl show two+two --value -p MainPID); invoke-rc.d two+two restart');
      const after = await whoAnswers(machine, application);
      assert.deepEqual(
        after.filter((pid) => pid === '-' || before.includes(pid)),
        [],
        'restarted, not adopted',
      );
      await machine.ok('kill -9 $(systemctl show two+two --value -p MainPID); systemctl stop two+two');
      assert.deepEqual(await processesOf(machine, application), []);
    },
  );
}

async function register(machine: Machine): Promise<void> {
  installProduct(machine);
  installApplication(machine, SITE, shebangLauncher('site'));
  await machine.ok('update-rc.d site defaults');
}

booted(
  'without systemd the launcher is an init script like any other',
  'bookworm-sysvinit',
  register,
  async (machine) => {
    const before = await whoAnswers(machine, SITE);
    assert(!before.includes('-'), 'it was started with the run level');
    assert.match((await machine.run('service site status')).stderr, /all workers are running/);
    await machine.ok('invoke-rc.d site restart');
    const after = await whoAnswers(machine, SITE);
    assert.deepEqual(
      after.filter((pid) => pid === '-' || before.includes(pid)),
      [],
    );
    await machine.ok(`kill -9 ${after[1]}`);
    assert.equal((await machine.run('service site status')).code, 1);
    await machine.ok('service site start');
    await machine.ok('service site stop');
    assert.equal((await machine.run('service site status')).code, 3);
    assert.deepEqual(await processesOf(machine, SITE), []);
    await machine.ok('service site start');
    await machine.powerOff();
  },
);
