// Layers of given values → settings, or everything that is wrong with them. Pure.

import { OPTIONS, type Option, type OptionName } from './options.ts';
import { type PyValue, repr, typeName } from './python-value.ts';
import { hasPort, parseTemplate, type Template } from './template.ts';

/** Where a value comes from; it decides the exit code of what is wrong with it. */
export type Origin = 'command-line' | 'launcher' | 'config';

/**
 * A value as it was given. Text is from a command line or a launcher's first line; a Python value from a file; an object
 * from a file that a real Python has executed, which only tells its type and how it is written.
 */
export type Value =
  | PyValue
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'object'; readonly type: string; readonly repr: string };

/** What is given for an option. */
export interface Given {
  readonly value: Value;
  readonly origin: Origin;
  /** `app.cfg:12:17`, `launcher:5:3` or `--start_port`. */
  readonly source: string;
}

/** What one place gives. Later layers win. */
export type Layer = ReadonlyMap<OptionName, Given>;

/** One thing that is wrong. */
export interface Problem {
  readonly origin: Origin;
  readonly source: string;
  readonly text: string;
}

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

/** What an option's value is when it has been read. */
export type Plain = string | number | boolean | undefined;

/** Options that an action cannot do without. */
export type Required = readonly ('script' | 'config')[];

/** What each option comes to, as far as its values can be read at all; and who has given it. */
interface Combined {
  readonly values: ReadonlyMap<OptionName, Plain>;
  readonly winners: ReadonlyMap<OptionName, Given>;
  readonly problems: Problem[];
  readonly cautions: Problem[];
}

/** An option for people to look at: its value, unless what is given cannot be one, and where that is. */
export interface Shown {
  readonly name: OptionName;
  readonly value: Plain | { readonly wrong: true };
  readonly source: string;
}

/** Every option as it stands, also where something is wrong. */
export function show(layers: readonly Layer[]): readonly Shown[] {
  const { values } = combine(layers);
  return OPTIONS.map((option): Shown => {
    const { name } = option;
    const given = layers.findLast((layer) => layer.has(name))?.get(name);
    if (given === undefined) return { name, value: values.get(name), source: 'default' };
    const isWrong = 'wrong' in readValue(option, given);
    return { name, value: isWrong ? { wrong: true } : values.get(name), source: given.source };
  });
}

function combine(layers: readonly Layer[]): Combined {
  const problems: Problem[] = [];
  const cautions: Problem[] = [];
  const values = new Map<OptionName, Plain>();
  const winners = new Map<OptionName, Given>();
  for (const option of OPTIONS) {
    values.set(option.name, option.default);
    for (const layer of layers) {
      const given = layer.get(option.name);
      if (given === undefined) continue;
      const read = readValue(option, given);
      if ('wrong' in read) {
        problems.push(problem(option.name, given, read.wrong));
        continue;
      }
      if (read.caution !== undefined) cautions.push(problem(option.name, given, read.caution));
      values.set(option.name, read.value ?? option.default);
      winners.set(option.name, given);
    }
    const winner = winners.get(option.name);
    const wrong = winner === undefined ? undefined : outOfBounds(option, values.get(option.name));
    if (winner !== undefined && wrong !== undefined) problems.push(problem(option.name, winner, wrong));
  }
  return { values, winners, problems, cautions };
}

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

function problem(name: OptionName, { origin, source }: Given, text: string): Problem {
  return { origin, source, text: source === `--${name}` ? text : `${name} ${text}` };
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
  const originOf = (name: OptionName): Origin | undefined => winners.get(name)?.origin;
  for (const name of required) {
    if (text(name)?.trim() === undefined || text(name)?.trim() === '') {
      complain(name, 'is required: give it on the command line or in a launcher');
    }
  }
  const workersCount = number('workers_count');
  const startPort = number('start_port');
  const last = startPort + workersCount - 1;
  if (last > 65_535 && startPort <= 65_535 && workersCount <= 65_535) {
    // Whoever spoke last can mend it.
    const isCountLater = LATER.indexOf(originOf('workers_count')) > LATER.indexOf(originOf('start_port'));
    complain(
      isCountLater ? 'workers_count' : 'start_port',
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
      complain(name, `has no %(port)s, so ${workersCount} workers would share ${shared}`);
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

const LONGEST_REPR = 60;

type Read = { readonly value: Plain; readonly caution?: string } | { readonly wrong: string };

/** Tornado's option types, and our superset: None is the default, text for an int or bool is read. */
function readValue(option: Option, { value }: Given): Read {
  if (value.kind === 'text') return readText(option, value.value);
  if (value.kind === 'none') return { value: undefined };
  if (value.kind === 'object') {
    return { wrong: `must be ${ARTICLE[option.type]}, got ${value.type} ${value.repr.slice(0, LONGEST_REPR)}` };
  }
  const mismatch: Read = { wrong: `must be ${ARTICLE[option.type]}, got ${typeName(value)} ${repr(value)}` };
  switch (option.type) {
    case 'str':
      return value.kind === 'str' ? readText(option, value.value) : mismatch;
    case 'int':
      if (value.kind === 'int') return { value: Number(value.value) };
      // In Python True is an int, and Tornado takes it for one.
      if (value.kind === 'bool') return { value: value.value ? 1 : 0 };
      break;
    case 'bool':
      if (value.kind === 'bool') return { value: value.value };
      break;
    default:
      return option.type satisfies never;
  }
  if (value.kind !== 'str') return mismatch;
  const read = readText(option, value.value);
  if ('wrong' in read) return mismatch;
  return {
    ...read,
    caution: `should be ${ARTICLE[option.type]}, got str ${repr(value)}; it is read as ${String(read.value)}`,
  };
}

const ARTICLE: Readonly<Record<Option['type'], string>> = { str: 'a str', int: 'an int', bool: 'a bool' };

function readText(option: Option, text: string): Read {
  const shown = repr({ kind: 'str', value: text });
  switch (option.type) {
    case 'str':
      // exec(3) and open(2) would see only what stands before it.
      if (text.includes('\0')) return { wrong: `must not hold a NUL, got ${shown}` };
      // Half of a surrogate pair is what Python makes of a byte that is no UTF-8: we could hand it on only as something else.
      return text.isWellFormed() ? { value: text } : { wrong: `must be UTF-8, got ${shown}` };
    case 'int':
      return /^\s*[+-]?\d+(_\d+)*\s*$/.test(text)
        ? { value: Number(text.replaceAll('_', '')) }
        : { wrong: `must be an int, got ${shown}` };
    case 'bool': {
      const word = text.toLowerCase();
      if (word === 'true' || word === '1' || word === 't') return { value: true };
      if (word === 'false' || word === '0' || word === 'f') return { value: false };
      return { wrong: `must be true or false, got ${shown}` };
    }
    default:
      return option.type satisfies never;
  }
}

function outOfBounds({ bounds }: Option, value: Plain): string | undefined {
  if (bounds === undefined || typeof value !== 'number') return undefined;
  const [least, most] = bounds;
  return value >= least && value <= most ? undefined : `must be from ${least} to ${most}, got ${value}`;
}
