// The values of expressions that need no running Python: literals, names assigned from them, and exact arithmetic.

import { isPredefined } from './python-names.ts';
import { calculate, negate } from './python-operators.ts';
import type { Stop } from './python-source.ts';
import type { Expr } from './python-tree.ts';
import { type PyValue, typeName } from './python-value.ts';

/** A value that only a running Python has: the expression that is needed for it, and what that is in an operator's words. */
export interface Unknown {
  readonly kind: 'unknown';
  readonly at: number;
  readonly what: string;
  readonly cause: string; // what the expression goes back to, through all the names between
}

/** A value that only a running Python has, from its first expression on. */
export function unknown(at: number, what: string, cause: string = what): Unknown {
  return { kind: 'unknown', at, what, cause };
}

/** What a name stands for. */
export interface Binding {
  readonly value: PyValue | Unknown;
  readonly at: number; // of the expression
  readonly unseen: number; // how much had been passed over by then
  readonly path: string | undefined; // the dotted name of what an import bound
}

/** The names of a file while its statements are followed. */
export interface Scope {
  readonly names: Map<string, Binding>;
  /** How many imports, calls and the like were passed over: each may have changed a list, or made a new built-in name. */
  unseen: number;
}

/** The value of an expression; an `invalid` Stop when it certainly raises. */
export function evaluate(expr: Expr, scope: Scope): PyValue | Unknown | Stop {
  switch (expr.kind) {
    case 'constant':
      return expr.value;
    case 'name':
      return lookUp(expr.name, expr.at, scope);
    case 'sequence':
      return evaluateItems(expr.items, scope, (items) => ({ kind: expr.type, items }));
    case 'hashed':
      return evaluateHashed(expr.keys, expr.values, scope, { kind: expr.type });
    case 'unary':
      return evaluateUnary(expr.operator, expr.at, evaluate(expr.of, scope));
    case 'binary':
      return evaluateBinary(expr, scope);
    case 'starred':
      return unknown(expr.at, 'an unpacking');
    case 'attribute':
      return unknown(expr.at, 'an attribute');
    case 'subscript':
      return unknown(expr.at, 'a subscript');
    case 'call':
      return unknown(expr.at, 'a function call');
    case 'opaque':
      return unknown(expr.at, expr.what);
    default:
      return expr satisfies never;
  }
}

/** Whether evaluation gave a value. */
export function isKnown(result: PyValue | Unknown | Stop): result is PyValue {
  return result.kind !== 'unknown' && result.kind !== 'invalid' && result.kind !== 'needs-python';
}

function lookUp(name: string, at: number, scope: Scope): PyValue | Unknown | Stop {
  const value = scope.names.get(name)?.value;
  if (value === undefined) {
    if (isPredefined(name)) return unknown(at, `the built-in name ${name}`);
    if (scope.unseen > 0) return unknown(at, `the name ${name}, which is not assigned here`);
    return { kind: 'invalid', at, text: `NameError: name '${name}' is not defined` };
  }
  if (value.kind === 'unknown') return unknown(at, `the name ${name}, which holds ${value.cause}`, value.cause);
  // Two names may share a list, and a change by one is seen by the other.
  if (isContainer(value)) return unknown(at, `the name ${name}, which holds a ${typeName(value)}`);
  return value;
}

/** Whether a value may hold others, and so change or be found changed. */
export function isContainer(value: PyValue): boolean {
  return value.kind === 'list' || value.kind === 'tuple' || value.kind === 'set' || value.kind === 'dict';
}

function evaluateItems(
  exprs: readonly Expr[],
  scope: Scope,
  combine: (items: readonly PyValue[]) => PyValue,
): PyValue | Unknown | Stop {
  const items: PyValue[] = [];
  for (const expr of exprs) {
    const item = evaluate(expr, scope);
    if (!isKnown(item)) return item;
    items.push(item);
  }
  return combine(items);
}

// Each key comes before its value (6.2.7). A container as a key may be more than Python can hash.
function evaluateHashed(
  keys: readonly Expr[],
  values: readonly Expr[],
  scope: Scope,
  whole: PyValue,
): PyValue | Unknown | Stop {
  for (const [index, expr] of keys.entries()) {
    const key = evaluate(expr, scope);
    if (!isKnown(key)) return key;
    if (isContainer(key)) return unknown(expr.at, `a ${typeName(key)} as a key`);
    const value = values[index];
    const held = value === undefined ? key : evaluate(value, scope);
    if (!isKnown(held)) return held;
  }
  return whole;
}

function evaluateUnary(operator: string, at: number, operand: PyValue | Unknown | Stop): PyValue | Unknown | Stop {
  if (!isKnown(operand)) return operand;
  return negate(operator, operand) ?? unknown(at, `the operation ${operator} ${typeName(operand)}`);
}

function evaluateBinary(expr: Extract<Expr, { kind: 'binary' }>, scope: Scope): PyValue | Unknown | Stop {
  const left = evaluate(expr.left, scope);
  if (!isKnown(left)) return left;
  // The right side of `and` and `or` may never be evaluated.
  if (expr.operator === 'and' || expr.operator === 'or') {
    return unknown(expr.at, `the operator ${expr.operator}`);
  }
  const right = evaluate(expr.right, scope);
  if (!isKnown(right)) return right;
  const what = `the operation ${typeName(left)} ${expr.operator} ${typeName(right)}`;
  return calculate(expr.operator, left, right) ?? unknown(expr.at, what);
}
