// Following statements: which name has which value after each (Python Language Reference 7).

import { type Binding, evaluate, isContainer, isKnown, type Scope, type Unknown } from './python-evaluate.ts';
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
        const value: Unknown = { kind: 'unknown', at: statement.at, what: `the import ${path}` };
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
  return { kind: 'unknown', at, what: `a ${typeName(value)} that may have been changed later` };
}

function executeExpression(expr: Expr, scope: Scope): Stop | undefined {
  const value = evaluate(expr, scope);
  if (value.kind === 'unknown') return needsPython(value.at, value.what);
  return isKnown(value) ? undefined : value;
}

function assign(targets: readonly Target[], expr: Expr, scope: Scope): Stop | undefined {
  const value = see(expr, scope);
  if (!isKnown(value) && value.kind !== 'unknown') return value;
  for (const target of targets) bind(target, value, expr, scope);
  return undefined;
}

/** Evaluates, and counts what was not seen. */
function see(expr: Expr, scope: Scope): PyValue | Unknown | Stop {
  const value = evaluate(expr, scope);
  if (value.kind === 'unknown') scope.unseen++;
  return value;
}

function bind(target: Target, value: PyValue | Unknown, expr: Expr, scope: Scope): void {
  switch (target.kind) {
    case 'name':
      bindOne(target.name, value, expr.at, scope);
      return;
    case 'starred':
      bind(target.of, { kind: 'unknown', at: expr.at, what: 'an unpacking' }, expr, scope);
      return;
    case 'sequence':
      bindItems(target.items, value, expr, scope);
      return;
    default:
      target satisfies never;
  }
}

function bindItems(targets: readonly Target[], value: PyValue | Unknown, expr: Expr, scope: Scope): void {
  const isSequence = value.kind === 'list' || value.kind === 'tuple';
  const items = isSequence && value.items.length === targets.length ? value.items : [];
  if (items.length === 0) scope.unseen++;
  const unknown: Unknown = value.kind === 'unknown' ? value : { kind: 'unknown', at: expr.at, what: 'an unpacking' };
  // With a star among the targets the items are not told one by one.
  const hasStar = targets.some(({ kind }) => kind === 'starred');
  for (const [index, target] of targets.entries()) {
    const item = hasStar ? unknown : (items[index] ?? unknown);
    bind(target, item, (expr.kind === 'sequence' ? expr.items[index] : undefined) ?? expr, scope);
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
  const what = `${operator}= on ${isKnown(left) ? `a value of type ${typeName(left)}` : left.what}`;
  const result = isKnown(left) && isKnown(right) ? calculate(operator, left, right) : undefined;
  if (result === undefined) scope.unseen++;
  const unknown: Unknown = right.kind === 'unknown' ? right : { kind: 'unknown', at, what };
  bindOne(name, result ?? unknown, expr.at, scope);
  return undefined;
}

// The annotation is evaluated after the value, not at all, or later: that depends on the version (7.2.2, PEP 563, PEP 649).
function annotate(statement: Extract<Statement, { kind: 'annotated' }>, scope: Scope): Stop | undefined {
  const { name, value, annotation } = statement;
  const stop = value && assign([{ kind: 'name', name, at: statement.at }], value, scope);
  if (stop !== undefined) return stop;
  const type = see(annotation, scope);
  return type.kind === 'invalid' ? needsPython(type.at, type.text) : undefined;
}
