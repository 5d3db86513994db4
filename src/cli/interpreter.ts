// Which Python executes what cannot be read natively: the one that would run the script.

import type { Layer } from '../config/given.ts';
import type { Host } from '../host/host.ts';

/** A Python to ask, or whose absence is the matter. */
export type Interpreter =
  | { readonly kind: 'found'; readonly program: string }
  | { readonly kind: 'missing'; readonly program: string };

/** Chooses among what launcher and command line say: of settings only they are known before a configuration is read. */
export function chooseInterpreter(layers: readonly Layer[], host: Host): Interpreter {
  const chosen = textOf(layers, 'supervisor_python');
  if (chosen !== undefined) return look(chosen, host);
  const [script = ''] = scriptWords(layers);
  if (isPython(script) && isRunnable(script, host)) return { kind: 'found', program: script };
  const sight = host.files.program(script);
  return (sight.kind === 'missing' ? undefined : namedOnFirstLine(sight.path, host)) ?? look('python3', host);
}

/** The Python that a launcher itself names, when it is run as `frontik-supervisor LAUNCHER`. */
export function ownInterpreter(layers: readonly Layer[], launcher: string, host: Host): Interpreter {
  const isChosen = textOf(layers, 'supervisor_python') !== undefined;
  return (isChosen ? undefined : namedOnFirstLine(launcher, host)) ?? chooseInterpreter(layers, host);
}

/** The file that workers execute, unless PATH is searched for it. */
export function findScript(layers: readonly Layer[]): string | undefined {
  return scriptWords(layers).find((word) => word.includes('/') && !isPython(word));
}

function scriptWords(layers: readonly Layer[]): readonly string[] {
  return (textOf(layers, 'script') ?? '').split(/\s+/).filter((word) => word !== '');
}

function look(program: string, host: Host): Interpreter {
  return { kind: isRunnable(program, host) ? 'found' : 'missing', program };
}

function isRunnable(program: string, host: Host): boolean {
  return host.files.program(program).kind === 'runnable';
}

/** execve(2), "Interpreter scripts"; `/usr/bin/env python3` is looked through. */
function namedOnFirstLine(path: string, host: Host): Interpreter | undefined {
  const file = host.files.read(path);
  if (!file.ok) return undefined;
  const [line = ''] = new TextDecoder().decode(file.value.subarray(0, 256)).split('\n', 1);
  const [, interpreter = '', argument = ''] = /^#![ \t]*(\S+)(?:[ \t]+(\S+))?/.exec(line.trimEnd()) ?? [];
  const program = /(^|\/)env$/.test(interpreter) ? argument : interpreter;
  return isPython(program) && isRunnable(program, host) ? { kind: 'found', program } : undefined;
}

function isPython(program: string): boolean {
  return /(^|\/)python[\d.]*$/.test(program);
}

function textOf(layers: readonly Layer[], name: 'supervisor_python' | 'script'): string | undefined {
  const value = layers.map((layer) => layer.get(name)?.value).findLast((each) => each !== undefined);
  return (value?.kind === 'text' || value?.kind === 'str') && isPath(value.value) ? value.value : undefined;
}

/** Whether a text can be a path at all: path_resolution(7), and UTF-8, which is what we hand on. */
export function isPath(text: string): boolean {
  return text !== '' && !text.includes('\0') && text.isWellFormed();
}
