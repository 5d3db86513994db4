// os.path, as Lib/posixpath.py has it.

import type { Surroundings } from './python-surroundings.ts';

/** os.path.join */
export function join(first: string, rest: readonly string[]): string {
  let path = first;
  for (const part of rest) {
    if (part.startsWith('/')) path = part;
    else path += path === '' || path.endsWith('/') ? part : `/${part}`;
  }
  return path;
}

/** os.path.basename */
export function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** os.path.dirname */
export function dirname(path: string): string {
  const head = path.slice(0, path.lastIndexOf('/') + 1);
  let end = head.length;
  while (head[end - 1] === '/') end--;
  return end === 0 ? head : head.slice(0, end);
}

/** os.path.normpath */
export function normpath(path: string): string {
  if (path === '') return '.';
  // POSIX leaves to the system what two slashes at the start mean; more are one.
  const root = path.startsWith('//') && !path.startsWith('///') ? '//' : path.startsWith('/') ? '/' : '';
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..' || (root === '' && parts.length === 0) || parts.at(-1) === '..') parts.push(part);
    else parts.pop();
  }
  return root + parts.join('/') || '.';
}

// PATH_MAX of Linux: a longer path leads nowhere.
const LONGEST = 4096;

/** os.path.realpath of an absolute path; undefined where it cannot be told from here whether it exists. */
export function realpath(path: string, existing: readonly string[], surroundings: Surroundings): string | undefined {
  if (path.length > LONGEST) return undefined;
  let real = '/';
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      real = dirname(real);
      continue;
    }
    const next = join(real, [part]);
    const target = surroundings.realpath(next);
    // A path that leads nowhere, or in circles, is given back as it is, and so is one without links.
    if (target === next && !existing.some((one) => one === next || one.startsWith(`${next}/`))) return undefined;
    real = target;
  }
  return real;
}
