// Settings as tests write them down: values of Python and of command lines, layers, and what is wrong in one line.

import type { Given, Layer, Origin, Problem } from '../../src/config/given.ts';
import type { OptionName } from '../../src/config/options.ts';
import type { PyValue } from '../../src/config/python-value.ts';
import { type Required, type Settled, settle } from '../../src/config/settings.ts';

export const str = (value: string): PyValue => ({ kind: 'str', value });
export const int = (value: number | bigint): PyValue => ({ kind: 'int', value: BigInt(value) });
export const bool = (value: boolean): PyValue => ({ kind: 'bool', value });
export const float = (value: number): PyValue => ({ kind: 'float', value });
export const none: PyValue = { kind: 'none' };
export const text = (value: string): Given['value'] => ({ kind: 'text', value });

type Values = Readonly<Partial<Record<OptionName, Given['value']>>>;

/** What a place gives: in a file each value stands in a column of its own, on a command line it is the option itself. */
export function layer(origin: Origin, values: Values): Layer {
  return new Map(
    Object.entries(values).map(([name, value], index): [OptionName, Given] => {
      const source =
        origin === 'command-line' ? `--${name}` : `${origin === 'config' ? 'app.cfg' : 'launcher'}:${index + 1}:1`;
      return [name as OptionName, { value, origin, source }];
    }),
  );
}

export const commandLine = (values: Values): Layer => layer('command-line', values);
export const launcher = (values: Values): Layer => layer('launcher', values);
export const config = (values: Values): Layer => layer('config', values);

/** The two options that have no default. */
export const BASE: Layer = launcher({ script: str('/usr/bin/frontik'), config: str('/etc/app.cfg') });

export function settleWith(...layers: readonly Layer[]): Settled {
  return settle([BASE, ...layers], NEEDED);
}

export const NEEDED: Required = ['script', 'config'];

/** `origin source: text`, as an operator reads it and as the exit code takes it. */
export function show({ origin, source, text }: Problem): string {
  return `${origin} ${source}: ${text}`;
}

/** All that is wrong. */
export function problemsOf(settled: Settled): string[] {
  return settled.ok ? [] : settled.problems.map(show);
}
