import { createHash } from 'node:crypto';

/** A stream of random choices that depends on nothing but its name. */
export class Choices {
  readonly #name: string;
  #drawn = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** 0 … 1, without 1. */
  fraction(): number {
    this.#drawn += 1;
    const digest = createHash('sha256').update(`${this.#name} ${this.#drawn}`).digest();
    return digest.readUInt32BE(0) / 2 ** 32;
  }

  /** A whole number from 0, below the limit. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  /** Seconds with milliseconds, as the switches of the worker take them. */
  seconds(most: number): number {
    return Math.round(this.fraction() * most * 1000) / 1000;
  }

  oneIn(many: number): boolean {
    return this.below(many) === 0;
  }

  oneOf<T>(first: T, ...others: readonly T[]): T {
    return others[this.below(others.length + 1)] ?? first;
  }
}
