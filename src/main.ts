// Builds the real world, runs the command in it, sets the exit code; nothing else.

import { parse } from './cli/parse.ts';
import { isTerminal, writeText } from './host/output.ts';
import { openConsole } from './report/console.ts';

// Put in by the build (build/bundle.ts): `VERSION (commit abcdef1)`.
declare const FRONTIK_SUPERVISOR_VERSION: string;

/** Runs one command; `argv` is without the program's own name. Returns by itself, never by process.exit. */
export async function main(argv: readonly string[]): Promise<void> {
  process.exitCode = 1;
  const say = openConsole({
    write: (text) => writeText(2, text),
    isTTY: isTerminal(2),
    env: process.env,
    now: () => new Date(),
  });
  const line = parse(argv);
  switch (line.kind) {
    case 'help':
      writeText(1, line.text);
      process.exitCode = 0;
      return;
    case 'version':
      writeText(1, `frontik-supervisor ${FRONTIK_SUPERVISOR_VERSION}\n`);
      process.exitCode = 0;
      return;
    case 'request':
      for (const { source, text } of line.problems) say('error', `${source}: ${text}`);
      if (line.problems.length > 0) process.exitCode = 2;
      else say('error', `not built yet: ${line.action}`);
      return;
    default:
      line satisfies never;
  }
}
