// What may stand to the left of an assignment: Python Language Reference 7.2.

import type { Cursor } from './python-cursor.ts';
import type { Expr, Target } from './python-tree.ts';
import { repr } from './python-value.ts';

/** An expression as the target of an assignment. */
export function readTarget(c: Cursor, expr: Expr): Target | undefined {
  if (expr.kind === 'starred') c.refuseLater(expr.at, 'starred assignment target must be in a list or tuple');
  return convert(c, expr);
}

function convert(c: Cursor, expr: Expr): Target | undefined {
  switch (expr.kind) {
    case 'name':
      return { kind: 'name', name: expr.name, at: expr.at };
    case 'sequence':
      return convertItems(c, expr.items);
    case 'starred': {
      const of = convert(c, expr.of);
      return of && { kind: 'starred', of };
    }
    case 'attribute':
    case 'subscript':
      return { kind: 'place', of: expr };
    default:
      return c.refuse(expr.at, `cannot assign to ${describe(expr)} here. Maybe you meant '==' instead of '='?`);
  }
}

function convertItems(c: Cursor, exprs: readonly Expr[]): Target | undefined {
  const items: Target[] = [];
  let hasStar = false;
  for (const expr of exprs) {
    const item = convert(c, expr);
    if (item === undefined) return undefined;
    if (hasStar && item.kind === 'starred') c.refuseLater(expr.at, 'multiple starred expressions in assignment');
    hasStar ||= item.kind === 'starred';
    items.push(item);
  }
  return { kind: 'sequence', items };
}

/** What an expression is, in the words of CPython's messages. */
export function describe(expr: Expr): string {
  switch (expr.kind) {
    case 'constant':
      return expr.value.kind === 'none' || expr.value.kind === 'bool' ? repr(expr.value) : 'literal';
    case 'sequence':
      return expr.type;
    case 'hashed':
      return expr.type === 'dict' ? 'dict literal' : 'set display';
    case 'unary':
    case 'binary':
      return 'expression';
    case 'call':
      return 'function call';
    case 'comparison':
      return 'comparison';
    case 'conditional':
      return 'conditional expression';
    case 'attribute':
      return 'an attribute';
    case 'subscript':
      return 'an item';
    case 'opaque':
      return expr.what.replace(/^an? /, '');
    case 'name':
    case 'starred':
      return expr.kind;
    default:
      return expr satisfies never;
  }
}
