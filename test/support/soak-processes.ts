import { readdirSync, readFileSync } from 'node:fs';
import { descriptorsOf, everyone, look, type Seen } from './e2e-processes.ts';

/**
 * Start times by pid of all who were here before a soak and can be none of its own. Most of a machine's processes are
 * such, and a soak looks at all of them many times a second.
 */
const elders: ReadonlyMap<number, string> = new Map(everyone().map(({ pid, started }) => [pid, started]));

/** Every living process that began after this program. */
export function newcomers(): readonly Seen[] {
  const seen: Seen[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid || isElder(pid)) {
      continue;
    }
    const one = look(pid);
    if (one !== undefined && one.state !== 'Z') {
      seen.push(one);
    }
  }
  return seen;
}

/** Its number may be another's by now: the start time decides. */
function isElder(pid: number): boolean {
  const started = elders.get(pid);
  return started !== undefined && startOf(pid) === started;
}

function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch (error) {
    // It is gone, maybe while we read.
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) {
      return undefined;
    }
    throw error;
  }
}

/** The newcomers whose command line, environment or open files mention the text. */
export function newcomersMentioning(text: string): readonly Seen[] {
  return newcomers().filter(
    (one) =>
      [...one.argv, ...one.environment].some((word) => word.includes(text)) ||
      Object.values(descriptorsOf(one.pid)).some((target) => target.includes(text)),
  );
}
