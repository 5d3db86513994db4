// The packages where no init runs, as in a chroot in which an image is built: on a root with systemd's tools and on one with
// sysvinit's. Each test installs, looks, and compares with what dpkg and policy-rc.d promise.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Chroot, chrooted } from '../support/chroot.ts';
import { deliver, demoPackage, room, supervisorPackage } from '../support/packages.ts';

const PORTS = [8400, 8401, 8402, 8403];
const RUNNING = 'all workers are running';
const STOPPED = 'all workers are stopped';

/** Installs as people do. Nothing is fetched: what the packages depend on is there, and the network is not. */
function install(chroot: Chroot, ...packages: readonly string[]): Promise<string> {
  return chroot.ok(`apt-get install -qq --allow-downgrades ${deliver(chroot, packages)} 2>&1`);
}

/** Makes invoke-rc.d believe that a sysvinit has brought the system up. */
function pretendRunLevel(chroot: Chroot): void {
  // With systemd's tools it is a link to systemctl.
  rmSync(chroot.path('/sbin/runlevel'), { force: true });
  chroot.write('/sbin/runlevel', '#!/bin/sh\necho N 2\n', 0o755);
}

/** Who serves each port; `-` where nobody does. */
async function whoServes(chroot: Chroot): Promise<readonly string[]> {
  const asked = PORTS.map((port) => `curl -s http://127.0.0.1:${port}/ || echo -; echo`);
  const answers = (await chroot.ok(asked.join('; '))).trim().split(/\n+/);
  return answers.map((answer) => /"pid": (\d+)/.exec(answer)?.[1] ?? answer);
}

const NOBODY = PORTS.map(() => '-');

/** What `service frontik-demo status` says, and its exit code. */
async function statusOf(chroot: Chroot): Promise<readonly [text: string, code: number | null]> {
  const { stderr, code } = await chroot.run('service frontik-demo status');
  return [stderr.trim().replaceAll(/^\[.*?\] /gm, ''), code];
}

/** dpkg's two letters for a package: `ii`, `iF`, `rc`. */
async function stateOf(chroot: Chroot, name: string): Promise<string> {
  return (await chroot.run(`dpkg-query -W -f '\${db:Status-Abbrev}' ${name}`)).stdout.trim();
}

/** Every path of the system but dpkg's and apt's own notes; copies that useradd keeps of its files are not counted. */
async function inventory(chroot: Chroot): Promise<readonly string[]> {
  const found = await chroot.ok("find / /run -xdev ! -path '/tmp/*' ! -path '/var/lib/dpkg/*' ! -path '/var/cache/*'");
  return found
    .split('\n')
    .filter(
      (path) =>
        !/^\/var\/log\/(apt|dpkg|alternatives)|^\/var\/lib\/apt\/|^\/etc\/g?shadow-|^\/sbin\/runlevel/.test(path),
    )
    .sort();
}

async function workersLeft(chroot: Chroot): Promise<string> {
  return (await chroot.run("ps -eo stat=,args= | grep -v ^Z | grep '[/]frontik-demo/worker'")).stdout;
}

chrooted('policy-rc.d forbids, and nothing is started, restarted or stopped', 'bookworm-systemd', async (chroot) => {
  pretendRunLevel(chroot);
  chroot.write('/usr/sbin/policy-rc.d', '#!/bin/sh\nexit 101\n', 0o755);
  await install(chroot, await supervisorPackage(), demoPackage('1.0'));
  assert.equal(await stateOf(chroot, 'frontik-demo'), 'ii');
  assert.deepEqual(await statusOf(chroot), [STOPPED, 3]);
  const owners = 'stat -c "%U:%G %a %n" /run/frontik /var/log/frontik /run/frontik-demo /var/log/frontik-demo';
  assert.equal(
    await chroot.ok(owners),
    'frontik:frontik 755 /run/frontik\nfrontik:adm 750 /var/log/frontik\n' +
      'frontik-demo:frontik-demo 755 /run/frontik-demo\nfrontik-demo:adm 750 /var/log/frontik-demo\n',
  );
  await chroot.ok('service frontik-demo start');
  const before = await whoServes(chroot);
  await install(chroot, demoPackage('1.1'));
  assert.deepEqual(await whoServes(chroot), before);
  assert.deepEqual(await statusOf(chroot), [RUNNING, 0]);
  await chroot.ok('service frontik-demo stop');
  // Logs on a disk of their own: what is on it goes, and the mount point stays.
  await chroot.ok(
    'for each in frontik frontik-demo; do mount -t tmpfs none /var/log/$each; touch /var/log/$each/x; done',
  );
  await chroot.ok('apt-get purge -qq frontik-demo frontik-supervisor');
  assert.equal(
    await chroot.ok('dpkg -l | grep frontik; ls /var/log/frontik /var/log/frontik-demo'),
    '/var/log/frontik:\n\n/var/log/frontik-demo:\n',
  );
});

