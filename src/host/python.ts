// Lets a real Python execute a configuration file or a launcher: in a process group of its own that is ended in time, with
// /dev/null as stdin, its output apart, and one private descriptor for the question and the answer.

import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import type { Duplex, Readable } from 'node:stream';
import type { Millis } from '../core/units.ts';
import { begin, type Child, howEnded, linesOf } from './child.ts';
import { orElse } from './errno.ts';
import { findProgram, MOST_TEXT } from './files.ts';
import type { Python, PythonAnswer, PythonFailure, PythonQuestion, Result } from './host.ts';
import { readAnswer } from './python-answer.ts';
import { PROGRAM } from './python-program.ts';
import { distrustInterpreter, distrustModules, distrustVariables } from './python-trust.ts';
import { type Distrust, distrust, distrustOf } from './trust.ts';

/** No set of options is larger; what is, is a mistake that must not fill our memory. */
const MOST_ANSWER = 16_777_216;
/** What is kept of the file's own output, and shown of it. */
const MOST_OUTPUT = 16_384;
const MOST_LINES = 5;
const LONGEST_LINE = 200;

/** A Python that is given so long. */
export function pythonWithin(limit: Millis): Python {
  return { evaluate: (question, interrupted) => evaluate(question, interrupted, limit) };
}

async function evaluate(question: PythonQuestion, interrupted: Promise<void>, limit: Millis): Promise<PythonAnswer> {
  const isRoot = process.geteuid?.() === 0;
  const interpreter = findProgram(question.python) ?? question.python;
  const source = readSource(question.path);
  if (!source.ok) return { kind: 'unreadable', obstacle: source.error };
  const { bytes, distrusted } = source.value;
  const reason = isRoot
    ? (distrusted ?? distrustInterpreter(interpreter) ?? distrustVariables(process.env))
    : undefined;
  if (reason !== undefined) return { kind: 'untrusted', ...reason };
  const { path, kind, names, argv, importsFrom } = question;
  const avoided = isRoot && importsFrom !== undefined ? distrustModules(importsFrom) : undefined;
  // -B: nothing is written beside the modules that the file imports. -s: HOME may be another user's, and what is in it.
  const child = await begin([interpreter, isRoot ? '-Bs' : '-B', '-c', PROGRAM], ['ignore', 'pipe', 'pipe', 'pipe']);
  if (!child.ok) return { kind: 'failed', how: { kind: 'not-started', code: child.error }, printed: [] };
  const words = {
    kind,
    path,
    names,
    argv,
    importsFrom: avoided === undefined ? (importsFrom ?? null) : null,
    source: Buffer.from(bytes).toString('base64'),
  };
  const answer = await converse(child.value, JSON.stringify(words), limit, interrupted);
  // Most files import nothing from there, so it is told only when a module was missed.
  return avoided !== undefined && answer.kind === 'raised' && answer.isImport
    ? { ...answer, text: `${answer.text} (${avoided.path} ${avoided.why}, so nothing is imported from there)` }
    : answer;
}

interface Source {
  readonly bytes: Uint8Array;
  /** Why root should not execute it. */
  readonly distrusted: Distrust | undefined;
}

/** The text and the owner of one and the same file, whatever is done to its name meanwhile. */
function readSource(path: string): Result<Source, { readonly path: string; readonly code: string }> {
  return orElse<Result<Source, { readonly path: string; readonly code: string }>>(
    () => {
      const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        const stat = fstatSync(fd);
        if (!stat.isFile() || stat.size > MOST_TEXT) return { ok: false, error: { path, code: 'EFBIG' } };
        const real = readlinkSync(`/proc/self/fd/${fd}`);
        const distrusted = distrustOf(path, stat) ?? distrust(path) ?? distrust(real);
        return { ok: true, value: { bytes: readFileSync(fd), distrusted } };
      } finally {
        closeSync(fd);
      }
    },
    (code) => ({ ok: false, error: { path, code } }),
  );
}

/** Asks, and hears what comes, until Python has ended or must be ended. */
async function converse(
  child: Child,
  question: string,
  limit: Millis,
  interrupted: Promise<void>,
): Promise<PythonAnswer> {
  const { stdout, stderr, stdio } = child.process;
  const channel = stdio[3] as Duplex;
  const answer = collect(channel, MOST_ANSWER);
  const printed = [stdout, stderr].filter((stream) => stream !== null).map((stream) => collect(stream, MOST_OUTPUT));
  let ending: PythonAnswer | PythonFailure | undefined;
  const end = (how: PythonAnswer | PythonFailure): void => {
    ending ??= how;
    child.kill();
  };
  const timer = setTimeout(() => end({ kind: 'late', limit }), limit);
  void interrupted.then(() => end({ kind: 'interrupted' }));
  answer.onOverflow = () => end({ kind: 'too-much' });
  // EPIPE: it ended before it had heard the question; its end says more.
  channel.on('error', () => undefined);
  channel.end(question);
  const how = howEnded(await child.ended);
  clearTimeout(timer);
  const lines = printed.flatMap((each) => shorten(each.text()));
  return conclude(ending, answer.text(), lines, { kind: 'ended', how });
}

function conclude(
  ending: PythonAnswer | PythonFailure | undefined,
  text: string,
  printed: readonly string[],
  how: PythonFailure,
): PythonAnswer {
  switch (ending?.kind) {
    case undefined:
      return readAnswer(text, printed) ?? { kind: 'failed', how, printed };
    case 'late':
    case 'too-much':
      return { kind: 'failed', how: ending, printed };
    default:
      return { kind: 'interrupted' };
  }
}

interface Collected {
  text(): string;
  onOverflow: (() => void) | undefined;
}

/** Keeps the beginning of what comes, and reads on, so that the writer does not wait for us. */
function collect(stream: Readable, most: number): Collected {
  const parts: Buffer[] = [];
  let size = 0;
  const collected: Collected = {
    text: () => Buffer.concat(parts).toString('utf8'),
    onOverflow: undefined,
  };
  stream.on('data', (part: Buffer) => {
    if (size < most) parts.push(part.subarray(0, most - size));
    size += part.length;
    if (size > most) collected.onOverflow?.();
  });
  return collected;
}

function shorten(output: string): string[] {
  const lines = linesOf(output);
  const shown = lines.slice(0, MOST_LINES).map((line) => line.slice(0, LONGEST_LINE));
  return lines.length > MOST_LINES ? [...shown, '...'] : shown;
}
