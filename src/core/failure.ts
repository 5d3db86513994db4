// Every unhappy ending of one worker, as data, and the reason that a person reads.

import type { Millis } from './units.ts';
import type { Holder, HttpSight, ProcessIdentity, Unaskable } from './worker.ts';

/** Why a worker is not where its command wanted it. */
export type Failure =
  | { readonly kind: 'launch-refused'; readonly program: string; readonly code: string }
  | { readonly kind: 'died-while-starting'; readonly how: string }
  | {
      readonly kind: 'not-ready-in-time';
      readonly waited: Millis;
      readonly id: ProcessIdentity;
      readonly http: HttpSight;
    }
  /** It was ready, and went away while it was watched whether it stays. */
  | { readonly kind: 'did-not-stay'; readonly within: Millis }
  | { readonly kind: 'alive-not-ready'; readonly id: ProcessIdentity }
  | { readonly kind: 'port-held'; readonly holder: Holder }
  | { readonly kind: 'survived-sigkill'; readonly id: ProcessIdentity }
  | { readonly kind: 'keeps-coming-back'; readonly times: number }
  | { readonly kind: 'not-permitted'; readonly id: ProcessIdentity };

/** The reason in an operator's words, without the port, which the line it stands on names. */
export function describe(failure: Failure): string {
  switch (failure.kind) {
    case 'launch-refused':
      return `${failure.program} could not be started: ${failure.code}`;
    case 'died-while-starting':
      return `it ${failure.how} before it was ready`;
    case 'not-ready-in-time':
      return `it was not ready within ${failure.waited / 1000} s (pid ${failure.id.pid}): ${describeAnswer(failure.http)}`;
    case 'did-not-stay':
      return `it was ready, and went away within ${failure.within / 1000} s`;
    case 'alive-not-ready':
      return `alive (pid ${failure.id.pid}) but not ready`;
    case 'port-held':
      return `held by ${describeHolder(failure.holder)}`;
    case 'survived-sigkill':
      return `process ${failure.id.pid} survived SIGKILL`;
    case 'keeps-coming-back':
      return `it was stopped ${failure.times} times and came back each time: something else starts it`;
    case 'not-permitted':
      return `no permission to signal process ${failure.id.pid}: run this as its owner or as root`;
    default:
      return failure satisfies never;
  }
}

function describeAnswer(http: HttpSight): string {
  return typeof http === 'object' ? `it could not be asked: ${http.unaskable}` : HTTP_WORDS[http];
}

const HTTP_WORDS: Readonly<Record<Exclude<HttpSight, Unaskable>, string>> = {
  unasked: 'it does not listen on its port',
  silent: 'it gives no answer within 1 s',
  unready: 'its answer is not that of a ready worker',
  ready: 'it answers only now',
};

/** `nginx (pid 412)`, or what can be said of a process that we may not see. */
export function describeHolder(holder: Holder): string {
  return holder === undefined ? 'a process that cannot be seen from here' : `${holder.name} (pid ${holder.pid})`;
}
