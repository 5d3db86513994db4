// How often, and from which seed, what is random in a test is tried. `make test` does the same every time: what is found at random
// there says nothing of the change under test. `make fuzz` (FUZZ, so many times as often) goes from another seed each time, which
// fast-check prints when it has found something; FUZZ_SEED repeats one.

const {
  FUZZ: factor = '1',
  FUZZ_SEED: seed = process.env['FUZZ'] === undefined ? '1' : String(Date.now() % 1_000_000),
} = process.env;

export interface Trials {
  readonly numRuns: number;
  readonly seed: number;
}

/** For fast-check: so many runs, times FUZZ. */
export function trials(numRuns: number): Trials {
  return { numRuns: numRuns * Number(factor), seed: Number(seed) };
}
