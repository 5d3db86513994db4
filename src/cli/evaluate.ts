// What a configuration file or a launcher means: read natively where that is possible, else executed by a real Python.

import { readConfig } from '../config/config-file.ts';
import type { Origin, Problem, Value } from '../config/given.ts';
import { type Effect, type Generation, readLauncher, SUPERVISORS } from '../config/launcher.ts';
import { OPTIONS, optionNamed } from '../config/options.ts';
import type { Surroundings } from '../config/python-surroundings.ts';
import type { Place, Unread } from '../config/python-value.ts';
import type { Host, PythonAnswer, PythonFailure, PythonQuestion, PythonResult } from '../host/host.ts';
import { NOT_INSTALLED } from './exit-status.ts';
import type { Interpreter } from './interpreter.ts';

/** A name with its value and the place that gave it. */
export interface Told {
  readonly name: string;
  readonly value: Value;
  readonly at: Place;
}

/** A problem, and the exit code it asks for where that is not its origin's. */
export interface Trouble extends Problem {
  readonly exit?: number;
}

/** What a file says, however that was found out. */
export interface Reading {
  /** False: nobody could find out what it says. */
  readonly isKnown: boolean;
  readonly values: readonly Told[];
  readonly generation: Generation;
  readonly effects: readonly Effect[];
  /** The words of the command line, when a launcher has changed them. */
  readonly words: readonly string[] | undefined;
  /** The Python that has executed it, or has tried to. */
  readonly python: string | undefined;
  readonly troubles: readonly Trouble[];
  readonly cautions: readonly Problem[];
}

/** How a real Python is asked, should it be necessary. */
export interface Asking {
  readonly host: Host;
  readonly interrupted: Promise<void>;
  readonly policy: 'allowed' | 'forbidden';
  /** Looked for only when it is needed. */
  readonly chooseInterpreter: () => Interpreter;
  /** `sys.argv` and `sys.path[0]`, as the launcher had them. */
  readonly argv: readonly string[];
  readonly importsFrom: string | undefined;
}

const NOTHING: Reading = {
  isKnown: false,
  values: [],
  generation: 'frontik',
  effects: [],
  words: undefined,
  python: undefined,
  troubles: [],
  cautions: [],
};

/** Reads a configuration file: the values that these names have in the end. */
export async function evaluateConfig(
  path: string,
  bytes: Uint8Array,
  names: readonly string[],
  asking: Asking,
): Promise<Reading> {
  const read = readConfig(bytes, (name) => names.includes(name), surroundings(path, asking.host));
  if (read.kind === 'read') {
    const cautions = read.warnings.map(({ at, text }) => problem(path, at, text, 'config'));
    return { ...NOTHING, isKnown: true, values: [...read.assigned.values()], cautions };
  }
  if (read.kind === 'invalid' || asking.policy === 'forbidden') return unread(path, read, 'config');
  return ask({ kind: 'config', path, names }, read, 'config', asking);
}

const LAUNCHER_NAMES: readonly string[] = OPTIONS.flatMap(({ name, alias }) =>
  alias === undefined ? name : [name, alias],
);

/** Reads a launcher: the arguments of its supervisor(...) call, or what it assigns if it imports no supervisor. */
export async function evaluateLauncher(path: string, bytes: Uint8Array, asking: Asking): Promise<Reading> {
  const read = readLauncher(bytes, (name) => optionNamed(name) !== undefined, surroundings(path, asking.host));
  if (read.kind === 'read') {
    const cautions = read.warnings.map(({ at, text }) => problem(path, at, text, 'launcher'));
    const { generation, arguments: values } = read.call;
    return { ...NOTHING, isKnown: true, generation, values: [...values.values()], effects: read.effects, cautions };
  }
  if (read.kind === 'invalid' || asking.policy === 'forbidden') return unread(path, read, 'launcher');
  return ask({ kind: 'launcher', path, names: LAUNCHER_NAMES }, read, 'launcher', asking);
}

function surroundings(path: string, { environment, files }: Host): Surroundings {
  return {
    environ: (name) => environment.get(name),
    path,
    directory: files.cwd(),
    realpath: (name) => files.target(name),
  };
}

