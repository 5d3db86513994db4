// Names, attributes and items that get values and lose them: Python Language Reference 7.2 and 7.5.

import { assignVariable } from './python-effects.ts';
import { evaluate, faultIn } from './python-evaluate.ts';
import { baseOf, type Harm, harmOf, harmOfPlace } from './python-harm.ts';
import { keywordsOf } from './python-keywords.ts';
import { calculate } from './python-operators.ts';
import {
  importedPath,
  isKnown,
  lookUp,
  type Meaning,
  PLAIN,
  type Scope,
  type Unknown,
  unknown,
} from './python-scope.ts';
import { statementOf } from './python-simple.ts';
import { needsPython, type Stop } from './python-source.ts';
import type { Expr, Place, Statement, Target } from './python-tree.ts';
import { type PyValue, typeName } from './python-value.ts';

type Of<Kind extends Statement['kind']> = Extract<Statement, { kind: Kind }>;

/** Notes what was not seen. In a launcher nothing may be passed over that the workers inherit. */
export function note(harm: Harm, at: number, scope: Scope): Stop | undefined {
  const { world } = scope;
  world.unseen++;
  if (typeof harm === 'object') return harm;
  if (harm !== undefined && world.role === 'launcher') return needsPython(at, harm);
  world.meddler ??= harm;
  return undefined;
}

/** Evaluates, and notes what was not seen. */
export function see(expr: Expr, scope: Scope): PyValue | Unknown | Stop {
  const value = evaluate(expr, scope);
  return value.kind === 'unknown' ? (note(harmOf(expr, scope), value.at, scope) ?? value) : value;
}

/** `targets = expr` */
export function assign(targets: readonly Target[], expr: Expr, scope: Scope): Stop | undefined {
  const entries = keywordsOf(expr, scope);
  const value: PyValue | Unknown | Stop = entries === undefined ? see(expr, scope) : { kind: 'dict' };
  if (!isKnown(value) && value.kind !== 'unknown') return value;
  // An unpacking that raises keeps the names after it, and before it, from meaning anything.
  const isSure = isNames(targets) || (targets.length === 1 && targets[0]?.kind === 'place');
  const isTold = isSure && isKnown(value) && targets.every((target) => fits(target, value));
  if (isKnown(value) && !isTold) scope.world.unseen++;
  const given = isTold || value.kind === 'unknown' ? value : unknown(expr.at, 'an unpacking');
  const path = importedPath(expr, scope);
  const imported: Meaning = path === undefined ? PLAIN : { kind: 'imported', path };
  const means: Meaning = entries === undefined ? imported : { kind: 'keywords', entries };
  for (const target of targets) {
    const stop = bind(target, given, means, expr, scope);
    if (stop !== undefined) return stop;
  }
  return undefined;
}

/** Whether there are only names: an attribute or an item may be refused. */
function isNames(targets: readonly Target[]): boolean {
  return targets.every((target) => target.kind === 'name' || (target.kind === 'sequence' && isNames(target.items)));
}

function fits(target: Target, value: PyValue): boolean {
  if (target.kind !== 'sequence') return target.kind !== 'starred';
  if (value.kind !== 'list' && value.kind !== 'tuple') return false;
  const { items } = value;
  return target.items.length === items.length && target.items.every((inner, index) => fitsItem(inner, items[index]));
}

function fitsItem(target: Target, item: PyValue | undefined): boolean {
  return item !== undefined && fits(target, item);
}

function bind(target: Target, value: PyValue | Unknown, means: Meaning, expr: Expr, scope: Scope): Stop | undefined {
  switch (target.kind) {
    case 'name':
      bindOne(target.name, value, expr.at, scope, means);
      return undefined;
    case 'place':
      return assignPlace(target.of, value, expr.at, scope);
    case 'starred':
      return bind(target.of, value, PLAIN, expr, scope);
    case 'sequence': {
      const items = value.kind === 'list' || value.kind === 'tuple' ? value.items : [];
      const exprs = expr.kind === 'sequence' ? expr.items : [];
      for (const [index, inner] of target.items.entries()) {
        const stop = bind(inner, items[index] ?? value, PLAIN, exprs[index] ?? expr, scope);
        if (stop !== undefined) return stop;
      }
      return undefined;
    }
    default:
      return target satisfies never;
  }
}

