/** What a load is to be; the other end of `rolling-load.ts`, which gets it as JSON. */
export interface LoadPlan {
  /** Of the proxy, on 127.0.0.1. */
  readonly port: number;
  /** Requests a second, sent whether or not earlier ones have been answered. */
  readonly rate: number;
  /** Share of POSTs, 0 to 1. */
  readonly posts: number;
  /** The longest that a request asks a worker to take, in ms; the shortest is 0. */
  readonly longestWait: number;
  /** Whether connections to the proxy are kept and used again, as browsers do. */
  readonly keepAlive: boolean;
  /** Seconds after which the load ends in any case. */
  readonly limit: number;
}

/** Each outcome with its number: `GET ok`, `POST ok`, `GET 502`, `POST ECONNRESET`, `GET timeout`, `GET wrong body`. */
export type Outcomes = Readonly<Record<string, number>>;

/** What became of a load. */
export interface Tally {
  readonly outcomes: Outcomes;
  /** The longest time, in ms, in which no answer came that was as it should be. */
  readonly longestGap: number;
  /** The longest that a request took beyond what it asked for, in ms; of those that succeeded. */
  readonly longestDelay: number;
  /** What all but 1 % of them took less than. */
  readonly delay99: number;
  /** Seconds from the first request to the last. */
  readonly seconds: number;
  /** The tokens of the POSTs that failed. */
  readonly failedPosts: readonly string[];
}

/** How many requests were sent. */
export function total(outcomes: Outcomes): number {
  return Object.values(outcomes).reduce((sum, count) => sum + count, 0);
}

/** What failed. */
export function failures(outcomes: Outcomes): Outcomes {
  return Object.fromEntries(Object.entries(outcomes).filter(([name]) => !name.endsWith(' ok')));
}

/** A tally in one line, for people. */
export function describe({ outcomes, longestGap, longestDelay, delay99, seconds }: Tally): string {
  const failed = failures(outcomes);
  const kinds = Object.entries(failed).map(([name, count]) => `${count} ${name}`);
  return [
    `${total(outcomes)} requests in ${seconds.toFixed(1)} s`,
    `${total(failed)} failed${kinds.length === 0 ? '' : ` (${kinds.join(', ')})`}`,
    `longest time without a good answer ${longestGap} ms`,
    `delay beyond the handler's own time 99 % under ${delay99} ms, at most ${longestDelay} ms`,
  ].join('; ');
}
