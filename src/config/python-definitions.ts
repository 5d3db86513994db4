// Functions and classes: Python Language Reference 8.7 and 8.8.

import { readArguments, readParameters } from './python-arguments.ts';
import type { Cursor } from './python-cursor.ts';
import { readDisjunction, readExpression } from './python-expressions.ts';
import { readName } from './python-names.ts';
import type { Where } from './python-simple.ts';
import type { Definition, Expr, Statement } from './python-tree.ts';

/** A rule of the grammar that gives the statements after a colon. */
type ReadBlock = (c: Cursor, where: Where, after: string) => readonly Statement[] | undefined;

/** `def name(parameters) -> type:` */
export function readDef(
  c: Cursor,
  at: number,
  decorators: readonly Expr[],
  where: Where,
  readBlock: ReadBlock,
): Definition | undefined {
  c.next();
  c.startStatement();
  const name = readName(c);
  if (name === undefined) return undefined;
  if (c.isAt('[')) return c.leaveToPython(c.token.at, 'type parameters');
  if (c.expect('(') === undefined) return undefined;
  const isPlain = decorators.length === 0 && c.isAt(')');
  const parts = readParameters(c, ')', readExpression);
  const result = parts && readResult(c);
  if (parts === undefined || result === undefined) return undefined;
  const inside: Where = { ...where, isInFunction: true, isInLoop: false, isInFinally: false, blocks: 0 };
  const body = readBlock(c, inside, 'function definition');
  return (
    body && { kind: 'definition', at, type: 'def', name, isPlain, heads: [...decorators, ...parts, ...result], body }
  );
}

function readResult(c: Cursor): readonly Expr[] | undefined {
  if (!c.take('->')) return [];
  const type = readExpression(c);
  return type && [type];
}

/** `class name(bases):` */
export function readClass(
  c: Cursor,
  at: number,
  decorators: readonly Expr[],
  where: Where,
  readBlock: ReadBlock,
): Definition | undefined {
  c.next();
  c.startStatement();
  const name = readName(c);
  if (name === undefined) return undefined;
  if (c.isAt('[')) return c.leaveToPython(c.token.at, 'type parameters');
  const bases = c.take('(') ? readArguments(c, readExpression, readDisjunction) : [];
  if (bases === undefined) return undefined;
  // A generator without parentheses of its own is an argument of a call only.
  if (bases.some(({ value }) => value.kind === 'opaque' && value.what === 'a generator expression')) {
    return c.leaveToPython(at, 'a generator as a base');
  }
  const inside: Where = { ...where, isInFunction: false, isInLoop: false, isInFinally: false, blocks: 0 };
  const body = readBlock(c, inside, 'class definition');
  const heads = [...decorators, ...bases.map(({ value }) => value)];
  return body && { kind: 'definition', at, type: 'class', name, isPlain: false, heads, body };
}

/** `@decorator` lines and what they decorate. */
export function readDecorated(c: Cursor, where: Where, readBlock: ReadBlock): Definition | undefined {
  const { at } = c.token;
  const decorators: Expr[] = [];
  while (c.take('@')) {
    c.startStatement();
    const decorator = readExpression(c);
    if (decorator === undefined) return undefined;
    // Until 3.9 it had to be a dotted name, perhaps called.
    const named = decorator.kind === 'call' ? decorator.callee : decorator;
    if (!isDotted(named)) return c.leaveToPython(at, 'an unusual decorator');
    decorators.push(decorator);
    if (c.token.kind !== 'newline') return c.refuse();
    c.next();
  }
  if (c.isAt('def')) return readDef(c, at, decorators, where, readBlock);
  if (c.isAt('class')) return readClass(c, at, decorators, where, readBlock);
  return c.isAt('async') ? c.leaveToPython(c.token.at, 'an async statement') : c.refuse();
}

function isDotted(expr: Expr): boolean {
  return expr.kind === 'name' || (expr.kind === 'attribute' && isDotted(expr.of));
}
