// The npm package's Node without its symbols: 18 MB less. It must be done before the blob is put in; a binary that is
// stripped afterwards crashes, so packagers have to switch their own stripping off.

import { execFileSync } from 'node:child_process';
import { existsSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Strips the running Node into the directory, unless that was done already; returns the path. */
export function stripNode(directory: string): string {
  const [source, stripped] = [process.execPath, join(directory, `node-${process.version}-${process.arch}`)];
  if (existsSync(stripped) && statSync(stripped).mtimeMs > statSync(source).mtimeMs) return stripped;
  execFileSync('strip', ['--strip-all', '-o', `${stripped}.new`, source], { stdio: 'inherit' });
  renameSync(`${stripped}.new`, stripped);
  return stripped;
}
