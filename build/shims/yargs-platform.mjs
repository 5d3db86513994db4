// What yargs may know of its surroundings: nothing. It takes the place of yargs/lib/platform-shims/esm.mjs of the pinned
// yargs, which looks at the current directory (it crashes in a removed one), at package.json, COLUMNS, the locale files,
// and loads string-width and Intl.Segmenter, which cost more than the rest of the program. All our texts are ASCII.

import { cliui } from 'cliui-core';
import Parser, { fill, refuse } from './yargs-parser.mjs';

const NOWHERE = '/';

/** Greedy word wrap as wrap-ansi does it with { hard: true }: a word longer than the line is cut. */
function wrap(text, width) {
  const wrapLine = (line) => {
    const rows = [''];
    for (const word of line.trim().split(' ')) {
      let rest = word;
      const last = rows.at(-1);
      if (last !== '' && last.length + 1 + rest.length <= width) {
        rows[rows.length - 1] = `${last} ${rest}`;
        continue;
      }
      if (last !== '') rows.push('');
      for (; rest.length > width; rest = rest.slice(width)) rows.splice(-1, 1, rest.slice(0, width), '');
      rows[rows.length - 1] = rest;
    }
    return rows.join('\n');
  };
  return text.split('\n').map(wrapLine).join('\n');
}

const sentences = new Map();
const y18n = {
  __: (sentence, ...values) => fill(sentences.get(sentence) ?? sentence, ...values),
  __n: (one, many, count, ...values) => fill(count === 1 ? one : many, count, ...values),
  getLocale: () => 'en',
  setLocale: () => undefined,
  updateLocale: (changed) => {
    for (const [from, to] of Object.entries(changed)) sentences.set(from, to);
  },
};

export default {
  assert: { notStrictEqual: () => undefined, strictEqual: () => undefined },
  cliui: (options) =>
    cliui(options, {
      stringWidth: (text) => text.length,
      stripAnsi: (text) => text,
      wrap: (text, width) => wrap(text, width),
    }),
  findUp: () => undefined,
  getEnv: () => undefined,
  inspect: String,
  getProcessArgvBin: () => 'frontik-supervisor',
  mainFilename: NOWHERE,
  Parser,
  path: {
    basename: (path) => path,
    dirname: (path) => path,
    extname: () => '',
    join: (...parts) => parts.join('/'),
    relative: (_from, to) => to,
    resolve: (path) => path,
  },
  process: {
    argv: () => ['node', 'frontik-supervisor'],
    cwd: () => NOWHERE,
    emitWarning: () => undefined,
    execPath: () => 'node',
    exit: refuse,
    nextTick: (callback) => queueMicrotask(callback),
    stdColumns: null,
  },
  readFileSync: refuse,
  readdirSync: refuse,
  require: refuse,
  getCallerFile: refuse,
  stringWidth: (text) => text.length,
  y18n,
};
