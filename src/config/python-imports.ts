// Imports: Python Language Reference 7.11. They are never executed.

import type { Cursor } from './python-cursor.ts';
import { readName } from './python-names.ts';
import { needsPython, type Stop, syntaxError } from './python-source.ts';
import { bodiesOf, type Imported, type Statement } from './python-tree.ts';

/** `import a.b, c as d` */
export function readImport(c: Cursor): Statement | undefined {
  const { at } = c.next();
  const modules: string[] = [];
  const binds: Imported[] = [];
  do {
    const path = readDottedName(c);
    if (path === undefined) return undefined;
    const alias = c.take('as') ? readName(c) : '';
    if (alias === undefined) return undefined;
    modules.push(path);
    // `import a.b` binds `a`, and `import a.b as c` binds a.b itself.
    const top = path.split('.', 1)[0] ?? path;
    binds.push(alias === '' ? { name: top, path: top } : { name: alias, path });
  } while (c.take(','));
  return { kind: 'import', at, modules, binds };
}

/** `from a.b import c as d, e` */
export function readFrom(c: Cursor): Statement | undefined {
  const { at } = c.next();
  let module = '';
  while (c.isAt('.') || c.isAt('...')) module += c.next().text;
  if (module === '' || c.token.kind === 'name') {
    const name = readDottedName(c);
    if (name === undefined) return undefined;
    module += name;
  }
  if (c.expect('import') === undefined) return undefined;
  if (c.isAt('*')) return c.leaveToPython(at, `from ${module} import *`);
  const binds = readImported(c, module);
  return binds && { kind: 'import', at, modules: [module, ...binds.map(({ path }) => path)], binds };
}

function readDottedName(c: Cursor): string | undefined {
  let path = readName(c);
  while (path !== undefined && c.take('.')) {
    const name = readName(c);
    path = name === undefined ? undefined : `${path}.${name}`;
  }
  return path;
}

function readImported(c: Cursor, module: string): Imported[] | undefined {
  const closing = c.take('(') ? ')' : undefined;
  const binds: Imported[] = [];
  do {
    const bind = readOneImported(c, module);
    if (bind === undefined) return undefined;
    binds.push(bind);
    if (closing === undefined && c.isAt(',') && c.peek().kind === 'newline') {
      return c.refuse(c.peek().at, 'trailing comma not allowed without surrounding parentheses');
    }
  } while (c.take(',') && c.token.text !== closing);
  return closing !== undefined && c.expect(closing) === undefined ? undefined : binds;
}

function readOneImported(c: Cursor, module: string): Imported | undefined {
  const name = readName(c);
  const alias = name !== undefined && c.take('as') ? readName(c) : name;
  return name === undefined || alias === undefined ? undefined : { name: alias, path: `${module}.${name}` };
}

const FUTURES: ReadonlySet<string> = new Set(
  (
    'nested_scopes generators division absolute_import with_statement print_function unicode_literals generator_stop ' +
    'annotations'
  ).split(' '),
);

type Before = 'docstring' | 'literals' | 'statements';

/** What is wrong with the imports from `__future__`: they stand first, after a docstring, and name what there is (7.11.1). */
export function checkFutures(statements: readonly Statement[]): Stop | undefined {
  let before = 'docstring' as Before;
  for (const [index, statement] of statements.entries()) {
    const isFuture = statement.kind === 'import' && statement.binds.some(({ path }) => path.startsWith('__future__.'));
    const stop = isFuture ? checkFuture(statement.binds, statement.at, before) : undefined;
    const inner = stop ?? findInnerFuture(statement);
    if (inner !== undefined) return inner;
    if (isFuture || isDocstring(statement, index)) continue;
    const isLiteral = statement.kind === 'expression' && statement.value.kind === 'constant';
    before = isLiteral && before !== 'statements' ? 'literals' : 'statements';
  }
  return undefined;
}

function findInnerFuture(statement: Statement): Stop | undefined {
  for (const body of bodiesOf(statement)) {
    for (const inner of body) {
      const isFuture = inner.kind === 'import' && inner.binds.some(({ path }) => path.startsWith('__future__.'));
      const stop = isFuture ? checkFuture(inner.binds, inner.at, 'statements') : findInnerFuture(inner);
      if (stop !== undefined) return stop;
    }
  }
  return undefined;
}

function isDocstring(statement: Statement, index: number): boolean {
  if (index > 0 || statement.kind !== 'expression' || statement.value.kind !== 'constant') return false;
  return statement.value.value.kind === 'str';
}

function checkFuture(binds: readonly Imported[], at: number, before: Before): Stop | undefined {
  for (const { path } of binds) {
    const feature = path.slice('__future__.'.length);
    if (feature === 'barry_as_FLUFL') return needsPython(at, 'an import from __future__ that changes what != means');
    if (feature === 'braces') return syntaxError(at, 'not a chance');
    if (!FUTURES.has(feature)) return syntaxError(at, `future feature ${feature} is not defined`);
  }
  if (before === 'statements')
    return syntaxError(at, 'from __future__ imports must occur at the beginning of the file');
  return before === 'literals' ? needsPython(at, 'an import from __future__ after a literal') : undefined;
}
