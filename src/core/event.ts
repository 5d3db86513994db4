// Everything that a person may be told, as data; report/ turns it into words.

import type { Notice } from './journey.ts';
import type { Millis, Port } from './units.ts';
import type { ProcessIdentity, Standing } from './worker.ts';

/** A fresh look at all workers, the base of `status` and of every exit status. */
export interface Survey {
  readonly workers: readonly { readonly port: Port; readonly standing: Standing }[];
  readonly stale: readonly { readonly port: Port; readonly id: ProcessIdentity }[];
}

/** How grave a message is; it decides the colour only, every level is shown. */
export type Level = 'debug' | 'info' | 'warning' | 'error';

/** What a survey comes to. */
export type Summary = 'all-running' | 'some-running' | 'all-stopped';

/** How a worker stands that `run` looks after. */
export type KeptState =
  | { readonly kind: 'running'; readonly pid: number; readonly since: Millis }
  | { readonly kind: 'unready'; readonly pid: number }
  | { readonly kind: 'on-its-way' }
  | { readonly kind: 'resting'; readonly wait: Millis; readonly deaths: number }
  | { readonly kind: 'stopped' };

/** What the command that ends with a survey wanted; it decides the level of the last line. */
export type Expectation = 'started' | 'stopped' | 'nothing';

/** A change of the system outside of our own files; `kept`: it is as it should be. */
export type Deed = 'wrote' | 'kept' | 'linked' | 'removed' | 'ran';

export type Event =
  | { readonly kind: 'notice'; readonly port: Port; readonly notice: Notice; readonly lastWords: readonly string[] }
  | { readonly kind: 'killing' }
  | { readonly kind: 'stop-failed' }
  | { readonly kind: 'soft-limit-lowered'; readonly limit: number; readonly cause: 'capability' | 'kernel' }
  | { readonly kind: 'look-alike'; readonly port: Port; readonly pid: number; readonly user: string }
  | { readonly kind: 'forbidden'; readonly port: Port; readonly pid: number; readonly user: string }
  | { readonly kind: 'python-chosen'; readonly script: string; readonly why: string }
  | { readonly kind: 'log-unusable'; readonly port: Port; readonly path: string; readonly why: string }
  | { readonly kind: 'pidfile-stuck'; readonly path: string; readonly code: string }
  | { readonly kind: 'waiting-for-lock'; readonly holder: string | undefined }
  | { readonly kind: 'lock-timed-out'; readonly holder: string | undefined }
  | { readonly kind: 'more-look-alikes'; readonly count: number }
  | { readonly kind: 'foreign-run'; readonly pid: number; readonly user: string }
  | {
      readonly kind: 'hook-failed';
      readonly port: Port;
      readonly hook: 'before_stop' | 'after_start';
      readonly program: string;
      readonly how: string;
      readonly words: readonly string[];
    }
  | { readonly kind: 'nothing-to-reload' }
  | {
      readonly kind: 'roll-stopped';
      readonly renewed: readonly Port[];
      readonly down: readonly Port[];
      readonly old: readonly Port[];
    }
  | { readonly kind: 'out-of-rotation'; readonly ports: readonly Port[] }
  | { readonly kind: 'worker-lost'; readonly port: Port; readonly pid: number; readonly how: string }
  | { readonly kind: 'worker-hangs'; readonly port: Port; readonly pid: number; readonly silent: Millis }
  | {
      readonly kind: 'worker-rests';
      readonly port: Port;
      readonly wait: Millis;
      readonly deaths: number;
      readonly isGivenUp: boolean;
    }
  | { readonly kind: 'worker-back'; readonly port: Port; readonly pid: number }
  /** What a `run` says to whoever has asked it for something. */
  | { readonly kind: 'relayed'; readonly level: Level; readonly text: string }
  | { readonly kind: 'resident-lost' }
  | { readonly kind: 'resident-there' }
  | { readonly kind: 'none-came-up' }
  | { readonly kind: 'report'; readonly port: Port; readonly state: KeptState }
  | { readonly kind: 'left-stopped'; readonly ports: readonly Port[] }
  /** What was done to the system to install or uninstall, or to undo it. */
  | { readonly kind: 'deed'; readonly deed: Deed; readonly what: string }
  | { readonly kind: 'not-installed'; readonly name: string }
  | { readonly kind: 'no-such-action'; readonly action: string | undefined }
  | { readonly kind: 'problem'; readonly source: string; readonly text: string }
  | { readonly kind: 'caution'; readonly source: string; readonly text: string }
  | {
      readonly kind: 'surveyed';
      readonly survey: Survey;
      readonly expected: Expectation;
      readonly told: ReadonlySet<Port>;
    };

/** Hands an event to whoever tells people. */
export type Tell = (event: Event) => void;

/** What a survey comes to: running means ready; stopped means that none is even alive. */
export function summarize(survey: Survey): Summary {
  const standings = survey.workers.map(({ standing }) => standing.kind);
  if (standings.length > 0 && standings.every((kind) => kind === 'running')) return 'all-running';
  return standings.some((kind) => kind !== 'down') ? 'some-running' : 'all-stopped';
}
