// Dicts whose keys are strings, for `f(**options)`: written as {...} or as dict(...).

import { evaluate } from './python-evaluate.ts';
import { isKnown, type Keyword, type Scope } from './python-scope.ts';
import type { Expr } from './python-tree.ts';

/** What a dict holds, if it is written out here, and all of it has a value. */
export function keywordsOf(expr: Expr, scope: Scope): ReadonlyMap<string, Keyword> | undefined {
  const pairs = pairsOf(expr, scope);
  if (pairs === undefined) return undefined;
  const entries = new Map<string, Keyword>();
  for (const [key, value] of pairs) {
    const held = key === undefined ? undefined : evaluate(value, scope);
    if (key === undefined || held === undefined || !isKnown(held)) return undefined;
    entries.set(key, { value: held, at: value.at });
  }
  return entries;
}

function pairsOf(expr: Expr, scope: Scope): readonly (readonly [string | undefined, Expr])[] | undefined {
  if (expr.kind === 'call') {
    const { callee } = expr;
    if (callee.kind !== 'name' || callee.name !== 'dict' || scope.names.has('dict')) return undefined;
    return expr.arguments.map(({ name, value }) => [/^\**$/.test(name) ? undefined : name, value]);
  }
  if (expr.kind !== 'hashed' || expr.type !== 'dict') return undefined;
  return expr.keys.map((key, index) => [
    key.kind === 'constant' && key.value.kind === 'str' ? key.value.value : undefined,
    expr.values[index] ?? key,
  ]);
}
