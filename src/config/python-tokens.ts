// Lexical analysis: Python Language Reference 2; where it leaves something open, Parser/tokenizer.c of CPython 3.11.

import {
  findSingle,
  findTriple,
  isDigit,
  isWord,
  operatorAt,
  refuseCharacter,
  skipBlanks,
  skipLine,
  skipWord,
} from './python-characters.ts';
import { needsPython, PYTHON_2, placeOf, type Stop, syntaxError } from './python-source.ts';

/** A word of the file. `newline`, `indent`, `dedent` and `end` have no text worth reading. */
export interface Token {
  readonly kind: 'name' | 'keyword' | 'number' | 'string' | 'operator' | 'newline' | 'indent' | 'dedent' | 'end';
  readonly text: string;
  readonly at: number;
}

/** All words of a file up to where the analysis stopped, and the innermost bracket that was open there. */
export interface Tokens {
  readonly tokens: readonly Token[];
  readonly stop: Stop | undefined;
  readonly unclosed: Stop | undefined;
}

const KEYWORDS: ReadonlySet<string> = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from global ' +
    'if import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' '),
);

// Fewer than the 100 (3.8) to 200 (3.11) brackets, and the 100 levels of indentation, at which CPython gives up.
const DEEPEST = 50;

const STRING_PREFIXES: ReadonlySet<string> = new Set('b r u f br rb fr rf'.split(' '));
const NUMBER =
  /0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:[0-9](?:_?[0-9])*(?:\.(?:[0-9](?:_?[0-9])*)?)?|\.[0-9](?:_?[0-9])*)(?:[eE][-+]?[0-9](?:_?[0-9])*)?[jJ]?/y;
const KEYWORD_AFTER_NUMBER = /(?:and|else|for|if|in|is|not|or)/y;
const CLOSED_BY: ReadonlyMap<string, string> = new Map([
  ['(', ')'],
  ['[', ']'],
  ['{', '}'],
]);

/** The words of a text whose lines all end with \n. */
export function tokenize(text: string): Tokens {
  const lexer = new Lexer(text);
  const stop = lexer.run();
  return { tokens: lexer.tokens, stop, unclosed: lexer.unclosed() };
}

interface Indentation {
  readonly column: number; // a tab goes to the next multiple of 8
  readonly tabless: number; // a tab counts as one: both must agree on what is deeper (2.1.8)
}

const LEFT_EDGE: Indentation = { column: 0, tabless: 0 };

class Lexer {
  readonly tokens: Token[] = [];
  readonly #text: string;
  #at = 0;
  #isLineStart = true;
  readonly #indents: Indentation[] = [LEFT_EDGE];
  readonly #brackets: Token[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  run(): Stop | undefined {
    let stop: Stop | undefined;
    while (stop === undefined && this.#at < this.#text.length) {
      stop = this.#isLineStart ? this.#startLine() : this.#readToken();
    }
    const end = stop?.at ?? this.#text.length;
    for (let depth = this.#indents.length; depth > 1; depth--) this.#add('dedent', '', end);
    this.#add('end', '', end);
    return stop;
  }

  unclosed(): Stop | undefined {
    const open = this.#brackets.at(-1);
    return open === undefined ? undefined : syntaxError(open.at, `'${open.text}' was never closed`);
  }

