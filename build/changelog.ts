// CHANGELOG.md as Debian wants it: deb-changelog(5).

const HEADING = /^## (\S+) \((.+)\)$/;
const WIDTH = 78;

/** Who a package is by, as `Name <address>`, and what its entries that bear no date are dated, in seconds since 1970. */
export interface Origin {
  readonly name: string;
  readonly maintainer: string;
  readonly epoch: number;
}

/** A changelog with one entry for each `## VERSION (DATE or not released)` of the text. */
export function makeChangelog(markdown: string, { name, maintainer, epoch }: Origin): string {
  const entries = markdown.split(/^(?=## )/m).filter((part) => part.startsWith('## '));
  if (entries.length === 0) throw new Error('CHANGELOG.md has no entries');
  return entries
    .map((entry) => {
      const [heading = '', ...lines] = entry.trimEnd().split('\n');
      const [, version, when = ''] = HEADING.exec(heading) ?? [];
      if (version === undefined)
        throw new Error(`CHANGELOG.md: ${heading} should be ## VERSION (YYYY-MM-DD or not released)`);
      const isReleased = /^\d{4}-\d\d-\d\d$/.test(when);
      const date = new Date(isReleased ? when : epoch * 1000);
      const changes = items(lines).map((item) => `${wrap(`  * ${item}`)}\n`);
      const head = `${name} (${version}-1) ${isReleased ? 'stable' : 'UNRELEASED'}; urgency=medium`;
      return `${head}\n\n${changes.join('')}\n -- ${maintainer}  ${rfc2822(date)}\n`;
    })
    .join('\n');
}

/** The items of a list in Markdown; an item goes on in lines that are indented. */
function items(lines: readonly string[]): readonly string[] {
  const found: string[] = [];
  for (const line of lines) {
    if (line.startsWith('- ')) found.push(line.slice(2).trim());
    else if (/^\s+\S/.test(line)) found.push(`${found.pop() ?? ''} ${line.trim()}`.trim());
    else if (line !== '') throw new Error(`CHANGELOG.md: ${line} is no item of a list`);
  }
  return found;
}

function wrap(text: string): string {
  const lines = [''];
  for (const word of text.replaceAll('`', '').split(/(?<=\S) /)) {
    const line = lines.at(-1) ?? '';
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length <= WIDTH || line === '') lines[lines.length - 1] = longer;
    else lines.push(`    ${word}`);
  }
  return lines.join('\n');
}

/** As in `Sun, 22 Nov 2026 18:21:49 +0000`. */
function rfc2822(date: Date): string {
  return date.toUTCString().replace('GMT', '+0000');
}
