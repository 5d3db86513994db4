// What a configuration asks of the machine, and the functions it puts the answers through.

import { compare } from './python-comparisons.ts';
import { isTrue } from './python-operators.ts';
import { basename, dirname, join, normpath, realpath } from './python-paths.ts';
import { type Unknown, unknown, type World } from './python-scope.ts';
import type { Stop } from './python-source.ts';
import { type PyValue, repr } from './python-value.ts';

type Result = PyValue | Unknown | Stop;

const NONE: PyValue = { kind: 'none' };

/** Whether a built-in name is a function that is known here. */
export function isKnownBuiltIn(name: string): boolean {
  return name === 'int' || name === 'str' || name === 'bool' || name === 'max' || name === 'min';
}

/** Whether the function of a dotted name is known here. */
export function isKnownFunction(path: string): boolean {
  switch (path) {
    case 'os.environ.get':
    case 'os.getenv':
    case 'os.getcwd':
    case 'os.path.join':
    case 'os.path.dirname':
    case 'os.path.basename':
    case 'os.path.normpath':
    case 'os.path.abspath':
    case 'os.path.realpath':
      return true;
    default:
      return false;
  }
}

/** The value of an attribute of a module; undefined where only a real Python has it. */
export function constantOf(path: string): PyValue | undefined {
  switch (path) {
    case 'os.sep':
    case 'os.path.sep':
      return str('/');
    case 'os.name':
      return str('posix');
    case 'os.curdir':
    case 'os.path.curdir':
      return str('.');
    case 'os.pardir':
    case 'os.path.pardir':
      return str('..');
    default:
      return undefined;
  }
}

/** The result of a function that is known here, called with these arguments; `at` is where the call stands. */
export function call(path: string, args: readonly PyValue[], at: number, world: World): Result {
  return callKnown(path, args, at, world) ?? unknown(at, 'a function call');
}

function callKnown(path: string, args: readonly PyValue[], at: number, world: World): Result | undefined {
  const [first, second] = args;
  const count = args.length;
  switch (path) {
    case 'os.environ.get':
    case 'os.getenv':
      if (first === undefined || count > 2) return undefined;
      return readVariable(first, at, world) ?? second ?? NONE;
    case 'os.getcwd':
      return count === 0 ? directoryOf(at, world) : undefined;
    case 'bool':
      return count === 1 && first !== undefined ? truth(isTrue(first)) : undefined;
    case 'int':
      return count === 1 && first !== undefined ? toInt(first, at) : undefined;
    case 'str':
      return count === 1 && first !== undefined ? toStr(first) : undefined;
    case 'max':
    case 'min':
      return pick(path === 'max' ? '>' : '<', args);
    default:
      return callPath(path, args, at, world);
  }
}

function callPath(path: string, args: readonly PyValue[], at: number, world: World): Result | undefined {
  const words: string[] = [];
  for (const arg of args) {
    // What a NUL does depends on the version.
    if (arg.kind !== 'str' || arg.value.includes('\0')) return undefined;
    words.push(arg.value);
  }
  const [first, ...rest] = words;
  if (first === undefined) return undefined;
  if (path === 'os.path.join') return str(join(first, rest));
  if (rest.length > 0) return undefined;
  switch (path) {
    case 'os.path.dirname':
      return str(dirname(first));
    case 'os.path.basename':
      return str(basename(first));
    case 'os.path.normpath':
      return str(normpath(first));
    case 'os.path.abspath': {
      const whole = absolute(first, at, world);
      return typeof whole === 'string' ? str(normpath(whole)) : whole;
    }
    case 'os.path.realpath': {
      const whole = absolute(first, at, world);
      return typeof whole === 'string' ? resolve(whole, at, world) : whole;
    }
    default:
      return undefined;
  }
}

function absolute(path: string, at: number, world: World): string | Unknown {
  if (path.startsWith('/')) return path;
  const directory = directoryOf(at, world);
  return directory.kind === 'unknown' ? directory : join(directory.value, [path]);
}

