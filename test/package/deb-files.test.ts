// The packages as files: what is in them, whether building them again makes the same ones, and what Debian's own checks say.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { makePackage } from '../../build/deb.ts';
import { checkNeeds } from '../../build/needs.ts';
import { PackageTree } from '../../build/package-tree.ts';
import { binary } from '../support/e2e.ts';
import { demoPackage, EPOCH, room, supervisorPackage } from '../support/packages.ts';

const ROOT = resolve(import.meta.dirname, '../..');

function digest(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** Mode, owner and path of everything in a package, as dpkg-deb shows it. */
function contents(file: string): readonly string[] {
  const lines = execFileSync('dpkg-deb', ['--contents', file], { encoding: 'utf8' }).trim().split('\n');
  return lines.flatMap((line) => {
    const [mode = '', owner = '', , , , path = ''] = line.split(/ +/);
    return mode.startsWith('d') ? [] : [`${mode} ${owner} ${path.replace(/^\./, '')}`];
  });
}

test('the same binary gives the same package, in whatever directory and under whatever umask', async () => {
  const one = await supervisorPackage();
  const before = process.umask(0o077);
  try {
    const copy = join(room(), 'another-name');
    cpSync(binary, copy);
    const options = { architecture: 'amd64', version: '0.1.0-1', epoch: EPOCH, compression: 'zstd' } as const;
    const other = await makePackage({ ...options, binary: copy, into: room() });
    assert.equal(digest(other), digest(one));
    assert.equal(digest(demoPackage('1.0')), digest(demoPackage('1.0')));
    const demo = demoPackage('1.0');
    process.umask(0o022);
    assert.equal(digest(demoPackage('1.0')), digest(demo));
  } finally {
    process.umask(before);
  }
});

test('the package holds these files, all of them root’s', async () => {
  const file = await supervisorPackage();
  const found = contents(file);
  assert.deepEqual(
    found.filter((line) => !line.includes('/examples/')),
    [
      '-rw-r--r-- root/root /etc/logrotate.d/frontik-supervisor',
      '-rwxr-xr-x root/root /usr/bin/frontik-supervisor',
      '-rw-r--r-- root/root /usr/lib/systemd/system/frontik@.service',
      '-rwxr-xr-x root/root /usr/lib/systemd/system-generators/frontik-supervisor-generator',
      '-rw-r--r-- root/root /usr/lib/sysusers.d/frontik-supervisor.conf',
      '-rw-r--r-- root/root /usr/lib/tmpfiles.d/frontik-supervisor.conf',
      '-rw-r--r-- root/root /usr/share/bash-completion/completions/frontik-supervisor',
      '-rw-r--r-- root/root /usr/share/doc/frontik-supervisor/README.md',
      '-rw-r--r-- root/root /usr/share/doc/frontik-supervisor/changelog.Debian.gz',
      '-rw-r--r-- root/root /usr/share/doc/frontik-supervisor/copyright',
      '-rw-r--r-- root/root /usr/share/frontik-supervisor/default',
      '-rwxr-xr-x root/root /usr/share/frontik-supervisor/init.d',
      '-rw-r--r-- root/root /usr/share/lintian/overrides/frontik-supervisor',
      '-rw-r--r-- root/root /usr/share/man/man8/frontik-supervisor.8.gz',
      '-rw-r--r-- root/root /usr/share/zsh/vendor-completions/_frontik-supervisor',
    ],
  );
  assert.ok(found.includes('-rwxr-xr-x root/root /usr/share/doc/frontik-supervisor/examples/frontik-demo/make-deb'));
  const field = (name: string) => execFileSync('dpkg-deb', ['--field', file, name], { encoding: 'utf8' }).trim();
  assert.equal(field('Version'), '0.1.0-1');
  const size = Number(field('Installed-Size')) * 1024;
  const sizes = execFileSync('dpkg-deb', ['--contents', file], { encoding: 'utf8' }).matchAll(/^-\S+ \S+ +(\d+)/gm);
  const sum = [...sizes].reduce((all, [, each]) => all + Number(each), 0);
  assert.ok(size > sum && size < sum + 200 * 1024, `${size} bytes installed for ${sum} bytes of files`);
});

test('a tree with a field that nobody fills in makes no package', () => {
  const tree = new PackageTree(join(room(), 'tree'));
  tree.add('DEBIAN/control', 'Package: x\nVersion: @VERSION@\n');
  assert.throws(() => tree.build(join(room(), 'x.deb'), {}, EPOCH, 'zstd'), /nothing is known of @VERSION@/);
});

test('what the binary needs is in the Depends, and more would be found', () => {
  checkNeeds(binary);
  assert.throws(() => checkNeeds('/usr/bin/python3'), /depends on nothing with (libz|libexpat)/);
});

test('lintian finds no error and no warning that is not explained', async (t) => {
  if (!existsSync('/usr/bin/lintian')) {
    t.skip('lintian is missing: apt-get install lintian');
    return;
  }
  // It knows no zstd; the release is xz.
  const words = ['--suppress-tags', 'malformed-deb-archive', '--show-overrides', '--allow-root'];
  for (const [file, explained] of [
    [await supervisorPackage(), 'hardening-no-pie'],
    [demoPackage('1.0'), 'missing-systemd-service-for-init.d-script'],
  ] as const) {
    const { stdout } = spawnSync('lintian', [...words, file], { encoding: 'utf8' });
    const lines = stdout.split('\n');
    assert.deepEqual(
      lines.filter((line) => /^[EW]:|unused-override/.test(line)),
      [],
    );
    assert.ok(
      lines.some((line) => line.startsWith('O:') && line.includes(explained)),
      stdout,
    );
  }
});

test('shellcheck finds nothing in any script of the packages', async (t) => {
  if (!existsSync('/usr/bin/shellcheck')) {
    t.skip('shellcheck is missing: apt-get install shellcheck');
    return;
  }
  const tree = room();
  execFileSync('dpkg-deb', ['--raw-extract', await supervisorPackage(), tree]);
  const completion = 'usr/share/bash-completion/completions/frontik-supervisor';
  writeFileSync(join(tree, completion), `#!/bin/bash\n${readFileSync(join(tree, completion), 'utf8')}`);
  const grep = [
    '-rlIE',
    '^#!/bin/(ba)?sh',
    tree,
    join(ROOT, 'build'),
    join(ROOT, 'scripts'),
    join(ROOT, 'test/support'),
  ];
  const scripts = execFileSync('grep', grep, { encoding: 'utf8' }).trim().split('\n');
  const names = new Set(scripts.map((path) => path.replace(/.*\//, '')));
  for (const name of [
    'postinst',
    'postrm',
    'prerm',
    'preinst',
    'init.d',
    'make-deb',
    'frontik-demo',
    'frontik-supervisor',
  ]) {
    assert.ok(names.has(name), `${name} was not looked at`);
  }
  const { status, stdout } = spawnSync('shellcheck', scripts, { encoding: 'utf8' });
  assert.deepEqual({ status, stdout }, { status: 0, stdout: '' });
});

test('logrotate empties the log of a worker, and the worker writes on', (t) => {
  if (!existsSync('/usr/sbin/logrotate') || process.getuid?.() !== 0) {
    t.skip('it takes root and logrotate: apt-get install logrotate');
    return;
  }
  const directory = room();
  const given = readFileSync(join(ROOT, 'build/deb/root/etc/logrotate.d/frontik-supervisor'), 'utf8');
  const config = join(directory, 'config');
  writeFileSync(
    config,
    given.replace('/var/log/frontik/', `${directory}/log/`).replace('su frontik frontik', 'su nobody nogroup'),
  );
  execFileSync('install', ['-d', '-m', '750', '-o', 'nobody', '-g', 'nogroup', join(directory, 'log')]);
  execFileSync('chmod', ['711', directory, resolve(directory, '..')]);
  const log = join(directory, 'log/8000.log');
  const step = `exec 3>>${log}; echo one >&3; chown nobody:nogroup ${log}; logrotate --force --state ${directory}/state ${config} && echo two >&3`;
  const { status, stderr } = spawnSync('/bin/sh', ['-c', step], { encoding: 'utf8' });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  assert.equal(readFileSync(log, 'utf8'), 'two\n');
  assert.equal(readFileSync(`${log}.1`, 'utf8'), 'one\n');
});
