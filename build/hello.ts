// usage: hello.ts DIRECTORY
// Builds the binaries that a start-up is measured against: the least that Node can do, packed by the same recipe.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pack } from './sea.ts';
import { stripNode } from './strip.ts';
import { findTarget } from './target.ts';

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('usage: hello.ts DIRECTORY');
const work = join(import.meta.dirname, '../dist/build', process.arch);
mkdirSync(work, { recursive: true });
mkdirSync(directory, { recursive: true });
const base = stripNode(work, findTarget(process.arch, work));
const PROGRAMS = { hello: "console.log('hello');\n", 'hello-write': "require('node:fs').writeSync(1, 'hello\\n');\n" };
for (const [name, text] of Object.entries(PROGRAMS)) {
  const source = join(directory, `${name}.cjs`);
  writeFileSync(source, text);
  await pack(source, {}, base, join(directory, name));
}
