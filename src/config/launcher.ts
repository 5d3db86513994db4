import { warnOfAnnotations } from './config-file.ts';
import { evaluate, isKnown, type Scope } from './python-evaluate.ts';
import { collect, emptyScope, execute } from './python-execute.ts';
import { needsPython, placeOf, type Stop, unread } from './python-source.ts';
import { parseFile } from './python-statements.ts';
import type { Surroundings } from './python-surroundings.ts';
import type { Argument, Expr, Statement } from './python-tree.ts';
import type { Assigned, Unread, Warning } from './python-value.ts';

/**
 * Which supervisor a launcher was written for. Those of `tornado_util` call the base port `port` in their configuration
 * files, the others `start_port`.
 */
export type Generation = 'frontik' | 'frontik.launcher' | 'tornado_util';

/** What a launcher hands to supervisor(): `script`, `config`, `app` and options by name, as far as they are given. */
export interface SupervisorCall {
  readonly generation: Generation;
  readonly arguments: ReadonlyMap<string, Assigned>;
}

/**
 * What a launcher does to itself and so to what it starts, in its order: `os.chdir`, a variable that is set, or removed where
 * there is no value. Paths are as written.
 */
export type Effect =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'variable'; readonly name: string; readonly value: string | undefined };

/** A launcher that was read. */
export interface LauncherRead {
  readonly kind: 'read';
  readonly call: SupervisorCall;
  readonly effects: readonly Effect[];
  readonly warnings: readonly Warning[];
}

const SUPERVISORS: ReadonlyMap<string, Generation> = new Map<string, Generation>([
  ['frontik.server.supervisor', 'frontik'],
  ['frontik.launcher.supervisor', 'frontik.launcher'],
  ['tornado_util.supervisor', 'tornado_util'],
  ['tornado.server.supervisor', 'tornado_util'],
]);

const PARAMETERS: readonly string[] = ['script', 'config', 'app'];

/** Reads a launcher: the arguments of its supervisor(...) call, or what it assigns if it imports no supervisor. */
export function readLauncher(
  bytes: Uint8Array,
  isOption: (name: string) => boolean,
  _surroundings: Surroundings,
): LauncherRead | Unread {
  const { text, statements, stop } = parseFile(bytes);
  if (stop !== undefined) return unread(text, stop);
  const isArgument = (name: string): boolean => PARAMETERS.includes(name) || isOption(name);
  const call = followCall(statements, isArgument, text);
  if ('kind' in call) return unread(text, call);
  const isUnset = (name: string): boolean => isArgument(name) && !call.arguments.has(name);
  return { kind: 'read', call, effects: [], warnings: warnOfAnnotations(statements, isUnset, text) };
}

function followCall(
  statements: readonly Statement[],
  isArgument: (name: string) => boolean,
  text: string,
): SupervisorCall | Stop {
  const scope = emptyScope();
  const modules = new Set<string>();
  for (const statement of statements.flatMap((one) => (one.kind === 'main-guard' ? one.body : [one]))) {
    if (statement.kind === 'import') for (const module of statement.modules) modules.add(module);
    const call = callIn(statement, scope, modules);
    // The original ends with the call, so what follows it was never executed.
    if (call !== undefined && 'generation' in call) return readCall(call, isArgument, scope, text);
    const failure = call ?? leaveUnknown(statement, scope) ?? execute(statement, scope);
    if (failure !== undefined) return failure;
  }
  return settle(collect(scope, isArgument, text), modules);
}

interface FoundCall {
  readonly generation: Generation;
  readonly arguments: readonly Argument[];
}

function callIn(statement: Statement, scope: Scope, modules: ReadonlySet<string>): FoundCall | Stop | undefined {
  if (statement.kind !== 'expression' || statement.value.kind !== 'call') return undefined;
  const generation = generationOf(statement.value.callee, scope, modules);
  return typeof generation === 'string' ? { generation, arguments: statement.value.arguments } : generation;
}

// In a launcher an expression may change the directory or the environment that the workers inherit, or call supervisor().
function leaveUnknown(statement: Statement, scope: Scope): Stop | undefined {
  const value = 'value' in statement && statement.value !== undefined ? evaluate(statement.value, scope) : undefined;
  return value?.kind === 'unknown' ? needsPython(value.at, value.what) : undefined;
}

// A launcher without a call may set what it has to say as a configuration file does.
function settle(assigned: Map<string, Assigned> | Stop, modules: ReadonlySet<string>): SupervisorCall | Stop {
  for (const module of SUPERVISORS.keys()) {
    if (modules.has(module)) return invalid(0, `supervisor() is imported from ${module} and never called`);
  }
  if (!(assigned instanceof Map)) return assigned;
  if (assigned.size === 0) return invalid(0, 'there is neither a call of supervisor() nor a script, app or config');
  return { generation: 'frontik', arguments: assigned };
}

/** Which supervisor is called here; undefined: something else is. */
function generationOf(callee: Expr, scope: Scope, modules: ReadonlySet<string>): Generation | Stop | undefined {
  if (callee.kind === 'name' && callee.name === 'supervisor' && !scope.names.has('supervisor')) {
    return invalid(callee.at, "NameError: name 'supervisor' is not defined");
  }
  const path = importedPath(callee, scope);
  if (path === undefined || !path.endsWith('.supervisor')) return undefined;
  const module = path.slice(0, path.lastIndexOf('.'));
  const generation = SUPERVISORS.get(module);
  if (generation === undefined) {
    const known = [...SUPERVISORS.keys()].join(', ');
    return invalid(callee.at, `${path} is no supervisor of Frontik; it is imported from one of ${known}`);
  }
  // `import frontik` alone does not import what is inside (Python Language Reference 5.4.2).
  return modules.has(module) ? generation : undefined;
}

function importedPath(expr: Expr, scope: Scope): string | undefined {
  if (expr.kind === 'name') return scope.names.get(expr.name)?.path;
  if (expr.kind !== 'attribute') return undefined;
  const path = importedPath(expr.of, scope);
  return path && `${path}.${expr.name}`;
}

function readCall(
  call: FoundCall,
  isArgument: (name: string) => boolean,
  scope: Scope,
  text: string,
): SupervisorCall | Stop {
  const assigned = new Map<string, Assigned>();
  for (const [index, argument] of call.arguments.entries()) {
    const { at } = argument;
    if (argument.name.startsWith('*')) return needsPython(at, 'an unpacking of arguments');
    const name = argument.name === '' ? PARAMETERS[index] : argument.name;
    if (name === undefined)
      return invalid(at, 'TypeError: supervisor() takes script, config and app, and no more by position');
    if (!isArgument(name)) return invalid(at, `TypeError: supervisor() got an unexpected keyword argument '${name}'`);
    if (assigned.has(name)) return invalid(at, `TypeError: supervisor() got multiple values for argument '${name}'`);
    const value = evaluate(argument.value, scope);
    if (value.kind === 'unknown') return needsPython(value.at, value.what);
    if (!isKnown(value)) return value;
    assigned.set(name, { name, value, at: placeOf(text, argument.value.at) });
  }
  return { generation: call.generation, arguments: assigned };
}

function invalid(at: number, text: string): Stop {
  return { kind: 'invalid', at, text };
}
