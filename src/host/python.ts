// Lets a real Python execute a configuration file or a launcher: in a process group of its own that is ended in time, with
// /dev/null as stdin, its output apart, and one private descriptor for the question and the answer.

import type { ChildProcess } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import type { Duplex, Readable } from 'node:stream';
import type { Millis } from '../core/units.ts';
import { codeOf, orElse } from './errno.ts';
import { findProgram, MOST_TEXT } from './files.ts';
import type { Python, PythonAnswer, PythonFailure, PythonQuestion, Result } from './host.ts';
import { closeInherited } from './launch.ts';
import { readAnswer } from './python-answer.ts';
import { PROGRAM } from './python-program.ts';
import { type Distrust, distrust, distrustOf } from './trust.ts';

/** No set of options is larger; what is, is a mistake that must not fill our memory. */
const MOST_ANSWER = 16_777_216;
/** What is kept of the file's own output, and shown of it. */
const MOST_OUTPUT = 16_384;
const MOST_LINES = 5;
const LONGEST_LINE = 200;
/** After Python's end: a process that the file started and left behind may hold the output open for ever. */
const LINGER = 200;

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
  const reason = isRoot ? (distrusted ?? distrustInterpreter(interpreter)) : undefined;
  if (reason !== undefined) return { kind: 'untrusted', ...reason };
  const { path, kind, names, argv, importsFrom } = question;
  const avoided = isRoot && importsFrom !== undefined ? distrust(importsFrom) : undefined;
  const child = start(interpreter);
  if ('code' in child) return { kind: 'failed', how: { kind: 'not-started', code: child.code }, printed: [] };
  const words = {
    kind,
    path,
    names,
    argv,
    importsFrom: avoided === undefined ? (importsFrom ?? null) : null,
    source: Buffer.from(bytes).toString('base64'),
  };
  const answer = await converse(child, JSON.stringify(words), limit, interrupted);
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
        const distrusted = distrustOf(path, stat) ?? distrust(directoryOf(path)) ?? distrust(directoryOf(real));
        return { ok: true, value: { bytes: readFileSync(fd), distrusted } };
      } finally {
        closeSync(fd);
      }
    },
    (code) => ({ ok: false, error: { path, code } }),
  );
}

function directoryOf(path: string): string {
  const end = path.lastIndexOf('/');
  return end === -1 ? '.' : path.slice(0, end) || '/';
}

/** Its owner decides what it executes, and the owner of a virtual environment what it imports before all else. */
function distrustInterpreter(path: string): Distrust | undefined {
  const real = orElse(
    () => realpathSync(path),
    () => path,
  );
  // Debian gives /usr/local/bin to a group of administrators.
  const found = [real, directoryOf(real), directoryOf(path)].map(distrust).find((each) => each !== undefined);
  return found?.why === 'may be written by its group' ? undefined : found;
}

function start(interpreter: string): ChildProcess | { readonly code: string } {
  const { spawn } = process.getBuiltinModule('node:child_process');
  try {
    closeInherited();
    // -B: nothing is written beside the modules that the file imports.
    return spawn(interpreter, ['-B', '-c', PROGRAM], { detached: true, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    return { code };
  }
}

/** Asks, and hears what comes, until Python has ended or must be ended. */
function converse(
  child: ChildProcess,
  question: string,
  limit: Millis,
  interrupted: Promise<void>,
): Promise<PythonAnswer> {
  const channel = child.stdio[3] as Duplex;
  const answer = collect(channel, MOST_ANSWER);
  const outputs = [child.stdout, child.stderr].filter((stream) => stream !== null);
  const printed = outputs.map((stream) => collect(stream, MOST_OUTPUT));
  return new Promise((resolve) => {
    let ending: PythonAnswer | PythonFailure | undefined;
    const end = (how: PythonAnswer | PythonFailure): void => {
      ending ??= how;
      killGroup(child);
    };
    const timer = setTimeout(() => end({ kind: 'late', limit }), limit);
    void interrupted.then(() => end({ kind: 'interrupted' }));
    answer.onOverflow = () => end({ kind: 'too-much' });
    let isOver = false;
    const finish = (how: PythonFailure): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      for (const stream of [channel, ...outputs]) stream.destroy();
      const lines = printed.flatMap((each) => shorten(each.text()));
      resolve(conclude(ending, answer.text(), lines, how));
    };
    child.once('error', (error) => finish({ kind: 'not-started', code: codeOf(error) ?? 'ECHILD' }));
    child.once('exit', (status, signal) => {
      const how = signal === null ? `exited with status ${status}` : `was killed by ${signal}`;
      child.once('close', () => finish({ kind: 'ended', how }));
      setTimeout(() => finish({ kind: 'ended', how }), LINGER).unref();
    });
    // EPIPE: it ended before it had heard the question; its end says more.
    channel.on('error', () => undefined);
    channel.end(question);
  });
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

/** The whole group, as long as its leader has not been waited for: until then its number is nobody else's. */
function killGroup(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  orElse<void>(
    () => {
      process.kill(-pid, 'SIGKILL');
    },
    // EPERM: the file has become somebody else. It is no longer listened to, which is all that is left to do.
    () => undefined,
  );
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
  const lines = output.split(/\r?\n|\r/).filter((line) => line.trim() !== '');
  const shown = lines.slice(0, MOST_LINES).map((line) => line.slice(0, LONGEST_LINE));
  return lines.length > MOST_LINES ? [...shown, '...'] : shown;
}
