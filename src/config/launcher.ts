import { warnOfAnnotations } from './config-file.ts';
import { evaluate } from './python-evaluate.ts';
import { collect, run } from './python-execute.ts';
import { keywordsOf } from './python-keywords.ts';
import { type Effect, emptyScope, importedPath, isKnown, type Keyword, type Scope } from './python-scope.ts';
import { needsPython, placeOf, type Stop, unread } from './python-source.ts';
import { parseFile } from './python-statements.ts';
import type { Surroundings } from './python-surroundings.ts';
import type { Argument, Expr } from './python-tree.ts';
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

export type { Effect };

/** A launcher that was read. */
export interface LauncherRead {
  readonly kind: 'read';
  readonly call: SupervisorCall;
  readonly effects: readonly Effect[];
  readonly warnings: readonly Warning[];
}

/** The modules that supervisors of all times were imported from. */
export const SUPERVISORS: ReadonlyMap<string, Generation> = new Map<string, Generation>([
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
  surroundings: Surroundings,
): LauncherRead | Unread {
  const { text, statements, stop } = parseFile(bytes);
  if (stop !== undefined) return unread(text, stop);
  const isArgument = (name: string): boolean => PARAMETERS.includes(name) || isOption(name);
  let made: SupervisorCall | undefined;
  const scope = emptyScope('launcher', surroundings, (call, inner) => {
    const generation = generationOf(call.callee, inner);
    if (typeof generation !== 'string') return generation;
    const read = readCall(generation, call.arguments, isArgument, inner, text);
    if ('kind' in read) return read;
    made = read;
    // The original ends with the call, so what follows it was never executed.
    return 'over';
  });
  const outcome = run(statements, scope);
  if (typeof outcome === 'object') return unread(text, outcome);
  const call = made ?? settle(collect(scope, isArgument, text), scope.world.imported);
  if ('kind' in call) return unread(text, call);
  const isUnset = (name: string): boolean => isArgument(name) && !call.arguments.has(name);
  return { kind: 'read', call, effects: scope.world.effects, warnings: warnOfAnnotations(statements, isUnset, text) };
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
function generationOf(callee: Expr, scope: Scope): Generation | Stop | undefined {
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
  return scope.world.imported.has(module) ? generation : undefined;
}

function readCall(
  generation: Generation,
  given: readonly Argument[],
  isArgument: (name: string) => boolean,
  scope: Scope,
  text: string,
): SupervisorCall | Stop {
  const assigned = new Map<string, Assigned>();
  const add = (name: string, { value, at }: Keyword, argumentAt: number): Stop | undefined => {
    if (!isArgument(name)) {
      return invalid(argumentAt, `TypeError: supervisor() got an unexpected keyword argument '${name}'`);
    }
    if (assigned.has(name)) {
      return invalid(argumentAt, `TypeError: supervisor() got multiple values for argument '${name}'`);
    }
    assigned.set(name, { name, value, at: placeOf(text, at) });
    return undefined;
  };
  for (const [index, { at, name: written, value: expr }] of given.entries()) {
    if (written.startsWith('*')) {
      const stop = addAll(unpacked(written, expr, scope), at, add);
      if (stop !== undefined) return stop;
      continue;
    }
    const name = written === '' ? PARAMETERS[index] : written;
    if (name === undefined)
      return invalid(at, 'TypeError: supervisor() takes script, config and app, and no more by position');
    const value = evaluate(expr, scope);
    if (value.kind === 'unknown') return needsPython(value.at, value.what);
    if (!isKnown(value)) return value;
    const stop = add(name, { value, at: expr.at }, at);
    if (stop !== undefined) return stop;
  }
  return { generation, arguments: assigned };
}

function addAll(
  entries: ReadonlyMap<string, Keyword> | undefined,
  at: number,
  add: (name: string, entry: Keyword, at: number) => Stop | undefined,
): Stop | undefined {
  if (entries === undefined) return needsPython(at, 'an unpacking of arguments');
  for (const [name, entry] of entries) {
    const stop = add(name, entry, at);
    if (stop !== undefined) return stop;
  }
  return undefined;
}

/** What `**expr` stands for: a dict that is written out, here or where its name got it, if nothing can have changed it since. */
function unpacked(stars: string, expr: Expr, scope: Scope): ReadonlyMap<string, Keyword> | undefined {
  if (stars !== '**') return undefined;
  if (expr.kind !== 'name') return keywordsOf(expr, scope);
  const binding = scope.names.get(expr.name);
  return binding?.means.kind === 'keywords' && binding.unseen === scope.world.unseen
    ? binding.means.entries
    : undefined;
}

function invalid(at: number, text: string): Stop {
  return { kind: 'invalid', at, text };
}
