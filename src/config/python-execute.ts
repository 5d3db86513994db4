// Following statements: which name has which value after each (Python Language Reference 7 and 8).

import { annotate, assign, augment, bindOne, note, remove, see } from './python-assign.ts';
import { applyCall } from './python-effects.ts';
import { decide, evaluate, faultIn } from './python-evaluate.ts';
import { baseOf, boundIn, harmOf, harmOfBody, harmOfDefinition, harmOfImport } from './python-harm.ts';
import { isContainerMethod, isHarmlessImport } from './python-modules.ts';
import {
  type Binding,
  isContainer,
  isKnown,
  type Meaning,
  type Outcome,
  PLAIN,
  type Scope,
  type Unknown,
  unknown,
} from './python-scope.ts';
import { statementOf } from './python-simple.ts';
import { needsPython, placeOf, type Stop } from './python-source.ts';
import type { Definition, Expr, Statement } from './python-tree.ts';
import { type Assigned, type PyValue, typeName } from './python-value.ts';

type Of<Kind extends Statement['kind']> = Extract<Statement, { kind: Kind }>;

/** Follows statements one after another, to their end or to what ends them. */
export function run(statements: readonly Statement[], scope: Scope): Outcome {
  for (const statement of statements) {
    const outcome = execute(statement, scope);
    if (outcome !== undefined) return outcome;
  }
  return undefined;
}

/** Does to the scope what the statement does to the names of a file, or says why that cannot be told. */
function execute(statement: Statement, scope: Scope): Outcome {
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
      bindImport(statement, scope);
      return undefined;
    case 'delete':
      return remove(statement.targets, statement.at, scope);
    case 'jump':
      return jump(statement, scope);
    case 'if':
      return branch(statement, scope);
    case 'block':
      return passOver([statement], statementOf(statement.word), scope);
    case 'definition':
      return define(statement, scope);
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
function finalValue({ value, at, unseen }: Binding, { world }: Scope): PyValue | Unknown {
  if (!(isKnown(value) && isContainer(value)) || unseen === world.unseen) return value;
  return unknown(at, `a ${typeName(value)} that may have been changed later`);
}

function executeExpression(expr: Expr, scope: Scope): Outcome {
  const outcome = expr.kind === 'call' ? executeCall(expr, scope) : 'none';
  if (outcome !== 'none') return outcome;
  const value = evaluate(expr, scope);
  if (isKnown(value)) return undefined;
  if (value.kind !== 'unknown') return value;
  return isTolerable(expr, scope) ? note(harmOf(expr, scope), value.at, scope) : needsPython(value.at, value.what);
}

function executeCall(expr: Extract<Expr, { kind: 'call' }>, scope: Scope): Outcome | 'none' {
  const outcome = scope.world.follow(expr, scope) ?? applyCall(expr, scope);
  if (outcome !== 'none') return outcome;
  const means = expr.callee.kind === 'name' ? scope.names.get(expr.callee.name)?.means : undefined;
  if (means?.kind !== 'function' || scope.world.role !== 'launcher') return 'none';
  return callFunction(means.definition, expr, scope);
}

// Calls of what the file has imported or made, and of print. Others, of built-in functions and the like, may only be mistakes.
function isTolerable(expr: Expr, scope: Scope): boolean {
  if (expr.kind === 'name') return true;
  if (expr.kind !== 'call') return false;
  const base = baseOf(expr);
  if (base.kind !== 'name') return false;
  const binding = scope.names.get(base.name);
  if (binding === undefined) return expr.callee === base && base.name === 'print';
  if (!isKnown(binding.value)) return true;
  return expr.callee.kind === 'attribute' && expr.callee.of === base && isContainerMethod(expr.callee.name);
}

// A function without parameters, called by the file itself: its statements, with names of its own (4.2.2).
function callFunction(definition: Definition, expr: Extract<Expr, { kind: 'call' }>, scope: Scope): Outcome {
  if (!definition.isPlain || expr.arguments.length > 0 || scope.depth > 0) {
    return needsPython(expr.at, `a call of ${definition.name}`);
  }
  const names = new Map(scope.names);
  for (const name of boundIn(definition.body)) names.delete(name);
  const outcome = run(definition.body, { ...scope, names, depth: scope.depth + 1 });
  return outcome === 'returned' ? undefined : outcome;
}

function bindImport({ at, modules, binds }: Of<'import'>, scope: Scope): void {
  const { world } = scope;
  if (!modules.every(isHarmlessImport)) world.unseen++;
  world.meddler ??= harmOfImport(modules);
  for (const module of modules) world.imported.add(module);
  for (const { name, path } of binds) {
    bindOne(name, unknown(at, `the import ${path}`), at, scope, { kind: 'imported', path });
  }
}

function jump({ at, word, values }: Of<'jump'>, scope: Scope): Outcome {
  const [value] = values;
  switch (word) {
    case 'assert': {
      const truth = value === undefined ? undefined : decide(value, scope);
      if (typeof truth === 'object' && truth.kind === 'invalid') return truth;
      return truth === true ? undefined : needsPython(at, statementOf(word));
    }
    case 'return': {
      const result = value === undefined ? undefined : see(value, scope);
      const isStop = result?.kind === 'invalid' || result?.kind === 'needs-python';
      return isStop ? result : 'returned';
    }
    case 'raise':
    case 'break':
    case 'continue':
      return needsPython(at, statementOf(word));
    default:
      return word satisfies never;
  }
}

function branch({ at, branches }: Of<'if'>, scope: Scope): Outcome {
  for (const [index, { condition, body }] of branches.entries()) {
    const truth = condition === undefined ? true : decide(condition, scope);
    if (truth === true) return run(body, scope);
    if (truth === false) continue;
    if (truth.kind !== 'unknown') return truth;
    return passOver([{ kind: 'if', at, branches: branches.slice(index) }], truth.what, scope);
  }
  return undefined;
}

// Which of these statements are executed, and how often, is not known: what they may bind has no known value any more.
function passOver(statements: readonly Statement[], what: string, scope: Scope): Stop | undefined {
  const at = statements[0]?.at ?? 0;
  if (scope.world.role === 'launcher') return needsPython(at, what);
  const stop = note(harmOfBody(statements, scope), at, scope);
  if (stop !== undefined) return stop;
  for (const name of boundIn(statements)) bindOne(name, unknown(at, what), at, scope);
  return undefined;
}

function define(definition: Definition, scope: Scope): Stop | undefined {
  const { at, type, name, heads } = definition;
  const fault = faultIn(heads, scope);
  // Annotations are evaluated or not, depending on the version.
  if (fault !== undefined) return needsPython(fault.at, fault.text);
  const harm = harmOfDefinition(definition, scope);
  const stop = type === 'class' || heads.length > 0 ? note(harm, at, scope) : undefined;
  if (stop !== undefined) return stop;
  const means: Meaning = type === 'def' ? { kind: 'function', definition } : PLAIN;
  bindOne(name, unknown(at, statementOf(type)), at, scope, means);
  return undefined;
}
