// What the kinds of brackets have in common: how they end, and comprehensions (Python Language Reference 6.2.4).

import type { Cursor } from './python-cursor.ts';
import { readName } from './python-names.ts';
import type { Token } from './python-tokens.ts';
import type { Expr } from './python-tree.ts';

/** A rule of the grammar that gives an expression. */
export type ReadExpr = (c: Cursor) => Expr | undefined;

/** Whether an expression can start with this word. */
export function startsExpression({ kind, text }: Token): boolean {
  if (kind === 'keyword') return /^(?:None|True|False|not|lambda|await|yield)$/.test(text);
  if (kind === 'operator') return /^(?:[-+~([{*]|\.\.\.)$/.test(text);
  return kind === 'name' || kind === 'number' || kind === 'string';
}

/** The bracket after the last item; CPython guesses that a comma is missing where another expression follows instead. */
export function readClosing(c: Cursor, closing: string, last: Expr, readExpression: ReadExpr): true | undefined {
  if (c.take(closing)) return true;
  const isPrefixed = last.kind === 'name' && c.token.kind === 'string';
  if (isPrefixed || !startsExpression(c.token) || c.isAt('*')) return c.refuse();
  return readExpression(c) && c.refuse(last.at, 'invalid syntax. Perhaps you forgot a comma?');
}

/** Whether the expression before was the first part of a comprehension. */
export function isAtComprehension(c: Cursor): boolean {
  return c.isAt('for') || c.isAt('async');
}

/** The `for` and `if` parts of a comprehension; the names they bind are its own. */
export function readComprehension(c: Cursor, item: Expr, what: string, readDisjunction: ReadExpr): Expr | undefined {
  if (item.kind === 'starred') return c.refuse(item.at, 'iterable unpacking cannot be used in comprehension');
  const parts: Expr[] = [item];
  while (isAtComprehension(c)) {
    if (c.isAt('async')) return c.leaveToPython(c.token.at, 'async');
    c.next();
    if (readLoopNames(c, 'in') === undefined) return undefined;
    do {
      const part = readDisjunction(c);
      if (part === undefined) return undefined;
      parts.push(part);
    } while (c.take('if'));
  }
  return { kind: 'opaque', at: item.at, what, parts };
}

/** Names, and brackets around names; the attributes, items and starred names that may stand here too are left to Python. */
export function readLoopNames(c: Cursor, end: string): string[] | undefined {
  const names: string[] = [];
  do {
    if (c.isAt('*')) return c.leaveToPython(c.token.at, 'a starred loop variable');
    const read = readLoopName(c);
    if (read === undefined) return undefined;
    names.push(...read);
  } while (c.take(',') && !c.isAt(end));
  if (c.isAt('.') || c.isAt('[') || c.isAt('(')) return c.leaveToPython(c.token.at, 'an unusual loop variable');
  return c.expect(end) && names;
}

function readLoopName(c: Cursor): readonly string[] | undefined {
  const closing = c.take('(') ? ')' : c.take('[') ? ']' : undefined;
  if (closing !== undefined) return c.take(closing) ? [] : readLoopNames(c, closing);
  const name = readName(c);
  return name === undefined ? undefined : [name];
}
