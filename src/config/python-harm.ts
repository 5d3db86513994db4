// What is passed over because it sets no option may still end the program, or change what is looked at later.

import {
  isEndingBuiltIn,
  isHarmlessBuiltIn,
  isHarmlessImport,
  isHarmlessModule,
  isHarmlessSystemCall,
  isOwnImport,
} from './python-modules.ts';
import { isPredefined } from './python-names.ts';
import { importedPath, type Scope, unknown } from './python-scope.ts';
import { statementOf } from './python-simple.ts';
import { needsPython, type Stop } from './python-source.ts';
import { bodiesOf, type Expr, type Place, type Statement, type Target } from './python-tree.ts';

/** A reason not to go on; or what may have changed the environment or the directory, in words; or nothing of either. */
export type Harm = Stop | string | undefined;

const DEEPEST_CALLS = 3;

/** What may happen while an expression is evaluated. */
export function harmOf(expr: Expr, scope: Scope): Harm {
  switch (expr.kind) {
    case 'constant':
    case 'name':
      return undefined;
    case 'sequence':
      return worst(expr.items, scope);
    case 'hashed':
      return worst([...expr.keys, ...expr.values], scope);
    case 'unary':
    case 'starred':
    case 'attribute':
      return harmOf(expr.of, scope);
    case 'binary':
      return worst([expr.left, expr.right], scope);
    case 'comparison':
      return worst([expr.first, ...expr.rest.map(({ of }) => of)], scope);
    case 'conditional':
      return worst([expr.condition, expr.chosen, expr.otherwise], scope);
    case 'subscript':
      return worst([expr.of, expr.index], scope);
    case 'call':
      return combine(
        harmOfCall(expr.callee, scope),
        worst([expr.callee, ...expr.arguments.map(({ value }) => value)], scope),
      );
    case 'opaque':
      return worst(expr.parts, scope);
    default:
      return expr satisfies never;
  }
}

/** A Stop outweighs all else; of two changes the first is named. */
function combine(one: Harm, other: Harm): Harm {
  if (typeof one === 'object') return one;
  return typeof other === 'object' ? other : (one ?? other);
}

function worst(exprs: readonly Expr[], scope: Scope): Harm {
  let harm: Harm;
  for (const expr of exprs) harm = combine(harm, harmOf(expr, scope));
  return harm;
}

/** The expression that a chain of attributes, items and calls begins with. */
export function baseOf(expr: Expr): Expr {
  let base = expr;
  while (base.kind === 'attribute' || base.kind === 'subscript' || base.kind === 'call') {
    base = base.kind === 'call' ? base.callee : base.of;
  }
  return base;
}

function harmOfCall(callee: Expr, scope: Scope): Harm {
  const base = baseOf(callee);
  if (base.kind !== 'name') return base.kind === 'constant' ? undefined : 'a call of something unnamed';
  const { name, at } = base;
  const binding = scope.names.get(name);
  if (binding === undefined) return harmOfBuiltIn(name, at);
  switch (binding.means.kind) {
    case 'imported':
      return harmOfImported(callee, at, binding.means.path, scope);
    case 'function': {
      const { body } = binding.means.definition;
      const inner = { ...scope, depth: scope.depth + 1 };
      const harm = inner.depth > DEEPEST_CALLS ? needsPython(at, 'calls of calls') : harmOfBody(body, inner);
      return combine(harm, `a call of ${name}`);
    }
    default:
      return binding.value.kind === 'unknown' ? `a call of ${name}` : undefined;
  }
}

function harmOfBuiltIn(name: string, at: number): Harm {
  if (isEndingBuiltIn(name)) return needsPython(at, `a call of ${name}`);
  return isPredefined(name) && isHarmlessBuiltIn(name) ? undefined : `a call of ${name}`;
}

function harmOfImported(callee: Expr, at: number, path: string, scope: Scope): Harm {
  let called = callee;
  let whole = importedPath(called, scope);
  while (
    whole === undefined &&
    (called.kind === 'attribute' || called.kind === 'subscript' || called.kind === 'call')
  ) {
    called = called.kind === 'call' ? called.callee : called.of;
    whole = importedPath(called, scope);
  }
  const top = path.split('.', 1)[0] ?? path;
  if (top === 'os' || top === 'sys') {
    return isHarmlessSystemCall(whole ?? path) ? undefined : needsPython(at, `a call of ${whole ?? path}`);
  }
  return isHarmlessModule(top) ? undefined : `a call of ${whole ?? path}`;
}

/** What may happen while statements are executed, in whatever order and as often as may be. */
export function harmOfBody(statements: readonly Statement[], scope: Scope): Harm {
  const inner = statements.some(({ kind }) => kind === 'import') ? withImports(statements, scope) : scope;
  let harm: Harm;
  for (const statement of statements) harm = combine(harm, harmOfStatement(statement, inner));
  return harm;
}

