// What a file's statements have done so far: its names, and the process that executes it.

import { isPredefined } from './python-names.ts';
import { join, normpath } from './python-paths.ts';
import type { Stop } from './python-source.ts';
import type { Surroundings } from './python-surroundings.ts';
import type { Definition, Expr } from './python-tree.ts';
import { type PyValue, typeName } from './python-value.ts';

/** A value that only a running Python has: the expression that is needed for it, and what that is in an operator's words. */
export interface Unknown {
  readonly kind: 'unknown';
  readonly at: number;
  readonly what: string;
  readonly cause: string; // what the expression goes back to, through all the names between
}

/** A value that only a running Python has, from its first expression on. */
export function unknown(at: number, what: string, cause: string = what): Unknown {
  return { kind: 'unknown', at, what, cause };
}

/** What a name is, beyond its value. */
export type Meaning =
  | { readonly kind: 'plain' }
  | { readonly kind: 'imported'; readonly path: string } // the dotted name of a module, or of what is in it
  | { readonly kind: 'function'; readonly definition: Definition }
  | { readonly kind: 'keywords'; readonly entries: ReadonlyMap<string, Keyword> }; // a dict, for `f(**name)`

/** An entry of a dict whose key is a str. */
export interface Keyword {
  readonly value: PyValue;
  readonly at: number;
}

export const PLAIN: Meaning = { kind: 'plain' };

/** What a name stands for. */
export interface Binding {
  readonly value: PyValue | Unknown;
  readonly at: number; // of the expression
  readonly unseen: number; // how much had been passed over by then
  readonly means: Meaning;
}

/**
 * What a launcher does to itself and so to what it starts, in its order: `os.chdir`, a variable that is set, or removed where
 * there is no value. Paths are as written.
 */
export type Effect =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'variable'; readonly name: string; readonly value: string | undefined };

/** The process that executes a file. */
export interface World {
  readonly role: 'config' | 'launcher';
  readonly surroundings: Surroundings;
  /** How many imports, calls and the like were passed over: each may have changed a list, or made a new built-in name. */
  unseen: number;
  /** What was passed over and may have changed the environment or the directory. */
  meddler: string | undefined;
  directory: string | undefined;
  readonly variables: Map<string, string | undefined>; // that the file itself has set or removed
  readonly effects: Effect[];
  readonly imported: Set<string>;
  /** What a call that stands alone as a statement means in particular, if anything. */
  readonly follow: (call: Extract<Expr, { kind: 'call' }>, scope: Scope) => Outcome;
}

/** How a statement ended, other than by reaching its end: reading stops, the file is over, or the function is. */
export type Outcome = Stop | 'over' | 'returned' | undefined;

/** The names of a file, or of one of its functions, while statements are followed. */
export interface Scope {
  readonly names: Map<string, Binding>;
  readonly world: World;
  /** How many functions are being called. */
  readonly depth: number;
}

/** Nothing assigned, nothing executed yet. */
export function emptyScope(role: World['role'], surroundings: Surroundings, follow: World['follow']): Scope {
  const world: World = {
    role,
    surroundings,
    unseen: 0,
    meddler: undefined,
    directory: surroundings.directory,
    variables: new Map(),
    effects: [],
    imported: new Set(),
    follow,
  };
  return { names: new Map(), world, depth: 0 };
}

/** Whether evaluation gave a value. */
export function isKnown(result: PyValue | Unknown | Stop): result is PyValue {
  return result.kind !== 'unknown' && result.kind !== 'invalid' && result.kind !== 'needs-python';
}

/** Whether a value may hold others, and so change or be found changed. */
export function isContainer(value: PyValue): boolean {
  return value.kind === 'list' || value.kind === 'tuple' || value.kind === 'set' || value.kind === 'dict';
}

/** The value of a name. */
export function lookUp(name: string, at: number, { names, world }: Scope): PyValue | Unknown | Stop {
  const value = names.get(name)?.value;
  if (value === undefined) {
    if (isPredefined(name)) return lookUpPredefined(name, at, world);
    if (world.unseen > 0) return unknown(at, `the name ${name}, which is not assigned here`);
    return { kind: 'invalid', at, text: `NameError: name '${name}' is not defined` };
  }
  if (value.kind === 'unknown') return unknown(at, `the name ${name}, which holds ${value.cause}`, value.cause);
  // Two names may share a list, and a change by one is seen by the other.
  if (isContainer(value)) return unknown(at, `the name ${name}, which holds a ${typeName(value)}`);
  return value;
}

// tornado.options executes a configuration with nothing but __file__, made absolute; the rest is found among the built-ins.
function lookUpPredefined(name: string, at: number, { role, surroundings }: World): PyValue | Unknown {
  if (name === '__name__') return { kind: 'str', value: role === 'config' ? 'builtins' : '__main__' };
  const file = name === '__file__' ? fileName(role, surroundings) : undefined;
  return file === undefined ? unknown(at, `the built-in name ${name}`) : { kind: 'str', value: file };
}

// A launcher that is called by a relative path has that path up to Python 3.8, and an absolute one from 3.9 on.
function fileName(role: World['role'], { path, directory }: Surroundings): string | undefined {
  if (role === 'launcher') return path.startsWith('/') ? path : undefined;
  if (path.startsWith('/')) return normpath(path);
  return directory === undefined ? undefined : normpath(join(directory, [path]));
}

/** The dotted name of what an expression has imported, as far as imports and attributes go. */
export function importedPath(expr: Expr, scope: Scope): string | undefined {
  if (expr.kind === 'name') {
    const means = scope.names.get(expr.name)?.means;
    return means?.kind === 'imported' ? means.path : undefined;
  }
  if (expr.kind !== 'attribute') return undefined;
  const path = importedPath(expr.of, scope);
  return path && `${path}.${expr.name}`;
}
