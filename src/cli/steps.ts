// Changes of the system, one after another: carried out, taken back when one of them fails, or only shown.

import type { Deed, Tell } from '../core/event.ts';
import type { Installation, Obstacle } from '../host/host.ts';

/** A file or link as it was, so that it can be put back. */
export type Former =
  | { readonly kind: 'file'; readonly text: string; readonly mode: number }
  | { readonly kind: 'link'; readonly target: string };

/** One change. */
export type Step =
  | {
      readonly do: 'write';
      readonly path: string;
      readonly text: string;
      readonly mode: number;
      /** What it takes the place of. */
      readonly former: Former | undefined;
    }
  | { readonly do: 'link'; readonly path: string; readonly target: string }
  | { readonly do: 'remove'; readonly path: string; readonly former: Former }
  | { readonly do: 'run'; readonly words: Words; readonly undo: Words | undefined };

export type Words = readonly [program: string, ...args: string[]];

/** What would be done, for people to read: every file with its text, every command. */
export function describeSteps(steps: readonly Step[]): string {
  return steps.map(describe).join('\n');
}

function describe(step: Step): string {
  switch (step.do) {
    case 'write':
      return `==> write ${step.path} (mode ${step.mode.toString(8)})\n${step.text}`;
    case 'link':
      return `==> link ${step.path} -> ${step.target}\n`;
    case 'remove':
      return `==> remove ${step.path}\n`;
    case 'run':
      return `==> run ${step.words.join(' ')}\n`;
    default:
      return step satisfies never;
  }
}

/** Takes the steps; if one fails, it and those before it are taken back, and the result is false. Tells all of it. */
export async function takeSteps(steps: readonly Step[], installation: Installation, tell: Tell): Promise<boolean> {
  const taken: Step[] = [];
  for (const step of steps) {
    // A program that has failed may have done something before.
    if (step.do === 'run') taken.unshift(step);
    if (!(await take(step, installation, tell))) {
      await takeBack(taken, installation, tell);
      return false;
    }
    if (step.do !== 'run') taken.unshift(step);
  }
  return true;
}

/** The last step first; but files before programs, which go by the files that there are. */
async function takeBack(taken: readonly Step[], installation: Installation, tell: Tell): Promise<void> {
  const [programs, files] = [taken.filter(isRun), taken.filter((step) => !isRun(step))];
  for (const step of [...files, ...programs]) {
    const undo = undoOf(step);
    if (undo !== undefined) await take(undo, installation, tell);
  }
}

function isRun(step: Step): boolean {
  return step.do === 'run';
}

function undoOf(step: Step): Step | undefined {
  switch (step.do) {
    case 'write': {
      const { path, text, mode, former } = step;
      return former === undefined
        ? { do: 'remove', path, former: { kind: 'file', text, mode } }
        : putBack(path, former, { kind: 'file', text, mode });
    }
    case 'link':
      return { do: 'remove', path: step.path, former: { kind: 'link', target: step.target } };
    case 'remove':
      return putBack(step.path, step.former, undefined);
    case 'run':
      return step.undo === undefined ? undefined : { do: 'run', words: step.undo, undo: undefined };
    default:
      return step satisfies never;
  }
}

function putBack(path: string, was: Former, former: Former | undefined): Step {
  return was.kind === 'file'
    ? { do: 'write', path, text: was.text, mode: was.mode, former }
    : { do: 'link', path, target: was.target };
}

/** Whether it has succeeded. */
async function take(step: Step, installation: Installation, tell: Tell): Promise<boolean> {
  switch (step.do) {
    case 'write': {
      const { path, text, mode, former } = step;
      if (former?.kind === 'file' && former.text === text && former.mode === mode) {
        tell({ kind: 'deed', deed: 'kept', what: path });
        return true;
      }
      return concluded('wrote', path, installation.write(path, text, mode), tell);
    }
    case 'link':
      return concluded('linked', step.path, installation.link(step.path, step.target), tell);
    case 'remove':
      return concluded('removed', step.path, installation.remove(step.path), tell);
    case 'run': {
      const source = step.words.join(' ');
      const ended = await installation.run(step.words);
      if (ended.ok) return concluded('ran', source, undefined, tell);
      const { how, words } = ended.error;
      for (const text of [how, ...words.map((word) => `| ${word}`)]) tell({ kind: 'problem', source, text });
      return false;
    }
    default:
      return step satisfies never;
  }
}

function concluded(deed: Deed, what: string, obstacle: Obstacle | undefined, tell: Tell): boolean {
  if (obstacle === undefined) tell({ kind: 'deed', deed, what });
  else
    tell({
      kind: 'problem',
      source: obstacle.path,
      text: `cannot be ${PASSIVE[deed]}: ${WHY[obstacle.code] ?? obstacle.code}`,
    });
  return obstacle === undefined;
}

const WHY: Readonly<Record<string, string>> = {
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left on the disk',
};

const PASSIVE: Readonly<Record<Deed, string>> = {
  wrote: 'written',
  kept: 'kept',
  linked: 'linked',
  removed: 'removed',
  ran: 'run',
};
