// yargs' own parser without its surroundings: the stock one looks at the environment and the current directory, and makes
// a `require`, as soon as it is imported.

import { YargsParser } from 'yargs-parser-core';
import { camelCase, decamelize, looksLikeNumber } from 'yargs-parser-strings';

const parser = new YargsParser({
  cwd: () => '/',
  env: () => ({}),
  format: fill,
  normalize: (path) => path,
  resolve: (path) => path,
  require: refuse,
});

const Parser = (args, options) => parser.parse(args.slice(), options).argv;
Object.assign(Parser, {
  detailed: (args, options) => parser.parse(args.slice(), options),
  camelCase,
  decamelize,
  looksLikeNumber,
});

/** The placeholders of yargs' own English sentences: %s and %d. */
export function fill(sentence, ...values) {
  let at = 0;
  return sentence.replace(/%[sd]/g, () => String(values[at++]));
}

/** Takes the place of all that would read a file or end the process. */
export function refuse() {
  throw new Error('yargs looked outside; build/shims no longer fits it');
}

export default Parser;
