// Runs hooks: commands of the operator's that take a worker's port out of rotation and put it back. Without a shell, in a
// process group of its own that is ended in time, with /dev/null as stdin and its output apart.

import type { Hook } from '../core/application.ts';
import type { Millis } from '../core/units.ts';
import { begin, howEnded, linesOf } from './child.ts';
import type { HookFailure, Hooks, Result } from './host.ts';

/** What is kept of a hook's output, and shown of it when it has failed. */
const MOST_OUTPUT = 16_384;
const MOST_LINES = 10;

export const hooks: Hooks = { run };

async function run(hook: Hook, within: Millis): Promise<Result<undefined, HookFailure>> {
  const begun = await begin(hook, ['ignore', 'pipe', 'pipe']);
  if (!begun.ok) return { ok: false, error: { how: `could not be started: ${begun.error}`, words: [] } };
  const child = begun.value;
  let output = '';
  for (const stream of [child.process.stdout, child.process.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-MOST_OUTPUT);
    });
  }
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill();
  }, within);
  const end = await child.ended;
  clearTimeout(timer);
  if (end.kind === 'ended' && end.status === 0) return { ok: true, value: undefined };
  const how = isLate ? `did not finish within ${within / 1000} s` : howEnded(end);
  return { ok: false, error: { how, words: linesOf(output).slice(-MOST_LINES) } };
}
