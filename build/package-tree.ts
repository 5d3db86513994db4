// The files of a Debian package on their way into it: the same ones give the same package, byte for byte, whoever builds
// it, when and where.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, lutimesSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** How the package is compressed: `xz` as long as it takes, `zstd` at once. */
export type Compression = 'xz' | 'zstd';

/** Whether the word is one. */
export function isCompression(word: string): word is Compression {
  return word === 'xz' || word === 'zstd';
}

const COMPRESSIONS: Readonly<Record<Compression, readonly string[]>> = { xz: ['-Zxz', '-z6'], zstd: ['-Zzstd', '-z3'] };

/** A package being made in a directory of its own. Only regular files; owners are root, modes 644 and 755. */
export class PackageTree {
  readonly directory: string;

  /** Begins with nothing: what was in the directory is removed. */
  constructor(directory: string) {
    this.directory = directory;
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
  }

  /** Adds a file; `path` is where it will be on the system, without the first slash. */
  add(path: string, content: string | Buffer, mode: 0o644 | 0o755 = 0o644): void {
    const file = join(this.directory, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    chmodSync(file, mode);
  }

  /** Adds a file compressed, as Debian wants documentation. */
  addCompressed(path: string, content: string): void {
    this.add(path, execFileSync('gzip', ['-9n'], { input: content }));
  }

  /** Adds all files below a directory; who may execute a file there may do so in the package. */
  addAll(from: string, to = ''): void {
    for (const path of filesBelow(from)) {
      const isProgram = (statSync(join(from, path)).mode & 0o100) !== 0;
      this.add(join(to, path), readFileSync(join(from, path)), isProgram ? 0o755 : 0o644);
    }
  }

  /**
   * Makes the package. Of `DEBIAN/control`, `@INSTALLED_SIZE@` is filled in here, and others as given; every file in /etc is
   * a conffile. `epoch`, in seconds since 1970, is what all files are dated.
   */
  build(output: string, values: Readonly<Record<string, string>>, epoch: number, compression: Compression): void {
    const files = filesBelow(this.directory).filter((path) => !path.startsWith('DEBIAN/'));
    const conffiles = files.filter((path) => path.startsWith('etc/'));
    if (conffiles.length > 0) this.add('DEBIAN/conffiles', conffiles.map((path) => `/${path}\n`).join(''));
    const sums = files.filter((path) => !path.startsWith('etc/')).map((path) => `${this.#md5(path)}  ${path}\n`);
    this.add('DEBIAN/md5sums', sums.join(''));
    const filled = { ...values, INSTALLED_SIZE: String(this.#installedSize()) };
    this.add('DEBIAN/control', fill(readFileSync(join(this.directory, 'DEBIAN/control'), 'utf8'), filled));
    for (const path of [...entriesBelow(this.directory), '.']) {
      const entry = join(this.directory, path);
      if (statSync(entry).isDirectory()) chmodSync(entry, 0o755);
      lutimesSync(entry, epoch, epoch);
    }
    const how = [
      '--root-owner-group',
      '--threads-max=1',
      ...COMPRESSIONS[compression],
      '--build',
      this.directory,
      output,
    ];
    execFileSync('dpkg-deb', how, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
    });
  }

  #md5(path: string): string {
    return createHash('md5')
      .update(readFileSync(join(this.directory, path)))
      .digest('hex');
  }

  /** In KiB, by dpkg-gencontrol's rule: what a file holds, rounded up, and 1 for everything else. */
  #installedSize(): number {
    const sizes = entriesBelow(this.directory).map((path) => {
      const entry = statSync(join(this.directory, path));
      return path.startsWith('DEBIAN') ? 0 : entry.isFile() ? Math.ceil(entry.size / 1024) : 1;
    });
    return sizes.reduce((sum, size) => sum + size, 0);
  }
}

/** Puts values in for `@NAME@`; one that is not known is an error. */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/@([A-Z_]+)@/g, (mark, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`nothing is known of ${mark}`);
    return value;
  });
}

function entriesBelow(directory: string): readonly string[] {
  // The order of the bytes, not of a locale.
  return (readdirSync(directory, { recursive: true }) as string[]).sort();
}

function filesBelow(directory: string): readonly string[] {
  return entriesBelow(directory).filter((path) => statSync(join(directory, path)).isFile());
}
