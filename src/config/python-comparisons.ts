// Comparisons that are the same in every Python: Python Language Reference 6.10. The rest has no value here.

import { isTrue } from './python-operators.ts';
import type { PyValue } from './python-value.ts';

/** `left operator right`; undefined where only a real Python should say. */
export function compare(operator: string, left: PyValue, right: PyValue): boolean | undefined {
  switch (operator) {
    case '==':
      return isEqual(left, right);
    case '!=':
      return not(isEqual(left, right));
    case '<':
      return isLess(left, right);
    case '>':
      return isLess(right, left);
    case '<=':
      return isLessOrEqual(left, right);
    case '>=':
      return isLessOrEqual(right, left);
    case 'is':
      return isSame(left, right);
    case 'is not':
      return not(isSame(left, right));
    case 'in':
      return isIn(left, right);
    case 'not in':
      return not(isIn(left, right));
    default:
      return undefined;
  }
}

function not(answer: boolean | undefined): boolean | undefined {
  return answer === undefined ? undefined : !answer;
}

function numberOf(value: PyValue): bigint | number | undefined {
  if (value.kind === 'bool') return value.value ? 1n : 0n;
  return value.kind === 'int' || value.kind === 'float' ? value.value : undefined;
}

function isEqual(left: PyValue, right: PyValue): boolean | undefined {
  const [one, other] = [numberOf(left), numberOf(right)];
  // JavaScript compares integers and floats by their exact values, as Python does.
  // biome-ignore lint/suspicious/noDoubleEquals: 1n === 1 is false
  if (one !== undefined && other !== undefined) return one == other;
  if (left.kind === 'str' && right.kind === 'str') return left.value === right.value;
  return isScalar(left) && isScalar(right) ? left.kind === 'none' && right.kind === 'none' : undefined;
}

// bytes are left out: Python 2 takes them for str.
function isScalar(value: PyValue): boolean {
  return value.kind === 'none' || value.kind === 'str' || numberOf(value) !== undefined;
}

function isLess(left: PyValue, right: PyValue): boolean | undefined {
  const pair = ordered(left, right);
  return pair && pair[0] < pair[1];
}

function isLessOrEqual(left: PyValue, right: PyValue): boolean | undefined {
  const pair = ordered(left, right);
  return pair && pair[0] <= pair[1];
}

type Ordered = readonly [bigint | number, bigint | number] | readonly [string, string];

// JavaScript orders strings by halves of surrogate pairs, Python by whole characters.
function ordered(left: PyValue, right: PyValue): Ordered | undefined {
  const [one, other] = [numberOf(left), numberOf(right)];
  if (one !== undefined && other !== undefined) return [one, other];
  if (left.kind !== 'str' || right.kind !== 'str') return undefined;
  return /[\ud800-\uffff]/.test(left.value + right.value) ? undefined : [left.value, right.value];
}

// Whether equal numbers or strings are one object depends on the implementation.
function isSame(left: PyValue, right: PyValue): boolean | undefined {
  const isSingle = (value: PyValue): boolean => value.kind === 'none' || value.kind === 'bool';
  if (!(isSingle(left) || isSingle(right))) return undefined;
  if (left.kind === 'none' || right.kind === 'none') return left.kind === right.kind;
  return left.kind === right.kind && isTrue(left) === isTrue(right);
}

function isIn(item: PyValue, whole: PyValue): boolean | undefined {
  if (whole.kind === 'str') return item.kind === 'str' ? whole.value.includes(item.value) : undefined;
  if (whole.kind !== 'list' && whole.kind !== 'tuple') return undefined;
  let found = false;
  for (const one of whole.items) {
    const answer = one.kind === 'float' ? undefined : isEqual(item, one);
    if (answer === undefined) return undefined;
    found ||= answer;
  }
  return found;
}
