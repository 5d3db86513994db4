// Paths with a placeholder: Python's `%` operator on a mapping with the one key `port`.
// Python Library Reference, "printf-style String Formatting".

/** A template taken apart: literal text, and places where the port goes. */
export interface Template {
  readonly pieces: readonly (string | Placeholder)[];
}

interface Placeholder {
  readonly flags: string;
  readonly width: number;
}

// The conversions under which Python shows a port number in decimal. Others (x, c, f, …) no port path was ever written with.
const SPEC = /%(?:\((?<key>[^)]*)\))?(?<flags>[-+ 0#]*)(?<width>\d*)(?<conversion>[\s\S]?)/g;
const DECIMAL = new Set(['s', 'd', 'i', 'u', 'r', 'a']);
const MOST_WIDTH = 64;

/** Reads a template; on failure says what is wrong, in words that fit behind the option's name. */
export function parseTemplate(text: string): { readonly template: Template } | { readonly wrong: string } {
  const pieces: (string | Placeholder)[] = [];
  let end = 0;
  for (const match of text.matchAll(SPEC)) {
    pieces.push(text.slice(end, match.index));
    end = match.index + match[0].length;
    const { key, flags = '', width = '', conversion = '' } = match.groups ?? {};
    // With anything in between it is an error in CPython 3.
    if (match[0] === '%%') {
      pieces.push('%');
      continue;
    }
    if (key === undefined)
      return { wrong: `has a stray '%' at character ${match.index + 1}: write %(port)s, or %% for a percent sign` };
    if (key !== 'port') return { wrong: `names %(${key})s, but only %(port)s is known` };
    if (!DECIMAL.has(conversion)) return { wrong: `has '${match[0]}' where %(port)s was expected` };
    if (Number(width) > MOST_WIDTH) return { wrong: `has a placeholder wider than ${MOST_WIDTH} characters` };
    const isNumber = conversion === 'd' || conversion === 'i' || conversion === 'u';
    // Zeros and signs are for numbers: '%(port)05s' is padded with blanks.
    pieces.push({ flags: isNumber ? flags : flags.replace(/[0+ ]/g, ''), width: Number(width) });
  }
  pieces.push(text.slice(end));
  return { template: { pieces: pieces.filter((piece) => piece !== '') } };
}

/** Whether the template has a place for the port at all. */
export function hasPort(template: Template): boolean {
  return template.pieces.some((piece) => typeof piece !== 'string');
}

/** The template with the port put in. */
export function expand(template: Template, port: number): string {
  return template.pieces.map((piece) => (typeof piece === 'string' ? piece : format(piece, port))).join('');
}

function format({ flags, width }: Placeholder, port: number): string {
  const sign = flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  if (flags.includes('-')) return `${sign}${port}`.padEnd(width);
  if (flags.includes('0')) return `${sign}${String(port).padStart(width - sign.length, '0')}`;
  return `${sign}${port}`.padStart(width);
}
