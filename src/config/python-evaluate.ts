// The values of expressions that need no running Python: literals, names, exact arithmetic, and what the environment says.

import { call, constantOf, isKnownBuiltIn, isKnownFunction, readVariable, requireVariable } from './python-calls.ts';
import { compare } from './python-comparisons.ts';
import { calculate, isTrue, negate } from './python-operators.ts';
import { importedPath, isContainer, isKnown, lookUp, type Scope, type Unknown, unknown } from './python-scope.ts';
import type { Stop } from './python-source.ts';
import type { Compared, Expr } from './python-tree.ts';
import { type PyValue, typeName } from './python-value.ts';

type Result = PyValue | Unknown | Stop;
type Of<Kind extends Expr['kind']> = Extract<Expr, { kind: Kind }>;

/** The value of an expression; an `invalid` Stop when it certainly raises. Nothing is changed by it. */
export function evaluate(expr: Expr, scope: Scope): Result {
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
    case 'comparison':
      return evaluateComparison(expr, scope);
    case 'conditional':
      return evaluateConditional(expr, scope);
    case 'starred':
      return unknown(expr.at, 'an unpacking');
    case 'attribute':
      return evaluateAttribute(expr, scope);
    case 'subscript':
      return evaluateSubscript(expr, scope);
    case 'call':
      return evaluateCall(expr, scope);
    case 'opaque':
      return unknown(expr.at, expr.what);
    default:
      return expr satisfies never;
  }
}

/** Whether an expression counts as true. */
export function decide(expr: Expr, scope: Scope): boolean | Unknown | Stop {
  const value = evaluate(expr, scope);
  if (!isKnown(value)) return value;
  return isTrue(value) ?? unknown(expr.at, `whether a ${typeName(value)} is empty`);
}

function evaluateItems(exprs: readonly Expr[], scope: Scope, combine: (items: readonly PyValue[]) => Result): Result {
  const items: PyValue[] = [];
  for (const expr of exprs) {
    const item = evaluate(expr, scope);
    if (!isKnown(item)) return item;
    items.push(item);
  }
  return combine(items);
}

