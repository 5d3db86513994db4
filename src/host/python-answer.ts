// What the program in a Python tells, from its JSON to values. The file it executed may have written there too, so nothing
// is taken for granted.

import type { PythonAnswer, PythonPlace, PythonResult, PythonValue } from './host.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Thrown and caught in this file only: an answer that our program cannot have given. */
class Garbled extends Error {}

/** Reads an answer; undefined when there is none, or none of ours. */
export function readAnswer(text: string, printed: readonly string[]): PythonAnswer | undefined {
  try {
    const answer = fieldsOf(JSON.parse(text));
    return answer['kind'] === 'raised' ? raisedOf(answer, printed) : evaluatedOf(answer, printed);
  } catch (error) {
    if (error instanceof Garbled || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function raisedOf(answer: Fields, printed: readonly string[]): PythonAnswer {
  const col = answer['col'] === undefined ? undefined : countOf(answer['col']);
  const isImport = answer['isImport'] === true;
  return { kind: 'raised', line: countOf(answer['line']), col, text: textOf(answer['text']), isImport, printed };
}

function evaluatedOf(answer: Fields, printed: readonly string[]): PythonAnswer {
  if (answer['kind'] !== 'evaluated') throw new Garbled();
  const result: PythonResult = {
    values: listOf(answer['values'], (entry) => ({ ...namedOf(entry), value: pythonValue(fieldsOf(entry['value'])) })),
    unset: listOf(answer['unset'], namedOf),
    called: maybeText(answer['called']),
    imported: maybeText(answer['imported']),
    effects: listOf(answer['effects'], effectOf),
    argv: arrayOf(answer['argv']).map(textOf),
  };
  return { kind: 'evaluated', result, printed };
}

function pythonValue(value: Fields): PythonValue {
  switch (value['kind']) {
    case 'none':
      return { kind: 'none' };
    case 'bool':
      return { kind: 'bool', value: value['value'] === true };
    case 'int':
      return { kind: 'int', value: hexadecimal(textOf(value['value'])) };
    case 'float':
      return { kind: 'float', value: float(textOf(value['value'])) };
    case 'str':
      return { kind: 'str', value: textOf(value['value']) };
    case 'object':
      return { kind: 'object', type: textOf(value['type']), repr: textOf(value['repr']) };
    default:
      throw new Garbled();
  }
}

function hexadecimal(text: string): bigint {
  const [, sign, digits] = /^(-?)([0-9a-f]+)$/.exec(text) ?? [];
  if (digits === undefined) throw new Garbled();
  const value = BigInt(`0x${digits}`);
  return sign === '-' ? -value : value;
}

const NOT_FINITE: ReadonlyMap<string, number> = new Map([
  ['inf', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
  ['nan', Number.NaN],
]);

function float(text: string): number {
  const value = NOT_FINITE.get(text) ?? Number(text);
  if (Number.isNaN(value) && text !== 'nan') throw new Garbled();
  return value;
}

function effectOf(effect: Fields): PythonResult['effects'][number] {
  switch (effect['kind']) {
    case 'directory':
      return { kind: 'directory', path: textOf(effect['path']) };
    case 'variable':
      return { kind: 'variable', name: textOf(effect['name']), value: maybeText(effect['value']) };
    default:
      throw new Garbled();
  }
}

function namedOf(entry: Fields): { readonly name: string; readonly at: PythonPlace } {
  const [line, col] = arrayOf(entry['at']);
  return { name: textOf(entry['name']), at: { line: countOf(line), col: countOf(col) } };
}

function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null) throw new Garbled();
  return value as Fields;
}

function arrayOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Garbled();
  return value;
}

function listOf<T>(value: unknown, read: (entry: Fields) => T): readonly T[] {
  return arrayOf(value).map((entry) => read(fieldsOf(entry)));
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new Garbled();
  return value;
}

function maybeText(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : textOf(value);
}

function countOf(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) throw new Garbled();
  return value;
}
