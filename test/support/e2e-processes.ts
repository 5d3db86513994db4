import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process that cannot be mistaken for a later one with the same number. */
export interface Identity {
  readonly pid: number;
  readonly started: string;
}

/** One look at one process. `environment` is empty where we may not read it. */
export interface Seen extends Identity {
  readonly state: string;
  readonly parent: number;
  readonly session: number;
  readonly argv: readonly string[];
  readonly environment: readonly string[];
}

/** What a vanished process, or another user's, answers to a read. */
const EXPECTED: ReadonlySet<string> = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'EINVAL', 'ENOTDIR']);

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function tolerate<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    if (EXPECTED.has(codeOf(error))) {
      return otherwise;
    }
    throw error;
  }
}

function words(path: string): readonly string[] {
  const text = tolerate(() => readFileSync(path, 'utf8'), '');
  return text === '' ? [] : text.replace(/\0$/, '').split('\0');
}

/** Zombies are seen too: their state is `Z`. */
export function look(pid: number): Seen | undefined {
  const stat = tolerate(() => readFileSync(`/proc/${pid}/stat`, 'utf8'), '');
  const close = stat.lastIndexOf(')');
  const fields = stat.slice(close + 2).split(' ');
  const [state, parent, , session] = fields;
  const started = fields[19];
  if (close < 0 || state === undefined || started === undefined) {
    return undefined;
  }
  return {
    pid,
    started,
    state,
    parent: Number(parent),
    session: Number(session),
    argv: words(`/proc/${pid}/cmdline`),
    environment: words(`/proc/${pid}/environ`),
  };
}

/** Every living process but ourselves. */
export function everyone(): readonly Seen[] {
  const seen: Seen[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const one = Number.isInteger(pid) && pid !== process.pid ? look(pid) : undefined;
    if (one !== undefined && one.state !== 'Z') {
      seen.push(one);
    }
  }
  return seen;
}

export function isAlive(id: Identity): boolean {
  const now = look(id.pid);
  return now !== undefined && now.started === id.started && now.state !== 'Z';
}

/** Descriptor number to what it is open on. */
export function descriptorsOf(pid: number): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const fd of tolerate(() => readdirSync(`/proc/${pid}/fd`), [])) {
    const target = tolerate(() => readlinkSync(`/proc/${pid}/fd/${fd}`), '');
    if (target !== '') {
      found[fd] = target;
    }
  }
  return found;
}

/** Everyone whose command line, environment or open files mention the text: a renamed worker keeps at least its log. */
export function mentioning(text: string): readonly Seen[] {
  return everyone().filter(
    (one) =>
      [...one.argv, ...one.environment].some((word) => word.includes(text)) ||
      Object.values(descriptorsOf(one.pid)).some((target) => target.includes(text)),
  );
}

/** Signals this very process, or nobody. */
export function signal(id: Identity, name: NodeJS.Signals): void {
  if (isAlive(id)) {
    process.kill(id.pid, name);
  }
}
