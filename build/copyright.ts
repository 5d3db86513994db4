// Debian's copyright file: our licence, and everybody's whose work is in the binary (build/licences.ts).

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Work } from './licences.ts';

const ROOT = join(import.meta.dirname, '..');

/** The file in DEP-5, https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/. */
export function makeCopyright(works: readonly Work[]): string {
  const own = readFileSync(join(ROOT, 'LICENSE'), 'utf8');
  const holder = /^Copyright \(c\) (.+)$/m.exec(own)?.[1];
  if (holder === undefined) throw new Error('LICENSE names nobody');
  const terms = own.slice(own.indexOf('Permission is hereby granted'));
  const head = [
    field('Format', ['https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/']),
    field('Upstream-Name', ['frontik-supervisor']),
    field('Comment', [
      '',
      'The binary is Node.js with the program inside, and with it parts of the npm packages',
      'below.',
    ]),
  ];
  const paragraphs = [
    head,
    [field('Files', ['*']), field('Copyright', [holder]), field('License', ['Expat', ...terms.trimEnd().split('\n')])],
    ...works.map(describe),
  ];
  return paragraphs.map((paragraph) => `${paragraph.join('\n')}\n`).join('\n');
}

/** The terms stand in each paragraph as their authors wrote them: no two of these licences are alike to the letter. */
function describe({ name, version, holders, text }: Work): readonly string[] {
  return [
    field('Files', [`node_modules/${name}/*`]),
    field('Copyright', holders),
    field('License', [`${name}-${version}`, ...text.split('\n')]),
  ];
}

/** A field of several lines: each but the first begins with a space, and an empty one is a full stop. */
function field(name: string, [first = '', ...more]: readonly string[]): string {
  return [
    `${name}: ${first}`.trimEnd(),
    ...more.map((line) => (line.trim() === '' ? ' .' : ` ${line.trimEnd()}`)),
  ].join('\n');
}
