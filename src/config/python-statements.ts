// From the bytes of a file to its statements, or to the one reason why it has none.

import { readStatement } from './python-compounds.ts';
import { Cursor } from './python-cursor.ts';
import { checkFutures } from './python-imports.ts';
import { UNEXPECTED_INDENT, type Where } from './python-simple.ts';
import { readSource, type Stop } from './python-source.ts';
import { type Tokens, tokenize } from './python-tokens.ts';
import type { Statement } from './python-tree.ts';

interface Parsed {
  readonly statements: readonly Statement[];
  readonly stop: Stop | undefined;
}

/** A file as text with its statements, or why it has none. */
export interface ParsedFile extends Parsed {
  readonly text: string;
}

/** Parses a file from its bytes on. */
export function parseFile(bytes: Uint8Array): ParsedFile {
  const { text, stop } = readSource(bytes);
  if (stop !== undefined) return { text, stop, statements: [] };
  const parsed = parse(tokenize(text));
  return { text, statements: parsed.statements, stop: parsed.stop && keepInside(parsed.stop, text) };
}

// What is missing at the end is missed on the last line, not on the one after it.
function keepInside(stop: Stop, text: string): Stop {
  return stop.at > 0 && stop.at === text.length ? { ...stop, at: text.length - 1 } : stop;
}

const OUTSIDE: Where = { isInFunction: false, isInLoop: false, isInFinally: false, blocks: 0 };

// Like CPython, nothing of it counts unless all of it is sound.
function parse(words: Tokens): Parsed {
  const statements: Statement[] = [];
  const c = new Cursor(words.tokens);
  while (c.token.kind !== 'end' && c.stop === undefined) readStatement(c, OUTSIDE, statements);
  const found = c.stop?.kind === 'invalid' ? c.stop : (checkFutures(statements) ?? c.later ?? c.stop);
  return { statements, stop: choose(found, words) };
}

// Which of several faults CPython reports: Parser/pegen.c, _PyPegen_run_parser, and Parser/pegen_errors.c.
function choose(found: Stop | undefined, { stop, unclosed }: Tokens): Stop | undefined {
  const end = unclosed ?? stop;
  if (end === undefined) return found;
  const isFirst = found?.kind === 'invalid' && found.at < end.at;
  if (stop === undefined || YIELDING.test(stop.text)) return isFirst ? found : end;
  // What the tokenizer refuses comes first, wherever it stands, but for an indentation that the parser has met before.
  return isFirst && found.text === UNEXPECTED_INDENT ? found : stop;
}

const YIELDING = /^(?:IndentationError|SyntaxError: unexpected EOF|SyntaxError: unexpected character after)/;
