// The manual page: build/deb/frontik-supervisor.8.in, filled in from the tables that the program itself goes by.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ACTIONS, writeHelp } from '../src/cli/parse.ts';
import { FLAGS } from '../src/cli/words.ts';
import { OPTIONS, type Option } from '../src/config/options.ts';
import { fill } from './package-tree.ts';

const TEMPLATE = join(import.meta.dirname, 'deb/frontik-supervisor.8.in');

/** The page in roff, for man(7). `date` is YYYY-MM-DD. */
export function makeManPage(version: string, date: string): string {
  const parts = {
    VERSION: toRoff(version),
    DATE: date,
    ACTIONS: list(
      ACTIONS.map(([name, help, operand]) => [
        `${bold(name)}${operand === undefined ? '' : ` \\fI${operand}\\fR`}`,
        help,
      ]),
    ),
    OPTIONS: list([...OPTIONS.map(describe), ...FLAGS.map(describeFlag), ...ASKING]),
    EXIT_CODES: list(readExitCodes().map(([code, help]) => [bold(code), help])),
  };
  return fill(readFileSync(TEMPLATE, 'utf8'), parts);
}

/** A term, which is roff already, and what it means, which is not. */
type Entry = readonly [term: string, help: string];

const ASKING: readonly Entry[] = [
  [`${bold('--help')}, ${bold('-h')}`, 'show the options and actions'],
  [`${bold('--version')}, ${bold('-V')}`, 'show the version'],
];

function describe({ name, alias, type, default: fallback, help }: Option): Entry {
  const value = type === 'bool' ? '' : `=\\fI${type}\\fR`;
  const names = [name, alias].flatMap((each) => (each === undefined ? [] : [`${bold(`--${each}`)}${value}`]));
  return [names.join(', '), fallback === undefined ? help : `${help} (default: \`${fallback}\`)`];
}

function describeFlag([name, , help]: (typeof FLAGS)[number]): Entry {
  return [bold(`--${name}`), help];
}

/** The codes are written once, in the text of --help. */
function readExitCodes(): readonly Entry[] {
  const text = writeHelp(undefined);
  const found = [...text.slice(text.indexOf('Exit codes:')).matchAll(/^ {2}(\d) +(.+)$/gm)];
  if (found.length === 0) throw new Error('--help tells no exit codes');
  return found.map(([, code = '', meaning = '']) => [code, meaning]);
}

function list(entries: readonly Entry[]): string {
  return entries.map(([term, help]) => `.TP\n${term}\n${sentence(help)}`).join('\n');
}

function sentence(help: string): string {
  const text = toRoff(help).replaceAll(/`([^`]+)`/g, '\\fB$1\\fR');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/\.`?$/.test(help) ? '' : '.'}`;
}

function bold(text: string): string {
  return `\\fB${toRoff(text)}\\fR`;
}

/** A dash that can be copied, a backslash that is one, and no request at the start of a line. */
function toRoff(text: string): string {
  return text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll(/^[.']/gm, '\\&$&');
}
