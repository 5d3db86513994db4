// Scripts and assets → one executable. The only file that knows the inside of @yao-pkg/pkg: its command line forwards
// neither a base binary nor a SEA configuration, so the packer is imported from its lib folder (pinned exactly).

import { createRequire } from 'node:module';
import { resolve } from 'node:path';

interface Packer {
  default(
    entry: string,
    options: {
      readonly nodePath: string;
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

/** Packs `boot` and the assets (name → path) into a copy of `base`, a stripped Node of the running Node's version. */
export async function pack(
  boot: string,
  assets: Readonly<Record<string, string>>,
  base: string,
  output: string,
): Promise<void> {
  const packer = createRequire(import.meta.url)('@yao-pkg/pkg/lib-es5/sea.js') as Packer;
  await packer.default(resolve(boot), {
    nodePath: resolve(base),
    // Absolute: the packer changes to a directory of its own, and a relative output is lost there without an error.
    targets: [{ nodeRange: 'node24', platform: 'linux', arch: process.arch, output: resolve(output) }],
    seaConfig: {
      disableExperimentalSEAWarning: true,
      useSnapshot: false,
      useCodeCache: false,
      execArgv: NODE_FLAGS,
      // NODE_OPTIONS of whoever calls us must neither break the program nor load code into it.
      execArgvExtension: 'none',
      assets,
    },
  });
}