// These exist: the file that is read, and the directory that we are in.
function resolve(path: string, at: number, { surroundings, directory }: World): Result {
  const file = surroundings.path.startsWith('/')
    ? surroundings.path
    : join(surroundings.directory ?? '/', [surroundings.path]);
  const places = /\/\.\.(?:\/|$)/.test(file) ? [] : [normpath(file)];
  if (directory !== undefined) places.push(directory);
  const existing = [...places, ...places.map((place) => surroundings.realpath(place))];
  const real = realpath(path, existing, surroundings);
  return real === undefined ? unknown(at, 'os.path.realpath of what may not exist') : str(real);
}

function directoryOf(at: number, { directory, meddler }: World): Extract<PyValue, { kind: 'str' }> | Unknown {
  if (meddler !== undefined) return unknown(at, `the working directory, which ${meddler} may have changed`);
  return directory === undefined
    ? unknown(at, 'the working directory, which has been removed')
    : { kind: 'str', value: directory };
}

/** A variable of the environment; undefined when it is not set. */
export function readVariable(key: PyValue, at: number, world: World): PyValue | Unknown | undefined {
  const { meddler, variables, surroundings } = world;
  if (meddler !== undefined) return unknown(at, `os.environ, which ${meddler} may have changed`);
  if (key.kind !== 'str' || key.value.includes('\0')) return unknown(at, 'a variable with an unusual name');
  const name = key.value;
  // A shell sets _ to the program it starts; Python sets LC_CTYPE where the locale is C (PEP 538).
  if (name === '_' || name === 'LC_CTYPE')
    return unknown(at, `the variable ${name}, which depends on the program that reads it`);
  if (name === '' || name.includes('=')) return undefined;
  const value = variables.has(name) ? variables.get(name) : surroundings.environ(name);
  if (value?.includes('\ufffd')) return unknown(at, `the variable ${name}, which may not be UTF-8`);
  return value === undefined ? undefined : str(value);
}

/** os.environ[key] */
export function requireVariable(key: PyValue, at: number, world: World): Result {
  return readVariable(key, at, world) ?? { kind: 'invalid', at, text: `KeyError: ${repr(key)}` };
}

// What int() takes is wider than what stands in a file: blanks around it, underscores inside (Python Library Reference, int).
function toInt(value: PyValue, at: number): Result | undefined {
  switch (value.kind) {
    case 'int':
      return value;
    case 'bool':
      return { kind: 'int', value: value.value ? 1n : 0n };
    case 'str': {
      const text = value.value.replace(/^[ \t\n\r\f\v]+|[ \t\n\r\f\v]+$/g, '');
      if (text.length > 1000 || /[^ -~]/.test(text)) return undefined;
      if (/^[-+]?[0-9]+(?:_[0-9]+)*$/.test(text)) return { kind: 'int', value: BigInt(text.replace(/[_+]/g, '')) };
      return { kind: 'invalid', at, text: `ValueError: invalid literal for int() with base 10: ${repr(value)}` };
    }
    default:
      return undefined;
  }
}

function toStr(value: PyValue): PyValue | undefined {
  switch (value.kind) {
    case 'str':
      return value;
    case 'int':
      return str(value.value.toString());
    case 'none':
    case 'bool':
      return str(repr(value));
    default:
      return undefined;
  }
}

// Of equal ones the first; but only ints are equal here, so it does not matter.
function pick(operator: '<' | '>', args: readonly PyValue[]): PyValue | undefined {
  let best: PyValue | undefined;
  for (const arg of args) {
    if (arg.kind !== 'int') return undefined;
    if (best === undefined || compare(operator, arg, best)) best = arg;
  }
  return args.length > 1 ? best : undefined;
}

function truth(value: boolean | undefined): PyValue | undefined {
  return value === undefined ? undefined : { kind: 'bool', value };
}

function str(value: string): PyValue {
  return { kind: 'str', value };
}
