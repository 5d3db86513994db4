// Statements that fit on one line: Python Language Reference 7, as far as the versions of Python 3 agree.

import type { Cursor } from './python-cursor.ts';
import { readExpression, readExpressionList } from './python-expressions.ts';
import { readFrom, readImport } from './python-imports.ts';
import { needsPython, PYTHON_2, type Stop, syntaxError } from './python-source.ts';
import { describe, readTarget } from './python-targets.ts';
import type { Token } from './python-tokens.ts';
import type { Expr, Statement, Target } from './python-tree.ts';

/** What a statement stands in, which says where `return`, `break` and `continue` may be. */
export interface Where {
  readonly isInFunction: boolean;
  readonly isInLoop: boolean;
  readonly isInFinally: boolean;
  readonly blocks: number; // loops, tries and withs around it
}

/** Statements up to the end of the line. */
export function readSimpleLine(c: Cursor, where: Where, into: Statement[]): true | undefined {
  if (c.token.kind === 'indent') return indentationError(c, c.token.at - 1, UNEXPECTED_INDENT);
  do {
    const statement = readSimple(c, where);
    if (statement === undefined) return undefined;
    into.push(statement);
  } while (c.take(';') && c.token.kind !== 'newline');
  c.next();
  return true;
}

/** Stops at an indentation that is wrong. */
export function indentationError(c: Cursor, at: number, text: string): undefined {
  c.stop ??= { kind: 'invalid', at, text };
}

export const UNEXPECTED_INDENT = 'IndentationError: unexpected indent';

function readSimple(c: Cursor, where: Where): Statement | undefined {
  const first = c.token;
  const second = c.peek();
  c.startStatement();
  const statement = readUnended(c, where);
  if (statement !== undefined && (c.isAt(';') || c.token.kind === 'newline')) return statement;
  c.stop ??= syntaxError(c.token.at, 'invalid syntax');
  if (c.stop.kind === 'invalid') c.stop = explain(c.stop, c.token, first, second);
  return undefined;
}

/** A kind of statement, in words. */
export function statementOf(word: string): string {
  return /^[aeiou]/.test(word) ? `an ${word} statement` : `a ${word} statement`;
}

// Words that are no keywords and yet start statements: those of later versions, and those of Python 2.
function explain(stop: Stop, last: Token, first: Token, second: Token): Stop {
  if (first.text === 'match' || first.text === 'type') return needsPython(first.at, statementOf(first.text));
  if (first.text === 'print' && stop.at === second.at) return needsPython(first.at, PYTHON_2);
  const isLaterKeyword = last.text === 'async' || last.text === 'await' || last.text === 'nonlocal';
  return isLaterKeyword && stop.at === last.at ? needsPython(last.at, PYTHON_2) : stop;
}

function readUnended(c: Cursor, where: Where): Statement | undefined {
  const { kind, text, at } = c.token;
  if (kind === 'keyword') {
    switch (text) {
      case 'pass':
        c.next();
        return { kind: 'pass', at };
      case 'import':
        return readImport(c);
      case 'from':
        return readFrom(c);
      case 'del':
        return readDelete(c);
      case 'return':
      case 'break':
      case 'continue':
      case 'raise':
      case 'assert':
        return readJump(c, text, where);
      case 'async':
      case 'await':
      case 'global':
      case 'nonlocal':
      case 'yield':
        return c.leaveToPython(at, statementOf(text));
      default:
    }
  }
  const value = readExpressionList(c);
  if (value === undefined) return undefined;
  if (c.isAt(':')) return readAnnotated(c, value);
  if (AUGMENTED.has(c.token.text)) return readAugmented(c, value);
  if (c.isAt('=')) return readAssignment(c, value);
  return { kind: 'expression', at, value: unstarred(c, value) };
}

const AUGMENTED: ReadonlySet<string> = new Set('+= -= *= /= //= %= @= &= |= ^= >>= <<= **='.split(' '));

type Jump = Extract<Statement, { kind: 'jump' }>['word'];

function readJump(c: Cursor, word: Jump, where: Where): Statement | undefined {
  const { at } = c.next();
  const isEmpty = c.isAt(';') || c.token.kind === 'newline';
  switch (word) {
    case 'return':
      if (!where.isInFunction) c.refuseLater(at, "'return' outside function");
      return isEmpty ? { kind: 'jump', at, word, values: [] } : readReturn(c, at);
    case 'break':
    case 'continue':
      // Python 3.8 allowed `continue` in `finally`.
      if (word === 'continue' && where.isInFinally) return c.leaveToPython(at, 'a continue in finally');
      if (!where.isInLoop) c.refuseLater(at, LOOPLESS[word]);
      return { kind: 'jump', at, word, values: [] };
    case 'raise':
      return isEmpty ? { kind: 'jump', at, word, values: [] } : readOperands(c, word, at, 'from');
    case 'assert':
      return readOperands(c, word, at, ',');
    default:
      return word satisfies never;
  }
}

const LOOPLESS = { break: "'break' outside loop", continue: "'continue' not properly in loop" } as const;

function readReturn(c: Cursor, at: number): Statement | undefined {
  const value = readExpressionList(c);
  if (value === undefined) return undefined;
  // `return *a, b` came with Python 3.8.
  const isStarred = value.kind === 'sequence' && value.items.some(({ kind }) => kind === 'starred');
  if (isStarred && value.at === value.items[0]?.at) return c.leaveToPython(at, 'a starred return');
  return { kind: 'jump', at, word: 'return', values: [unstarred(c, value)] };
}

// `raise E, "text"` is of Python 2.
function readOperands(c: Cursor, word: 'raise' | 'assert', at: number, between: string): Statement | undefined {
  const first = readExpression(c);
  if (first === undefined) return undefined;
  if (word === 'raise' && c.isAt(',')) return c.leaveToPython(at, PYTHON_2);
  const second = c.take(between) ? readExpression(c) : first;
  return second && { kind: 'jump', at, word, values: [first, second] };
}

function readDelete(c: Cursor): Statement | undefined {
  const { at } = c.next();
  const value = readExpressionList(c);
  if (value === undefined) return undefined;
  const items = value.kind === 'sequence' && value.items.length > 0 ? value.items : [value];
  const targets: Target[] = [];
  for (const item of items) {
    if (item.kind !== 'name' && item.kind !== 'attribute' && item.kind !== 'subscript') {
      return c.leaveToPython(at, 'an unusual del statement');
    }
    targets.push(item.kind === 'name' ? item : { kind: 'place', of: item });
  }
  return { kind: 'delete', at, targets };
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
  if (target.kind !== 'name' && target.kind !== 'attribute' && target.kind !== 'subscript') {
    return c.refuse(target.at, `'${describe(target)}' is an illegal expression for augmented assignment`);
  }
  const operator = c.next().text.slice(0, -1);
  const value = readExpressionList(c);
  const to: Extract<Statement, { kind: 'augmented' }>['target'] =
    target.kind === 'name' ? target : { kind: 'place', of: target };
  return value && { kind: 'augmented', at: target.at, target: to, operator, value: unstarred(c, value) };
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
