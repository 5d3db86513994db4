// argv → a plain value. The only file that imports yargs, whose doors and traps are held by its exact pin.
//
// What yargs 18 must not decide for us, because it would guess (each was measured):
// the spelling of names (words.ts does it), numbers (every value stays text), repeated options (the last wins),
// names that Object.prototype has too (yargs throws a TypeError; they never reach it), help and version (it would look
// for a package.json and print by itself). Its parser alone does for commands; making a whole yargs costs 2 ms, every time.

import yargs from 'yargs';
import { Parser } from 'yargs/helpers';
import { wrongName } from '../config/drop-in.ts';
import { isProxy, PROXIES, type ProxyName } from '../config/export.ts';
import { OPTIONS, type Option } from '../config/options.ts';
import { FLAGS, type Flags, type Problem, sortWords } from './words.ts';

export type { Flag, Flags, Problem } from './words.ts';

// Put in by the build (build/bundle.ts): what writeHelp() gives, so that the binary need not hold the whole of yargs.
declare const FRONTIK_SUPERVISOR_HELP: string | undefined;
declare const FRONTIK_SUPERVISOR_WIDE_HELP: string | undefined;

/** What a command line asks for. Values are still text; whether they make sense is for the settings to say. */
export type CommandLine =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'request';
      readonly launcher: string | undefined;
      readonly action: string | undefined;
      /** What `export` is to print. */
      readonly proxy: ProxyName | undefined;
      /** The name of the init script that `install` and `uninstall` are about. */
      readonly name: string | undefined;
      readonly given: ReadonlyMap<string, string>;
      readonly flags: Flags;
      readonly problems: readonly Problem[];
    };

/** The actions that --help shows, in the order in which people meet them, and the word behind those that have one. */
export const ACTIONS: readonly (readonly [name: string, help: string, operand?: string])[] = [
  ['start', 'start every worker that does not run, wait until all are ready'],
  ['stop', 'stop all workers, wait until they are gone'],
  ['restart', 'stop, then start'],
  ['reload', 'replace the workers one by one; the others go on serving'],
  ['status', 'show whether the workers run; changes nothing'],
  ['force-reload', 'the same as restart'],
  ['try-restart', 'restart if any worker runs, else do nothing'],
  ['condrestart', 'the same as try-restart'],
  ['run', 'start the workers, stay in the foreground, look after them'],
  ['check', 'show all settings, their sources and problems; touches nothing'],
  ['export', `print what a proxy (${PROXIES.join(', ')}) needs for the workers`, 'PROXY'],
  ['install', 'write /etc/init.d/NAME with the given options, register it', 'NAME'],
  ['uninstall', 'take back what install has done', 'NAME'],
];

const USAGE = `Starts, stops and shows the web workers of a Frontik or Tornado application.

Usage: frontik-supervisor [options] ACTION [options]
or:    frontik-supervisor [options] /path/launcher [options] ACTION [options]`;

const EXIT_CODES = `Exit codes:
  0      done; for status: all workers run; for check: nothing is wrong
  1      failed; for status: some workers run (see --partial_status)
  2      wrong command line
  3      status: no worker runs
  4      not permitted; for status: cannot tell
  5      script or launcher not installed
  6      wrong configuration file or launcher; for check: anything is wrong
  7      reload: no worker is alive
  128+n  ended by signal n; the workers live on`;

/** Reads a command line (without the program's own name). Never throws, prints, exits, or looks at anything else. */
export function parse(argv: readonly string[]): CommandLine {
  const { asks, plain, options, flags, problems } = sortWords(argv);
  if (asks !== undefined) return { kind: asks };
  const read = readWords(options, plain);
  // Only a word with a slash can be a launcher (a path), and only before the action; a bare word is always an action.
  const launcher = read.plain[0]?.includes('/') ? read.plain[0] : undefined;
  const [action, ...behind] = launcher === undefined ? read.plain : read.plain.slice(1);
  const { proxy, name, wrong, extra } = readOperand(action, behind);
  const surplus = extra.map((source) => ({ source, text: `unexpected word after the action ${action}` }));
  return {
    kind: 'request',
    launcher,
    action,
    proxy,
    name,
    given: read.given,
    flags,
    problems: [...problems, ...wrong, ...surplus],
  };
}

interface Operand {
  readonly proxy: ProxyName | undefined;
  readonly name: string | undefined;
  readonly wrong: readonly Problem[];
  /** The words that nothing can be made of. */
  readonly extra: readonly string[];
}

