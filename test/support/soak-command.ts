import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { binary } from './e2e.ts';
import { environment } from './e2e-command.ts';

/** What a soak runs; the short forms of one meaning are all here. */
export type Verb = 'start' | 'stop' | 'restart' | 'force-reload' | 'try-restart' | 'status';

/** How a command is disturbed: a signal, or a reader of its stderr that goes away. */
export type Blow = 'SIGKILL' | 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGPIPE' | 'closed stderr';

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly took: number;
  /** It was ended by us, at its bound. */
  readonly isHung: boolean;
}

/** Whether a command begins at once, or has been made ready and waits for its `release`. */
export type Gate = 'open' | 'closed';

/** One command of the binary. It ends in any case: by itself, or by force at its bound. */
export class Command {
  readonly verb: Verb;
  readonly pid: number;
  readonly ending: Promise<Ending>;
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';
  #ended: Ending | undefined;
  #blows = '';
  #began = performance.now();

  constructor(verb: Verb, words: readonly string[], dir: string, bound: number, gate: Gate) {
    this.verb = verb;
    // Whatever it starts, a waiting flock too, is known by this variable.
    const env = { ...environment, FRONTIK_SOAK: dir };
    const argv = [binary, ...words, verb];
    // To make a process keeps this one from all else, longer than some commands take, until the other is executed.
    const [program, ...args] =
      gate === 'open' ? argv : ['/bin/sh', '-c', 'read -r _ && exec "$@" </dev/null', 'sh', ...argv];
    const stdin = gate === 'open' ? 'ignore' : 'pipe';
    this.#child = spawn(program ?? binary, args, { cwd: dir, env, stdio: [stdin, 'pipe', 'pipe'] });
    this.pid = this.#child.pid ?? 0;
    // One that was killed behind its gate does not read any more; how it ended is told by its status.
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.ending = this.#watch(bound);
    // Whoever awaits it sees a failure; a trial that fails before must not end in an unhandled one.
    this.ending.catch(() => undefined);
  }

  /** When it began, by performance.now(). */
  get began(): number {
    return this.#began;
  }

  /** Lets it go, from behind its closed gate. */
  release(): void {
    this.#began = performance.now();
    this.#child.stdin?.end('\n');
  }

  #watch(bound: number): Promise<Ending> {
    return new Promise((resolve, reject) => {
      let isHung = false;
      const timer = setTimeout(() => {
        isHung = true;
        this.abandon();
      }, bound);
      this.#child.once('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      // Not 'exit': a worker that kept our pipe is a fault too.
      this.#child.once('close', (code, signal) => {
        clearTimeout(timer);
        this.#ended = { code, signal, took: performance.now() - this.#began, isHung };
        resolve(this.#ended);
      });
    });
  }

  get isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  get said(): string {
    return this.#stderr;
  }

  /** What it said, without the times, and without what depends on how busy the machine is. */
  get lines(): readonly string[] {
    return (this.#stdout + this.#stderr)
      .split('\n')
      .map((line) => line.replace(/^\[\d\d:\d\d:\d\d root\] /, ''))
      .filter((line) => line !== '' && !/^waiting for worker on port \d+ to start$/.test(line));
  }

  /** Returns false when the command was over before. By handle: this child and nobody else. */
  strike(blow: Blow): boolean {
    if (this.isOver) {
      return false;
    }
    this.#blows += `, ${blow} after ${Math.round(performance.now() - this.#began)} ms`;
    if (blow === 'closed stderr') {
      this.#child.stderr?.destroy();
      return true;
    }
    return this.#child.kill(blow);
  }

  /** Ends it and lets go of its output, which a stray process may hold open. */
  abandon(): void {
    this.#child.kill('SIGKILL');
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  /** Waits until it has said that, or is over. */
  async hasSaid(words: string): Promise<void> {
    while (!(this.isOver || this.#stderr.includes(words))) {
      await sleep(5);
    }
  }

  /** The whole of it for a person; times count from `origin`. */
  tell(origin: number): string {
    const { code, signal, took, isHung } = this.#ended ?? { code: null, signal: null, took: 0, isHung: false };
    const how = this.#ended === undefined ? 'under way' : `exit ${code ?? signal} after ${Math.round(took)} ms`;
    const head = `${Math.round(this.#began - origin)} ms: ${this.verb} (pid ${this.pid})${this.#blows}: ${how}`;
    return [head + (isHung ? ', HUNG' : ''), ...(this.#stdout + this.#stderr).trimEnd().split('\n')].join('\n    ');
  }
}
