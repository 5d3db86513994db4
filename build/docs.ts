// usage: docs.ts
// Writes the table of options in README.md from the table in the code. A test holds that nobody edits it by hand.

import { readFileSync, writeFileSync } from 'node:fs';
import { OPTIONS, type Option } from '../src/config/options.ts';

const BEGIN = '<!-- options: made by build/docs.ts -->\n';
const END = '<!-- end of options -->';

/** A README with its table of options made anew. */
export function withOptions(readme: string): string {
  const from = readme.indexOf(BEGIN);
  const to = readme.indexOf(END);
  if (from === -1 || to < from) throw new Error('README.md has lost the marks around its table of options');
  return `${readme.slice(0, from)}${BEGIN}${table()}${readme.slice(to)}`;
}

function table(): string {
  const rows = OPTIONS.map(
    (option) => `| ${[names(option), option.type, fallback(option), option.help].join(' | ')} |\n`,
  );
  return `| option | type | default | meaning |\n| --- | --- | --- | --- |\n${rows.join('')}`;
}

function names({ name, alias }: Option): string {
  return [name, alias].flatMap((each) => (each === undefined ? [] : [`\`--${each}\``])).join(', ');
}

function fallback(option: Option): string {
  return option.default === undefined ? '' : `\`${option.default}\``;
}

if (import.meta.main) {
  const path = new URL('../README.md', import.meta.url);
  writeFileSync(path, withOptions(readFileSync(path, 'utf8')));
}
