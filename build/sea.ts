// Scripts and assets → one executable. The only file that knows the inside of @yao-pkg/pkg: its command line forwards
// neither a base binary nor a SEA configuration, so the packer is imported from its lib folder (pinned exactly).

import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';

interface Packer {
  default(
    entry: string,
    options: {
      readonly nodePath?: string;
      readonly targets: readonly { nodeRange: string; platform: string; arch: string; output: string }[];
      readonly seaConfig: object;
    },
  ): Promise<void>;
}

/**
 * What the executable's Node is told before it reads anything: no debugger on SIGUSR1, no warnings of its own, no
 * OpenSSL configuration (a broken one would end the program before main), no worker threads. None of them is a V8 flag:
 * one would change what bytecode V8 accepts.
 */
export const NODE_FLAGS: readonly string[] = [
  '--disable-sigusr1',
  '--no-warnings',
  '--openssl-config=/proc/self/none',
  '--v8-pool-size=0',
];

/** Where the packer works, and looks for what it would download otherwise. */
const SCRATCH = join(import.meta.dirname, '../dist/build/pack');

/**
 * Packs `boot` and the assets (name → path) into a copy of `base`, a stripped Node of the running Node's version and of
 * the given architecture. The same input gives the same bytes, in whatever directory.
 */
export async function pack(
  boot: string,
  assets: Readonly<Record<string, string>>,
  base: string,
  output: string,
  arch: string = process.arch,
): Promise<void> {
  const packer = createRequire(import.meta.url)('@yao-pkg/pkg/lib-es5/sea.js') as Packer;
  mkdirSync(SCRATCH, { recursive: true });
  // Absolute: the packer changes to a directory of its own, and a relative output is lost there without an error.
  const target = { nodeRange: `node${process.version.slice(1)}`, platform: 'linux', arch, output: resolve(output) };
  const seaConfig = {
    // As seen from the packer's own directory, for the executable keeps this path as it is written here.
    main: relative(join(SCRATCH, 'its-own'), resolve(boot)),
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    useCodeCache: false,
    execArgv: NODE_FLAGS,
    // NODE_OPTIONS of whoever calls us must neither break the program nor load code into it.
    execArgvExtension: 'none',
    assets,
  };
  const isForeign = arch !== process.arch;
  if (isForeign) offer(base, arch);
  const { TMPDIR, HOME } = process.env;
  Object.assign(process.env, { TMPDIR: SCRATCH, HOME: SCRATCH });
  try {
    await packer.default(resolve(boot), {
      ...(isForeign ? {} : { nodePath: resolve(base) }),
      targets: [target],
      seaConfig,
    });
  } finally {
    restore({ TMPDIR, HOME });
  }
}

/** The packer executes a `nodePath`, so a foreign Node is laid where it would keep a download of its own. */
function offer(base: string, arch: string): void {
  const name = `node-${process.version}-linux-${arch}`;
  const cache = join(SCRATCH, '.pkg-cache/sea');
  const node = join(cache, name, 'bin/node');
  mkdirSync(dirname(node), { recursive: true });
  copyFileSync(base, node);
  for (const mark of [`${cache}/${name}.tar.gz`, `${cache}/${name}.tar.gz.ok`, `${node}.ok`]) writeFileSync(mark, '');
}

function restore(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}
