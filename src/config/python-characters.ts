// What the tokenizer does character by character. Loops and not expressions: a command reads one file and ends, so most of
// what an expression would cost is its compilation.

import { needsPython, type Stop, syntaxError } from './python-source.ts';

/** Whether an ASCII character may be part of a name or a number. */
export function isWord(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || (code >= 48 && code <= 57);
}

/** Whether a character is one of 0 to 9. */
export function isDigit(char: string): boolean {
  return char >= '0' && char <= '9';
}

/** The offset after blanks and form feeds. */
export function skipBlanks(text: string, start: number): number {
  let at = start;
  while (text[at] === ' ' || text[at] === '\t' || text[at] === '\f') at++;
  return at;
}

/** The offset after the letters, digits and underscores of ASCII. */
export function skipWord(text: string, start: number): number {
  let at = start;
  while (isWord(text.charCodeAt(at))) at++;
  return at;
}

/** The offset of the end of the line. */
export function skipLine(text: string, start: number): number {
  const end = text.indexOf('\n', start);
  return end === -1 ? text.length : end;
}

const OPERATORS: ReadonlySet<string> = new Set(
  (
    '**= //= >>= <<= ... ** // >> << -> += -= *= /= %= @= &= |= ^= <= >= == != := ' +
    '<> + - * / % @ & | ^ ~ < > = ( ) [ ] { } , : . ; ! ? $ `'
  ).split(' '),
);

/** The longest operator here, those that no rule of the grammar knows included; '' if there is none. */
export function operatorAt(text: string, at: number): string {
  for (let length = 3; length > 0; length--) {
    const operator = text.slice(at, at + length);
    if (OPERATORS.has(operator)) return operator;
  }
  return '';
}

/** Where a string literal ends: at its closing quote, or unclosed. */
export interface StringEnd {
  readonly at: number;
  readonly isClosed: boolean;
}

/** The end of a literal in single quotes. A backslash keeps the character after it from ending it, in raw ones too (2.4.1). */
export function findSingle(text: string, start: number, quote: string): StringEnd {
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (char === '\\') at++;
    else if (char === quote) return { at, isClosed: true };
    else if (char === '\n') return { at, isClosed: false };
  }
  return { at: text.length, isClosed: false };
}

/** The end of a literal in triple quotes. */
export function findTriple(text: string, start: number, quote: string): StringEnd {
  const closing = quote.repeat(3);
  for (let at = start; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === quote && text.startsWith(closing, at)) return { at, isClosed: true };
  }
  return { at: text.length, isClosed: false };
}

/** Why the characters here start no word. A name may hold letters of all scripts (2.3); which ones depends on the version. */
export function refuseCharacter(text: string, start: number): Stop {
  const run = /[\w\x80-\uffff]*/y;
  run.lastIndex = start;
  let at = start;
  for (const char of run.exec(text)?.[0] || (text[start] ?? '')) {
    if (!/[\w\p{XID_Continue}]/u.test(char)) return refuse(char, at);
    at += char.length;
  }
  return needsPython(start, 'a name with letters beyond ASCII');
}

function refuse(char: string, at: number): Stop {
  const code = `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  const isPrintable = !/[\p{C}\p{Z}]/u.test(char);
  return syntaxError(
    at,
    isPrintable ? `invalid character '${char}' (${code})` : `invalid non-printable character ${code}`,
  );
}