function withImports(statements: readonly Statement[], scope: Scope): Scope {
  const names = new Map(scope.names);
  for (const statement of statements) {
    if (statement.kind !== 'import') continue;
    for (const { name, path } of statement.binds) {
      const value = unknown(statement.at, `the import ${path}`);
      names.set(name, { value, at: statement.at, unseen: scope.world.unseen, means: { kind: 'imported', path } });
    }
  }
  return { ...scope, names };
}

function harmOfStatement(statement: Statement, scope: Scope): Harm {
  switch (statement.kind) {
    case 'pass':
      return undefined;
    case 'expression':
      return harmOf(statement.value, scope);
    case 'assignment':
      return combine(harmOfTargets(statement.targets, scope), harmOf(statement.value, scope));
    case 'augmented':
      return combine(harmOfTargets([statement.target], scope), harmOf(statement.value, scope));
    case 'annotated':
      return worst(statement.value === undefined ? [] : [statement.value, statement.annotation], scope);
    case 'import':
      return harmOfImport(statement.modules);
    case 'delete':
      return harmOfTargets(statement.targets, scope);
    case 'jump':
      if (statement.word !== 'raise' && statement.word !== 'assert') return worst(statement.values, scope);
      return needsPython(statement.at, statementOf(statement.word));
    case 'if':
      return combine(
        worst(
          statement.branches.flatMap(({ condition }) => condition ?? []),
          scope,
        ),
        harmOfBodies(statement, scope),
      );
    case 'block':
      if (statement.word === 'while') return needsPython(statement.at, statementOf('while'));
      return combine(worst(statement.heads, scope), harmOfBodies(statement, scope));
    case 'definition':
      return harmOfDefinition(statement, scope);
    default:
      return statement satisfies never;
  }
}

/** What may happen while a function or class is made; the body of a function waits for its call. */
export function harmOfDefinition(definition: Extract<Statement, { kind: 'definition' }>, scope: Scope): Harm {
  const { type, heads } = definition;
  const harm = worst(heads, scope);
  return type === 'def' ? harm : combine(harm, harmOfBodies(definition, scope));
}

function harmOfBodies(statement: Statement, scope: Scope): Harm {
  let harm: Harm;
  for (const body of bodiesOf(statement)) harm = combine(harm, harmOfBody(body, scope));
  return harm;
}

/** What importing modules may do. */
export function harmOfImport(modules: readonly string[]): string | undefined {
  const stranger = modules.find((module) => !(isHarmlessImport(module) || isOwnImport(module)));
  return stranger === undefined ? undefined : `the import ${stranger}`;
}

function harmOfTargets(targets: readonly Target[], scope: Scope): Harm {
  let harm: Harm;
  for (const target of targets) {
    if (target.kind === 'place') harm = combine(harm, harmOfPlace(target.of, scope));
    else if (target.kind === 'starred') harm = combine(harm, harmOfTargets([target.of], scope));
    else if (target.kind === 'sequence') harm = combine(harm, harmOfTargets(target.items, scope));
  }
  return harm;
}

/** What may happen when an attribute or an item is assigned to or removed. */
export function harmOfPlace(place: Place, scope: Scope): Harm {
  const what = `an assignment to ${place.kind === 'attribute' ? 'an attribute' : 'an item'}`;
  const base = baseOf(place);
  const binding = base.kind === 'name' ? scope.names.get(base.name) : undefined;
  const isModule = binding?.means.kind === 'imported' && importedPath(place.of, scope) !== 'os.environ';
  if (isModule || base.kind === 'constant') return needsPython(place.at, what);
  const isOwn = binding !== undefined && binding.value.kind !== 'unknown';
  return combine(
    worst(place.kind === 'subscript' ? [place.of, place.index] : [place.of], scope),
    isOwn ? undefined : what,
  );
}

/** The names that statements may bind or unbind. */
export function boundIn(statements: readonly Statement[], into: Set<string> = new Set()): Set<string> {
  for (const statement of statements) {
    switch (statement.kind) {
      case 'assignment':
      case 'delete':
        for (const target of statement.targets) addNames(target, into);
        break;
      case 'augmented':
        addNames(statement.target, into);
        break;
      case 'annotated':
      case 'definition':
        into.add(statement.name);
        break;
      case 'import':
        for (const { name } of statement.binds) into.add(name);
        break;
      case 'block':
        for (const name of statement.binds) into.add(name);
        break;
      default:
    }
    if (statement.kind !== 'definition') for (const body of bodiesOf(statement)) boundIn(body, into);
  }
  return into;
}

function addNames(target: Target, into: Set<string>): void {
  if (target.kind === 'name') into.add(target.name);
  else if (target.kind === 'starred') addNames(target.of, into);
  else if (target.kind === 'sequence') for (const item of target.items) addNames(item, into);
}
