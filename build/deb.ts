// usage: deb.ts BINARY ARCHITECTURE DIRECTORY
// The finished binary → frontik-supervisor_VERSION_ARCHITECTURE.deb in the directory. DEB_COMPRESSION is xz or zstd.
// The same binary on the same commit gives the same package.

import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeChangelog } from './changelog.ts';
import { makeBashCompletion, makeZshCompletion } from './completion.ts';
import { makeCopyright } from './copyright.ts';
import { findEpoch } from './epoch.ts';
import { findWorks } from './licences.ts';
import { makeManPage } from './man.ts';
import { checkNeeds } from './needs.ts';
import { type Compression, isCompression, PackageTree } from './package-tree.ts';

const ROOT = join(import.meta.dirname, '..');
const SOURCE = join(import.meta.dirname, 'deb');
const NAME = 'frontik-supervisor';

/** Debian's names of the architectures that there are recipes for. */
export type Architecture = 'amd64' | 'arm64';

/** What a package is made of. */
export interface Making {
  readonly binary: string;
  readonly architecture: Architecture;
  /** Debian's version, with a revision. */
  readonly version: string;
  /** What all files are dated, in seconds since 1970. */
  readonly epoch: number;
  readonly compression: Compression;
  /** Where the package goes. */
  readonly into: string;
}

/** Debian's version of what is checked out. */
export function findVersion(): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string };
  // The package's own changes, without one of the program, would raise the revision.
  return `${version}-1`;
}

/** Makes the package; returns its path. */
export async function makePackage({
  binary,
  architecture,
  version,
  epoch,
  compression,
  into,
}: Making): Promise<string> {
  checkNeeds(binary);
  mkdirSync(into, { recursive: true });
  const made = join(into, `${NAME}_${version}_${architecture}.deb`);
  const tree = new PackageTree(`${made}.tree`);
  const upstream = version.replace(/-[^-]*$/, '');
  const date = new Date(epoch * 1000).toISOString().slice(0, 10);
  const documents = `usr/share/doc/${NAME}`;
  tree.addAll(join(SOURCE, 'DEBIAN'), 'DEBIAN');
  tree.addAll(join(SOURCE, 'root'));
  tree.add(`usr/bin/${NAME}`, readFileSync(binary), 0o755);
  const generator = `${NAME}-generator`;
  tree.add(`usr/lib/systemd/system-generators/${generator}`, readFileSync(join(SOURCE, 'systemd', generator)), 0o755);
  tree.add('usr/lib/systemd/system/frontik@.service', readFileSync(join(SOURCE, 'systemd/frontik@.service')));
  tree.add(`usr/share/bash-completion/completions/${NAME}`, makeBashCompletion());
  tree.add(`usr/share/zsh/vendor-completions/_${NAME}`, makeZshCompletion());
  tree.addCompressed(`usr/share/man/man8/${NAME}.8.gz`, makeManPage(upstream, date));
  tree.add(`${documents}/copyright`, makeCopyright(await findWorks()));
  tree.add(`${documents}/README.md`, readFileSync(join(ROOT, 'README.md')));
  const maintainer = findMaintainer();
  const changes = makeChangelog(readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8'), { name: NAME, maintainer, epoch });
  tree.addCompressed(`${documents}/changelog.Debian.gz`, changes);
  tree.addAll(join(import.meta.dirname, 'example-app'), `${documents}/examples/frontik-demo`);
  tree.build(`${made}.new`, { VERSION: version, ARCHITECTURE: architecture }, epoch, compression);
  renameSync(`${made}.new`, made);
  rmSync(tree.directory, { recursive: true });
  return made;
}

function findMaintainer(): string {
  const found = /^Maintainer: (.+)$/m.exec(readFileSync(join(SOURCE, 'DEBIAN/control'), 'utf8'))?.[1];
  if (found === undefined) throw new Error('build/deb/DEBIAN/control names no maintainer');
  return found;
}

function isArchitecture(word: string | undefined): word is Architecture {
  return word === 'amd64' || word === 'arm64';
}

if (import.meta.main) {
  const [binary, architecture, into] = process.argv.slice(2);
  if (binary === undefined || into === undefined || !isArchitecture(architecture)) {
    throw new Error('usage: deb.ts BINARY amd64|arm64 DIRECTORY');
  }
  const compression = process.env['DEB_COMPRESSION'] ?? 'xz';
  if (!isCompression(compression)) throw new Error(`DEB_COMPRESSION should be xz or zstd, not "${compression}"`);
  const [version, epoch] = [findVersion(), findEpoch()];
  const made = await makePackage({ binary: resolve(binary), architecture, version, epoch, compression, into });
  process.stdout.write(`${made}\n`);
}
