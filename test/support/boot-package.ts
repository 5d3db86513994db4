import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { booted, type Machine, type Preparation } from './boot.ts';
import { type Application, whoAnswers } from './boot-application.ts';
import { isWanted, type Root, rootOf, type Variant } from './boot-roots.ts';
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
function shelve(machine: Machine, ...packages: readonly string[]): void {
  for (const one of packages) {
    machine.write(`${SHELF}/${basename(one)}`, readFileSync(one));
  }
}

/** Packages of Debian, with what they need that the variant's root lacks, from its mirror; or why they cannot be had. */
function debianPackages(variant: Variant, ...names: readonly string[]): Root {
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
async function installDebian(machine: Machine, directory: string): Promise<void> {
  for (const name of readdirSync(directory)) {
    machine.write(`/var/cache/debian/${name}`, readFileSync(join(directory, name)));
  }
  machine.write('/usr/sbin/policy-rc.d', '#!/bin/sh\nexit 101\n', 0o755);
  // apt, because it knows which must be configured before others are unpacked.
  const words =
    'DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io /var/cache/debian/*.deb';
  const { code, stderr } = await machine.begin(words, 300_000).outcome;
  assert.equal(code, 0, stderr);
  await machine.begin('rm -r /var/cache/debian /usr/sbin/policy-rc.d').outcome;
}

/** What our package depends on, and the roots lack: systemd brings its own. */
const NEEDED: Readonly<Record<Variant, readonly string[]>> = {
  'bookworm-sysvinit': ['systemd-standalone-sysusers'],
  'bookworm-systemd': [],
  'forky-systemd': [],
};

/** A test on a booted system that has packages on its shelf, and those of Debian, also `more`, installed. */
export function packaged(
  name: string,
  variant: Variant,
  packages: () => Promise<readonly string[]>,
  body: (machine: Machine) => Promise<void>,
  more: readonly string[] = [],
): void {
  if (!isWanted(variant)) return;
  const debian = [...NEEDED[variant], ...more];
  const found = debian.length === 0 ? undefined : debianPackages(variant, ...debian);
  if (found !== undefined && 'lacking' in found) {
    test(`${variant}: ${name}`, { skip: found.lacking });
    return;
  }
  const prepare: Preparation = async (machine) => {
    shelve(machine, ...(await packages()));
    if (found !== undefined) {
      await installDebian(machine, found.path);
      // They come up when the test wants them, with its configuration.
      await machine.begin(`rm -f ${more.map((one) => `/etc/rc2.d/S??${one}`).join(' ')}`).outcome;
    }
  };
  booted(name, variant, prepare, body);
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
