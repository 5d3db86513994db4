// Users and groups. The files first; getent(1) for those of a directory service.

import { readFileSync } from 'node:fs';
import type { Account } from '../core/worker.ts';
import { orElse } from './errno.ts';
import { findHelper } from './helper.ts';
import type { Accounts, Result } from './host.ts';

export const accounts: Accounts = { find, nameOf };

function find(user: string | undefined, group: string | undefined): Result<Account, string> {
  const [name, , uid, gid] = entry('passwd', user ?? '0') ?? [];
  if (name === undefined) return { ok: false, error: `there is no user ${user}` };
  const chosen = group === undefined ? gid : entry('group', group)?.[2];
  if (chosen === undefined) return { ok: false, error: `there is no group ${group}` };
  return { ok: true, value: { user: name, uid: Number(uid), gid: Number(chosen) } };
}

function nameOf(uid: number): string {
  return entry('passwd', String(uid))?.[0] ?? `user ${uid}`;
}

/** The home directory of a user: an absolute path. */
export function homeOf(uid: number): string | undefined {
  const home = entry('passwd', String(uid))?.[5];
  return home?.startsWith('/') === true ? home : undefined;
}

/** The fields of a line of passwd(5) or group(5), found by its name or number. */
function entry(database: 'passwd' | 'group', key: string): string[] | undefined {
  const text = orElse(
    () => readFileSync(`/etc/${database}`, 'utf8'),
    () => '',
  );
  const find = (lines: string): string[] | undefined =>
    lines
      .split('\n')
      .map((line) => line.split(':'))
      .find((fields) => fields.length > 3 && (fields[0] === key || fields[2] === key));
  return find(text) ?? find(askNameService(database, key));
}

/** A directory service that hangs blocks us for as long, and is then left alone: a `run` has workers to look after. */
const ANSWER = 5000;
/** How long what it said is believed, in seconds. */
const MEMORY = 60;

interface Answer {
  readonly text: string;
  readonly at: number;
}

const answers = new Map<string, Answer>();

function askNameService(database: string, key: string): string {
  // getent takes what begins with '-' for an option; no user is named so.
  if (key.startsWith('-')) return '';
  const name = `${database} ${key}`;
  const known = answers.get(name);
  if (known !== undefined && process.uptime() - known.at < MEMORY) return known.text;
  const text = getent(database, key);
  answers.set(name, { text, at: process.uptime() });
  return text;
}

function getent(database: string, key: string): string {
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const { stdout } = spawnSync(findHelper('getent'), [database, key], {
    encoding: 'utf8',
    timeout: ANSWER,
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return stdout ?? '';
}