async function ask(
  question: Pick<PythonQuestion, 'kind' | 'path' | 'names'>,
  why: Unread,
  origin: Origin,
  asking: Asking,
): Promise<Reading> {
  const { path } = question;
  const source = place(path, why.at);
  const { kind, program } = asking.chooseInterpreter();
  if (kind === 'missing') {
    const text = `${why.text} needs a Python, and ${program} is not installed`;
    return { ...NOTHING, troubles: [{ origin, source, text, exit: NOT_INSTALLED }] };
  }
  const { argv, importsFrom, interrupted, host } = asking;
  const answer = await host.python.evaluate({ ...question, python: program, argv, importsFrom }, interrupted);
  const printed = 'printed' in answer ? answer.printed : [];
  const cautions = printed.map((line): Problem => ({ origin, source: path, text: `| ${line}` }));
  const heard: Reading = { ...NOTHING, python: hasRun(answer) ? program : undefined, cautions };
  if (answer.kind !== 'evaluated') return { ...heard, troubles: explain(answer, path, why, program, origin) };
  const { result } = answer;
  const lack = question.kind === 'launcher' ? lackOf(result) : undefined;
  return {
    ...heard,
    isKnown: true,
    values: result.values,
    generation: SUPERVISORS.get(result.called ?? '') ?? 'frontik',
    effects: result.effects,
    words:
      result.argv.length === argv.length && result.argv.every((word, at) => word === argv[at])
        ? undefined
        : result.argv.slice(1),
    troubles: lack === undefined ? [] : [{ origin, source: place(path, { line: 1, col: 1 }), text: lack }],
    cautions: [
      ...cautions,
      ...result.unset.map(({ name, at }) =>
        problem(path, at, `"${name}: ..." sets nothing in Python; write "${name} = ..."`, origin),
      ),
    ],
  };
}

/** Whether a Python was there to answer. */
function hasRun(answer: PythonAnswer): boolean {
  if (answer.kind === 'failed') return answer.how.kind !== 'not-started';
  return answer.kind !== 'untrusted' && answer.kind !== 'unreadable';
}

/** What a launcher that was executed to its end has not done. */
function lackOf({ called, imported, values }: PythonResult): string | undefined {
  if (called !== undefined) return undefined;
  if (imported !== undefined) return `supervisor() is imported from ${imported} and never called`;
  return values.length === 0 ? 'there is neither a call of supervisor() nor a script, app or config' : undefined;
}

function explain(
  answer: Exclude<PythonAnswer, { kind: 'evaluated' }>,
  path: string,
  why: Unread,
  program: string,
  origin: Origin,
): Trouble[] {
  switch (answer.kind) {
    case 'raised': {
      const col = answer.col === undefined ? '' : `:${answer.col}`;
      const [text = ''] = answer.text.split('\n', 1);
      return [{ origin, source: `${path}:${answer.line}${col}`, text }];
    }
    case 'untrusted': {
      const text = `${why.text} needs a Python, and root lets none execute what others may change: ${answer.path} ${answer.why}; chown it to root and chmod it go-w, or write a literal value`;
      return [{ origin, source: place(path, why.at), text }];
    }
    case 'failed':
      return [{ origin, source: path, text: failure(answer.how, program) }];
    case 'unreadable':
      return [{ origin, source: path, text: `cannot be read: ${answer.obstacle.code}` }];
    case 'interrupted':
      return [{ origin, source: path, text: 'was not read to its end' }];
    default:
      return answer satisfies never;
  }
}

function failure(how: PythonFailure, program: string): string {
  switch (how.kind) {
    case 'not-started':
      return `${program} cannot be started: ${how.code}`;
    case 'late':
      return `Python did not finish within ${how.limit / 1000} s`;
    case 'too-much':
      return 'the values that Python found are too large';
    case 'ended':
      return `${program} ${how.how} instead of telling what the file says`;
    default:
      return how satisfies never;
  }
}

function unread(path: string, { kind, at, text }: Unread, origin: Origin): Reading {
  const words = kind === 'invalid' ? text : `${text} cannot be read without a Python; write a literal value`;
  return { ...NOTHING, troubles: [problem(path, at, words, origin)] };
}

function problem(path: string, at: Place, text: string, origin: Origin): Problem {
  return { origin, source: place(path, at), text };
}

/** `app.cfg:12:17`. */
export function place(path: string, { line, col }: Place): string {
  return `${path}:${line}:${col}`;
}
