import type { Assigned, Unread, Warning } from './python-value.ts';

/**
 * Which supervisor a launcher was written for. Those of `tornado_util` call the base port `port` in their configuration
 * files, the others `start_port`.
 */
export type Generation = 'frontik' | 'frontik.launcher' | 'tornado_util';

/** What a launcher hands to supervisor(): `script`, `config`, `app` and options by name, as far as they are given. */
export interface SupervisorCall {
  readonly generation: Generation;
  readonly arguments: ReadonlyMap<string, Assigned>;
}

/** A launcher that was read. */
export interface LauncherRead {
  readonly kind: 'read';
  readonly call: SupervisorCall;
  readonly warnings: readonly Warning[];
}

/** Reads a launcher: the arguments of its supervisor(...) call. */
export function readLauncher(_bytes: Uint8Array, _isOption: (name: string) => boolean): LauncherRead | Unread {
  return { kind: 'needs-python', at: { line: 1, col: 1 }, text: 'every launcher' };
}