// Each key comes before its value (6.2.7). A container as a key may be more than Python can hash.
function evaluateHashed(keys: readonly Expr[], values: readonly Expr[], scope: Scope, whole: PyValue): Result {
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

function evaluateUnary(operator: string, at: number, operand: Result): Result {
  if (!isKnown(operand)) return operand;
  return negate(operator, operand) ?? unknown(at, `the operation ${operator} ${typeName(operand)}`);
}

function evaluateBinary(expr: Of<'binary'>, scope: Scope): Result {
  const left = evaluate(expr.left, scope);
  if (!isKnown(left)) return left;
  if (expr.operator === 'and' || expr.operator === 'or') {
    const truth = isTrue(left);
    if (truth === undefined) return unknown(expr.at, `the operator ${expr.operator}`);
    // The right side may never be evaluated.
    return truth === (expr.operator === 'and') ? evaluate(expr.right, scope) : left;
  }
  const right = evaluate(expr.right, scope);
  if (!isKnown(right)) return right;
  const what = `the operation ${typeName(left)} ${expr.operator} ${typeName(right)}`;
  return calculate(expr.operator, left, right) ?? unknown(expr.at, what);
}

// a < b < c is a < b and b < c, with b evaluated once; c is not evaluated when a < b is false (6.10).
function evaluateComparison({ at, first, rest }: Of<'comparison'>, scope: Scope): Result {
  let left = evaluate(first, scope);
  for (const step of rest) {
    if (!isKnown(left)) return left;
    const found = findVariable(step, left, scope);
    if (found !== undefined) {
      if (typeof found !== 'boolean') return found;
      return rest.length === 1 ? { kind: 'bool', value: found } : unknown(at, 'a long comparison');
    }
    const right = evaluate(step.of, scope);
    if (!isKnown(right)) return right;
    const answer = compare(step.operator, left, right);
    if (answer !== true) return answer === false ? FALSE : incomparable(at, left, step.operator, right);
    left = right;
  }
  return { kind: 'bool', value: true };
}

const FALSE: PyValue = { kind: 'bool', value: false };

function incomparable(at: number, left: PyValue, operator: string, right: PyValue): Unknown {
  return unknown(at, `the operation ${typeName(left)} ${operator} ${typeName(right)}`);
}

/** `name in os.environ` */
function findVariable({ operator, of }: Compared, key: PyValue, scope: Scope): boolean | Unknown | undefined {
  if (operator !== 'in' && operator !== 'not in') return undefined;
  if (importedPath(of, scope) !== 'os.environ') return undefined;
  const value = readVariable(key, of.at, scope.world);
  return value?.kind === 'unknown' ? value : (value !== undefined) === (operator === 'in');
}

function evaluateConditional({ condition, chosen, otherwise }: Of<'conditional'>, scope: Scope): Result {
  const truth = decide(condition, scope);
  return typeof truth === 'boolean' ? evaluate(truth ? chosen : otherwise, scope) : truth;
}

function evaluateAttribute(expr: Of<'attribute'>, scope: Scope): Result {
  const path = importedPath(expr, scope);
  const value = path === undefined ? undefined : constantOf(path);
  if (value !== undefined) return value;
  return faultIn([expr.of], scope) ?? unknown(expr.at, 'an attribute');
}

function evaluateSubscript({ at, of, index }: Of<'subscript'>, scope: Scope): Result {
  // Nothing is evaluated twice: subscripts of subscripts would take exponential time.
  if (importedPath(of, scope) !== 'os.environ') return faultIn([of, index], scope) ?? unknown(at, 'a subscript');
  const key = evaluate(index, scope);
  return isKnown(key) ? requireVariable(key, at, scope.world) : key;
}

function evaluateCall({ at, callee, arguments: args }: Of<'call'>, scope: Scope): Result {
  const path = calledPath(callee, scope);
  const values = args.map(({ value }) => value);
  if (path === undefined || args.some(({ name }) => name !== '')) {
    // An unpacking may raise before what follows it is looked at.
    const star = args.findIndex(({ name }) => name.startsWith('*'));
    const sure = star === -1 ? values : values.slice(0, star + 1);
    return faultIn([callee, ...sure], scope) ?? unknown(at, 'a function call');
  }
  const own = isPathOfFile(path, values, scope) ? ownPath(scope) : undefined;
  if (own !== undefined) return call(path, [own], at, scope.world);
  return evaluateItems(values, scope, (items) => call(path, items, at, scope.world));
}

function calledPath(callee: Expr, scope: Scope): string | undefined {
  if (callee.kind === 'name' && !scope.names.has(callee.name)) {
    return isKnownBuiltIn(callee.name) ? callee.name : undefined;
  }
  const path = importedPath(callee, scope);
  return path !== undefined && isKnownFunction(path) ? path : undefined;
}

// Whether __file__ is relative depends on the version; made absolute it is always the same, as long as nothing has moved.
function isPathOfFile(path: string, [first, ...rest]: readonly Expr[], scope: Scope): boolean {
  const isFile = first?.kind === 'name' && first.name === '__file__' && !scope.names.has('__file__');
  return isFile && rest.length === 0 && (path === 'os.path.abspath' || path === 'os.path.realpath');
}

function ownPath({ world }: Scope): PyValue | undefined {
  const hasMoved = world.effects.some(({ kind }) => kind === 'directory');
  return hasMoved || world.role === 'config' ? undefined : { kind: 'str', value: world.surroundings.path };
}

/** The first of these that certainly raises, if nothing before it can raise something else. */
export function faultIn(exprs: readonly Expr[], scope: Scope): Stop | undefined {
  for (const expr of exprs) {
    const value = evaluate(expr, scope);
    if (value.kind === 'invalid' || value.kind === 'needs-python') return value;
    if (value.kind === 'unknown' && !isSurelyBound(expr, scope)) return undefined;
  }
  return undefined;
}

// A name that only got its value if a condition was true may have none.
function isSurelyBound(expr: Expr, scope: Scope): boolean {
  const binding = expr.kind === 'name' ? scope.names.get(expr.name) : undefined;
  return binding !== undefined && (binding.means.kind !== 'plain' || isKnown(binding.value));
}
