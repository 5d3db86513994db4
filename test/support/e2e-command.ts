import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** What every command and every worker of a test inherits, unless the test says otherwise. */
export const environment: Readonly<Record<string, string>> = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
  PYTHONDONTWRITEBYTECODE: '1',
};

const COMMAND_LIMIT = 90_000;
const FACT_LIMIT = 30_000;

/** Waits for a fact: the assertion is tried until it holds, and its last complaint is the test's. */
export async function until<T>(fact: () => T | Promise<T>, limit: number = FACT_LIMIT): Promise<T> {
  const deadline = performance.now() + limit;
  while (true) {
    try {
      return await fact();
    } catch (error) {
      if (performance.now() > deadline) {
        throw error;
      }
    }
    await sleep(20);
  }
}

/** How a command ended and what it said. */
export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly took: number;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly uid?: number;
  /** What a Node parent or inetd gives: python-daemon does not detach from such a one. */
  readonly stdin?: 'socket';
  /** Ended by force after that many ms, which fails the test. */
  readonly limit?: number;
  /** A program, with its words, that is to run the command: `nice`, `script`, `setpriv`. */
  readonly under?: readonly string[];
  /** Keep the `waiting for worker` lines, which depend on how busy the machine is. */
  readonly keepWaiting?: true;
}

/** A command under way. */
export class Running {
  readonly pid: number;
  readonly outcome: Promise<Outcome>;
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';

  constructor(argv: readonly string[], options: RunOptions) {
    const [program, ...args] = [...(options.under ?? []), ...argv];
    assert(program !== undefined);
    const began = performance.now();
    const limit = options.limit ?? COMMAND_LIMIT;
    this.#child = spawn(program, args, {
      env: { ...(options.env ?? environment) },
      stdio: [options.stdin === 'socket' ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    });
    this.pid = this.#child.pid ?? 0;
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.outcome = new Promise((resolve_, reject) => {
      const timer = setTimeout(() => {
        this.#child.kill('SIGKILL');
        this.#child.stdout?.destroy();
        this.#child.stderr?.destroy();
        reject(
          new Error(`not over after ${limit} ms (a worker may hold its output): ${argv.join(' ')}\n${this.#stderr}`),
        );
      }, limit);
      this.#child.once('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      // Not 'exit': a worker that kept our pipe would keep `start | cat` from ending too.
      this.#child.once('close', (code, name) => {
        clearTimeout(timer);
        resolve_({ code, signal: name, stdout: this.#stdout, stderr: this.#stderr, took: performance.now() - began });
      });
    });
    // Whoever awaits it sees a failure; a test that fails before must not end in an unhandled one.
    this.outcome.catch(() => undefined);
  }

  get isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** By handle: this child and nobody else. */
  kill(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Waits until the command has said that. */
  said(words: string): Promise<void> {
    return until(() => assert(this.#stderr.includes(words), `it has not said "${words}" but: ${this.#stderr}`));
  }
}