/** Gives a name its value. */
export function bindOne(
  name: string,
  value: PyValue | Unknown,
  at: number,
  scope: Scope,
  means: Meaning = PLAIN,
): void {
  scope.names.set(name, { value, at, unseen: scope.world.unseen, means });
}

// No object that a file makes holds the names of the file; that takes globals() and the like, which are never read here.
function assignPlace(place: Place, value: PyValue | Unknown, at: number, scope: Scope): Stop | undefined {
  const isVariable = place.kind === 'subscript' && importedPath(place.of, scope) === 'os.environ';
  if (isVariable && isKnown(value)) return assignVariable(place, value, place.at, scope);
  const fault = isKnown(value) ? faultIn([place.of], scope) : undefined;
  if (fault !== undefined) return fault;
  const base = baseOf(place);
  const held = base.kind === 'name' ? scope.names.get(base.name)?.value : undefined;
  if (held !== undefined && isKnown(held) && held.kind !== 'list' && held.kind !== 'dict') {
    return needsPython(place.at, `an assignment to ${place.kind === 'attribute' ? 'an attribute' : 'an item'}`);
  }
  return note(harmOfPlace(place, scope), at, scope);
}

/** `target += expr` and the like. */
export function augment({ target, operator, at, value: expr }: Of<'augmented'>, scope: Scope): Stop | undefined {
  if (target.kind === 'place') {
    const isVariable = importedPath(target.of.of, scope) === 'os.environ';
    if (isVariable) return needsPython(at, 'an assignment to an item');
    const fault = faultIn([target.of.of], scope);
    if (fault !== undefined) return fault;
    const value = see(expr, scope);
    if (!isKnown(value) && value.kind !== 'unknown') return needsPython(value.at, value.text);
    return assignPlace(target.of, unknown(at, 'an assignment to an item'), at, scope);
  }
  const { name } = target;
  const left = evaluate(target, scope);
  if (!isKnown(left) && left.kind !== 'unknown') return left;
  const right = see(expr, scope);
  if (!isKnown(right) && right.kind !== 'unknown') {
    return left.kind === 'unknown' ? needsPython(left.at, left.what) : right;
  }
  const result = isKnown(left) && isKnown(right) ? calculate(operator, left, right) : undefined;
  if (result === undefined) scope.world.unseen++;
  bindOne(name, result ?? whyUnknown(left, `${operator}=`, right, at), expr.at, scope);
  return undefined;
}

function whyUnknown(left: PyValue | Unknown, operator: string, right: PyValue | Unknown, at: number): Unknown {
  if (right.kind === 'unknown') return right;
  return left.kind === 'unknown' ? left : unknown(at, `the operation ${typeName(left)} ${operator} ${typeName(right)}`);
}

/**
 * `name: annotation = value`. The annotation is evaluated after the value, not at all, or later: that depends on the version
 * (7.2.2, PEP 563, PEP 649).
 */
export function annotate({ name, value, annotation, at }: Of<'annotated'>, scope: Scope): Stop | undefined {
  const stop = value && assign([{ kind: 'name', name, at }], value, scope);
  if (stop !== undefined) return stop;
  const type = see(annotation, scope);
  if (type.kind === 'invalid') return needsPython(type.at, type.text);
  return type.kind === 'needs-python' ? type : undefined;
}

/** `del targets` */
export function remove(targets: readonly Target[], at: number, scope: Scope): Stop | undefined {
  for (const target of targets) {
    const stop = target.kind === 'place' ? removePlace(target.of, at, scope) : removeName(target, at, scope);
    if (stop !== undefined) return stop;
  }
  return undefined;
}

function removePlace(place: Place, at: number, scope: Scope): Stop | undefined {
  const isVariable = importedPath(place.of, scope) === 'os.environ';
  if (isVariable) return assignVariable(place, undefined, place.at, scope);
  return assignPlace(place, unknown(at, 'a del statement'), at, scope);
}

function removeName(target: Target, at: number, scope: Scope): Stop | undefined {
  if (target.kind !== 'name') return needsPython(at, statementOf('del'));
  const binding = scope.names.get(target.name);
  if (binding === undefined) {
    const fault = lookUp(target.name, target.at, scope);
    return fault.kind === 'invalid' ? fault : needsPython(at, statementOf('del'));
  }
  // What was perhaps never assigned is perhaps not there to be removed.
  if (binding.means.kind === 'plain' && binding.value.kind === 'unknown') return needsPython(at, statementOf('del'));
  scope.names.delete(target.name);
  return undefined;
}
