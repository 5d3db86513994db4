// Processes for the tables of who is who: only what a case is about is said.

import { belongsTo, type Fleet, identify, type PortFacts, type Trust } from '../../src/core/identity.ts';
import type { PidfileSight, ProcessSight } from '../../src/core/worker.ts';
import { pid, port } from './core-values.ts';

export const CONFIG = '/etc/app/app.cfg';
export const MARKER = `${CONFIG}:8000`;
export const ARGV: readonly string[] = words(`frontik --config=${CONFIG} --port=8000 --pidfile=/run/8000.pid`);

/** A command line. */
export function words(text: string): string[] {
  return text.split(' ');
}

/** The application's processes: its configuration and its pidfile template. */
export function fleet(changes: Partial<Fleet> = {}): Fleet {
  return {
    config: CONFIG,
    configPaths: new Set([CONFIG]),
    pidfilesOf: (number) => [`/run/${number}.pid`],
    anyTemplate: false,
    ...changes,
  };
}

export type Look = Partial<Omit<ProcessSight, 'id'>> & { readonly startTicks?: number };

/** A process of root, child of init, in a session of its own, that says nothing. */
export function sight(number: number, { startTicks = 1, ...look }: Look): ProcessSight {
  return {
    id: { pid: pid(number), startTicks },
    parent: 1,
    session: number,
    argv: [],
    marker: undefined,
    uids: [0, 0],
    cwd: '/',
    ...look,
  };
}

/** The circumstances of one port. */
export interface Case {
  readonly processes: readonly ProcessSight[];
  /** Found by the pidfile alone: not of our marker, and without --port. */
  readonly named?: ProcessSight;
  readonly pidfile?: PidfileSight;
  readonly listening?: readonly number[];
  readonly isOpen?: boolean;
  readonly sessions?: readonly number[];
  readonly starter?: number;
  readonly fleet?: Partial<Fleet>;
  readonly uids?: readonly number[];
  readonly ownPids?: readonly number[];
}

/** Who is who on port 8000, in one line. */
export function whoIsWho(given: Case): string {
  const listening = new Set(given.listening ?? []);
  const pidfile = given.pidfile ?? { kind: 'none' };
  const facts: PortFacts = {
    pidfile,
    listening: () => listening,
    isLed: (session) => given.processes.some(({ id }) => id.pid === session),
    sessions: new Set(given.sessions ?? []),
    starter: given.starter,
  };
  const trust: Trust = { uids: new Set(given.uids ?? [0]), ownPids: new Set(given.ownPids ?? []) };
  const known = given.processes.find(({ id }) => pidfile.kind === 'names' && id.pid === pidfile.pid);
  const named = given.named ?? known;
  const found = identify(port(8000), given.processes, named, facts, fleet(given.fleet), trust);
  const { worker, matching } = found;
  const isOpen = given.isOpen ?? listening.size > 0;
  const isOwn = worker !== undefined && [...listening].some((number) => belongsTo(worker, number, matching));
  return [
    worker === undefined ? 'nobody' : `worker ${worker.id.pid}`,
    ...list('rivals', found.rivals),
    ...list('left', found.leftBehind),
    ...list('ignored', found.ignored),
    ...(isOpen ? [`port of ${isOwn ? 'worker' : 'stranger'}`] : []),
  ].join(', ');
}

function list(word: string, processes: readonly ProcessSight[]): string[] {
  return processes.length === 0 ? [] : [`${word} ${processes.map(({ id }) => id.pid).join(' ')}`];
}
