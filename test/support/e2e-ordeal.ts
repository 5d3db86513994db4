import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { onStage, type Stage, type StageOptions } from './e2e.ts';
import type { Outcome } from './e2e-command.ts';

/** What Node, V8 and Python print of an accident, and no operator wants to read. */
const ACCIDENT = /^\s+at .+:\d+|stack trace|Traceback|node:internal|Assertion failed|UnhandledPromise/m;

/** A test on a stage, where the machine allows it; elsewhere it says why not. */
export function ordeal(
  name: string,
  why: () => string | undefined,
  options: StageOptions,
  body: (stage: Stage) => Promise<void>,
): void {
  test(
    name,
    onStage(options, async (stage, t) => {
      const reason = why();
      if (reason === undefined) {
        await body(stage);
      } else {
        t.skip(reason);
      }
    }),
  );
}

/** The command ended by itself, in time, with a status of its own and words for an operator. */
export function assertCivil(outcome: Outcome): void {
  const said = outcome.stdout + outcome.stderr;
  // The last words of a worker are its own.
  assert.doesNotMatch(said.replaceAll(/^.* worker on port \d+: \| .*$/gm, ''), ACCIDENT);
  assert.equal(outcome.signal, null, said);
  assert(outcome.code !== null && outcome.code <= 6, `exit ${outcome.code}: ${said}`);
  assert(outcome.took < 30_000, `it took ${outcome.took} ms: ${said}`);
}

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

function describeOne(path: string): string {
  const stat = lstatSync(path);
  const content = stat.isFile() ? digest(path) : stat.isSymbolicLink() ? readlinkSync(path) : '';
  return [path, stat.ino, stat.mode.toString(8), stat.uid, stat.gid, stat.nlink, stat.rdev, stat.mtimeMs, content].join(
    ' ',
  );
}

/** All that can be done to a file or a whole directory leaves a trace in this. */
export function snapshot(path: string): readonly string[] {
  const names = lstatSync(path).isDirectory() ? readdirSync(path).toSorted() : [];
  return [describeOne(path), ...names.flatMap((name) => snapshot(join(path, name)))];
}
