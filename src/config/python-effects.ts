// Changes of the working directory and the environment: os.chdir and os.environ.

import { requireVariable } from './python-calls.ts';
import { evaluate } from './python-evaluate.ts';
import { join, normpath, realpath } from './python-paths.ts';
import { type Effect, importedPath, isKnown, type Outcome, type Scope } from './python-scope.ts';
import { needsPython, type Stop } from './python-source.ts';
import type { Surroundings } from './python-surroundings.ts';
import type { Expr, Place } from './python-tree.ts';
import type { PyValue } from './python-value.ts';

type Call = Extract<Expr, { kind: 'call' }>;

/** Does what a call that stands alone does to the process; 'none' for any other call. */
export function applyCall({ at, callee, arguments: args }: Call, scope: Scope): Outcome | 'none' {
  const path = importedPath(callee, scope);
  if (path !== 'os.chdir' && path !== 'os.environ.setdefault' && path !== 'os.environ.pop') return 'none';
  const values: PyValue[] = [];
  for (const { name, value: expr } of args) {
    const value = evaluate(expr, scope);
    if (name !== '') return needsPython(at, `a call of ${path}`);
    if (value.kind === 'unknown') return needsPython(value.at, value.what);
    if (!isKnown(value)) return value;
    values.push(value);
  }
  const [first, second, ...rest] = values;
  if (first === undefined || rest.length > 0) return needsPython(at, `a call of ${path}`);
  if (path === 'os.chdir') return second === undefined ? move(first, at, scope) : needsPython(at, 'a call of os.chdir');
  const isPop = path === 'os.environ.pop';
  // setdefault has no default of its own here, whatever that of a dict has.
  if (!isPop && second === undefined) return needsPython(at, `a call of ${path}`);
  const current = requireVariable(first, at, scope.world);
  if (current.kind === 'unknown') return needsPython(at, current.what);
  if (isPop) return pop(first, second, current, at, scope);
  return isKnown(current) ? undefined : setVariable(first, second, at, scope);
}

function pop(
  key: PyValue,
  otherwise: PyValue | undefined,
  current: PyValue | Stop,
  at: number,
  scope: Scope,
): Stop | undefined {
  if (isKnown(current)) return setVariable(key, undefined, at, scope);
  return otherwise === undefined ? current : undefined;
}

// A configuration is executed by the workers too: after a change of the directory its paths would mean something else to them.
function move(to: PyValue, at: number, { world }: Scope): Stop | undefined {
  if (world.role === 'config' || to.kind !== 'str' || to.value === '' || to.value.includes('\0')) {
    return needsPython(at, 'a call of os.chdir');
  }
  const { directory, surroundings } = world;
  const path = to.value.startsWith('/') ? to.value : directory && join(directory, [to.value]);
  // If the directory does not exist the launcher ends there.
  world.directory = path === undefined ? undefined : enter(path, surroundings);
  if (world.directory !== undefined && world.directory.length > LONGEST) return needsPython(at, 'a call of os.chdir');
  record({ kind: 'directory', path: to.value }, world.effects);
  return undefined;
}

const LONGEST = 4096; // PATH_MAX of Linux

// Only `..` has to be followed step by step: it leads out of where a link leads to.
function enter(path: string, surroundings: Surroundings): string {
  const isWinding = /(?:^|\/)\.\.(?:\/|$)/.test(path);
  return (isWinding ? realpath(path, [path], surroundings) : undefined) ?? surroundings.realpath(normpath(path));
}

/** os.environ[key] = value, or its removal. */
export function assignVariable(place: Place, value: PyValue | undefined, at: number, scope: Scope): Stop | undefined {
  if (place.kind !== 'subscript') return needsPython(place.at, 'an assignment to an attribute');
  const key = evaluate(place.index, scope);
  if (key.kind === 'unknown') return needsPython(key.at, key.what);
  if (!isKnown(key)) return key;
  if (value === undefined && key.kind === 'str' && !isUnusual(key.value)) {
    const current = requireVariable(key, at, scope.world);
    if (current.kind === 'unknown') return needsPython(at, current.what);
    if (!isKnown(current)) return current;
  }
  return setVariable(key, value, at, scope);
}

function setVariable(key: PyValue, value: PyValue | undefined, at: number, { world }: Scope): Stop | undefined {
  const what = 'an unusual change of os.environ';
  if (key.kind !== 'str' || isUnusual(key.value)) return needsPython(at, what);
  if (value !== undefined && (value.kind !== 'str' || value.value.includes('\0'))) return needsPython(at, what);
  world.variables.set(key.value, value?.value);
  record({ kind: 'variable', name: key.value, value: value?.value }, world.effects);
  return undefined;
}

// unsetenv(3) and setenv(3) refuse these names.
function isUnusual(name: string): boolean {
  return name === '' || name.includes('=') || name.includes('\0');
}

function record(effect: Effect, effects: Effect[]): void {
  effects.push(effect);
}
