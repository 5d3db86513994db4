// A value that is given for an option: where it comes from, and what it is read as.

import type { Option, OptionName } from './options.ts';
import { type PyValue, repr, typeName } from './python-value.ts';

/** Where a value comes from; it decides the exit code of what is wrong with it. */
export type Origin = 'command-line' | 'launcher' | 'config';

/**
 * A value as it was given. Text is from a command line or a launcher's first line; a Python value from a file; an object
 * from a file that a real Python has executed, which only tells its type and how it is written.
 */
export type Value =
  | PyValue
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'object'; readonly type: string; readonly repr: string };

/** What is given for an option. */
export interface Given {
  readonly value: Value;
  readonly origin: Origin;
  /** `app.cfg:12:17`, `launcher:5:3` or `--start_port`. */
  readonly source: string;
}

/** What one place gives. Later layers win. */
export type Layer = ReadonlyMap<OptionName, Given>;

/** One thing that is wrong. */
export interface Problem {
  readonly origin: Origin;
  readonly source: string;
  readonly text: string;
}

/** What an option's value is when it has been read. */
export type Plain = string | number | boolean | undefined;

const LONGEST_REPR = 60;

/** A value as it was read; a caution if it should be given in another way. */
type Read = { readonly value: Plain; readonly caution?: string } | { readonly wrong: string };

/** Tornado's option types, and our superset: None is the default, text for an int or bool is read. */
export function readValue(option: Option, { value }: Given): Read {
  if (value.kind === 'text') return readText(option, value.value);
  if (value.kind === 'none') return { value: undefined };
  if (value.kind === 'object') {
    return { wrong: `must be ${ARTICLE[option.type]}, got ${value.type} ${value.repr.slice(0, LONGEST_REPR)}` };
  }
  const mismatch: Read = { wrong: `must be ${ARTICLE[option.type]}, got ${typeName(value)} ${repr(value)}` };
  switch (option.type) {
    case 'str':
      return value.kind === 'str' ? readText(option, value.value) : mismatch;
    case 'int':
      if (value.kind === 'int') return { value: Number(value.value) };
      // In Python True is an int, and Tornado takes it for one.
      if (value.kind === 'bool') return { value: value.value ? 1 : 0 };
      break;
    case 'bool':
      if (value.kind === 'bool') return { value: value.value };
      break;
    default:
      return option.type satisfies never;
  }
  if (value.kind !== 'str') return mismatch;
  const read = readText(option, value.value);
  if ('wrong' in read) return mismatch;
  return {
    ...read,
    caution: `should be ${ARTICLE[option.type]}, got str ${repr(value)}; it is read as ${String(read.value)}`,
  };
}

const ARTICLE: Readonly<Record<Option['type'], string>> = { str: 'a str', int: 'an int', bool: 'a bool' };

function readText(option: Option, text: string): Read {
  const shown = repr({ kind: 'str', value: text });
  switch (option.type) {
    case 'str':
      // exec(3) and open(2) would see only what stands before it.
      if (text.includes('\0')) return { wrong: `must not hold a NUL, got ${shown}` };
      // Half of a surrogate pair is what Python makes of a byte that is no UTF-8: we could hand it on only as something else.
      return text.isWellFormed() ? { value: text } : { wrong: `must be UTF-8, got ${shown}` };
    case 'int':
      return /^\s*[+-]?\d+(_\d+)*\s*$/.test(text)
        ? { value: Number(text.replaceAll('_', '')) }
        : { wrong: `must be an int, got ${shown}` };
    case 'bool': {
      const word = text.toLowerCase();
      if (word === 'true' || word === '1' || word === 't') return { value: true };
      if (word === 'false' || word === '0' || word === 'f') return { value: false };
      return { wrong: `must be true or false, got ${shown}` };
    }
    default:
      return option.type satisfies never;
  }
}

/** What is wrong with a number that is too small or too large. */
export function outOfBounds({ bounds }: Option, value: Plain): string | undefined {
  if (bounds === undefined || typeof value !== 'number') return undefined;
  const [least, most] = bounds;
  return value >= least && value <= most ? undefined : `must be from ${least} to ${most}, got ${value}`;
}
