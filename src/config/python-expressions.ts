// Expressions: Python Language Reference 6, as far as the versions of Python 3 agree; the rest is left to a real one.

import { readArguments, readParameters } from './python-arguments.ts';
import { isAtComprehension, readClosing, readComprehension, startsExpression } from './python-brackets.ts';
import type { Cursor } from './python-cursor.ts';
import { readNumber, readStrings } from './python-literals.ts';
import { readName } from './python-names.ts';
import { isStop, type Stop } from './python-source.ts';
import type { Token } from './python-tokens.ts';
import type { Compared, Expr } from './python-tree.ts';
import type { PyValue } from './python-value.ts';

// 6.17 (operator precedence), the loosest first.
const LEVELS: ReadonlyMap<string, number> = new Map(
  [
    ['or'],
    ['and'],
    [],
    ['in', 'is', '<', '<=', '>', '>=', '==', '!='],
    ['|'],
    ['^'],
    ['&'],
    ['<<', '>>'],
    ['+', '-'],
    ['*', '@', '/', '//', '%'],
  ].flatMap((operators, level) => operators.map((operator): [string, number] => [operator, level + 1])),
);
const TRAILERS: ReadonlySet<string> = new Set(['.', '(', '[']);
const NOT = 3;
const COMPARISON = 4;
const BITWISE_OR = 5;

const CONSTANTS: ReadonlyMap<string, PyValue> = new Map<string, PyValue>([
  ['None', { kind: 'none' }],
  ['True', { kind: 'bool', value: true }],
  ['False', { kind: 'bool', value: false }],
]);

/** `expression` of the grammar: everything but a bare tuple or a starred item. */
export function readExpression(c: Cursor): Expr | undefined {
  return c.nest(() => {
    if (c.isAt('lambda')) return readLambda(c);
    const value = readOperation(c, 1);
    return value !== undefined && c.isAt('if') ? readConditional(c, value) : value;
  });
}

