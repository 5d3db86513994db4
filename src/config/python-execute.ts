// Following statements: which name has which value after each (Python Language Reference 7).

import { type Binding, evaluate, isContainer, isKnown, type Scope, type Unknown, unknown } from './python-evaluate.ts';
import { calculate } from './python-operators.ts';
import { needsPython, placeOf, type Stop } from './python-source.ts';
import type { Expr, Statement, Target } from './python-tree.ts';
import { type Assigned, type PyValue, typeName } from './python-value.ts';

/** Nothing assigned, nothing executed yet. */
export function emptyScope(): Scope {
  return { names: new Map(), unseen: 0 };
}

/** Does to the scope what the statement does to the names of a file, or says why that cannot be told. */
export function execute(statement: Statement, scope: Scope): Stop | undefined {
  switch (statement.kind) {
    case 'pass':
      return undefined;
    case 'expression':
      return executeExpression(statement.value, scope);
    case 'assignment':
      return assign(statement.targets, statement.value, scope);
    case 'augmented':
      return augment(statement, scope);
    case 'annotated':
      return annotate(statement, scope);
    case 'import':
      if (statement.modules[0] !== '__future__') scope.unseen++;
      for (const { name, path } of statement.binds) {
        const value = unknown(statement.at, `the import ${path}`);
        scope.names.set(name, { value, at: statement.at, unseen: scope.unseen, path });
      }
      return undefined;
    case 'main-guard':
      return needsPython(statement.at, 'an if statement');
    default:
      return statement satisfies never;
  }
}

/** The names that end up with a value and are asked for, or the first whose value only a running Python has. */
export function collect(scope: Scope, isWanted: (name: string) => boolean, text: string): Map<string, Assigned> | Stop {
  const assigned = new Map<string, Assigned>();
  let stop: Stop | undefined;
  for (const [name, binding] of scope.names) {
    if (!isWanted(name)) continue;
    const value = finalValue(binding, scope);
    if (isKnown(value)) assigned.set(name, { name, value, at: placeOf(text, binding.at) });
    else if (stop === undefined || value.at < stop.at) stop = needsPython(value.at, value.what);
  }
  return stop ?? assigned;
}

// A list or the like may have been changed by what was passed over since.
function finalValue({ value, at, unseen }: Binding, scope: Scope): PyValue | Unknown {
  if (!(isKnown(value) && isContainer(value)) || unseen === scope.unseen) return value;
  return unknown(at, `a ${typeName(value)} that may have been changed later`);
}

function executeExpression(expr: Expr, scope: Scope): Stop | undefined {
  const value = evaluate(expr, scope);
  if (value.kind === 'unknown') return needsPython(value.at, value.what);
  return isKnown(value) ? undefined : value;
}

function assign(targets: readonly Target[], expr: Expr, scope: Scope): Stop | undefined {
  const value = see(expr, scope);
  if (!isKnown(value) && value.kind !== 'unknown') return value;
  // An unpacking that raises keeps the names after it, and before it, from meaning anything.
  const isTold = isKnown(value) && targets.every((target) => fits(target, value));
  if (isKnown(value) && !isTold) scope.unseen++;
  const given = isTold || value.kind === 'unknown' ? value : unknown(expr.at, 'an unpacking');
  for (const target of targets) bind(target, given, expr, scope);
  return undefined;
}

/** Evaluates, and counts what was not seen. */
function see(expr: Expr, scope: Scope): PyValue | Unknown | Stop {
  const value = evaluate(expr, scope);
  if (value.kind === 'unknown') scope.unseen++;
  return value;
}

function fits(target: Target, value: PyValue): boolean {
  if (target.kind !== 'sequence') return target.kind === 'name';
  if (value.kind !== 'list' && value.kind !== 'tuple') return false;
  const { items } = value;
  return target.items.length === items.length && target.items.every((inner, index) => fitsItem(inner, items[index]));
}

function fitsItem(target: Target, item: PyValue | undefined): boolean {
  return item !== undefined && fits(target, item);
}

function bind(target: Target, value: PyValue | Unknown, expr: Expr, scope: Scope): void {
  switch (target.kind) {
    case 'name':
      bindOne(target.name, value, expr.at, scope);
      return;
    case 'starred':
      bind(target.of, value, expr, scope);
      return;
    case 'sequence': {
      const items = value.kind === 'list' || value.kind === 'tuple' ? value.items : [];
      const exprs = expr.kind === 'sequence' ? expr.items : [];
      for (const [index, inner] of target.items.entries())
        bind(inner, items[index] ?? value, exprs[index] ?? expr, scope);
      return;
    }
    default:
      target satisfies never;
  }
}

function bindOne(name: string, value: PyValue | Unknown, at: number, scope: Scope): void {
  scope.names.set(name, { value, at, unseen: scope.unseen, path: undefined });
}

function augment(
  { name, operator, at, value: expr }: Extract<Statement, { kind: 'augmented' }>,
  scope: Scope,
): Stop | undefined {
  const left = evaluate({ kind: 'name', at, name }, scope);
  if (!isKnown(left) && left.kind !== 'unknown') return left;
  const right = see(expr, scope);
  if (!isKnown(right) && right.kind !== 'unknown') return right;
  const result = isKnown(left) && isKnown(right) ? calculate(operator, left, right) : undefined;
  if (result === undefined) scope.unseen++;
  bindOne(name, result ?? whyUnknown(left, `${operator}=`, right, at), expr.at, scope);
  return undefined;
}

function whyUnknown(left: PyValue | Unknown, operator: string, right: PyValue | Unknown, at: number): Unknown {
  if (right.kind === 'unknown') return right;
  return left.kind === 'unknown' ? left : unknown(at, `the operation ${typeName(left)} ${operator} ${typeName(right)}`);
}

// The annotation is evaluated after the value, not at all, or later: that depends on the version (7.2.2, PEP 563, PEP 649).
function annotate(statement: Extract<Statement, { kind: 'annotated' }>, scope: Scope): Stop | undefined {
  const { name, value, annotation } = statement;
  const stop = value && assign([{ kind: 'name', name, at: statement.at }], value, scope);
  if (stop !== undefined) return stop;
  const type = see(annotation, scope);
  return type.kind === 'invalid' ? needsPython(type.at, type.text) : undefined;
}
