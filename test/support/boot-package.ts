import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Machine, Preparation } from './boot.ts';
import { type Application, whoAnswers } from './boot-application.ts';
import { type Root, rootOf, type Variant } from './boot-roots.ts';
import type { Changes } from './packages.ts';

/** Where packages lie in a booted system. */
export const SHELF = '/var/cache/shelf';

/** The application of the example package, as its configuration says. */
export const DEMO: Application = { name: 'frontik-demo', workers: 4, firstPort: 8400 };

/** The demo's maintainer scripts do not put up with a failure, neither at the installation nor at an upgrade. */
export const STRICT: Changes = {
  'DEBIAN/postinst': ['on_install=lenient\non_upgrade=lenient', 'on_install=strict\non_upgrade=strict'],
};

/** A release of it that does not start. */
export const BROKEN: Changes = {
  'root/usr/share/frontik-demo/frontik_demo/__init__.py': [
    'import os\n',
    "import os\n\nraise RuntimeError('broken')\n",
  ],
};

/** Puts packages on the shelf of a system. */
export function shelve(machine: Machine, ...packages: readonly string[]): void {
  for (const one of packages) {
    machine.write(`${SHELF}/${basename(one)}`, readFileSync(one));
  }
}

/** Packages of Debian, with what they need that the variant's root lacks, from its mirror; or why they cannot be had. */
export function debianPackages(variant: Variant, ...names: readonly string[]): Root {
  const root = rootOf(variant);
  if ('lacking' in root) {
    return root;
  }
  const words = [root.path, dirname(root.path), ...names];
  const { status, stdout, stderr } = spawnSync(join(import.meta.dirname, 'boot-package-debs'), words, {
    encoding: 'utf8',
    timeout: 300_000,
  });
  if (status === 77) {
    return { lacking: stderr.trim() };
  }
  assert.equal(status, 0, stderr);
  return { path: stdout.trim() };
}

/** Installs packages of Debian before the system boots. */
export async function installDebian(machine: Machine, found: Root): Promise<void> {
  assert('path' in found);
  for (const name of readdirSync(found.path)) {
    machine.write(`/var/cache/debian/${name}`, readFileSync(join(found.path, name)));
  }
  machine.write('/usr/sbin/policy-rc.d', '#!/bin/sh\nexit 101\n', 0o755);
  await machine.begin('DEBIAN_FRONTEND=noninteractive dpkg --force-unsafe-io -i /var/cache/debian/*.deb', 300_000)
    .outcome;
  const { stdout } = await machine.begin('dpkg --audit; rm -r /var/cache/debian /usr/sbin/policy-rc.d').outcome;
  assert.equal(stdout, '', 'all of Debian is configured');
}

/** A system on which our package can be installed without a network: one that systemd runs has all that it depends on. */
export function withShelf(variant: Variant, packages: () => Promise<readonly string[]>): Preparation {
  return async (machine) => {
    shelve(machine, ...(await packages()));
    if (variant === 'bookworm-sysvinit') {
      await installDebian(machine, debianPackages(variant, 'systemd-standalone-sysusers'));
    }
  };
}

/** The first line of `dpkg -l` about a package: `ii`, `iF`, `rc`; empty when dpkg does not know it. */
export async function stateOf(machine: Machine, name: string): Promise<string> {
  const { stdout } = await machine.begin(`dpkg-query -W -f '\${db:Status-Abbrev}' ${name} 2>/dev/null`).outcome;
  return stdout.trim();
}

/** Every process of the demo by its words: its workers, and a `run` if there is one. */
export async function demoProcesses(machine: Machine): Promise<readonly string[]> {
  const { stdout } = await machine.begin('ps -ww -eo args=').outcome;
  return stdout.split('\n').filter((line) => line.includes('frontik-demo'));
}

/** The pids of the demo's workers in the order of their ports, when all of them serve and everybody says so. */
export async function serving(machine: Machine): Promise<readonly string[]> {
  await machine.ok('service frontik-demo status');
  const { code, stderr } = await machine.run('/etc/init.d/frontik-demo status');
  assert.deepEqual([code, stderr.replaceAll(/^\S+ /gm, '')], [0, 'root] all workers are running\n']);
  const pids = await whoAnswers(machine, DEMO);
  assert(new Set(pids).size === DEMO.workers && !pids.includes('-'), pids.join(' '));
  return pids;
}

/** Nobody of `before` is among `after`. */
export function assertReplaced(before: readonly string[], after: readonly string[]): void {
  assert.deepEqual(
    after.filter((pid) => before.includes(pid)),
    [],
    'all are new',
  );
}

/** The words that have apt install files of the shelf, without a question; also options of apt. */
export function apt(...files: readonly string[]): string {
  const words = files.map((file) => (file.startsWith('--') ? file : `${SHELF}/${file}`)).join(' ');
  return `DEBIAN_FRONTEND=noninteractive apt-get install -q -y -o Dpkg::Use-Pty=0 ${words}`;
}
