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
  const cookie = declaredEncoding(body);
  const encoding = cookie === undefined ? 'utf-8' : normalName(cookie.name);
  if (cookie !== undefined && hasMark && encoding !== 'utf-8') {
    return { text: lines(fromLatin1(body)), stop: syntaxError(cookie.at, `encoding problem: ${cookie.name} with BOM`) };
  }
  if (cookie !== undefined && encoding === undefined) {
    return { text: lines(fromLatin1(body)), stop: needsPython(cookie.at, `the encoding ${cookie.name}`) };
  }
  const decoded = decode(body, encoding ?? 'utf-8');
  const text = lines(decoded.text);
  return { text, stop: refuseNul(text) ?? refuseByte(text, decoded.badAt, encoding ?? 'utf-8') };
}

// Parser/tokenizer.c, translate_newlines: it also adds the newline that the last line lacks.
function lines(text: string): string {
  const unified = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
  return unified === '' || unified.endsWith('\n') ? unified : `${unified}\n`;
}

function refuseNul(text: string): Stop | undefined {
  const at = text.indexOf('\0');
  return at === -1 ? undefined : syntaxError(at, 'source code string cannot contain null bytes');
}

// Only what stands before the bad byte was decoded, so its place is the end of the text.
function refuseByte(text: string, badAt: number | undefined, encoding: Encoding): Stop | undefined {
  if (badAt === undefined) return undefined;
  return syntaxError(
    Math.max(0, text.length - 1),
    `(unicode error) '${encoding}' codec can't decode the byte at offset ${badAt}`,
  );
}

const COOKIE = /^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)/;
const NOTHING_BUT_COMMENT = /^[ \t\f]*(?:#|$)/;

// PEP 263: in a comment on line 1, or on line 2 when line 1 is empty or a comment.
function declaredEncoding(body: Uint8Array): { readonly name: string; readonly at: number } | undefined {
  const [first = '', second = ''] = fromLatin1(body.subarray(0, 1000)).split(/\r\n?|\n/, 2);
  const line = COOKIE.test(first) || !NOTHING_BUT_COMMENT.test(first) ? first : second;
  const name = COOKIE.exec(line)?.[1];
  return name === undefined ? undefined : { name, at: line === first ? 0 : first.length + 1 };
}

type Encoding = 'utf-8' | 'ascii' | 'iso-8859-1';

// Parser/tokenizer.c, get_normal_name, and the aliases of these three codecs in Lib/encodings/aliases.py that are in use.
function normalName(cookie: string): Encoding | undefined {
  const name = cookie.toLowerCase().replace(/_/g, '-');
  if (/^utf-8(?:-|$)|^utf8$/.test(name)) return 'utf-8';
  if (/^(?:latin-1|iso-8859-1|iso-latin-1)(?:-|$)|^latin1$/.test(name)) return 'iso-8859-1';
  return name === 'ascii' || name === 'us-ascii' ? 'ascii' : undefined;
}

/** The text before the first byte that the encoding does not allow, and the offset of that byte. */
interface Decoded {
  readonly text: string;
  readonly badAt: number | undefined;
}

function decode(bytes: Uint8Array, encoding: Encoding): Decoded {
  const firstHigh = bytes.findIndex((byte) => byte >= 0x80);
  if (firstHigh === -1 || encoding === 'iso-8859-1') return { text: fromLatin1(bytes), badAt: undefined };
  if (encoding === 'ascii') return { text: fromLatin1(bytes.subarray(0, firstHigh)), badAt: firstHigh };
  return decodeUtf8(bytes);
}

function fromLatin1(bytes: Uint8Array): string {
  return fromUnits(bytes, bytes.length);
}

// String.fromCharCode takes its units as arguments, and the stack bounds how many.
function fromUnits(units: Uint8Array | Uint16Array, length: number): string {
  let text = '';
  for (let start = 0; start < length; start += 4096) {
    text += String.fromCharCode(...units.subarray(start, Math.min(start + 4096, length)));
  }
  return text;
}

function decodeUtf8(bytes: Uint8Array): Decoded {
  const units = new Uint16Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at] ?? 0;
    const size = lead < 0x80 ? 1 : sequenceLength(lead, bytes[at + 1] ?? 0);
    const code = size === 1 ? lead : codePoint(bytes.subarray(at, at + size), size);
    if (code === undefined) return { text: fromUnits(units, length), badAt: at };
    if (code > 0xffff) units[length++] = 0xd7c0 + (code >> 10);
    units[length++] = code > 0xffff ? 0xdc00 + (code & 0x3ff) : code;
    at += size;
  }
  return { text: fromUnits(units, length), badAt: undefined };
}

// The Unicode Standard, table 3-7: well-formed UTF-8 byte sequences. 0: there is none with these two bytes.
function sequenceLength(lead: number, second: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead === 0xe0) return second >= 0xa0 ? 3 : 0;
  if (lead === 0xed) return second <= 0x9f ? 3 : 0;
  if (lead >= 0xe1 && lead <= 0xef) return 3;
  if (lead === 0xf0) return second >= 0x90 ? 4 : 0;
  if (lead === 0xf4) return second <= 0x8f ? 4 : 0;
  return lead >= 0xf1 && lead <= 0xf3 ? 4 : 0;
}

function codePoint(sequence: Uint8Array, size: number): number | undefined {
  if (size === 0 || sequence.length < size) return undefined;
  let code = (sequence[0] ?? 0) & (0x7f >> size);
  for (const byte of sequence.subarray(1)) {
    if ((byte & 0xc0) !== 0x80) return undefined;
    code = (code << 6) | (byte & 0x3f);
  }
  return code;
}