/** Only `export`, `install` and `uninstall` have a word behind them. */
function readOperand(action: string | undefined, behind: readonly string[]): Operand {
  const [word, ...extra] = behind;
  const none = { proxy: undefined, name: undefined, wrong: [], extra };
  if (action === 'install' || action === 'uninstall') {
    if (word === undefined) return { ...none, wrong: [{ source: action, text: 'needs the name of an init script' }] };
    const text = wrongName(word);
    return text === undefined ? { ...none, name: word } : { ...none, wrong: [{ source: action, text }] };
  }
  if (action !== 'export') return { ...none, extra: behind };
  if (isProxy(word)) return { ...none, proxy: word };
  const choice = PROXIES.join(' or ');
  const wrong =
    word === undefined ? { source: 'export', text: `needs ${choice}` } : { source: word, text: `must be ${choice}` };
  return { ...none, wrong: [wrong] };
}

/** Reads words that may only be options, such as those on a launcher's first line. */
export function parseOptions(words: readonly string[]): {
  readonly given: ReadonlyMap<string, string>;
  readonly flags: Flags;
  readonly problems: readonly Problem[];
} {
  const { asks, plain, options, flags, problems } = sortWords(words);
  const surplus = plain.map((source) => ({ source, text: 'only options may stand here' }));
  const asked = asks === undefined ? [] : [{ source: `--${asks}`, text: 'only options with a value may stand here' }];
  // What a launcher says holds for all actions, and only one of them has something to print.
  const misplaced = FLAGS.filter(([, flag]) => flag !== 'no_python' && flags.has(flag)).map(([name]) => ({
    source: `--${name}`,
    text: 'belongs on the command line',
  }));
  return { given: readWords(options, []).given, flags, problems: [...problems, ...surplus, ...asked, ...misplaced] };
}

interface ReadWords {
  readonly given: ReadonlyMap<string, string>;
  readonly plain: readonly string[];
}

function readWords(options: readonly (readonly [string, string])[], plain: readonly string[]): ReadWords {
  const names = [...new Set(options.map(([name]) => name))];
  const read = Parser([...options.map(([name, value]) => `--${name}=${quoted(value)}`), '--', ...plain], {
    string: names,
    configuration: {
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'duplicate-arguments-array': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
    },
  });
  const given = new Map(names.map((name) => [name, String(read[name])]));
  return { given, plain: read._.map(String) };
}

/** yargs takes one pair of quotes off a value, as if no shell had done it before; so it gets one more to take. */
function quoted(value: string): string {
  return /^(["'])[\s\S]*\1$/.test(value) ? `"${value}"` : value;
}

/** The columns of the usual terminal and printer, and those that a wider terminal is given: lines are no easier to read beyond. */
export const HELP_WIDTHS = { usual: 80, wide: 100 } as const;

/** The text of --help for a terminal that has so many columns; undefined: nobody knows, or it is none. */
export function writeHelp(columns: number | undefined): string {
  const isWide = columns !== undefined && columns >= HELP_WIDTHS.wide;
  if (isWide) {
    return typeof FRONTIK_SUPERVISOR_WIDE_HELP === 'string'
      ? FRONTIK_SUPERVISOR_WIDE_HELP
      : layOutHelp(HELP_WIDTHS.wide);
  }
  return typeof FRONTIK_SUPERVISOR_HELP === 'string' ? FRONTIK_SUPERVISOR_HELP : layOutHelp(HELP_WIDTHS.usual);
}

/** Costs more than everything else here together: the build does it once and for all. */
function layOutHelp(width: number): string {
  const page = yargs()
    .scriptName('')
    .locale('en')
    .updateStrings({ 'Commands:': 'Actions:' })
    .wrap(width)
    .exitProcess(false)
    .help(false)
    .version(false)
    .usage(USAGE)
    .parserConfiguration({ 'camel-case-expansion': false })
    .options(Object.fromEntries(OPTIONS.map((option) => [option.name, described(option)])))
    .options(Object.fromEntries(FLAGS.map(([name, , description]) => [name, { description }])))
    .option('help', { alias: 'h', description: 'show this text' })
    .option('version', { alias: 'V', description: 'show the version' })
    .epilogue(EXIT_CODES);
  for (const [name, help, operand] of ACTIONS) {
    page.command(operand === undefined ? name : `${name} ${operand}`, help);
  }
  let text = '';
  page.showHelp((made) => {
    text = made;
  });
  return `${text}\n`;
}

function described(option: Option) {
  return {
    description: option.help,
    ...(option.alias === undefined ? {} : { alias: option.alias }),
    ...(option.default === undefined ? {} : { default: option.default }),
    type: ({ str: 'string', int: 'number', bool: 'boolean' } as const)[option.type],
  };
}
