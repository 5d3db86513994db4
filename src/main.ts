// Builds the real world, runs the command in it, sets the exit code; nothing else.

import { run } from './cli/run.ts';
import type { Signal } from './cli/world.ts';
import type { Interruption } from './engine/drive.ts';
import { codeOf } from './host/errno.ts';
import { openHost } from './host/node-host.ts';
import { columnsOfStdout, isTerminal, openPatientWriter, writeText } from './host/output.ts';
import { openConsole } from './report/console.ts';
import { lines } from './report/wording.ts';

// Put in by the build (build/bundle.ts): `VERSION (commit abcdef1)`.
declare const FRONTIK_SUPERVISOR_VERSION: string | undefined;

/** Runs one command; `argv` is without the program's own name. Returns by itself, never by process.exit. */
export async function main(argv: readonly string[]): Promise<void> {
  process.exitCode = 1;
  let write = (text: string): void => {
    writeText(2, text);
  };
  const say = openConsole({
    write: (text) => write(text),
    isTTY: isTerminal(2),
    env: process.env,
    now: () => new Date(),
  });
  process.exitCode = await run(argv, {
    version: typeof FRONTIK_SUPERVISOR_VERSION === 'string' ? FRONTIK_SUPERVISOR_VERSION : 'unbuilt',
    host: openHost(),
    tell: (event) => {
      for (const [level, text] of lines(event)) say(level, text);
    },
    ...listen(),
    neverBlock: () => {
      write = openPatientWriter(2);
    },
    print: (text) => writeText(1, text),
    columns: columnsOfStdout,
    faultOf: (error) => (codeOf(error) === undefined ? undefined : String(error)),
  });
}

/** The first signal ends the waiting, in order; a second one ends the program. */
function listen(): { interruption: Interruption; onSignal(take: (signal: Signal) => void): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const interruption: Interruption = { signal: undefined, arrived: promise };
  let hand: ((signal: Signal) => void) | undefined;
  for (const [signal, number] of [
    ['SIGHUP', 1],
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const) {
    process.on(signal, () => {
      if (hand !== undefined) {
        hand(signal);
        return;
      }
      if (interruption.signal !== undefined) process.exit(128 + number);
      interruption.signal = signal;
      resolve();
    });
  }
  return {
    interruption,
    onSignal: (take) => {
      hand = take;
      process.on('SIGUSR2', take);
    },
  };
}
