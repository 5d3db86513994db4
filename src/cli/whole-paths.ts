// Paths and programs as they were typed for `install`, so that they mean the same from everywhere: a boot has another directory and
// another PATH than the caller.

import type { Given, Layer } from '../config/given.ts';
import type { OptionName } from '../config/options.ts';
import type { Tell } from '../core/event.ts';
import { resolveFrom } from '../core/path.ts';
import type { Host } from '../host/host.ts';

/** What was typed, with every path whole that is one for certain. */
export function makeAbsolute(typed: Layer, directory: string, host: Host): ReadonlyMap<OptionName, string> {
  const resolve = (path: string): string => resolveFrom(directory, path);
  // In a template a percent sign stands for itself only if it is doubled.
  const resolveTemplate = (text: string): string => resolveFrom(directory.replaceAll('%', '%%'), text);
  const program = (word: string): string => findProgram(word, resolve, host);
  const hook = (text: string): string =>
    text.trim().replace(/^\S+/, (word) => findProgram(word, resolveTemplate, host));
  const ways: Partial<Record<OptionName, (text: string) => string>> = {
    script: (text) => text.trim().replace(/^\S+/, program),
    supervisor_before_stop: hook,
    supervisor_after_start: hook,
    config: resolve,
    pidfile_template: resolveTemplate,
    logfile_template: resolveTemplate,
    supervisor_python: program,
  };
  return new Map(
    [...typed].map(([name, given]): [OptionName, string] => {
      const text = textOf(given);
      return [name, text === '' ? '' : (ways[name]?.(text) ?? text)];
    }),
  );
}

/** Options that are split at blanks. */
const SPLIT = ['script', 'supervisor_before_stop', 'supervisor_after_start'] as const;

/** What is wrong with an option. */
interface Complaint {
  readonly source: string;
  readonly text: string;
}

/** An option that has other words now, because the directory that was put before its program has a blank. */
export function findSplit(
  typed: Layer,
  options: ReadonlyMap<OptionName, string>,
  directory: string,
): Complaint | undefined {
  return SPLIT.flatMap((name): Complaint[] => {
    const given = typed.get(name);
    if (wordsOf(textOf(given)).length === wordsOf(options.get(name) ?? '').length) return [];
    const text = `is split at blanks, and the directory ${directory} has one: move it elsewhere`;
    return [{ source: given?.source ?? name, text }];
  })[0];
}

/** Warns of words that name files here: whether they are meant so, nobody knows. */
export function tellFilesHere(typed: Layer, { files }: Host, tell: Tell): void {
  for (const name of SPLIT) {
    const given = typed.get(name);
    const [, ...words] = wordsOf(textOf(given));
    const here = words.find((word) => /^[^-/]/.test(word) && files.program(`./${word}`).kind !== 'missing');
    if (given === undefined || here === undefined) continue;
    const text = `${here} is a file here, and an init script is called from anywhere: write its whole path`;
    tell({ kind: 'caution', source: given.source, text });
  }
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function textOf(given: Given | undefined): string {
  return given?.value.kind === 'text' ? given.value.value : '';
}

function findProgram(word: string, resolve: (path: string) => string, { files, installation }: Host): string {
  const sight = files.program(word);
  // A word that PATH knows is given back as it is.
  const path = sight.kind === 'missing' ? word : sight.path;
  return path.includes('/') ? resolve(path) : (installation.find(path) ?? path);
}
