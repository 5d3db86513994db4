// The npm package's Node without its symbols: 18 MB less. It must be done before the blob is put in; a binary that is
// stripped afterwards crashes, so packagers have to switch their own stripping off.

import { execFileSync } from 'node:child_process';
import { existsSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Target } from './target.ts';

/** Strips the target's Node into the directory, unless that was done already; returns the path. */
export function stripNode(directory: string, { arch, node, strip }: Pick<Target, 'arch' | 'node' | 'strip'>): string {
  const stripped = join(directory, `node-${process.version}-${arch}`);
  if (existsSync(stripped) && statSync(stripped).mtimeMs > statSync(node).mtimeMs) return stripped;
  execFileSync(strip, ['--strip-all', '-o', `${stripped}.new`, node], { stdio: 'inherit' });
  renameSync(`${stripped}.new`, stripped);
  return stripped;
}
