// The arguments of calls and the parameters of lambdas: Python Language Reference 6.3.4, 6.14 and 8.7.

import { isAtComprehension, type ReadExpr, readClosing, readComprehension } from './python-brackets.ts';
import type { Cursor } from './python-cursor.ts';
import { readName } from './python-names.ts';
import { PYTHON_2 } from './python-source.ts';
import type { Argument, Expr } from './python-tree.ts';

/** The arguments of a call, after its opening parenthesis. */
export function readArguments(c: Cursor, readExpression: ReadExpr, readDisjunction: ReadExpr): Argument[] | undefined {
  const args: Argument[] = [];
  const seen = new Set<string>(); // names, stars, and = for any keyword
  if (c.take(')')) return args;
  do {
    const argument = readArgument(c, readExpression);
    if (argument === undefined) return undefined;
    if (argument.name === '' && isAtComprehension(c)) {
      return args.length === 0 ? readGenerator(c, argument.value, readDisjunction) : refuseGenerator(c, argument.at);
    }
    if (!mayFollow(c, argument, seen)) return undefined;
    args.push(argument);
  } while (c.take(',') && !c.isAt(')'));
  const last = args.at(-1)?.value;
  return last && readClosing(c, ')', last, readExpression) && args;
}

function readArgument(c: Cursor, readExpression: ReadExpr): Argument | undefined {
  const { at, kind, text } = c.token;
  let name = '';
  if (c.take('*') || c.take('**')) {
    name = text;
  } else if (kind === 'name' && c.peek().text === '=') {
    if (readName(c) === undefined) return undefined;
    c.next();
    name = text;
  }
  const value = readExpression(c);
  if (value !== undefined && name === '' && c.isAt('=')) {
    return c.refuse(at, 'expression cannot contain assignment, perhaps you meant "=="?');
  }
  return value && { name, at, value };
}

function mayFollow(c: Cursor, { name, at }: Argument, seen: Set<string>): boolean {
  const isKeyword = name !== '' && name !== '*' && name !== '**';
  if (isKeyword && seen.has(name)) c.refuseLater(at, `keyword argument repeated: ${name}`);
  if (name === '*' && seen.has('**')) c.refuse(at, 'iterable argument unpacking follows keyword argument unpacking');
  if (name === '' && seen.has('**')) c.refuse(at, 'positional argument follows keyword argument unpacking');
  if (name === '' && seen.has('=')) c.refuse(at, 'positional argument follows keyword argument');
  seen.add(name);
  if (isKeyword) seen.add('=');
  return c.stop === undefined;
}

// Only a generator that is the one argument needs no parentheses of its own (6.2.8).
function readGenerator(c: Cursor, item: Expr, readDisjunction: ReadExpr): Argument[] | undefined {
  const value = readComprehension(c, item, 'a generator expression', readDisjunction);
  if (value === undefined) return undefined;
  if (c.isAt(',')) return refuseGenerator(c, item.at);
  return c.expect(')') && [{ name: '', at: item.at, value }];
}

function refuseGenerator(c: Cursor, at: number): undefined {
  return c.refuse(at, 'Generator expression must be parenthesized');
}

/** How far a parameter list has come: what may still follow depends on it (8.7). */
type Stage = 'plain' | 'default' | 'star' | 'bare star' | 'end';

/** What the parameters read so far have bound and evaluate. */
interface Parameters {
  readonly names: Set<string>;
  readonly parts: Expr[]; // defaults and annotations
  readonly isAnnotated: boolean; // a lambda has no annotations
  readonly readExpression: ReadExpr;
}

/** The parameters of a lambda, or of a def, and what ends them; gives their defaults and annotations. */
export function readParameters(c: Cursor, end: ':' | ')', readExpression: ReadExpr): readonly Expr[] | undefined {
  const read: Parameters = { names: new Set(), parts: [], isAnnotated: end === ')', readExpression };
  let stage: Stage | undefined = 'plain';
  while (!c.isAt(end)) {
    stage = readParameter(c, stage, read);
    if (stage === undefined) return undefined;
    if (!c.take(',')) break;
  }
  return stage === 'bare star' ? refuseBareStar(c) : c.expect(end) && read.parts;
}

function readParameter(c: Cursor, stage: Stage, read: Parameters): Stage | undefined {
  const { at } = c.token;
  const isAfterStar = stage === 'star' || stage === 'bare star';
  if (c.isAt('/') || c.isAt('(')) return leaveParameter(c, at);
  if (stage === 'end' || (isAfterStar && c.isAt('*'))) return c.refuse();
  if (c.isAt('*') || c.isAt('**')) return readStarred(c, stage, read);
  if (readParameterName(c, read) === undefined) return undefined;
  if (c.take('=')) return readPart(c, read) && (isAfterStar ? 'star' : 'default');
  if (stage === 'default') return c.refuse(at, 'non-default argument follows default argument');
  return isAfterStar ? 'star' : stage;
}

function readStarred(c: Cursor, stage: Stage, read: Parameters): Stage | undefined {
  if (c.next().text === '*') return c.isAt(',') ? 'bare star' : readParameterName(c, read) && 'star';
  return stage === 'bare star' ? refuseBareStar(c) : readParameterName(c, read) && 'end';
}

// Parameters that go by their position only came with Python 3.8, and tuples of parameters went with 3.0.
function leaveParameter(c: Cursor, at: number): undefined {
  return c.leaveToPython(at, c.isAt('/') ? 'a parameter list with /' : PYTHON_2);
}

function readParameterName(c: Cursor, read: Parameters): true | undefined {
  const { at } = c.token;
  const name = readName(c);
  if (name === undefined) return undefined;
  if (read.names.has(name)) c.refuseLater(at, `duplicate argument '${name}' in function definition`);
  read.names.add(name);
  return read.isAnnotated && c.take(':') ? readPart(c, read) : true;
}

function readPart(c: Cursor, read: Parameters): true | undefined {
  if (c.isAt('*')) return c.leaveToPython(c.token.at, 'a starred annotation');
  const part = read.readExpression(c);
  if (part === undefined) return undefined;
  read.parts.push(part);
  return true;
}

function refuseBareStar(c: Cursor): undefined {
  return c.refuse(c.token.at, 'named arguments must follow bare *');
}
