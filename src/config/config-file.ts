import type { Assigned, Unread, Warning } from './python-value.ts';

/** A configuration file that was read: the options it sets, and nothing about its other names. */
export interface ConfigRead {
  readonly kind: 'read';
  readonly assigned: ReadonlyMap<string, Assigned>;
  readonly warnings: readonly Warning[];
}

/** Reads a configuration file: the value each option has when Python has executed the file. */
export function readConfig(_bytes: Uint8Array, _isOption: (name: string) => boolean): ConfigRead | Unread {
  return { kind: 'needs-python', at: { line: 1, col: 1 }, text: 'every file' };
}
