// What a command's end comes to as an exit status. Linux Standard Base 5.0, Core, "Init Script Actions".

import type { Problem } from '../config/given.ts';
import { type Survey, summarize } from '../core/event.ts';
import type { Outcome } from '../engine/commands.ts';

export const OK = 0;
export const FAILED = 1;
export const WRONG_ARGUMENTS = 2;
export const NOT_PERMITTED = 4;
export const NOT_INSTALLED = 5;
export const NOT_CONFIGURED = 6;
export const NOT_RUNNING = 7;

/** LSB's own meanings for `status`. */
export const STATUS_NOT_RUNNING = 3;
export const STATUS_UNKNOWN = 4;

/** `start` and `restart`: all configured workers run, and no old one is stuck. */
export function startVerdict({ survey, failures }: Outcome): number {
  if (failures.some((failure) => failure.kind === 'not-permitted')) return NOT_PERMITTED;
  const isStuck = failures.some(
    (failure) => failure.kind === 'survived-sigkill' || failure.kind === 'keeps-coming-back',
  );
  return survey !== undefined && !isStuck && summarize(survey) === 'all-running' ? OK : FAILED;
}

/** `start --no-wait`: every worker is on its way, or there already. */
export function launchVerdict({ failures }: Outcome): number {
  if (failures.some((failure) => failure.kind === 'not-permitted')) return NOT_PERMITTED;
  return failures.length === 0 ? OK : FAILED;
}

/** `reload`: every worker was replaced, and all run; 7 when there was none to begin with. */
export function reloadVerdict(reloaded: (Outcome & { readonly isComplete: boolean }) | undefined): number {
  if (reloaded === undefined) return NOT_RUNNING;
  const exit = startVerdict(reloaded);
  return exit === OK && !reloaded.isComplete ? FAILED : exit;
}

/** `stop`: no worker is left, stale ones included. */
export function stopVerdict({ survey, failures }: Outcome): number {
  if (failures.some((failure) => failure.kind === 'not-permitted')) return NOT_PERMITTED;
  if (survey === undefined || failures.length > 0) return FAILED;
  return summarize(survey) === 'all-stopped' && survey.stale.length === 0 ? OK : FAILED;
}

/** `status`; `partial` is the code for "only some of them", which Pacemaker wants to be another. */
export function statusVerdict(survey: Survey, partial: number): number {
  if (survey.workers.some(({ standing }) => standing.kind === 'unaskable')) return STATUS_UNKNOWN;
  const codes = { 'all-running': OK, 'some-running': partial, 'all-stopped': STATUS_NOT_RUNNING };
  return codes[summarize(survey)];
}

/** A command line, launcher or configuration that cannot be used. */
export function problemVerdict(problems: readonly Problem[]): number {
  return problems.some((problem) => problem.origin === 'command-line') ? WRONG_ARGUMENTS : NOT_CONFIGURED;
}

/** Ended by a signal, as shells report it. */
export function signalVerdict(signal: 'SIGHUP' | 'SIGINT' | 'SIGTERM'): number {
  return 128 + { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }[signal];
}
