// yargs/helpers without its surroundings: the stock one looks at the environment and the current directory (it crashes in
// a removed one), and makes a `require`, as soon as it is imported.

import { YargsParser } from 'yargs-parser-core';

const parser = new YargsParser({
  cwd: () => '/',
  env: () => ({}),
  format: fill,
  normalize: (path) => path,
  resolve: (path) => path,
  require: refuse,
});

/** yargs' parser: words and options in, an object out. */
export const Parser = (args, options) => parser.parse(args.slice(), options).argv;

/** The placeholders of yargs-parser's own sentences: %s and %d. */
function fill(sentence, ...values) {
  let at = 0;
  return sentence.replace(/%[sd]/g, () => String(values[at++]));
}

/** Takes the place of what would read a file. */
function refuse() {
  throw new Error('yargs looked outside; build/shims/yargs-parser.mjs no longer fits it');
}
