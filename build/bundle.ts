// src → one JavaScript text in which the libraries are part of the program.

import { join } from 'node:path';
import { type Plugin, build as runEsbuild } from 'esbuild';
import { HELP_WIDTHS, writeHelp } from '../src/cli/parse.ts';

const ROOT = join(import.meta.dirname, '..');
const SHIMS = join(import.meta.dirname, 'shims');
const MODULES = join(ROOT, 'node_modules');

/** Who imports what, and what it gets. The names are internals of exactly pinned packages: see package.json. */
const REPLACED: readonly { readonly by: RegExp; readonly path: RegExp; readonly with: string }[] = [
  { by: /\/src\/cli\/parse\.ts$/, path: /^yargs\/helpers$/, with: join(SHIMS, 'yargs-parser.mjs') },
  { by: /\/shims\//, path: /^yargs-parser-core$/, with: join(MODULES, 'yargs-parser/build/lib/yargs-parser.js') },
  { by: /\/signale\/\w+\.js$/, path: /^pkg-conf$/, with: join(SHIMS, 'pkg-conf.cjs') },
  { by: /\/signale\/\w+\.js$/, path: /^chalk$/, with: join(SHIMS, 'chalk.cjs') },
  { by: /\/signale\/\w+\.js$/, path: /^figures$/, with: join(SHIMS, 'figures.cjs') },
  { by: /\/signale\/\w+\.js$/, path: /^readline$/, with: join(SHIMS, 'readline.cjs') },
];

/** Makes the bundle of `src/main.ts`. Everything that is wrong with it is an error of the build. */
export async function bundle(version: string): Promise<string> {
  return (await makeBundle(version)).text;
}

/** The files of which anything is in the bundle, as paths from the root of the project. */
export async function findBundled(): Promise<readonly string[]> {
  return (await makeBundle('')).files;
}

async function makeBundle(version: string): Promise<{ readonly text: string; readonly files: readonly string[] }> {
  const used = new Set<string>();
  const replace: Plugin = {
    name: 'replace',
    setup: (build) => {
      // The text of --help is made now, by the whole of yargs, so that no command has to load it.
      build.onResolve({ filter: /^yargs$/ }, () => ({ path: join(MODULES, 'yargs/index.mjs'), sideEffects: false }));
      build.onResolve({ filter: /./ }, ({ path, importer }) => {
        const found = REPLACED.find((entry) => entry.path.test(path) && entry.by.test(importer));
        if (found === undefined) return undefined;
        used.add(found.with);
        return { path: found.with };
      });
    },
  };
  const { outputFiles, metafile } = await runEsbuild({
    entryPoints: [join(ROOT, 'src/main.ts')],
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    charset: 'ascii',
    // Names and lines stay: V8 prints the source line of an uncaught error.
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
    define: {
      FRONTIK_SUPERVISOR_VERSION: JSON.stringify(version),
      FRONTIK_SUPERVISOR_HELP: JSON.stringify(writeHelp(HELP_WIDTHS.usual)),
      FRONTIK_SUPERVISOR_WIDE_HELP: JSON.stringify(writeHelp(HELP_WIDTHS.wide)),
    },
    plugins: [replace],
  });
  const unused = REPLACED.filter((entry) => !used.has(entry.with));
  if (unused.length > 0) throw new Error(`nobody imports any more: ${unused.map((entry) => entry.path).join(' ')}`);
  const [output] = outputFiles;
  if (output === undefined) throw new Error('esbuild made no file');
  const text = `(function (exports, require, module) {${output.text}\n})`;
  if (output.text.includes('node_modules/yargs/')) throw new Error('the whole of yargs is in the bundle');
  // The boot script reads it as latin1, and V8 keeps one byte a character only then.
  if (/[^\t\n -~]/.test(text)) throw new Error('the bundle is not pure ASCII');
  const inputs = Object.values(metafile.outputs).flatMap((made) => Object.entries(made.inputs));
  return { text, files: inputs.flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])) };
}
