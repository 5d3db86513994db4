import { needsPython, type Stop, syntaxError } from './python-source.ts';
import type { Token } from './python-tokens.ts';

// Far below the nesting at which the parsers of CPython 3.6 to 3.14 give up, and ours would exhaust the stack.
const DEEPEST = 100;

// Each operator, attribute, call and subscript may be one more level of the tree that CPython's compiler recurses into,
// some 3000 deep.
const MOST_LINKS = 2000;

const END: Token = { kind: 'end', text: '', at: 0 };

/** A place among the words of a file, and why parsing stopped there. What reads from it gives undefined once it has stopped. */
export class Cursor {
  /** The current word. */
  token: Token;
  stop: Stop | undefined;
  /** What CPython refuses only after it has parsed the whole file. */
  later: Stop | undefined;
  readonly #tokens: readonly Token[];
  #index = 0;
  #depth = 0;
  #links = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
    this.token = tokens[0] ?? END;
  }

  /** The word after the current one, or further on. */
  peek(distance = 1): Token {
    return this.#tokens[this.#index + distance] ?? END;
  }

  isAt(text: string): boolean {
    return this.token.text === text;
  }

  isOf(kind: Token['kind']): boolean {
    return this.token.kind === kind;
  }

  /** Gives the current word and goes to the next. */
  next(): Token {
    const passed = this.token;
    this.#index++;
    this.token = this.#tokens[this.#index] ?? END;
    return passed;
  }

  /** Goes past this word, if it is the current one. */
  take(text: string): boolean {
    if (this.token.text !== text) return false;
    this.next();
    return true;
  }

  /** Goes past this word, or refuses the file. */
  expect(text: string): true | undefined {
    return this.take(text) ? true : this.refuse();
  }

  /** Stops: this is no Python. */
  refuse(at: number = this.token.at, text = 'invalid syntax'): undefined {
    this.stop ??= syntaxError(at, text);
  }

  /** Goes on, but the file will be refused: CPython sees this only after it has parsed all of it. */
  refuseLater(at: number, text: string): void {
    this.later ??= syntaxError(at, text);
  }

  /** Stops: only a real Python can tell. */
  leaveToPython(at: number, what: string): undefined {
    this.stop ??= needsPython(at, what);
  }

  /** Allows a statement its share of operators and the like. */
  startStatement(): void {
    this.#links = 0;
  }

  /** Counts an operator or the like; undefined when there are too many. */
  link(): true | undefined {
    this.#links++;
    return this.#links <= MOST_LINKS ? true : this.leaveToPython(this.token.at, 'a very long expression');
  }

  /** Reads something that may hold more of its own kind. */
  nest<T>(read: () => T | undefined): T | undefined {
    if (this.#depth >= DEEPEST) return this.leaveToPython(this.token.at, 'a deeply nested expression');
    this.#depth++;
    const result = read();
    this.#depth--;
    return result;
  }
}
