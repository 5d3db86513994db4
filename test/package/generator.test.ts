import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { booted, type Machine } from '../support/boot.ts';
import {
  type Application,
  installApplication,
  installProduct,
  shebangLauncher,
  shellLauncher,
} from '../support/boot-application.ts';

const DEMO: Application = { name: 'demo', workers: 2, firstPort: 8000 };
const GENERATED = '/run/systemd/generator';

function prepare(machine: Machine): void {
  installProduct(machine);
  installApplication(machine, DEMO, shebangLauncher('demo'));
  const scripts: Readonly<Record<string, string>> = {
    shell: shellLauncher('shell'),
    options: shebangLauncher('options', ' --python=/usr/bin/python3'),
    quoted: '#!/bin/sh -e\n  exec "/opt/x/frontik-supervisor" "$@"\n',
    hash: '#!/bin/sh\nexec \'/opt/a#b/#c/my programs/frontik-supervisor\' \\\n  --config=x $OPTIONS "$@"\n',
    comment: '#!/bin/sh\nexec /bin/true # /usr/bin/frontik-supervisor\nexec /bin/true ## /usr/bin/frontik-supervisor\n',
    'suffix.sh': shellLauncher('suffix'),
    'plus+comma,': shebangLauncher('plus'),
    'at@1': shebangLauncher('at'),
    ours: shebangLauncher('ours'),
    masked: shebangLauncher('masked'),
    'demo.dpkg-old': shebangLauncher('demo'),
    'demo~': shebangLauncher('demo'),
    'two words': shebangLauncher('two'),
    foreign: '#!/bin/sh\n# exec /usr/bin/frontik-supervisor\necho /usr/bin/frontik-supervisor\n',
    python: '#!/usr/bin/python3\n# #!/usr/bin/frontik-supervisor\n',
    similar: '#!/usr/bin/frontik-supervisor2\n',
    empty: '',
  };
  for (const [name, text] of Object.entries(scripts)) {
    machine.write(`/etc/init.d/${name}`, text, 0o755);
  }
  machine.write('/etc/init.d/unexecutable', shebangLauncher('unexecutable'), 0o644);
  machine.write('/usr/lib/systemd/system/ours.service', '[Service]\nExecStart=/bin/sleep 600\n');
  symlinkSync('/dev/null', machine.path('/etc/systemd/system/masked.service'));
  symlinkSync('/etc/init.d/nowhere', machine.path('/etc/init.d/dangling'));
}

const UNITS = ['at@1', 'demo', 'hash', 'options', 'plus\\x2bcomma\\x2c', 'quoted', 'shell', 'suffix'];

for (const variant of ['bookworm-systemd', 'forky-systemd'] as const) {
  booted('every launcher, and nothing else, has a unit made of it', variant, prepare, async (machine) => {
    const found = await machine.ok(`grep -l '^# Made of' ${GENERATED}/*.service | sed 's|.*/||;s|[.]service$||'`);
    assert.deepEqual(found.trim().split('\n'), UNITS);
    // A program that has no end of a line is not read to its end.
    await machine.ok('cd /etc/init.d && truncate -s 20M program && chmod +x program && mkdir /run/again');
    await machine.ok('timeout 5 /usr/lib/systemd/system-generators/frontik-supervisor-generator /run/again');
    assert.match(await machine.ok('systemctl show ours.service -p ExecStart'), /sleep/);
    assert.match(await machine.ok('systemctl show masked.service -p LoadState'), /=masked/);
    for (const unit of UNITS) {
      const complaints = await machine.run(`systemd-analyze verify --man=no '${GENERATED}/${unit}.service'`);
      assert.deepEqual([complaints.code, complaints.stderr], [0, ''], unit);
    }
    assert.match(
      await machine.ok('systemctl show plus+comma, -p Id -p SourcePath -p ExecStart -p Names'),
      /path=\/etc\/init\.d\/plus\+comma, ; argv\[\]=\/etc\/init\.d\/plus\+comma, run ;/,
    );
  });

  booted('the unit of a launcher says what its LSB header says, and names it', variant, prepare, async (machine) => {
    const shown = await machine.ok(
      'systemctl show demo -p FragmentPath -p SourcePath -p Description -p Type -p KillMode -p Restart -p LimitNOFILE',
    );
    assert.deepEqual(shown.trim().split('\n').toSorted(), [
      'Description=Web workers of demo',
      `FragmentPath=${GENERATED}/demo.service`,
      'KillMode=process',
      shown.match(/LimitNOFILE=.*/)?.[0],
      'Restart=on-failure',
      'SourcePath=/etc/init.d/demo',
      'Type=notify',
    ]);
    assert.match(await machine.ok('systemctl show demo -p After'), /\bdatabase\.service\b/);
    assert.match(await machine.ok('systemctl show demo -p After'), /\bnetwork\.target\b/);
    assert.match(await machine.ok('systemctl show demo -p ExecReload'), /argv\[\]=\/etc\/init\.d\/demo reload ;/);
    assert.match(await machine.ok('systemctl show demo -p ExecStopPost'), /\/etc\/init\.d\/demo stop/);
  });

  booted(
    'what update-rc.d registers is wanted at the next boot, and no longer when disabled',
    variant,
    prepare,
    async (machine) => {
      const wanted = 'systemctl show multi-user.target -p Wants --value | tr " " "\\n" | grep -x demo.service';
      assert.equal((await machine.run(wanted)).code, 1, 'not registered yet');
      await machine.ok('update-rc.d demo defaults');
      await machine.ok(wanted);
      await machine.ok('update-rc.d demo disable');
      assert.equal((await machine.run(wanted)).code, 1, 'disabled');
      await machine.ok('update-rc.d demo enable');
      await machine.ok(wanted);
      await machine.ok('rm /etc/init.d/demo; update-rc.d demo remove');
      assert.equal((await machine.run(wanted)).code, 1, 'removed');
    },
  );
}
