// Layers of given values, of which the last wins: what each option comes to.

import { type Given, type Layer, outOfBounds, type Plain, type Problem, readValue } from './given.ts';
import { OPTIONS, type OptionName } from './options.ts';

/** What each option comes to, as far as its values can be read at all; and who has given it. */
interface Combined {
  readonly values: ReadonlyMap<OptionName, Plain>;
  readonly winners: ReadonlyMap<OptionName, Given>;
  readonly problems: Problem[];
  readonly cautions: Problem[];
}

/** An option for people to look at: its value, unless what is given cannot be one, and where that is. */
export interface Shown {
  readonly name: OptionName;
  readonly value: Plain | { readonly wrong: true };
  readonly source: string;
}

/** Every option as it stands, also where something is wrong. */
export function show(layers: readonly Layer[]): readonly Shown[] {
  const { values } = combine(layers);
  return OPTIONS.map((option): Shown => {
    const { name } = option;
    const given = layers.findLast((layer) => layer.has(name))?.get(name);
    if (given === undefined) return { name, value: values.get(name), source: 'default' };
    const isWrong = 'wrong' in readValue(option, given);
    return { name, value: isWrong ? { wrong: true } : values.get(name), source: given.source };
  });
}

/** Reads every given value, also one that a later layer replaces. */
export function combine(layers: readonly Layer[]): Combined {
  const problems: Problem[] = [];
  const cautions: Problem[] = [];
  const values = new Map<OptionName, Plain>();
  const winners = new Map<OptionName, Given>();
  for (const option of OPTIONS) {
    values.set(option.name, option.default);
    for (const layer of layers) {
      const given = layer.get(option.name);
      if (given === undefined) continue;
      const read = readValue(option, given);
      if ('wrong' in read) {
        problems.push(problem(option.name, given, read.wrong));
        continue;
      }
      if (read.caution !== undefined) cautions.push(problem(option.name, given, read.caution));
      values.set(option.name, read.value ?? option.default);
      winners.set(option.name, given);
    }
    const winner = winners.get(option.name);
    const wrong = winner === undefined ? undefined : outOfBounds(option, values.get(option.name));
    if (winner !== undefined && wrong !== undefined) problems.push(problem(option.name, winner, wrong));
  }
  return { values, winners, problems, cautions };
}

/** Says of an option what is wrong with what was given for it. */
export function problem(name: OptionName, { origin, source }: Given, text: string): Problem {
  return { origin, source, text: source === `--${name}` ? text : `${name} ${text}` };
}
