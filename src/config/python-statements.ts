// Statements: Python Language Reference 7 and 8. Those that bind names one by one are read; the others are left to Python.

import { Cursor } from './python-cursor.ts';
import { readExpression, readExpressionList } from './python-expressions.ts';
import { checkFutures, readFrom, readImport } from './python-imports.ts';
import { needsPython, readSource, type Stop, syntaxError } from './python-source.ts';
import { describe, readTarget } from './python-targets.ts';
import { type Token, type Tokens, tokenize } from './python-tokens.ts';
import type { Expr, Statement, Target } from './python-tree.ts';

interface Parsed {
  readonly statements: readonly Statement[];
  readonly stop: Stop | undefined;
}

const LEFT_TO_PYTHON: ReadonlySet<string> = new Set(
  'assert async await break class continue def del for global if nonlocal raise return try while with yield'.split(' '),
);

const AUGMENTED: ReadonlySet<string> = new Set('+= -= *= /= //= %= @= &= |= ^= >>= <<= **='.split(' '));

/** A file as text with its statements, or why it has none. */
export interface ParsedFile extends Parsed {
  readonly text: string;
}

/** Parses a file from its bytes on. */
export function parseFile(bytes: Uint8Array): ParsedFile {
  const { text, stop } = readSource(bytes);
  return stop === undefined ? { text, ...parse(tokenize(text)) } : { text, stop, statements: [] };
}

// Like CPython, nothing of it counts unless all of it is sound.
function parse(words: Tokens): Parsed {
  const statements: Statement[] = [];
  const c = new Cursor(words.tokens);
  while (c.token.kind !== 'end' && c.stop === undefined) readLine(c, statements);
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

const UNEXPECTED_INDENT = 'IndentationError: unexpected indent';
const YIELDING = /^(?:IndentationError|TabError|SyntaxError: unexpected EOF|SyntaxError: unexpected character after)/;

function readLine(c: Cursor, into: Statement[]): true | undefined {
  if (isMainGuard(c)) return readMainGuard(c, into);
  return readSimpleLine(c, into);
}

function readSimpleLine(c: Cursor, into: Statement[]): true | undefined {
  if (c.token.kind === 'indent') return indentationError(c, c.token.at - 1, UNEXPECTED_INDENT);
  do {
    const statement = readSimple(c);
    if (statement === undefined) return undefined;
    into.push(statement);
  } while (c.take(';') && c.token.kind !== 'newline');
  c.next();
  return true;
}

function indentationError(c: Cursor, at: number, text: string): undefined {
  c.stop ??= { kind: 'invalid', at, text };
}

// A launcher may keep its call from those who import it (Python Library Reference, __main__).
function isMainGuard(c: Cursor): boolean {
  if (!c.isAt('if') || c.peek(2).text !== '==' || c.peek(4).text !== ':') return false;
  const sides = [c.peek(1).text, c.peek(3).text];
  return sides.includes('__name__') && sides.some((side) => side === "'__main__'" || side === '"__main__"');
}

function readMainGuard(c: Cursor, into: Statement[]): true | undefined {
  const { at } = c.token;
  for (let word = 0; word < 5; word++) c.next();
  const body: Statement[] = [];
  const isRead = c.token.kind === 'newline' ? readBlock(c, body) : readSimpleLine(c, body);
  if (isRead === undefined) return undefined;
  if (c.isAt('else') || c.isAt('elif')) return c.leaveToPython(c.token.at, statementOf(c.token.text));
  into.push({ kind: 'main-guard', at, body });
  return true;
}

function readBlock(c: Cursor, into: Statement[]): true | undefined {
  c.next();
  const { kind, at } = c.token;
  if (kind !== 'indent')
    return indentationError(c, at, "IndentationError: expected an indented block after 'if' statement");
  c.next();
  while (c.token.kind !== 'dedent') if (readSimpleLine(c, into) === undefined) return undefined;
  c.next();
  return true;
}

function readSimple(c: Cursor): Statement | undefined {
  const first = c.token;
  const second = c.peek();
  c.startStatement();
  const statement = readUnended(c);
  if (statement !== undefined && (c.isAt(';') || c.token.kind === 'newline')) return statement;
  c.stop ??= syntaxError(c.token.at, 'invalid syntax');
  if (c.stop.kind === 'invalid') c.stop = explain(c.stop, first, second);
  return undefined;
}

function statementOf(word: string): string {
  return /^[aeiou]/.test(word) ? `an ${word} statement` : `a ${word} statement`;
}

// Words that are no keywords and yet start statements: those of later versions, and those of Python 2.
function explain(stop: Stop, first: Token, second: Token): Stop {
  if (first.text === 'match' || first.text === 'type') return needsPython(first.at, statementOf(first.text));
  if (first.text !== 'print' || stop.at !== second.at) return stop;
  return syntaxError(first.at, "Missing parentheses in call to 'print'. Did you mean print(...)?");
}

function readUnended(c: Cursor): Statement | undefined {
  const { kind, text, at } = c.token;
  if (c.take('pass')) return { kind: 'pass', at };
  if (text === 'import') return readImport(c);
  if (text === 'from') return readFrom(c);
  if (text === '@') return c.leaveToPython(at, 'a decorator');
  if (kind === 'keyword' && LEFT_TO_PYTHON.has(text)) return c.leaveToPython(at, statementOf(text));
  const value = readExpressionList(c);
  if (value === undefined) return undefined;
  if (c.isAt(':')) return readAnnotated(c, value);
  if (AUGMENTED.has(c.token.text)) return readAugmented(c, value);
  if (c.isAt('=')) return readAssignment(c, value);
  return { kind: 'expression', at, value: unstarred(c, value) };
}

function unstarred(c: Cursor, value: Expr): Expr {
  if (value.kind === 'starred') c.refuseLater(value.at, "can't use starred expression here");
  return value;
}

function readAssignment(c: Cursor, first: Expr): Statement | undefined {
  const targets: Target[] = [];
  let value = first;
  while (c.take('=')) {
    const target = readTarget(c, value);
    const next = target && readExpressionList(c);
    if (target === undefined || next === undefined) return undefined;
    targets.push(target);
    value = next;
  }
  return { kind: 'assignment', at: first.at, targets, value: unstarred(c, value) };
}

function readAugmented(c: Cursor, target: Expr): Statement | undefined {
  if (target.kind === 'attribute' || target.kind === 'subscript') {
    return c.leaveToPython(target.at, `an assignment to ${describe(target)}`);
  }
  if (target.kind !== 'name') {
    return c.refuse(target.at, `'${describe(target)}' is an illegal expression for augmented assignment`);
  }
  const operator = c.next().text.slice(0, -1);
  const value = readExpressionList(c);
  return value && { kind: 'augmented', at: target.at, name: target.name, operator, value: unstarred(c, value) };
}

function readAnnotated(c: Cursor, target: Expr): Statement | undefined {
  if (target.kind === 'attribute' || target.kind === 'subscript') {
    return c.leaveToPython(target.at, `an annotation of ${describe(target)}`);
  }
  if (target.kind === 'sequence') {
    return c.refuse(target.at, `only single target (not ${target.type}) can be annotated`);
  }
  if (target.kind !== 'name') return c.refuse(target.at, 'illegal target for annotation');
  c.next();
  const annotation = readExpression(c);
  const value = annotation && c.take('=') ? readExpressionList(c) : undefined;
  if (annotation === undefined || c.stop !== undefined) return undefined;
  const { at, name } = target;
  return { kind: 'annotated', at, name, annotation, value: value && unstarred(c, value) };
}