chrooted('no run level is known, and nothing is started', 'bookworm-systemd', async (chroot) => {
  await install(chroot, await supervisorPackage(), demoPackage('1.0'));
  assert.equal(await stateOf(chroot, 'frontik-demo'), 'ii');
  assert.deepEqual(await whoServes(chroot), NOBODY);
});

/** Debian's sysusers without systemd, which the root with sysvinit lacks; apt fetches it for this machine's release. */
function fetchSysusers(): string {
  const directory = room();
  const options = ['-qq', '-o', 'APT::Sandbox::User=root'];
  execFileSync('apt-get', [...options, 'download', 'systemd-standalone-sysusers'], { cwd: directory, stdio: 'pipe' });
  const [file] = readdirSync(directory);
  assert(file !== undefined);
  return join(directory, file);
}

for (const variant of ['bookworm-systemd', 'bookworm-sysvinit'] as const) {
  const needed = () => (variant === 'bookworm-sysvinit' ? [fetchSysusers()] : []);

  chrooted('from the first installation to the purge', variant, async (chroot) => {
    pretendRunLevel(chroot);
    const before = await inventory(chroot);
    await install(chroot, ...needed(), await supervisorPackage(), demoPackage('1.0'));
    assert.deepEqual(await statusOf(chroot), [RUNNING, 0]);
    assert.equal(await chroot.ok('dpkg --verify frontik-supervisor frontik-demo'), '');
    const users = await chroot.ok(`ps -o user:20= -p ${(await whoServes(chroot)).join(',')}`);
    assert.equal(users, 'frontik-demo\n'.repeat(4));

    // An upgrade of the supervisor touches no worker; one of the application replaces all.
    const first = await whoServes(chroot);
    await install(chroot, await supervisorPackage('0.1.0-2'));
    assert.deepEqual(await whoServes(chroot), first);
    assert.deepEqual(await statusOf(chroot), [RUNNING, 0]);
    const config = `${chroot.read('/etc/frontik-demo/frontik.cfg')}\n# the administrator's\n`;
    chroot.write('/etc/frontik-demo/frontik.cfg', config);
    const said = await install(chroot, demoPackage('1.1'));
    assert.match(said, /stopping worker 8400[\s\S]*start worker 8400[\s\S]*all workers are running/);
    const second = await whoServes(chroot);
    assert.deepEqual(
      second.filter((pid) => pid === '-' || first.includes(pid)),
      [],
    );
    assert.equal(chroot.read('/etc/frontik-demo/frontik.cfg'), config);

    // Removed, the launcher stays and does nothing; installed again, it works.
    await chroot.ok('apt-get remove -qq frontik-demo');
    assert.deepEqual([await workersLeft(chroot), await stateOf(chroot, 'frontik-demo')], ['', 'rc']);
    assert.equal((await chroot.run('test -x /etc/init.d/frontik-demo')).code, 1);
    assert.equal((await chroot.run('sh /etc/init.d/frontik-demo start')).code, 0);
    assert.equal((await chroot.run('sh /etc/init.d/frontik-demo status')).code, 4);
    await install(chroot, demoPackage('1.1'));
    assert.deepEqual(await statusOf(chroot), [RUNNING, 0]);
    assert.equal(chroot.read('/etc/frontik-demo/frontik.cfg'), config);

    await chroot.ok('apt-get purge -qq frontik-demo frontik-supervisor');
    if (variant === 'bookworm-sysvinit') await chroot.ok('apt-get purge -qq systemd-standalone-sysusers');
    assert.equal(await workersLeft(chroot), '');
    assert.deepEqual(await inventory(chroot), before);
  });

  const broken = { 'root/usr/lib/frontik-demo/worker': ['import asyncio\n', 'raise SystemExit("broken")\n'] } as const;
  const strict = { 'DEBIAN/postinst': ['on_upgrade=lenient', 'on_upgrade=strict'] } as const;

  chrooted('a version whose workers do not start', variant, async (chroot) => {
    pretendRunLevel(chroot);
    const said = await install(chroot, ...needed(), await supervisorPackage(), demoPackage('1.0', broken));
    assert.match(said, /worker on port 8400: \| broken[\s\S]*all workers are stopped[\s\S]*not all workers run/);
    assert.equal(await stateOf(chroot, 'frontik-demo'), 'ii');
    await install(chroot, demoPackage('1.1'));
    assert.deepEqual(await statusOf(chroot), [RUNNING, 0]);

    const { code } = await chroot.run(`dpkg -i ${deliver(chroot, [demoPackage('1.2', { ...broken, ...strict })])}`);
    assert.deepEqual([code, await stateOf(chroot, 'frontik-demo')], [1, 'iF']);
    assert.deepEqual(await statusOf(chroot), [STOPPED, 3]);
    assert.equal((await chroot.run('dpkg --configure -a')).code, 1);
    await chroot.ok(
      "sed -i '/^raise SystemExit/s/.*/import asyncio/' /usr/lib/frontik-demo/worker && dpkg --configure -a",
    );
    assert.deepEqual([await stateOf(chroot, 'frontik-demo'), ...(await statusOf(chroot))], ['ii', RUNNING, 0]);
    const { stdout } = await chroot.run(`dpkg -i ${deliver(chroot, [demoPackage('1.3', { ...broken, ...strict })])}`);
    assert.match(stdout, /Setting up frontik-demo/);
    await install(chroot, demoPackage('1.4', strict));
    assert.deepEqual([await stateOf(chroot, 'frontik-demo'), ...(await statusOf(chroot))], ['ii', RUNNING, 0]);
    await chroot.ok('apt-get purge -qq frontik-demo frontik-supervisor');
    assert.equal(await workersLeft(chroot), '');
  });

  chrooted('the drop-in, copied by hand with its defaults', variant, async (chroot) => {
    await install(chroot, ...needed(), await supervisorPackage());
    const from = '/usr/share/frontik-supervisor';
    const copied = `install -m 755 ${from}/init.d /etc/init.d/frontik && install -m 644 ${from}/default /etc/default/frontik`;
    await chroot.ok(`${copied} && update-rc.d frontik defaults`);
    assert.match(await chroot.ok('ls /etc/rc2.d'), /^S\d\dfrontik$/m);
    const templates = [
      'pidfile_template = "/run/frontik/%(port)s.pid"',
      'logfile_template = "/var/log/frontik/%(port)s.log"',
    ];
    chroot.write('/etc/frontik/frontik.cfg', `start_port = 8400\n${templates.join('\n')}\n`);
    const missing = await chroot.run('service frontik start');
    assert.deepEqual([missing.code, /\/usr\/bin\/frontik/.test(missing.stderr)], [5, true]);

    // The workers of the example, without its package.
    await chroot.ok(`dpkg --extract ${deliver(chroot, [demoPackage('1.0')])} /`);
    const edit = "-e 's|^SCRIPT=.*|SCRIPT=/usr/lib/frontik-demo/worker|' -e 's|^APP=.*|APP=frontik_demo|'";
    await chroot.ok(`sed -i ${edit} /etc/default/frontik && rm -rf /run/frontik`);
    const { code, stderr } = await chroot.run('/etc/rc2.d/S??frontik start');
    assert.deepEqual([code, stderr.trim().split('\n').at(-1)?.slice(16)], [0, RUNNING]);
    assert.equal(await chroot.ok(`ps -o user:20= -p ${(await whoServes(chroot)).join(',')}`), 'frontik\n'.repeat(4));
    assert.equal((await chroot.run('service frontik status')).code, 0);
    assert.equal((await chroot.run('service frontik stop')).code, 0);
    assert.equal((await chroot.run('service frontik status')).code, 3);
    await chroot.ok('apt-get remove -qq frontik-supervisor');
    assert.equal((await chroot.run('service frontik start')).code, 0);
    assert.equal((await chroot.run('service frontik status')).code, 4);
  });
}
