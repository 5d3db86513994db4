// Paths as text: no look at the machine.

/** The absolute form of a path, seen from an absolute directory; `.` and `..` are resolved as text, as path.resolve does. */
export function resolveFrom(directory: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${directory}/${path}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
