// The action `check`: everything that a start goes by, and everything that is wrong with it, without touching a process.

import { portsOf } from '../config/fleet.ts';
import type { Plain } from '../config/given.ts';
import { type Shown, show } from '../config/layers.ts';
import { quoteForPython, quoteForShell } from '../config/quoting.ts';
import type { Event } from '../core/event.ts';
import type { Host } from '../host/host.ts';
import { lines } from '../report/wording.ts';
import { NOT_CONFIGURED, OK, signalVerdict } from './exit-status.ts';
import { gather, type Plan } from './plan.ts';
import { findMissingHooks, preflight } from './preflight.ts';
import { distrustTroubles } from './preparation.ts';
import type { Launch } from './sources.ts';
import type { World } from './world.ts';

/** What `check` has to do with: a machine to look at, stdout for what was asked for, and people. */
type Examined = Pick<World, 'host' | 'interruption' | 'tell' | 'print'>;

interface Remark {
  readonly source: string;
  readonly text: string;
}

/** The document that --json prints. `value` is null where there is none, or where what is given cannot be one. */
interface Findings {
  readonly ok: boolean;
  readonly options: readonly {
    readonly name: string;
    readonly value: Exclude<Plain, undefined> | null;
    readonly source: string;
  }[];
  readonly ports: readonly number[];
  /** How the first worker is started; null when something is wrong. */
  readonly command: readonly string[] | null;
  /** The Pythons that were asked, or `none`. */
  readonly python: string;
  readonly problems: readonly Remark[];
  readonly cautions: readonly Remark[];
}

/** Shows all settings with their sources, and all problems; the result is the exit status. */
export async function check(launch: Launch, { host, interruption, tell, print }: Examined): Promise<number> {
  const plan = await gather(launch, ['script', 'config'], host, interruption.arrived);
  if (interruption.signal !== undefined) return signalVerdict(interruption.signal);
  const remarks: Event[] = plan.cautions.map(({ source, text }) => ({ kind: 'caution', source, text }));
  const prepared = prepare(plan, host, (event) => remarks.push(event));
  // Hooks are for reload alone, which may refuse more than a start.
  const distrusted = distrustTroubles(plan, 'reload', host);
  const problems = [...plan.troubles, ...distrusted, ...prepared.problems].map(({ source, text }) => ({
    source,
    text,
  }));
  const shown = show(plan.layers);
  const findings: Omit<Findings, 'problems' | 'cautions'> = {
    ok: problems.length === 0,
    options: shown.map(({ name, value, source }) => ({ name, value: plain(value) ?? null, source: lineOf(source) })),
    ports: prepared.ports,
    command: prepared.command ?? null,
    python: plan.pythons.length === 0 ? 'none' : plan.pythons.join(', '),
  };
  if (launch.flags.has('json')) {
    const document: Findings = { ...findings, problems, cautions: remarks.map(remarkOf) };
    print(`${JSON.stringify(document, null, 2)}\n`);
  } else {
    print(table(shown, findings));
    for (const remark of remarks) tell(remark);
    for (const problem of problems) tell({ kind: 'problem', ...problem });
  }
  return findings.ok ? OK : NOT_CONFIGURED;
}

interface Prepared {
  readonly ports: readonly number[];
  readonly command: readonly string[] | undefined;
  readonly problems: readonly Remark[];
}

function prepare(plan: Plan, host: Host, tell: (event: Event) => void): Prepared {
  const { settings, directory, isDaemonized, account } = plan;
  if (settings === undefined) return { ports: [], command: undefined, problems: [] };
  const ports = portsOf(settings);
  const checked = preflight(settings, directory, isDaemonized, account, host, tell);
  return checked.ok
    ? {
        ports,
        command: checked.application.specs[0]?.argv,
        problems: findMissingHooks(checked.application, settings, host),
      }
    : { ports, command: undefined, problems: checked.hindrances };
}

/** An event that is told beside the document, as one entry of it. */
function remarkOf(event: Event): Remark {
  if (event.kind === 'caution') return { source: event.source, text: event.text };
  return {
    source: 'start',
    text: lines(event)
      .map(([, text]) => text)
      .join('; '),
  };
}

function plain(value: Shown['value']): Plain {
  return typeof value === 'object' ? undefined : value;
}

/** `app.cfg:12:17` without the column: who looks for the line finds the value. */
function lineOf(source: string): string {
  return source.replace(/^(.*:\d+):\d+$/s, '$1');
}

function table(
  shown: readonly Shown[],
  { ports, command, python }: Pick<Findings, 'ports' | 'command' | 'python'>,
): string {
  const rows = shown.map(({ name, value, source }) => [name, written(value), lineOf(source)] as const);
  const [most, longest] = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const options = rows.map(
    ([name, value, source]) => `${name.padEnd(most ?? 0)}  ${value.padEnd(longest ?? 0)}  ${source}`,
  );
  const facts = [
    ['ports', ports.length === 0 ? '-' : ports.length === 1 ? String(ports[0]) : `${ports[0]}..${ports.at(-1)}`],
    ['command', command === null ? '-' : command.map(quoted).join(' ')],
    ['python', python],
  ].map(([name = '', value]) => `${name.padEnd(most ?? 0)}  ${value}`);
  return `${[...options, '', ...facts].join('\n')}\n`;
}

/** Not as a shell takes it: parentheses and dollars stay readable. */
function written(value: Shown['value']): string {
  if (value === undefined) return '-';
  if (typeof value === 'object') return '?';
  return typeof value !== 'string' || /^[!-~]+$/.test(value) ? String(value) : quoted(value);
}

/** A word as a shell takes it: as it is where nothing in it means anything, else quoted; control characters as $'…' has them. */
function quoted(word: string): string {
  return /\p{Cc}/u.test(word) ? `$${quoteForPython(word)}` : quoteForShell(word);
}
