// Lines for people, as Tornado's LogFormatter and the original wrote them. The only file that imports signale.

import Signale from 'signale/signale.js';
import type { Level } from '../core/event.ts';

/** Where lines go and what is known of that place; nothing else of the machine is looked at. */
export interface Terminal {
  write(text: string): void;
  readonly isTTY: boolean;
  readonly env: { readonly NO_COLOR?: string | undefined; readonly TERM?: string | undefined };
  now(): Date;
}

/** Writes one message; a message of several lines becomes as many lines, each with the bracket in front. */
export type Say = (level: Level, message: string) => void;

// tornado.log.LogFormatter's colours, as `tput setaf` and `tput sgr0` spell them on a Linux terminal.
const COLOUR: Readonly<Record<Level, string>> = { debug: '34', info: '32', warning: '33', error: '31' };

// Everything signale would add of its own. Its defaults come from a package.json otherwise.
const BARE = {
  displayScope: false,
  displayBadge: false,
  displayDate: false,
  displayFilename: false,
  displayLabel: false,
  displayTimestamp: false,
  underlineLabel: false,
  underlineMessage: false,
  underlinePrefix: false,
  underlineSuffix: false,
  uppercaseLabel: false,
};

// The constructor of the original reads the nearest package.json from the current directory upwards: a malformed one
// would end this program, one with a `signale` key would change what it says.
class PlainSignale extends Signale {
  override get packageConfiguration(): Record<string, boolean> {
    return { ...BARE };
  }
}

/** Makes the one writer of messages for people. */
export function openConsole(terminal: Terminal): Say {
  const log = new PlainSignale({ config: BARE, types: {}, stream: { write: (text) => terminal.write(text) } });
  const coloured = wantsColour(terminal);
  return (level, message) => {
    const bracket = `[${clock(terminal.now())} root]`;
    const prefix = coloured ? `\x1b[${COLOUR[level]}m${bracket}\x1b(B\x1b[m` : bracket;
    for (const line of message.replace(/\r?\n$/, '').split(/\r?\n/)) log.log({ prefix, message: visible(line) });
  };
}

/** https://no-color.org: set and not empty means no colour. */
function wantsColour({ isTTY, env }: Terminal): boolean {
  return isTTY && (env.NO_COLOR ?? '') === '' && (env.TERM ?? '') !== '' && env.TERM !== 'dumb';
}

/** Local time, without toLocaleTimeString: that loads ICU's data, which costs as much as the rest of a command. */
function clock(now: Date): string {
  return [now.getHours(), now.getMinutes(), now.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

/**
 * Shows what a terminal would obey instead of print: control characters, and what turns the direction of text or ends
 * a line (Unicode TR 36). The last words of a worker are not ours; they must not look like a message of ours.
 */
function visible(line: string): string {
  if (/^[\t -~]*$/.test(line)) return line;
  return line.replace(/\p{Cc}|\p{Bidi_Control}|\p{Zl}|\p{Zp}/gu, (char) => {
    if (char === '\t') return char;
    const code = char.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
