import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { after } from 'node:test';
import { makePackage } from '../../build/deb.ts';
import type { Chroot } from './chroot.ts';
import { binary } from './e2e.ts';

const EXAMPLE = resolve(import.meta.dirname, '../../build/example-app');
/** What all packages of a test are dated. */
export const EPOCH = 1_700_000_000;

const place = mkdtempSync(join(tmpdir(), 'frontik-packages-'));
after(() => rmSync(place, { recursive: true }));

let rooms = 0;

/** A directory of its own, gone when the tests of the file are over. */
export function room(): string {
  rooms += 1;
  const directory = join(place, String(rooms));
  mkdirSync(directory);
  return directory;
}

const made = new Map<string, Promise<string>>();

/** The package of the binary under test. */
export function supervisorPackage(version = '0.1.0-1'): Promise<string> {
  const options = { architecture: 'amd64', epoch: EPOCH, compression: 'zstd' } as const;
  const found = made.get(version) ?? makePackage({ ...options, binary, version, into: room() });
  made.set(version, found);
  return found;
}

/** What a version of the example has else than the one in the repository: file → (what stands there → what should). */
export type Changes = Readonly<Record<string, readonly [from: string, to: string]>>;

/** The package of the example application. */
export function demoPackage(version: string, changes: Changes = {}): string {
  const source = join(room(), 'source');
  cpSync(EXAMPLE, source, { recursive: true });
  for (const [file, [from, to]] of Object.entries(changes)) {
    const text = readFileSync(join(source, file), 'utf8');
    assert(text.includes(from), `${file} has no ${from}`);
    writeFileSync(join(source, file), text.replace(from, to));
  }
  const into = room();
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(EPOCH) };
  execFileSync(join(source, 'make-deb'), [version, into], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  return join(into, `frontik-demo_${version}_all.deb`);
}

/** Puts packages where the chroot sees them; their paths there. */
export function deliver(chroot: Chroot, packages: readonly string[]): string {
  for (const each of packages) {
    chroot.bring(each, `/tmp/${basename(each)}`);
  }
  return packages.map((each) => `/tmp/${basename(each)}`).join(' ');
}
