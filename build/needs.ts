// What a binary needs of the system: the libraries it names and the newest symbols it asks them for.

import { execFileSync } from 'node:child_process';

/** The library of each Debian package that the control file may count on, and its newest version of symbols. */
const KNOWN: readonly { readonly library: RegExp; readonly symbols: string | undefined; readonly newest: string }[] = [
  { library: /^(?:libc|libm|libdl|libpthread|ld-linux-[\w-]+)\.so\.\d$/, symbols: 'GLIBC', newest: '2.28' },
  // libstdc++6 7 has these, by its symbols file.
  { library: /^libstdc\+\+\.so\.6$/, symbols: 'GLIBCXX', newest: '3.4.24' },
  { library: /^libstdc\+\+\.so\.6$/, symbols: 'CXXABI', newest: '1.3.11' },
  { library: /^libgcc_s\.so\.1$/, symbols: 'GCC', newest: '3.4' },
];

/** Throws if the binary needs more than the Depends in build/deb/DEBIAN/control gives it. */
export function checkNeeds(binary: string): void {
  const options = { encoding: 'utf8', maxBuffer: 1 << 28 } as const;
  const libraries = execFileSync('readelf', ['--dynamic', '--wide', binary], options);
  for (const [, library = ''] of libraries.matchAll(/\(NEEDED\).*\[(.+)\]/g)) {
    if (!KNOWN.some((known) => known.library.test(library)))
      throw new Error(`the package depends on nothing with ${library}`);
  }
  const versions = execFileSync('readelf', ['--version-info', '--wide', binary], options);
  for (const [, symbols, version = ''] of versions.matchAll(/Name: ([A-Z]+)_([\d.]+) /g)) {
    const known = KNOWN.find((each) => each.symbols === symbols);
    if (known === undefined || isNewer(version, known.newest)) {
      throw new Error(`the package depends on nothing with ${symbols}_${version}`);
    }
  }
}

function isNewer(version: string, than: string): boolean {
  return version.localeCompare(than, 'en', { numeric: true }) > 0;
}
