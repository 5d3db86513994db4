/** A line and a column of a file, both from 1; columns count characters, as CPython's messages do. */
export interface Place {
  readonly line: number;
  readonly col: number;
}

/**
 * A value that a Python literal, or arithmetic on literals, gives. Objects that only a running Python has (functions, modules)
 * are missing on purpose, and so is what a dict or a set holds: no option takes one, only its type is ever named.
 */
export type PyValue =
  | { readonly kind: 'none' }
  | { readonly kind: 'ellipsis' }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'complex'; readonly imaginary: number }
  | { readonly kind: 'str'; readonly value: string }
  | { readonly kind: 'bytes'; readonly value: string } // one character a byte, as in Latin-1
  | { readonly kind: 'list'; readonly items: readonly PyValue[] }
  | { readonly kind: 'tuple'; readonly items: readonly PyValue[] }
  | { readonly kind: 'set' }
  | { readonly kind: 'dict' };

/** A name with the value it ends up with, and where the expression of that value stands. */
export interface Assigned {
  readonly name: string;
  readonly value: PyValue;
  readonly at: Place;
}

/** Something that is worth saying about a file that was read. */
export interface Warning {
  readonly at: Place;
  readonly text: string;
}

/** Why a file was not read: Python would refuse it too, or only a real Python can tell what it means. */
export type Unread =
  | { readonly kind: 'invalid'; readonly at: Place; readonly text: string }
  | { readonly kind: 'needs-python'; readonly at: Place; readonly text: string };

/** The name Python gives to the type of a value. */
export function typeName(value: PyValue): string {
  return value.kind === 'none' ? 'NoneType' : value.kind;
}

const LONGEST_REPR = 60;

/** The value as Python's repr() writes it, cut to what fits into a message. */
export function repr(value: PyValue): string {
  const text = write(value);
  return text.length > LONGEST_REPR ? `${text.slice(0, LONGEST_REPR - 3)}...` : text;
}

function write(value: PyValue): string {
  switch (value.kind) {
    case 'none':
      return 'None';
    case 'ellipsis':
      return 'Ellipsis';
    case 'bool':
      return value.value ? 'True' : 'False';
    case 'int':
      return value.value.toString();
    case 'float':
      return writeFloat(value.value);
    case 'complex':
      return `${writeFloat(value.imaginary).replace(/\.0$/, '')}j`;
    case 'str':
      return quote(value.value, isPrintable);
    case 'bytes':
      return `b${quote(value.value, isPrintableByte)}`;
    case 'list':
      return `[${writeItems(value.items)}]`;
    case 'tuple':
      return `(${writeItems(value.items)}${value.items.length === 1 ? ',' : ''})`;
    case 'set':
    case 'dict':
      return '{...}';
    default:
      return value satisfies never;
  }
}

function writeItems(items: readonly PyValue[]): string {
  let text = '';
  for (const item of items) {
    if (text !== '') text += ', ';
    text += write(item);
    if (text.length > LONGEST_REPR) break; // the rest would be cut anyway
  }
  return text;
}

// float.__repr__ (format code 'r'): the shortest digits that read back the same, with an exponent below 1e-4 and from 1e16 on.
function writeFloat(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const size = Math.abs(value);
  const [digits = '', exponent = '0'] = size.toExponential().split('e');
  const power = Number(exponent);
  if (size > 0 && power < -4) return `${sign}${digits}e-${String(-power).padStart(2, '0')}`;
  if (power >= 16) return `${sign}${digits}e+${power}`;
  if (power < 0) return `${sign}0.${'0'.repeat(-power - 1)}${digits.replace('.', '')}`;
  return `${sign}${size}${Number.isInteger(size) ? '.0' : ''}`;
}

const ESCAPED: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

// str.__repr__: apostrophes around it unless only apostrophes are inside; what cannot be printed is written as an escape.
function quote(whole: string, isPrintable: (char: string) => boolean): string {
  const around = whole.includes("'") && !whole.includes('"') ? '"' : "'";
  let text = around;
  for (const char of whole.slice(0, LONGEST_REPR)) {
    if (char === around) text += `\\${char}`;
    else text += ESCAPED.get(char) ?? (isPrintable(char) ? char : writeCode(char.codePointAt(0) ?? 0));
  }
  return whole.length > LONGEST_REPR ? text : text + around;
}

function writeCode(code: number): string {
  const hex = code.toString(16);
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

function isPrintableByte(char: string): boolean {
  return char >= ' ' && char <= '~';
}

function isPrintable(char: string): boolean {
  return isPrintableByte(char) || !/[\p{C}\p{Z}]/u.test(char);
}
