// Statements that hold others: Python Language Reference 8, as far as the versions of Python 3 agree.

import { readLoopNames } from './python-brackets.ts';
import type { Cursor } from './python-cursor.ts';
import { readClass, readDecorated, readDef } from './python-definitions.ts';
import { readExpression, readExpressionList } from './python-expressions.ts';
import { readName } from './python-names.ts';
import { indentationError, readSimpleLine, type Where } from './python-simple.ts';
import { PYTHON_2 } from './python-source.ts';
import type { Branch, Expr, Statement } from './python-tree.ts';

// CPython allows 20 loops, tries and withs in each other (Python/compile.c, CO_MAXBLOCKS).
const DEEPEST = 15;

/** The next statement, or the statements of the next line. */
export function readStatement(c: Cursor, where: Where, into: Statement[]): true | undefined {
  const { kind, text } = c.token;
  const isCompound = kind === 'keyword' || text === '@';
  const read = isCompound ? readCompound(c, where) : 'simple';
  if (read === 'simple') return readSimpleLine(c, where, into);
  if (read !== undefined) into.push(read);
  return read && true;
}

function readCompound(c: Cursor, where: Where): Statement | 'simple' | undefined {
  const { text, at } = c.token;
  switch (text) {
    case 'if':
      return readIf(c, where);
    case 'for':
      return readFor(c, where);
    case 'while':
      return readWhile(c, where);
    case 'try':
      return readTry(c, where);
    case 'with':
      return readWith(c, where);
    case 'def':
      return readDef(c, at, [], where, readBlock);
    case 'class':
      return readClass(c, at, [], where, readBlock);
    case '@':
      return readDecorated(c, where, readBlock);
    default:
      return 'simple';
  }
}

/** A colon and what follows: simple statements on the same line, or lines that are indented. */
export function readBlock(c: Cursor, where: Where, after: string): readonly Statement[] | undefined {
  if (!c.isAt(':')) return c.isOf('newline') ? c.refuse(c.token.at, "expected ':'") : c.refuse();
  c.next();
  const body: Statement[] = [];
  if (!c.isOf('newline')) return readSimpleLine(c, where, body) && body;
  c.next();
  if (!c.isOf('indent'))
    return indentationError(c, c.token.at, `IndentationError: expected an indented block after ${after}`);
  c.next();
  while (!c.isOf('dedent')) if (readStatement(c, where, body) === undefined) return undefined;
  c.next();
  return body;
}

function readIf(c: Cursor, where: Where): Statement | undefined {
  const { at } = c.token;
  const branches: Branch[] = [];
  while (c.isAt(branches.length === 0 ? 'if' : 'elif')) {
    const word = c.next().text;
    c.startStatement();
    const condition = readExpression(c);
    const body = condition && readBlock(c, where, `'${word}' statement`);
    if (body === undefined) return undefined;
    branches.push({ condition, body });
  }
  const body = readElse(c, where);
  if (body === undefined) return undefined;
  return { kind: 'if', at, branches: [...branches, { condition: undefined, body }] };
}

function readElse(c: Cursor, where: Where): readonly Statement[] | undefined {
  return c.take('else') ? readBlock(c, where, "'else' statement") : [];
}

function enter(c: Cursor, where: Where): Where | undefined {
  const blocks = where.blocks + 1;
  return blocks > DEEPEST ? c.leaveToPython(c.token.at, 'deeply nested statements') : { ...where, blocks };
}

function readFor(c: Cursor, where: Where): Statement | undefined {
  const inner = enter(c, where);
  const { at } = c.next();
  c.startStatement();
  const binds = inner && readLoopNames(c, 'in');
  const values = binds && readIterated(c);
  return inner && binds && values && readLoop(c, inner, { at, word: 'for', heads: [values], binds });
}

// A starred item in a bare tuple is legal here from 3.9 on.
function readIterated(c: Cursor): Expr | undefined {
  const { at } = c.token;
  const values = readExpressionList(c);
  const isBare = values?.kind === 'sequence' && values.at === values.items[0]?.at;
  const isStarred = isBare && values.items.some(({ kind }) => kind === 'starred');
  return isStarred || values?.kind === 'starred' ? c.leaveToPython(at, 'a starred loop') : values;
}

