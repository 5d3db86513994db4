// The vectors of CPython and Tornado as files on this machine, and how their results are compared.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A configuration file and what CPython and Tornado made of it; see `about` in the file. */
export interface ConfigVector {
  readonly id: string;
  readonly category: string;
  readonly config: string | null;
  readonly config_base64?: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly defines: string;
  readonly expected:
    | { readonly ok: true; readonly values: Readonly<Record<string, unknown>> }
    | { readonly ok: false; readonly error?: string; readonly line?: number };
}

/** A launcher and what supervisor() received. */
export interface LauncherVector {
  readonly id: string;
  readonly script: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly expected: {
    readonly ok: boolean;
    readonly error?: string;
    readonly message?: string;
    readonly line?: number;
    readonly gen?: string;
    readonly call?: Readonly<Record<string, string | null>>;
    readonly chdir?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly argv?: readonly string[];
  };
}

function load(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), 'utf8'));
}

export const CONFIGS: readonly ConfigVector[] = (
  load('config.json') as { readonly vectors: readonly ConfigVector[] }
).vectors.filter(({ category }) => category !== 'cli');
export const LAUNCHERS: readonly LauncherVector[] = (
  load('launchers.json') as { readonly launchers: readonly LauncherVector[] }
).launchers;

/** Writes the file of a vector, and those it needs, into a directory. */
export function writeConfig(directory: string, vector: ConfigVector): string {
  const path = join(directory, `${vector.id}.cfg`);
  const { config, config_base64: encoded, files = {} } = vector;
  writeFileSync(path, encoded === undefined ? (config ?? '') : Buffer.from(encoded, 'base64'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return path;
}

/** Runs something with variables in the environment of this process, which what it starts inherits. */
export async function withVariables<T>(
  variables: Readonly<Record<string, string>>,
  body: () => Promise<T>,
): Promise<T> {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  try {
    return await body();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  }
}

const DEFAULTS: Readonly<Record<string, unknown>> = {
  start_port: 8000,
  port: 8000,
  workers_count: 4,
  pidfile_template: null,
  logfile_template: null,
  supervisor_sigterm_timeout: 4,
  nofile_soft_limit: 4096,
  with_coverage: false,
};
export const NAMES: readonly string[] = Object.keys(DEFAULTS);

interface Valued {
  readonly name: string;
  readonly value: { readonly kind: string; readonly value?: unknown };
}

/** The options that do not come to what Tornado made of them; '' when all do. */
export function differences(vector: ConfigVector, values: readonly Valued[], directory: string): string {
  assert(vector.expected.ok);
  const given = new Set(vector.args.map((word) => /^--([a-z_]+)=/.exec(word)?.[1]));
  return Object.entries(vector.expected.values)
    .filter(([name]) => NAMES.includes(name) && !given.has(name))
    .flatMap(([name, wanted]) => {
      const found = values.find((each) => each.name === name)?.value;
      const got = JSON.stringify(parsed(name, found)).replaceAll(directory, '<DIR>');
      const big = typeof wanted === 'object' && wanted !== null && 'int' in wanted ? Number(wanted.int) : wanted;
      return got === JSON.stringify(big) ? [] : [`${name} is ${got}, not ${JSON.stringify(wanted)}`];
    })
    .join('; ');
}

/** What tornado.options makes of a value: a str is parsed for the option's type. */
function parsed(name: string, value: Valued['value'] | undefined): unknown {
  const usual = DEFAULTS[name];
  if (value === undefined) return usual;
  if (value.kind === 'int') return Number(value.value);
  if (value.kind !== 'str') return value.value ?? null;
  const text = String(value.value);
  if (typeof usual === 'boolean') return !/^(?:false|0|f)$/i.test(text);
  return typeof usual === 'number' ? Number(text.replaceAll('_', '')) : text;
}
