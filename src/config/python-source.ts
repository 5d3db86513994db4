// From the bytes of a file to its text: Python Language Reference 2.1.4 (encoding declarations), PEP 263.

import type { Place, Unread } from './python-value.ts';

/** Why reading stopped, at an offset of the text. `invalid`: CPython refuses the file; `needs-python`: only CPython can tell. */
export interface Stop {
  readonly kind: 'invalid' | 'needs-python';
  readonly at: number;
  readonly text: string;
}

/** A file's text, every line ended by one \n, or the reason why it has none. */
export interface Source {
  readonly text: string;
  readonly stop: Stop | undefined;
}

/** The refusal of CPython's compiler with its own words. */
export function syntaxError(at: number, text: string): Stop {
  return { kind: 'invalid', at, text: `SyntaxError: ${text}` };
}

/**
 * What only Python 2 allows is no mistake for one who runs it, and Frontik 2.x does: the Python that runs the script decides.
 */
export const PYTHON_2 = 'Python 2 syntax';

/** Something that is only told by executing it. */
export function needsPython(at: number, what: string): Stop {
  return { kind: 'needs-python', at, text: what };
}

/** Whether this is a Stop, in a union with things that have kinds of their own. */
export function isStop(thing: { readonly kind: string }): thing is Stop {
  return thing.kind === 'invalid' || thing.kind === 'needs-python';
}

/** The line and column of an offset; columns count characters, so that one beyond U+FFFF is one. */
export function placeOf(text: string, offset: number): Place {
  let line = 1;
  let start = 0;
  for (let end = text.indexOf('\n'); end !== -1 && end < offset; end = text.indexOf('\n', start)) {
    line++;
    start = end + 1;
  }
  return { line, col: 1 + text.slice(start, offset).replace(/./gsu, '.').length };
}

/** A Stop as the callers of the readers get it: with a place that a person can find. */
export function unread(text: string, stop: Stop): Unread {
  return { kind: stop.kind, at: placeOf(text, stop.at), text: stop.text };
}

/** Decodes a file as CPython does before it looks at its words. */
export function readSource(bytes: Uint8Array): Source {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const body = hasMark ? bytes.subarray(3) : bytes;
  const text = fromUtf8(body);
  const cookie = declaredEncoding(text);
  const encoding = cookie === undefined ? 'utf-8' : normalName(cookie.name);
  if (cookie !== undefined && hasMark && encoding !== 'utf-8') {
    return { text, stop: syntaxError(cookie.at, `encoding problem: ${cookie.name} with BOM`) };
  }
  if (cookie !== undefined && encoding === undefined) {
    return { text, stop: needsPython(cookie.at, `the encoding ${cookie.name}`) };
  }
  return decode(body, text, encoding ?? 'utf-8');
}

// Parser/tokenizer.c, translate_newlines: it also adds the newline that the last line lacks.
function unifyLines(text: string): string {
  const unified = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
  return unified === '' || unified.endsWith('\n') ? unified : `${unified}\n`;
}

const COOKIE = /^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)/;
const NOTHING_BUT_COMMENT = /^[ \t\f]*(?:#|$)/;

// PEP 263: in a comment on line 1, or on line 2 when line 1 is empty or a comment.
function declaredEncoding(text: string): { readonly name: string; readonly at: number } | undefined {
  const [first = '', second = ''] = text.split('\n', 2);
  const ofFirst = COOKIE.exec(first)?.[1];
  if (ofFirst !== undefined) return { name: ofFirst, at: 0 };
  const ofSecond = NOTHING_BUT_COMMENT.test(first) ? COOKIE.exec(second)?.[1] : undefined;
  return ofSecond === undefined ? undefined : { name: ofSecond, at: first.length + 1 };
}

type Encoding = 'utf-8' | 'ascii' | 'iso-8859-1';

// Parser/tokenizer.c, get_normal_name, and the aliases of these three codecs in Lib/encodings/aliases.py that are in use.
function normalName(cookie: string): Encoding | undefined {
  const name = cookie.toLowerCase().replace(/_/g, '-');
  if (/^utf-8(?:-|$)|^utf8$/.test(name)) return 'utf-8';
  if (/^(?:latin-1|iso-8859-1|iso-latin-1)(?:-|$)|^latin1$/.test(name)) return 'iso-8859-1';
  return name === 'ascii' || name === 'us-ascii' ? 'ascii' : undefined;
}

function decode(bytes: Uint8Array, utf8: string, encoding: Encoding): Source {
  const text = encoding === 'iso-8859-1' ? fromLatin1(bytes) : utf8;
  const nul = text.indexOf('\0');
  if (nul !== -1) return { text, stop: syntaxError(nul, 'source code string cannot contain null bytes') };
  const bad = encoding === 'utf-8' ? findBadByte(bytes, text) : encoding === 'ascii' ? text.search(/[^\0-\x7f]/) : -1;
  const what = `(unicode error) '${encoding}' codec can't decode what is here`;
  return { text, stop: bad === -1 ? undefined : syntaxError(bad, what) };
}

function fromUtf8(bytes: Uint8Array): string {
  return unifyLines(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
}

// Not what TextDecoder calls latin1, which has letters where Latin-1 has control characters.
function fromLatin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return unifyLines(text);
}

// The decoder writes U+FFFD for what is no UTF-8; the file may also hold one by right, which is then written the same way.
function findBadByte(bytes: Uint8Array, text: string): number {
  if (!text.includes('\ufffd')) return -1;
  const again = new TextEncoder().encode(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
  const bad = bytes.findIndex((byte, index) => byte !== again[index]);
  if (bad === -1) return -1;
  // A character that is cut off at the end of the good part is kept back by a decoder that waits for more.
  const good = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, bad), { stream: true });
  return good.replace(/\r\n?/g, '\n').length;
}