  #add(kind: Token['kind'], text: string, at: number): Token {
    const token = { kind, text, at };
    this.tokens.push(token);
    return token;
  }

  #startLine(): Stop | undefined {
    const start = this.#at;
    this.#at = skipBlanks(this.#text, start);
    const next = this.#text[this.#at];
    if (next === '\\') return needsPython(this.#at, 'a backslash at the start of a line');
    if (next === '#') this.#at = skipLine(this.#text, this.#at);
    if (next === '#' || next === '\n') return this.#skip(1);
    this.#isLineStart = false;
    return this.#indent(measure(this.#text.slice(start, this.#at)));
  }

  #indent(here: Indentation): Stop | undefined {
    let top = this.#indents.at(-1) ?? LEFT_EDGE;
    if (here.column > top.column) {
      if (here.tabless <= top.tabless) return this.#tabError();
      if (this.#indents.length >= DEEPEST) return needsPython(this.#at, `more than ${DEEPEST} levels of indentation`);
      this.#indents.push(here);
      this.#add('indent', '', this.#at);
      return undefined;
    }
    while (here.column < top.column) {
      this.#indents.pop();
      this.#add('dedent', '', this.#at);
      top = this.#indents.at(-1) ?? LEFT_EDGE;
    }
    if (here.column > top.column) {
      const text = 'IndentationError: unindent does not match any outer indentation level';
      return { kind: 'invalid', at: skipLine(this.#text, this.#at), text };
    }
    return here.tabless === top.tabless ? undefined : this.#tabError();
  }

  #tabError(): Stop {
    // Python 2 takes every tab to the next multiple of 8, and sees nothing wrong.
    return needsPython(this.#at, 'an indentation by tabs and spaces that only Python 2 allows');
  }

  #readToken(): Stop | undefined {
    this.#at = skipBlanks(this.#text, this.#at);
    const text = this.#text;
    const at = this.#at;
    const char = text[at] ?? '\n';
    if (isWord(text.charCodeAt(at))) return isDigit(char) ? this.#readNumber() : this.#readName();
    switch (char) {
      case '\n':
        return this.#endLine();
      case '#':
        this.#at = skipLine(text, at);
        return undefined;
      case '\\':
        return this.#joinLines();
      case '"':
      case "'":
        return this.#readString('');
      default:
        return char === '.' && isDigit(text[at + 1] ?? '') ? this.#readNumber() : this.#readOperator();
    }
  }

  #skip(length: number): undefined {
    this.#at += length;
  }

  #endLine(): undefined {
    this.#isLineStart = this.#brackets.length === 0;
    if (this.#isLineStart) this.#add('newline', '', this.#at);
    this.#at++;
  }

  #joinLines(): Stop | undefined {
    if (this.#text[this.#at + 1] !== '\n') {
      return syntaxError(this.#at + 1, 'unexpected character after line continuation character');
    }
    if (this.#at + 2 === this.#text.length) return syntaxError(this.#at, 'unexpected EOF while parsing');
    return this.#skip(2);
  }

  #readName(): Stop | undefined {
    const end = skipWord(this.#text, this.#at);
    const name = this.#text.slice(this.#at, end);
    const after = this.#text[end] ?? '';
    if (after === '"' || after === "'") {
      if (STRING_PREFIXES.has(name.toLowerCase())) return this.#readString(name);
      if (name.toLowerCase() === 'ur') return needsPython(this.#at, PYTHON_2);
    }
    if (after > '\x7f') return refuseCharacter(this.#text, this.#at);
    this.#add(KEYWORDS.has(name) ? 'keyword' : 'name', name, this.#at);
    return this.#skip(name.length);
  }

  #readNumber(): Stop | undefined {
    NUMBER.lastIndex = this.#at;
    const number = NUMBER.exec(this.#text)?.[0] ?? '';
    const end = this.#at + number.length;
    const after = this.#text[end] ?? '';
    if (/[\w\x80-\uffff]/.test(after)) return this.#refuseNumber(number, end, after);
    if (/^0[0-9_]*$/.test(number) && /[1-9]/.test(number)) {
      if (/^[0-7]+$/.test(number)) return needsPython(this.#at, PYTHON_2);
      const text = 'leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers';
      return syntaxError(this.#at, text);
    }
    this.#add('number', number, this.#at);
    return this.#skip(number.length);
  }

  #refuseNumber(number: string, end: number, after: string): Stop {
    const isLong = /^l$/i.test(after) && !isWord(this.#text.charCodeAt(end + 1));
    if (isLong && /^(?:0x[0-9a-f]+|0b[01]+|[0-9]+)$/i.test(number)) return needsPython(this.#at, PYTHON_2);
    KEYWORD_AFTER_NUMBER.lastIndex = end;
    // `1if x else 2` is legal, and on its way out.
    if (KEYWORD_AFTER_NUMBER.test(this.#text)) return needsPython(this.#at, 'a number that runs into a word');
    const based = /^0[box]/i.exec(number + after)?.[0].toLowerCase();
    const type = based === '0x' ? 'hexadecimal' : based === '0o' ? 'octal' : based === '0b' ? 'binary' : 'decimal';
    if (isDigit(after)) return syntaxError(end, `invalid digit '${after}' in ${type} literal`);
    return syntaxError(after === '_' ? end : end - 1, `invalid ${type} literal`);
  }

  #readString(prefix: string): Stop | undefined {
    const start = this.#at;
    const quote = this.#text[start + prefix.length] ?? '';
    const isTriple = this.#text.startsWith(quote.repeat(3), start + prefix.length);
    const body = start + prefix.length + (isTriple ? 3 : 1);
    const end = isTriple ? findTriple(this.#text, body, quote) : findSingle(this.#text, body, quote);
    if (/f/i.test(prefix) && /[{}]/.test(this.#text.slice(body, end.at))) return needsPython(start, 'an f-string');
    if (!end.isClosed) {
      const type = isTriple ? 'triple-quoted string' : 'string';
      const { line } = placeOf(this.#text, end.at - (isTriple ? 1 : 0));
      return syntaxError(start, `unterminated ${type} literal (detected at line ${line})`);
    }
    this.#at = end.at + (isTriple ? 3 : 1);
    this.#add('string', this.#text.slice(start, this.#at), start);
    return undefined;
  }

  #readOperator(): Stop | undefined {
    const operator = operatorAt(this.#text, this.#at);
    if (operator === '') return refuseCharacter(this.#text, this.#at);
    if (operator === '`' || operator === '<>') return needsPython(this.#at, PYTHON_2);
    if (operator === ':=') return needsPython(this.#at, 'an assignment inside an expression');
    const token = this.#add('operator', operator, this.#at);
    if (CLOSED_BY.has(operator)) {
      if (this.#brackets.length >= DEEPEST) return needsPython(this.#at, `more than ${DEEPEST} brackets in each other`);
      this.#brackets.push(token);
    } else if (operator === ')' || operator === ']' || operator === '}') {
      const open = this.#brackets.pop();
      if (open === undefined || CLOSED_BY.get(open.text) !== operator) return this.#refuseClosing(operator, open);
    }
    return this.#skip(operator.length);
  }

  #refuseClosing(closing: string, open: Token | undefined): Stop {
    if (open === undefined) return syntaxError(this.#at, `unmatched '${closing}'`);
    const { line } = placeOf(this.#text, open.at);
    const where = line === placeOf(this.#text, this.#at).line ? '' : ` on line ${line}`;
    const text = `closing parenthesis '${closing}' does not match opening parenthesis '${open.text}'${where}`;
    return syntaxError(this.#at, text);
  }
}

function measure(blanks: string): Indentation {
  let column = 0;
  let tabless = 0;
  for (const blank of blanks) {
    column = blank === '\f' ? 0 : blank === '\t' ? (Math.floor(column / 8) + 1) * 8 : column + 1;
    tabless = blank === '\f' ? 0 : tabless + 1;
  }
  return { column, tabless };
}
