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

  /** Only when no deaths are left, a round may be drawn against the wish. From an empty urn: begins anew. */
  draw(choices: Choices, wish: 'any' | 'death'): Kind {
    const { rounds, deaths } = this.isEmpty ? this.#amounts : this.#left;
    const isRound = deaths === 0 || (wish === 'any' && choices.below(rounds + deaths) < rounds);
    this.#left = isRound ? { rounds: rounds - 1, deaths } : { rounds, deaths: deaths - 1 };
    return isRound ? 'round' : 'death';
  }

  /** What was drawn and did not come about has to be tried again. */
  putBack(kind: Kind): void {
    const { rounds, deaths } = this.#left;
    this.#left = kind === 'round' ? { rounds: rounds + 1, deaths } : { rounds, deaths: deaths + 1 };
  }
}
