// Numbers that must not be mixed up. Each is checked once, where it enters, and trusted after.

declare const unit: unique symbol;
type Unit<Base, Name extends string> = Base & { readonly [unit]: Name };

/** A TCP port, 1 to 65535. */
export type Port = Unit<number, 'Port'>;
/** A process number that may be signalled: above 1, so never init, a process group or "everybody". */
export type Pid = Unit<number, 'Pid'>;
/** A moment of a monotonic clock, in milliseconds; never wall time. */
export type Instant = Unit<number, 'Instant'>;
/** A length of time in milliseconds. */
export type Millis = Unit<number, 'Millis'>;

/** The port of that number, or undefined outside 1..65535. */
export function asPort(number: number): Port | undefined {
  return Number.isInteger(number) && number >= 1 && number <= 65_535 ? (number as Port) : undefined;
}

/** The process number, or undefined for what kill(2) treats specially (init, 0, negatives) or Linux cannot have. */
export function asPid(number: number): Pid | undefined {
  return Number.isInteger(number) && number > 1 && number <= 4_194_304 ? (number as Pid) : undefined;
}

/** No timer of Node's can be set for longer: it would fire at once. */
export const LONGEST_TIMER = 2_147_483_647 as Millis;

/** So many milliseconds. */
export function millis(count: number): Millis {
  return count as Millis;
}

/** So many seconds. */
export function seconds(count: number): Millis {
  return (count * 1000) as Millis;
}

/** The moment that lies `wait` after `at`. */
export function after(at: Instant, wait: Millis): Instant {
  return (at + wait) as Instant;
}

/** How long it is from `from` to `to`. */
export function between(from: Instant, to: Instant): Millis {
  return (to - from) as Millis;
}
