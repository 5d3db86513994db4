// Words and values as a shell and Python read them, and words of a shell read back. Pure.

/** A word as sh takes it. */
export function quoteForShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\n', String.raw`\n`],
  ['\r', String.raw`\r`],
  ['\t', String.raw`\t`],
]);

/** A str of Python 2 and 3 alike, in a file that says it is UTF-8. */
export function quoteForPython(text: string): string {
  const inside = text
    .replaceAll(/[\\']/g, String.raw`\$&`)
    .replaceAll(/\p{Cc}/gu, (char) => ESCAPES.get(char) ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return `'${inside}'`;
}

/** An int of Python, from what a command line takes for one. */
export function writeInt(text: string): string {
  return String(Number(text.replaceAll('_', '')));
}

/** A bool of Python, from what a command line takes for one. */
export function writeBool(text: string): string {
  return /^(true|1|t)$/i.test(text) ? 'True' : 'False';
}

/** The words that an init script of the shell form hands to the program; undefined where there are none to be found. */
export function readShellForm(text: string): readonly string[] | undefined {
  const [, exec] = /^exec ([\s\S]*)$/m.exec(text) ?? [];
  if (exec === undefined) return undefined;
  const words: string[] = [];
  for (const [word] of exec.matchAll(SHELL_WORD)) {
    if (word === '$OPTIONS' || word === '"$@"') return words.slice(1);
    // Somebody has put in what only a shell can tell.
    if (/^[$`"]$/.test(word)) return undefined;
    if (word !== '\\\n') words.push(word.replaceAll(/'([^']*)'|"([^"]*)"|\\(.)/g, '$1$2$3'));
  }
  return undefined;
}

/** A word as far as no expansion is in it, the end of a line that goes on, or what has none of its own. */
const SHELL_WORD = /(?:'[^']*'|"[^"$`\\]*"|\\[^\n]|[^\s'"\\$`])+|\\\n|\$OPTIONS|"\$@"|\S/g;
