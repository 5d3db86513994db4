// Layers of given values → settings, or everything that is wrong with them. Pure.

import type { Given, Layer, Origin, Plain, Problem } from './given.ts';
import { combine, problem } from './layers.ts';
import type { OptionName } from './options.ts';
import { repr } from './python-value.ts';
import { hasPort, parseTemplate, type Template } from './template.ts';

/** What a command needs to know, checked. Undefined is Python's None. */
export interface Settings {
  /** Split on whitespace, as the original did; empty for actions that need no script and got none. */
  readonly script: readonly string[];
  readonly config: string;
  readonly app: string | undefined;
  readonly workersCount: number;
  readonly startPort: number;
  readonly pidfileTemplate: TemplateOf | undefined;
  readonly logfileTemplate: TemplateOf | undefined;
  readonly sigtermTimeout: number;
  readonly nofileSoftLimit: number;
  readonly withCoverage: boolean;
  readonly startTimeout: number;
  readonly partialStatus: number;
  readonly statusPath: string;
  readonly statusServers: readonly string[];
  readonly python: string | undefined;
  readonly user: string | undefined;
  readonly group: string | undefined;
  readonly batch: Batch;
  /** Seconds. */
  readonly settle: number;
  readonly drain: number;
  readonly beforeStop: TemplateOf | undefined;
  readonly afterStart: TemplateOf | undefined;
  readonly hookTimeout: number;
  readonly startRetries: number;
  readonly hangTimeout: number;
  /** What was given and has won, with its place; for what turns out to be wrong only later. */
  readonly given: Layer;
}

/** How many workers a rolling restart replaces at a time. */
export type Batch = { readonly count: number } | { readonly percent: number };

/** A template and the text it was read from. */
export interface TemplateOf {
  readonly text: string;
  readonly template: Template;
}

export type Settled =
  | { readonly ok: true; readonly settings: Settings; readonly cautions: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly cautions: readonly Problem[] };

/** Options that an action cannot do without. */
export type Required = readonly ('script' | 'config')[];

/** Puts the layers together and checks the result. Every wrong value is a problem, also one that a later layer replaces. */
export function settle(layers: readonly Layer[], required: Required): Settled {
  const { values, winners, problems, cautions } = combine(layers);
  const complain = (name: OptionName, text: string): void => {
    const winner = winners.get(name);
    problems.push(winner === undefined ? missing(name, text) : problem(name, winner, text));
  };
  // What was given with a wrong type has been told of, and is not missing.
  const isGiven = (name: OptionName): boolean => layers.some((layer) => layer.has(name));
  const absent = required.filter((name) => winners.has(name) || !isGiven(name));
  const settings = assemble(values, winners, absent, complain);
  return problems.length > 0 ? { ok: false, problems, cautions } : { ok: true, settings, cautions };
}

/** What is not there can only be put right where the command is given. */
function missing(name: OptionName, text: string): Problem {
  return { origin: 'command-line', source: `--${name}`, text };
}

const LATER: readonly (Origin | undefined)[] = [undefined, 'config', 'launcher', 'command-line'];

function assemble(
  values: ReadonlyMap<OptionName, Plain>,
  winners: ReadonlyMap<OptionName, Given>,
  required: Required,
  complain: (name: OptionName, text: string) => void,
): Settings {
  const text = (name: OptionName): string | undefined => {
    const value = values.get(name);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const number = (name: OptionName): number => Number(values.get(name));
  // Whoever spoke last can mend it.
  const isLater = (one: OptionName, other: OptionName): boolean =>
    LATER.indexOf(winners.get(one)?.origin) > LATER.indexOf(winners.get(other)?.origin);
  for (const name of required) {
    if (text(name)?.trim() === undefined || text(name)?.trim() === '') {
      complain(name, 'is required: give it on the command line or in a launcher');
    }
  }
  const workersCount = number('workers_count');
  const startPort = number('start_port');
  const last = startPort + workersCount - 1;
  if (last > 65_535 && startPort <= 65_535 && workersCount <= 65_535) {
    complain(
      isLater('workers_count', 'start_port') ? 'workers_count' : 'start_port',
      `leads to ports ${startPort}..${last}, but the highest port is 65535`,
    );
  }
  const template = (name: OptionName): TemplateOf | undefined => {
    const written = text(name);
    if (written === undefined) return undefined;
    const parsed = parseTemplate(written);
    if (!('wrong' in parsed)) return { text: written, template: parsed.template };
    complain(name, parsed.wrong);
    return undefined;
  };
  const path = (name: OptionName): TemplateOf | undefined => {
    const found = template(name);
    if (found !== undefined && !hasPort(found.template) && workersCount > 1) {
      const shared = repr({ kind: 'str', value: found.text });
      if (isLater('workers_count', name)) {
        complain('workers_count', `must be 1, since ${name} has no %(port)s: ${workersCount} would share ${shared}`);
      } else complain(name, `has no %(port)s, so ${workersCount} workers would share ${shared}`);
    }
    return found;
  };
  const batch = readBatch(text('supervisor_batch') ?? '');
  if (batch === undefined) complain('supervisor_batch', 'must be a number of workers, or a share from 1% to 99%');
  const statusPath = text('supervisor_status_path') ?? '';
  if (!/^\/[!-~]*$/.test(statusPath)) complain('supervisor_status_path', "must begin with '/' and hold no blanks");
  return {
    script: (text('script') ?? '').split(/\s+/).filter((word) => word !== ''),
    config: text('config') ?? '',
    app: text('app'),
    workersCount,
    startPort,
    pidfileTemplate: path('pidfile_template'),
    logfileTemplate: path('logfile_template'),
    sigtermTimeout: number('supervisor_sigterm_timeout'),
    nofileSoftLimit: number('nofile_soft_limit'),
    withCoverage: values.get('with_coverage') === true,
    startTimeout: number('supervisor_start_timeout'),
    partialStatus: number('supervisor_partial_status'),
    statusPath,
    statusServers: (text('supervisor_status_server') ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
    python: text('supervisor_python'),
    user: text('supervisor_user'),
    group: text('supervisor_group'),
    batch: batch ?? { count: 1 },
    settle: number('supervisor_settle'),
    drain: number('supervisor_drain'),
    beforeStop: template('supervisor_before_stop'),
    afterStart: template('supervisor_after_start'),
    hookTimeout: number('supervisor_hook_timeout'),
    startRetries: number('supervisor_start_retries'),
    hangTimeout: number('supervisor_hang_timeout'),
    given: winners,
  };
}

function readBatch(text: string): Batch | undefined {
  const [, number = '', percent] = /^([1-9]\d{0,4})(%?)$/.exec(text.trim()) ?? [];
  if (number === '') return undefined;
  if (percent === '') return { count: Number(number) };
  return Number(number) < 100 ? { percent: Number(number) } : undefined;
}