function readWhile(c: Cursor, where: Where): Statement | undefined {
  const inner = enter(c, where);
  const { at } = c.next();
  c.startStatement();
  const condition = inner && readExpression(c);
  return condition && readLoop(c, inner, { at, word: 'while', heads: [condition], binds: [] });
}

type Head = Omit<Extract<Statement, { kind: 'block' }>, 'kind' | 'bodies'>;

function readLoop(c: Cursor, where: Where, head: Head): Statement | undefined {
  const body = readBlock(c, { ...where, isInLoop: true, isInFinally: false }, `'${head.word}' statement`);
  // In `else` the loop is over.
  const otherwise = body && readElse(c, { ...where, blocks: where.blocks - 1 });
  return otherwise && { kind: 'block', ...head, bodies: [body, otherwise] };
}

function readTry(c: Cursor, where: Where): Statement | undefined {
  const inner = enter(c, where);
  const { at } = c.next();
  const first = inner && readBlock(c, inner, "'try' statement");
  if (inner === undefined || first === undefined) return undefined;
  const handlers: Handlers = { heads: [], binds: [], bodies: [first], isClosed: false };
  while (c.isAt('except')) if (readExcept(c, inner, handlers) === undefined) return undefined;
  if (handlers.bodies.length === 1 && !c.isAt('finally')) {
    return c.refuse(c.token.at, "expected 'except' or 'finally' block");
  }
  const otherwise = handlers.bodies.length > 1 ? readElse(c, inner) : [];
  const isFinal = otherwise !== undefined && c.take('finally');
  const last = isFinal ? readBlock(c, { ...inner, isInFinally: true }, "'finally' statement") : otherwise;
  if (otherwise === undefined || last === undefined) return undefined;
  const { heads, binds, bodies } = handlers;
  return { kind: 'block', at, word: 'try', heads, binds, bodies: [...bodies, otherwise, last] };
}

interface Handlers {
  readonly heads: Expr[];
  readonly binds: string[];
  readonly bodies: (readonly Statement[])[];
  isClosed: boolean; // by an `except:` that catches everything
}

function readExcept(c: Cursor, where: Where, into: Handlers): true | undefined {
  const { at } = c.next();
  c.startStatement();
  if (into.isClosed) c.refuseLater(at, "default 'except:' must be last");
  // `except*` came with Python 3.11.
  if (c.isAt('*')) return c.leaveToPython(at, 'an except* clause');
  if (c.isAt(':')) into.isClosed = true;
  else if (readCaught(c, into) === undefined) return undefined;
  const body = readBlock(c, where, "'except' statement");
  if (body === undefined) return undefined;
  into.bodies.push(body);
  return true;
}

function readCaught(c: Cursor, into: Handlers): true | undefined {
  const type = readExpression(c);
  if (type === undefined) return undefined;
  into.heads.push(type);
  // In Python 2 the name follows a comma; from 3.14 on another type does.
  if (c.isAt(',')) return c.leaveToPython(c.token.at, PYTHON_2);
  const name = c.take('as') ? readName(c) : '';
  if (name === undefined) return undefined;
  if (name !== '') into.binds.push(name);
  return true;
}

function readWith(c: Cursor, where: Where): Statement | undefined {
  const inner = enter(c, where);
  const { at } = c.next();
  c.startStatement();
  const heads: Expr[] = [];
  const binds: string[] = [];
  do {
    // From 3.9 on parentheses may hold the whole list.
    if (c.isAt('(')) return c.leaveToPython(at, 'a with statement with parentheses');
    const manager = inner && readExpression(c);
    if (manager === undefined) return undefined;
    heads.push(manager);
    if (!c.take('as')) continue;
    const name = c.token.kind === 'name' ? readName(c) : c.leaveToPython(at, 'an unusual with statement');
    if (name === undefined) return undefined;
    if (!(c.isAt(',') || c.isAt(':'))) return c.leaveToPython(at, 'an unusual with statement');
    binds.push(name);
  } while (c.take(','));
  const body = inner && readBlock(c, inner, "'with' statement");
  return body && { kind: 'block', at, word: 'with', heads, binds, bodies: [body] };
}
