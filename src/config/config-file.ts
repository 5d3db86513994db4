import { collect, run } from './python-execute.ts';
import { emptyScope } from './python-scope.ts';
import { placeOf, unread } from './python-source.ts';
import { parseFile } from './python-statements.ts';
import type { Surroundings } from './python-surroundings.ts';
import type { Statement } from './python-tree.ts';
import type { Assigned, Unread, Warning } from './python-value.ts';

/** A configuration file that was read: the options it sets, and nothing about its other names. */
export interface ConfigRead {
  readonly kind: 'read';
  readonly assigned: ReadonlyMap<string, Assigned>;
  readonly warnings: readonly Warning[];
}

/** Reads a configuration file: the value each option has when Python has executed the file. */
export function readConfig(
  bytes: Uint8Array,
  isOption: (name: string) => boolean,
  surroundings: Surroundings,
): ConfigRead | Unread {
  const { text, statements, stop } = parseFile(bytes);
  if (stop !== undefined) return unread(text, stop);
  const scope = emptyScope('config', surroundings, () => undefined);
  const outcome = run(statements, scope);
  if (typeof outcome === 'object') return unread(text, outcome);
  const assigned = collect(scope, isOption, text);
  if (!(assigned instanceof Map)) return unread(text, assigned);
  const isUnset = (name: string): boolean => isOption(name) && !assigned.has(name);
  return { kind: 'read', assigned, warnings: warnOfAnnotations(statements, isUnset, text) };
}

/** `start_port: 9000`, as in YAML, says to Python which type the name has, and sets nothing. */
export function warnOfAnnotations(
  statements: readonly Statement[],
  isUnset: (name: string) => boolean,
  text: string,
): Warning[] {
  const warnings = new Map<string, Warning>();
  for (const statement of statements) {
    if (statement.kind !== 'annotated' || warnings.has(statement.name) || !isUnset(statement.name)) continue;
    const { name, at } = statement;
    const says = `"${name}: ..." sets nothing in Python; write "${name} = ..."`;
    warnings.set(name, { at: placeOf(text, at), text: says });
  }
  return [...warnings.values()];
}
