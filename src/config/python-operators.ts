// Arithmetic that is the same in every Python: Python Language Reference 6.6 and 6.7. The rest has no value here.

import type { PyValue } from './python-value.ts';

// What a file computes is a port, a path, a number of seconds. The bounds keep `x = x * x` from filling the memory.
const LARGEST_INT = 1n << 256n;
const LONGEST_STR = 4096;

/** -x, +x, ~x and not x; undefined where only a real Python should say. */
export function negate(operator: string, value: PyValue): PyValue | undefined {
  if (operator === 'not') {
    const truth = isTrue(value);
    return truth === undefined ? undefined : { kind: 'bool', value: !truth };
  }
  if (value.kind === 'float' && operator !== '~') return operator === '-' ? float(-value.value) : value;
  if (value.kind !== 'int') return undefined;
  return int(operator === '-' ? -value.value : operator === '~' ? ~value.value : value.value);
}

/** Whether a value counts as true (Python Library Reference, Truth Value Testing); undefined for those that are not known whole. */
export function isTrue(value: PyValue): boolean | undefined {
  switch (value.kind) {
    case 'none':
      return false;
    case 'ellipsis':
      return true;
    case 'bool':
      return value.value;
    case 'int':
      return value.value !== 0n;
    case 'float':
      return value.value !== 0;
    case 'complex':
      return value.imaginary !== 0;
    case 'str':
    case 'bytes':
      return value.value !== '';
    case 'list':
    case 'tuple':
      return value.items.length > 0;
    case 'set':
    case 'dict':
      return undefined;
    default:
      return value satisfies never;
  }
}

/** + - * // and % of integers and strings; undefined where only a real Python should say. */
export function calculate(operator: string, left: PyValue, right: PyValue): PyValue | undefined {
  if (left.kind === 'int' && right.kind === 'int') return calculateInt(operator, left.value, right.value);
  if (left.kind === 'str' && operator === '%') return format(left.value, right);
  if (left.kind === 'str' && right.kind === 'str' && operator === '+') return str(left.value + right.value);
  if (left.kind === 'str' && right.kind === 'int' && operator === '*') return repeat(left.value, right.value);
  if (left.kind === 'int' && right.kind === 'str' && operator === '*') return repeat(right.value, left.value);
  return undefined;
}

function calculateInt(operator: string, left: bigint, right: bigint): PyValue | undefined {
  switch (operator) {
    case '+':
      return int(left + right);
    case '-':
      return int(left - right);
    case '*':
      return int(left * right);
    case '//':
      return right === 0n ? undefined : int((left - floorModulo(left, right)) / right);
    case '%':
      return right === 0n ? undefined : int(floorModulo(left, right));
    default:
      return undefined;
  }
}

// The result has the sign of the divisor, in JavaScript that of the dividend.
function floorModulo(left: bigint, right: bigint): bigint {
  const rest = left % right;
  return rest !== 0n && rest < 0n !== right < 0n ? rest + right : rest;
}

function repeat(text: string, times: bigint): PyValue | undefined {
  if (times <= 0n || text === '') return str('');
  return BigInt(text.length) * times > LONGEST_STR ? undefined : str(text.repeat(Number(times)));
}

/** %s and %d with a str, an int, or a tuple of them: Python Library Reference, printf-style String Formatting. */
function format(template: string, argument: PyValue): PyValue | undefined {
  const values = argument.kind === 'tuple' ? [...argument.items] : [argument];
  let text = '';
  let done = 0;
  for (let at = template.indexOf('%'); at !== -1; at = template.indexOf('%', done)) {
    const part = template[at + 1] === '%' ? '%' : formatOne(template[at + 1], values.shift());
    if (part === undefined) return undefined;
    text += template.slice(done, at) + part;
    done = at + 2;
  }
  return values.length > 0 ? undefined : str(text + template.slice(done));
}

function formatOne(conversion: string | undefined, value: PyValue | undefined): string | undefined {
  if (value?.kind === 'int' && (conversion === 's' || conversion === 'd')) return value.value.toString();
  return value?.kind === 'str' && conversion === 's' ? value.value : undefined;
}

function int(value: bigint): PyValue | undefined {
  return value > LARGEST_INT || value < -LARGEST_INT ? undefined : { kind: 'int', value };
}

function float(value: number): PyValue {
  return { kind: 'float', value };
}

function str(value: string): PyValue | undefined {
  return value.length > LONGEST_STR ? undefined : { kind: 'str', value };
}