/** `star_expressions` of the grammar: what may stand alone in a statement, a bare tuple included. */
export function readExpressionList(c: Cursor): Expr | undefined {
  const first = readItem(c);
  if (first === undefined || !c.isAt(',')) return first;
  const items = [first];
  while (c.take(',') && startsExpression(c.token)) {
    const item = readItem(c);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return { kind: 'sequence', at: first.at, type: 'tuple', items };
}

function readItem(c: Cursor): Expr | undefined {
  const { at } = c.token;
  if (!c.take('*')) return readExpression(c);
  const of = readOperation(c, BITWISE_OR);
  return of && { kind: 'starred', at, of };
}

function readLambda(c: Cursor): Expr | undefined {
  const { at } = c.next();
  const defaults = readParameters(c, ':', readExpression);
  return defaults && readExpression(c) && { kind: 'opaque', at, what: 'a lambda', parts: defaults };
}

function readConditional(c: Cursor, value: Expr): Expr | undefined {
  c.next();
  const condition = readOperation(c, 1);
  if (condition === undefined) return undefined;
  if (!c.isAt('else')) return c.refuse(value.at, "expected 'else' after 'if' expression");
  c.next();
  const otherwise = readExpression(c);
  return otherwise && { kind: 'conditional', at: value.at, condition, chosen: value, otherwise };
}

/** `disjunction` of the grammar: no lambda and no conditional expression. */
export function readDisjunction(c: Cursor): Expr | undefined {
  return readOperation(c, 1);
}

/** Operators that bind at least as tightly as `level`, and their operands. */
function readOperation(c: Cursor, level: number): Expr | undefined {
  let left = level <= NOT && c.isAt('not') ? readUnary(c, () => readOperation(c, NOT)) : readFactor(c);
  let compared: Compared[] | undefined; // a chain that goes on, a < b < c; one in parentheses does not
  while (left !== undefined) {
    const operator = infix(c);
    const own = LEVELS.get(operator) ?? 0;
    if (own < level) return left;
    if (c.link() === undefined) return undefined;
    const word = readInfix(c);
    const right = readOperation(c, own + 1);
    if (right === undefined) return undefined;
    if (own !== COMPARISON) {
      left = { kind: 'binary', at: left.at, operator, left, right };
    } else if (compared === undefined) {
      compared = [{ operator: word, of: right }];
      left = { kind: 'comparison', at: left.at, first: left, rest: compared };
    } else {
      compared.push({ operator: word, of: right });
    }
  }
  return undefined;
}

function readInfix(c: Cursor): string {
  const word = c.next().text;
  if (word === 'not') return `not ${c.next().text}`;
  return word === 'is' && c.take('not') ? 'is not' : word;
}

// `not in` and `is not` are operators of two words; here they go by the name of the plain one.
function infix(c: Cursor): string {
  const { kind, text } = c.token;
  if (kind !== 'operator' && kind !== 'keyword') return '';
  return text === 'not' && c.peek().text === 'in' ? 'in' : text;
}

function readUnary(c: Cursor, readOperand: () => Expr | undefined): Expr | undefined {
  const { text: operator, at } = c.next();
  const of = c.nest(readOperand);
  return of && { kind: 'unary', at, operator, of };
}

function readFactor(c: Cursor): Expr | undefined {
  const { kind, text } = c.token;
  if (kind === 'operator' && (text === '-' || text === '+' || text === '~')) return readUnary(c, () => readFactor(c));
  const base = readPrimary(c);
  if (base === undefined || !c.take('**')) return base;
  const exponent = c.nest(() => readFactor(c));
  return exponent && { kind: 'binary', at: base.at, operator: '**', left: base, right: exponent };
}

function readPrimary(c: Cursor): Expr | undefined {
  let value = readAtom(c);
  while (value !== undefined && c.token.kind === 'operator' && TRAILERS.has(c.token.text)) {
    if (c.link() === undefined) return undefined;
    if (c.take('.')) value = readAttribute(c, value);
    else if (c.take('(')) value = readCall(c, value);
    else if (c.take('[')) value = readSubscript(c, value);
  }
  return value;
}

function readAttribute(c: Cursor, of: Expr): Expr | undefined {
  if (/^__.*__$/.test(c.token.text)) return c.leaveToPython(c.token.at, `the attribute ${c.token.text}`);
  const name = readName(c);
  return name === undefined ? undefined : { kind: 'attribute', at: of.at, of, name };
}

function readCall(c: Cursor, callee: Expr): Expr | undefined {
  const args = readArguments(c, readExpression, readDisjunction);
  return args && { kind: 'call', at: callee.at, callee, arguments: args };
}

function readSubscript(c: Cursor, of: Expr): Expr | undefined {
  const { at } = c.token;
  const parts: Expr[] = [];
  let what = '';
  do {
    // A starred item is legal from 3.11 on.
    if (c.isAt('*')) return c.leaveToPython(c.token.at, 'a starred subscript');
    const slice = readSlice(c);
    if (slice === undefined) return undefined;
    if (slice.what !== '') what = slice.what;
    parts.push(...slice.parts);
    if (c.isAt(',')) what = 'a subscript of several parts';
  } while (c.take(',') && !c.isAt(']'));
  const [index] = parts;
  if (c.expect(']') === undefined) return undefined;
  const whole: Expr = what === '' && index !== undefined ? index : { kind: 'opaque', at, what, parts };
  return { kind: 'subscript', at: of.at, of, index: whole };
}

function readSlice(c: Cursor): { readonly what: string; readonly parts: readonly Expr[] } | undefined {
  const parts: Expr[] = [];
  const first = c.isAt(':') ? undefined : readExpression(c);
  if (first === undefined && c.stop !== undefined) return undefined;
  if (first !== undefined) parts.push(first);
  const what = c.isAt(':') ? 'a slice' : '';
  for (let colons = 0; colons < 2 && c.take(':'); colons++) {
    if (!startsExpression(c.token)) continue;
    const bound = readExpression(c);
    if (bound === undefined) return undefined;
    parts.push(bound);
  }
  return { what, parts };
}

function readAtom(c: Cursor): Expr | undefined {
  const { kind, text, at } = c.token;
  if (kind === 'name') return readName(c) === undefined ? undefined : { kind: 'name', at, name: text };
  if (kind === 'number') return constant(c, at, readNumber(c.next()));
  if (kind === 'string') return readStringLiterals(c);
  if (c.take('(')) return readParenthesis(c, at);
  if (c.take('[')) return readList(c, at);
  if (c.take('{')) return readBraces(c, at);
  if (c.take('...')) return { kind: 'constant', at, value: { kind: 'ellipsis' } };
  const value = CONSTANTS.get(text);
  if (kind === 'keyword' && value !== undefined) return constant(c, c.next().at, value);
  if (text === 'yield' || text === 'await') return c.leaveToPython(at, text);
  return c.refuse();
}

function constant(c: Cursor, at: number, value: PyValue | Stop): Expr | undefined {
  if (!isStop(value)) return { kind: 'constant', at, value };
  c.stop ??= value;
  return undefined;
}

function readStringLiterals(c: Cursor): Expr | undefined {
  const literals: Token[] = [];
  while (c.token.kind === 'string') literals.push(c.next());
  return constant(c, literals[0]?.at ?? 0, readStrings(literals));
}

// 6.2.3: parentheses hold nothing, one expression, a tuple or a generator.
function readParenthesis(c: Cursor, at: number): Expr | undefined {
  if (c.take(')')) return { kind: 'sequence', at, type: 'tuple', items: [] };
  const first = readItem(c);
  if (first === undefined) return undefined;
  if (isAtComprehension(c)) return readBuilt(c, first, ')', 'a generator expression');
  if (c.isAt(',')) return readItems(c, at, 'tuple', first);
  if (first.kind === 'starred') return c.refuse(first.at, 'cannot use starred expression here');
  return readClosing(c, ')', first, readExpression) && first;
}

function readList(c: Cursor, at: number): Expr | undefined {
  if (c.take(']')) return { kind: 'sequence', at, type: 'list', items: [] };
  const first = readItem(c);
  if (first === undefined) return undefined;
  return isAtComprehension(c) ? readBuilt(c, first, ']', 'a list comprehension') : readItems(c, at, 'list', first);
}

function readItems(c: Cursor, at: number, type: 'list' | 'tuple' | 'set', first: Expr): Expr | undefined {
  const closing = type === 'list' ? ']' : type === 'tuple' ? ')' : '}';
  const items = [first];
  let last = first;
  while (c.take(',') && !c.isAt(closing)) {
    const item = readItem(c);
    if (item === undefined) return undefined;
    items.push(item);
    last = item;
  }
  if (readClosing(c, closing, last, readExpression) === undefined) return undefined;
  return type === 'set' ? { kind: 'hashed', at, type, keys: items, values: [] } : { kind: 'sequence', at, type, items };
}

function readBraces(c: Cursor, at: number): Expr | undefined {
  if (c.take('}')) return { kind: 'hashed', at, type: 'dict', keys: [], values: [] };
  if (c.isAt('**')) return readDict(c, at, undefined);
  const first = readItem(c);
  if (first === undefined) return undefined;
  if (c.isAt(':') && first.kind !== 'starred') return readDict(c, at, first);
  return isAtComprehension(c) ? readBuilt(c, first, '}', 'a set comprehension') : readItems(c, at, 'set', first);
}

// The first key is read already, unless the first entry is an unpacking.
function readDict(c: Cursor, at: number, firstKey: Expr | undefined): Expr | undefined {
  const keys: Expr[] = [];
  const values: Expr[] = [];
  let last: Expr | undefined;
  do {
    const key = keys.length === 0 && firstKey !== undefined ? firstKey : readKey(c);
    if (key === undefined) return undefined;
    last = key;
    if (key.kind !== 'starred') {
      last = c.expect(':') && readExpression(c);
      if (last === undefined) return undefined;
      values.push(last);
      if (keys.length === 0 && isAtComprehension(c)) return readBuilt(c, key, '}', 'a dict comprehension');
    }
    keys.push(key);
  } while (c.take(',') && !c.isAt('}'));
  return readClosing(c, '}', last, readExpression) && { kind: 'hashed', at, type: 'dict', keys, values };
}

function readKey(c: Cursor): Expr | undefined {
  const { at } = c.token;
  if (!c.take('**')) return readExpression(c);
  const of = readOperation(c, BITWISE_OR);
  return of && { kind: 'starred', at, of };
}

function readBuilt(c: Cursor, item: Expr, closing: string, what: string): Expr | undefined {
  const built = readComprehension(c, item, what, readDisjunction);
  return built && c.expect(closing) && built;
}
