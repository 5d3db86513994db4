import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { until } from './e2e-command.ts';

/** The Debian systems that tests boot; `boot-root` makes them. */
export type Variant = 'bookworm-systemd' | 'bookworm-sysvinit' | 'forky-systemd';

const BUILD_LIMIT = 900_000;

const { FRONTIK_ROOTS: roots = resolve(import.meta.dirname, '../../dist/roots'), FRONTIK_VARIANTS: wanted } =
  process.env;

/** Whether tests on that system are asked for: FRONTIK_VARIANTS names those that are, separated by spaces; without it all. */
export function isWanted(variant: Variant): boolean {
  return wanted === undefined || wanted.split(' ').includes(variant);
}

/** Where the tree of cgroup2 is mounted, as one sees it who has put nothing over it. */
function cgroupMount(): string | undefined {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return mounts.find((line) => line.includes(' - cgroup2 '))?.split(' ')[4];
}

/** Our own cgroup: that of a system is made below it. */
function ownCgroup(): string {
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
  return join(cgroupMount() ?? '/', own);
}

let machines = 0;

/** A name for the cgroup of the next system; what killed tests left of theirs is removed. */
export async function nextCgroup(): Promise<string> {
  const own = ownCgroup();
  for (const name of readdirSync(own)) {
    const owner = /^frontik-boot-(\d+)-/.exec(name)?.[1];
    if (owner !== undefined && !existsSync(`/proc/${owner}`)) {
      await removeCgroup(join(own, name));
    }
  }
  machines += 1;
  return join(own, `frontik-boot-${process.pid}-${machines}`);
}

/** Removes the whole tree; a process in there holds its cgroup for a moment after its end. */
export async function removeCgroup(path: string): Promise<void> {
  if (!existsSync(path)) {
    return;
  }
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) {
      await removeCgroup(join(path, entry.name));
    }
  }
  await until(() => rmdirSync(path));
}

function whyNoNamespaces(): string | undefined {
  if (process.getuid?.() !== 0) {
    return 'only root can boot a system';
  }
  if (cgroupMount() === undefined) {
    return 'no cgroup2 is mounted on this machine';
  }
  const cgroup = join(ownCgroup(), `frontik-boot-${process.pid}-0`);
  try {
    mkdirSync(cgroup);
    rmdirSync(cgroup);
  } catch (error) {
    return `no cgroup can be made on this machine: ${String(error)}`;
  }
  const { status, stderr } = spawnSync('/usr/bin/unshare', ['-mpfinuC', '/bin/true'], { encoding: 'utf8' });
  return status === 0 ? undefined : `no private namespaces on this machine: ${stderr.trim()}`;
}

/** A root that is there, or why it cannot be had. */
export type Root = { readonly path: string } | { readonly lacking: string };
const known = new Map<Variant, Root>();

function findRoot(variant: Variant): Root {
  const lacking = whyNoNamespaces();
  if (lacking !== undefined) {
    return { lacking };
  }
  const { status, stdout, stderr } = spawnSync(join(import.meta.dirname, 'boot-root'), [variant, roots], {
    encoding: 'utf8',
    timeout: BUILD_LIMIT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // 77 is what boot-root says when the reason is the machine's and not ours.
  if (status === 77) {
    return { lacking: stderr.trim() };
  }
  assert.equal(status, 0, `${variant} cannot be made: ${stderr}`);
  return { path: stdout.trim() };
}

/** Makes the root at the first call, which takes a minute or two. */
export function rootOf(variant: Variant): Root {
  const root = known.get(variant) ?? findRoot(variant);
  known.set(variant, root);
  return root;
}

/** Why that system cannot be booted here; undefined when it can. */
export function whyNoMachine(variant: Variant): string | undefined {
  const root = rootOf(variant);
  return 'lacking' in root ? root.lacking : undefined;
}
