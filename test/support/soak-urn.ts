import type { Choices } from './soak-choices.ts';

/** How many of each kind of trial. */
export interface Amounts {
  readonly rounds: number;
  readonly deaths: number;
}

export type Kind = 'round' | 'death';

/** Trials in random order, up to given amounts: when one kind has its number, the time goes to the other. */
export class Urn {
  readonly #amounts: Amounts;
  #left: Amounts;

  constructor(amounts: Amounts) {
    this.#amounts = amounts;
    this.#left = amounts;
  }

  get isEmpty(): boolean {
    return this.#left.rounds + this.#left.deaths === 0;
  }

  /** From an empty urn: begins anew. Undefined when all that is left are rounds, and none may begin. */
  draw(choices: Choices, mayBe: 'any' | 'death'): Kind | undefined {
    const { rounds, deaths } = this.isEmpty ? this.#amounts : this.#left;
    if (mayBe === 'death' && deaths === 0) {
      return undefined;
    }
    const isRound = mayBe === 'any' && choices.below(rounds + deaths) < rounds;
    this.#left = isRound ? { rounds: rounds - 1, deaths } : { rounds, deaths: deaths - 1 };
    return isRound ? 'round' : 'death';
  }

  /** What was drawn and did not come about has to be tried again. */
  putBack(kind: Kind): void {
    const { rounds, deaths } = this.#left;
    this.#left = kind === 'round' ? { rounds: rounds + 1, deaths } : { rounds, deaths: deaths + 1 };
  }
}
