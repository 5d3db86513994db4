// How an option may be spelled. Whatever the spelling, one canonical word comes out: `--option_name=value`.

import { OPTIONS, type Option, optionNamed } from '../config/options.ts';

/** One thing wrong with the command line; `source` is the word as it was typed, without its value. */
export interface Problem {
  readonly source: string;
  readonly text: string;
}

/** The words of a command line, sorted out; a value is still text, and nothing says whether it makes sense. */
export interface SortedWords {
  /** What is neither an option nor an option's value, in order. */
  readonly plain: readonly string[];
  /** Every option given, in order, with its canonical name. */
  readonly options: readonly (readonly [name: string, value: string])[];
  /** What is only said or not said, and is no setting. */
  readonly flags: Flags;
  readonly problems: readonly Problem[];
  readonly asks: 'help' | 'version' | undefined;
}

/**
 * `--json`: what was asked for is for machines; `--no-python`: no Python is asked what a file means; `--wait`: until all run;
 * `--no-wait`: not until they are ready; `--dry-run`: only show it; `--shebang`: an init script that the kernel hands to us.
 */
export type Flag = 'json' | 'no_python' | 'wait' | 'no_wait' | 'dry_run' | 'shebang';

/** The flags that were given, each with its value; empty where there is none. */
export type Flags = ReadonlyMap<Flag, string>;

/** How the flags are shown by --help. */
export const FLAGS: readonly (readonly [name: string, flag: Flag, help: string])[] = [
  ['no-python', 'no_python', 'never let a Python execute a configuration file or launcher'],
  ['json', 'json', 'check: print JSON'],
  [
    'wait',
    'wait',
    'status: wait until all workers run, so many seconds (--wait=SECONDS) or as long as a start may take',
  ],
  ['no-wait', 'no_wait', 'start: return when the workers are launched'],
  ['dry-run', 'dry_run', 'install, uninstall: print what would be done, and touch nothing'],
  ['shebang', 'shebang', 'install: write a launcher in Python that this program interprets, instead of a shell script'],
];

const ASKING: ReadonlyMap<string, 'help' | 'version'> = new Map([
  ['help', 'help'],
  ['h', 'help'],
  ['version', 'version'],
  ['V', 'version'],
]);

// Tornado's bool: everything is true but these, in any case (tornado.options, _Option._parse_bool).
const FALSE = new Set(['false', '0', 'f']);

/** Sorts the words of a command line into options, plain words and problems. Never throws. */
export function sortWords(words: readonly string[]): SortedWords {
  const plain: string[] = [];
  const options: [string, string][] = [];
  const flags = new Map<Flag, string>();
  const problems: Problem[] = [];
  let asks: SortedWords['asks'];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (word === '--') {
      plain.push(...words.slice(at + 1));
      break;
    }
    const found = looksLikeOption(word) ? readOption(word, words[at + 1]) : { is: 'plain' as const };
    switch (found.is) {
      case 'plain':
        plain.push(word);
        break;
      case 'asking':
        asks = asks === 'help' ? 'help' : found.asks;
        break;
      case 'flag':
        flags.set(found.flag, found.value);
        break;
      case 'wrong':
        problems.push(found.problem);
        break;
      case 'given':
        options.push([found.name, found.value]);
        at += found.took;
        break;
      default:
        found satisfies never;
    }
  }
  return { plain, options, flags, problems, asks };
}

type ReadOption =
  | { readonly is: 'asking'; readonly asks: 'help' | 'version' }
  | { readonly is: 'flag'; readonly flag: Flag; readonly value: string }
  | { readonly is: 'wrong'; readonly problem: Problem }
  | { readonly is: 'given'; readonly name: string; readonly value: string; readonly took: 0 | 1 };

function readOption(word: string, next: string | undefined): ReadOption {
  const equals = word.indexOf('=');
  const source = equals === -1 ? word : word.slice(0, equals);
  const text = equals === -1 ? undefined : word.slice(equals + 1);
  const name = source.replace(/^-+/, '').replaceAll('-', '_');
  const asks = ASKING.get(name);
  if (asks !== undefined) return { is: 'asking', asks };
  const flag = FLAGS.find(([, known]) => known === name)?.[1];
  if (flag !== undefined) {
    if (text === undefined) return { is: 'flag', flag, value: '' };
    if (flag !== 'wait') return { is: 'wrong', problem: { source, text: 'takes no value' } };
    if (/^\d{1,5}$/.test(text)) return { is: 'flag', flag, value: text };
    return { is: 'wrong', problem: { source, text: `must be a number of seconds, got '${text}'` } };
  }
  const option = optionNamed(name);
  if (option === undefined) return { is: 'wrong', problem: { source, text: `unknown option${suggestion(name)}` } };
  if (option.type === 'bool') return { is: 'given', name: option.name, value: truth(text), took: 0 };
  if (text !== undefined) return { is: 'given', name: option.name, value: text, took: 0 };
  if (isValue(next)) return { is: 'given', name: option.name, value: next, took: 1 };
  return { is: 'wrong', problem: { source, text: 'needs a value' } };
}

/** Whether the word is spelled like an option; a lone dash is not, neither for Tornado nor for getopt(3). */
function looksLikeOption(word: string): boolean {
  return word.length > 1 && word.startsWith('-');
}

/** Whether the next word can be a value. A negative number can: what is wrong with it is for the settings to say. */
function isValue(word: string | undefined): word is string {
  return word !== undefined && (!looksLikeOption(word) || /^-\d/.test(word));
}

function truth(text: string | undefined): string {
  if (text === undefined) return 'true';
  return FALSE.has(text.toLowerCase()) ? 'false' : text;
}

function suggestion(name: string): string {
  const names = [...OPTIONS.flatMap(namesOf), ...FLAGS.map(([flag]) => flag), 'help', 'version'];
  let best: string | undefined;
  let least = Math.min(4, Math.ceil(name.length / 2));
  for (const candidate of names) {
    const distance = editDistance(name, candidate);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best === undefined ? '' : `, did you mean --${best}?`;
}

function namesOf(option: Option): readonly string[] {
  return option.alias === undefined ? [option.name] : [option.name, option.alias];
}

/** Levenshtein's distance. A name longer than any option is not worth comparing: the time stays bounded. */
function editDistance(from: string, to: string): number {
  if (Math.abs(from.length - to.length) > 4) return Number.POSITIVE_INFINITY;
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (above[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    above = current;
  }
  return above[to.length] ?? Number.POSITIVE_INFINITY;
}
