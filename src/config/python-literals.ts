// The values of literals: Python Language Reference 2.4.

import { needsPython, PYTHON_2, type Stop, syntaxError } from './python-source.ts';
import type { Token } from './python-tokens.ts';
import type { PyValue } from './python-value.ts';

// CPython refuses decimal integers of more than 4300 digits, or as many as its user allows (sys.set_int_max_str_digits).
const LONGEST_INTEGER = 1000;

/** The value of a number that the tokenizer found. */
export function readNumber(token: Token): PyValue | Stop {
  const text = token.text.replaceAll('_', '').toLowerCase();
  if (/^0[box]/.test(text) || /^[0-9]+$/.test(text)) {
    if (text.length > LONGEST_INTEGER) return needsPython(token.at, 'a very long number');
    return { kind: 'int', value: BigInt(/^0[0-9]/.test(text) ? 0 : text) };
  }
  if (text.endsWith('j')) return { kind: 'complex', imaginary: Number(text.slice(0, -1)) };
  return { kind: 'float', value: Number(text) };
}

/** The value of string literals that follow each other (2.4.2: they are one). */
export function readStrings(literals: readonly Token[]): PyValue | Stop {
  const parts: string[] = [];
  let type: 'str' | 'bytes' | undefined;
  for (const literal of literals) {
    const { prefix, body } = take(literal.text);
    const own = prefix.includes('b') ? 'bytes' : 'str';
    type ??= own;
    // To Python 2 bytes and str are one.
    if (type !== own) return needsPython(literal.at, PYTHON_2);
    if (own === 'bytes' && /[^\0-\x7f]/.test(body)) return needsPython(literal.at, PYTHON_2);
    const part = prefix.includes('r') || !body.includes('\\') ? body : expandEscapes(body, own, literal.at);
    if (typeof part !== 'string') return part;
    parts.push(part);
  }
  return { kind: type ?? 'str', value: parts.join('') };
}

function take(literal: string): { readonly prefix: string; readonly body: string } {
  const start = literal.search(/['"]/);
  const quote = literal[start] ?? '';
  const width = literal.length - start >= 6 && literal.startsWith(quote.repeat(3), start) ? 3 : 1;
  return { prefix: literal.slice(0, start).toLowerCase(), body: literal.slice(start + width, -width) };
}

const SIMPLE_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\n', ''],
  ['\\', '\\'],
  ["'", "'"],
  ['"', '"'],
  ['a', '\x07'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
]);

const HEX_DIGITS: ReadonlyMap<string, number> = new Map([
  ['x', 2],
  ['u', 4],
  ['U', 8],
]);

const NEXT_ESCAPE = /\\([0-7]{1,3}|[\s\S])/g;

function expandEscapes(body: string, type: 'str' | 'bytes', at: number): string | Stop {
  let text = '';
  let done = 0;
  NEXT_ESCAPE.lastIndex = 0;
  for (let found = NEXT_ESCAPE.exec(body); found !== null; found = NEXT_ESCAPE.exec(body)) {
    text += body.slice(done, found.index);
    const letter = found[1] ?? '';
    const digits = type === 'bytes' && letter !== 'x' ? undefined : HEX_DIGITS.get(letter);
    const expanded = digits === undefined ? plain(letter, type, at) : hexadecimal(body, found.index, digits, type, at);
    if (typeof expanded !== 'string') return expanded;
    text += expanded;
    NEXT_ESCAPE.lastIndex += digits ?? 0;
    done = NEXT_ESCAPE.lastIndex;
  }
  return text + body.slice(done);
}

// What is no escape keeps its backslash (2.4.1.1).
function plain(letter: string, type: 'str' | 'bytes', at: number): string | Stop {
  if (/^[0-7]/.test(letter)) {
    const code = Number.parseInt(letter, 8);
    return String.fromCharCode(type === 'bytes' ? code & 0xff : code);
  }
  if (letter === 'N' && type === 'str') return needsPython(at, 'a character by its name, \\N{...}');
  return SIMPLE_ESCAPES.get(letter) ?? `\\${letter}`;
}

function hexadecimal(body: string, from: number, count: number, type: 'str' | 'bytes', at: number): string | Stop {
  const letter = body[from + 1] ?? '';
  const digits = body.slice(from + 2, from + 2 + count);
  if (digits.length < count || !/^[0-9a-fA-F]+$/.test(digits)) {
    if (type === 'bytes') return syntaxError(at, `(value error) invalid \\x escape at position ${from}`);
    // In a str of Python 2 they are no escapes.
    if (letter !== 'x') return needsPython(at, PYTHON_2);
    const shape = `\\${letter}${'X'.repeat(count)}`;
    return syntaxError(
      at,
      `(unicode error) 'unicodeescape' codec can't decode the escape at position ${from}: truncated ${shape} escape`,
    );
  }
  const code = Number.parseInt(digits, 16);
  if (code > 0x10ffff) return needsPython(at, PYTHON_2);
  // Half a surrogate pair is a character of its own in Python and would join its neighbour here.
  if (code >= 0xd800 && code <= 0xdfff) return needsPython(at, 'half of a surrogate pair');
  return String.fromCodePoint(code);
}
