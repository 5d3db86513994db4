// Which of the machine's processes are workers of ours. The one place that decides it; pure.
//
// A worker is known by our marker in its environment, or by its own command line. Of all the processes that match for one
// port, the worker is the one whose parent does not match; what descends from it is no worker.

import { resolveFrom } from './path.ts';
import { asPort, type Port } from './units.ts';
import type { PidfileSight, ProcessSight } from './worker.ts';

/** What makes a process one of ours. */
export interface Fleet {
  /** The configuration's path as it is written, which is what a worker's argv holds. */
  readonly config: string;
  /** Paths that are our configuration: the absolute form of `config`, its target, and other names of the same file. */
  readonly configPaths: ReadonlySet<string>;
  /** The names a worker's pidfile may have in its argv (absolute, and as the template is written); empty: no template. */
  readonly pidfilesOf: (port: Port) => readonly string[];
  /** Without a template that could be read, every worker of the configuration is ours. */
  readonly anyTemplate: boolean;
}

/** The users whose processes count. */
export interface Trust {
  readonly uids: ReadonlySet<number>;
  /** This program and its ancestors: never signalled, unless it is the worker itself. */
  readonly ownPids: ReadonlySet<number>;
}

/** What a port looks like beside the process list. */
export interface PortFacts {
  readonly pidfile: PidfileSight;
  /** Which of the processes that match, or that the pidfile names, hold a listening socket on the port; asked if in doubt. */
  readonly listening: () => ReadonlySet<number>;
  /** Sessions that workers of this port had, as seen by this command. */
  readonly sessions: ReadonlySet<number>;
  /** Whether the leader of a session lives. */
  readonly isLed: (session: number) => boolean;
  /** The process that this command launched for the port. */
  readonly starter: number | undefined;
}

/** Who is who on one port. */
export interface PortProcesses {
  readonly worker: ProcessSight | undefined;
  readonly rivals: readonly ProcessSight[];
  readonly leftBehind: readonly ProcessSight[];
  /** Look-alikes of users who do not count. */
  readonly ignored: readonly ProcessSight[];
  /** All that match, with the worker and what descends from it. */
  readonly matching: readonly ProcessSight[];
}

/** The values of all arguments `--NAME=value` in a command line. */
export function argumentsNamed(name: string, argv: readonly string[]): string[] {
  const prefix = `--${name}=`;
  return argv.filter((word) => word.startsWith(prefix)).map((word) => word.slice(prefix.length));
}

/** The port that a word names in plain decimal, so that 8000 is neither 08000 nor 80001. */
function portOf(text: string): Port | undefined {
  const port = /^[1-9]\d*$/.test(text) ? Number(text) : Number.NaN;
  return asPort(port);
}

/** Splits a marker into the configuration's path and the port. */
export function parseMarker(marker: string): { readonly path: string; readonly port: Port } | undefined {
  const colon = marker.lastIndexOf(':');
  const port = portOf(marker.slice(colon + 1));
  return colon > 0 && port !== undefined ? { path: marker.slice(0, colon), port } : undefined;
}

/** Where a path in a process's argv leads, seen from its working directory; undefined when that is unknown. */
export function seenFrom(cwd: string | undefined, path: string): string | undefined {
  return cwd === undefined && !path.startsWith('/') ? undefined : resolveFrom(cwd ?? '/', path);
}

/** The port whose worker this command line is, if it is one of ours. */
function claimByArgv(process: ProcessSight, fleet: Fleet): Port | undefined {
  const { argv } = process;
  if (!argv.includes(`--config=${fleet.config}`)) return undefined;
  const port = argumentsNamed('port', argv).map(portOf).at(-1);
  if (port === undefined || !agreesOnPidfile(port, argv, fleet)) return undefined;
  if (fleet.config.startsWith('/')) return port;
  // A relative path means nothing by itself: another directory may hold a configuration of the same name.
  const seen = seenFrom(process.cwd, fleet.config);
  if (seen !== undefined && fleet.configPaths.has(seen)) return port;
  const own = fleet.pidfilesOf(port);
  return argumentsNamed('pidfile', argv).some((path) => path.startsWith('/') && own.includes(path)) ? port : undefined;
}

/** The same configuration with another pidfile template is another fleet. */
function agreesOnPidfile(port: Port, argv: readonly string[], fleet: Fleet): boolean {
  const named = argumentsNamed('pidfile', argv);
  if (fleet.anyTemplate || named.length === 0) return true;
  const own = fleet.pidfilesOf(port);
  return named.every((path) => own.includes(path));
}

/** The port that a process's marker names, if the marker is of our configuration. */
function markedPort(process: ProcessSight, fleet: Fleet): Port | undefined {
  const marker = process.marker === undefined ? undefined : parseMarker(process.marker);
  return marker !== undefined && fleet.configPaths.has(marker.path) ? marker.port : undefined;
}

/** The port for which a process matches. */
export function claimedPort(process: ProcessSight, fleet: Fleet): Port | undefined {
  return findClaim(process, fleet)?.port;
}

/** Whether a process has a worker's words, and not just the environment that a worker has handed down. */
function hasWords(process: ProcessSight, fleet: Fleet): boolean {
  return findClaim(process, fleet)?.hasWords === true;
}

interface Claim {
  readonly port: Port;
  readonly hasWords: boolean;
}

/**
 * A marker is inherited by everything that a worker starts, so a command line that speaks of another configuration, port or
 * pidfile outweighs it.
 */
function findClaim(process: ProcessSight, fleet: Fleet): Claim | undefined {
  const told = claimByArgv(process, fleet);
  const byArgv = told === undefined ? undefined : { port: told, hasWords: true };
  const marked = markedPort(process, fleet);
  if (marked === undefined) return byArgv;
  const { argv } = process;
  const configs = argumentsNamed('config', argv);
  const ports = argumentsNamed('port', argv);
  const agrees =
    configs.every((path) => path === fleet.config || isOurConfig(path, process, fleet)) &&
    ports.every((port) => port === String(marked)) &&
    agreesOnPidfile(marked, argv, fleet);
  return agrees ? { port: marked, hasWords: configs.length > 0 && ports.length > 0 } : byArgv;
}

function isOurConfig(path: string, process: ProcessSight, fleet: Fleet): boolean {
  const seen = seenFrom(process.cwd, path);
  // A daemon has changed its directory since it was given the path: then the marker's word is enough.
  return seen === undefined || fleet.configPaths.has(seen) || !path.startsWith('/');
}

/** Whether a user's process counts: both its users must, or a set-user-ID program could be dressed up as a worker. */
function isTrusted(process: ProcessSight, trust: Trust): boolean {
  return process.uids.every((uid) => trust.uids.has(uid));
}

/** Sorts out who is who on one port. `named` is the process that the pidfile names, if it lives. */
export function identify(
  port: Port,
  processes: readonly ProcessSight[],
  named: ProcessSight | undefined,
  facts: PortFacts,
  fleet: Fleet,
  trust: Trust,
): PortProcesses {
  const all = processes.filter((process) => claimedPort(process, fleet) === port);
  const matching = all.filter((process) => isTrusted(process, trust));
  // A command that is run from inside a worker inherits its marker, but is no parent of workers.
  const family = matching.filter((process) => !trust.ownPids.has(process.id.pid) || hasWords(process, fleet));
  const isOurs = (process: ProcessSight): boolean => isWorker(process, port, facts, fleet, trust);
  // Nor is such a command of somebody else's: what it launches has words and a session of its own.
  const isLaunched = (process: ProcessSight, parent: ProcessSight): boolean =>
    hasWords(process, fleet) && process.session === process.id.pid && !hasWords(parent, fleet) && !isOurs(parent);
  const ours = rootsOf(matching, family, isLaunched).filter(isOurs);
  const others = all.filter((process) => !isTrusted(process, trust));
  const [worker, ...rivals] = ours.length > 1 ? ours.toSorted((one, other) => compare(one, other, facts)) : ours;
  const renamed = worker ?? renamedWorker(named, facts, trust);
  return {
    worker: renamed,
    rivals: rivals.filter((process) => !trust.ownPids.has(process.id.pid)),
    leftBehind: renamed === undefined ? findLeftBehind(port, processes, facts, fleet, trust) : [],
    ignored: rootsOf(others, all, () => false).filter(isOurs),
    matching,
  };
}

/** Those of the processes whose parent is not among `family`, or has only launched them. */
function rootsOf(
  processes: readonly ProcessSight[],
  family: readonly ProcessSight[],
  isLaunched: (process: ProcessSight, parent: ProcessSight) => boolean,
): ProcessSight[] {
  const parents = new Map<number, ProcessSight>(family.map((process) => [process.id.pid, process]));
  return processes.filter((process) => {
    const parent = parents.get(process.parent);
    return parent === undefined || isLaunched(process, parent);
  });
}

/** A marker alone does not make a worker: a daemon started by a worker's helper has it too. */
function isWorker(process: ProcessSight, port: Port, facts: PortFacts, fleet: Fleet, trust: Trust): boolean {
  const { pid } = process.id;
  const { pidfile } = facts;
  const hasOwnWords = hasWords(process, fleet);
  if (pid === facts.starter) return true;
  const isNamed = pidfile.kind === 'names' && pidfile.pid === pid;
  // A hook that a worker forked, and that runs this command, has the worker's words; only the worker itself has its place.
  if (trust.ownPids.has(pid)) return hasOwnWords && (isNamed || facts.listening().has(pid));
  if (isNamed) return true;
  // A forked child that outlived its worker still has the worker's command line and socket; its session tells.
  if (markedPort(process, fleet) === port && hasOutlived(process, facts)) return false;
  return hasOwnWords || facts.listening().has(pid);
}

/** Of two workers the one that serves is the worker; a pidfile may name the one that came too late for the port. */
function rank(process: ProcessSight, facts: PortFacts): number {
  const { pidfile } = facts;
  const isNamed = pidfile.kind === 'names' && pidfile.pid === process.id.pid;
  return (facts.listening().has(process.id.pid) ? 2 : 0) + (isNamed ? 1 : 0);
}

function compare(one: ProcessSight, other: ProcessSight, facts: PortFacts): number {
  const older = one.id.startTicks - other.id.startTicks || one.id.pid - other.id.pid;
  return rank(other, facts) - rank(one, facts) || older;
}

/** Times of files and of processes come from clocks that may differ by this many ticks: a second. */
const COARSE = 100;

/** Whether a process says nothing any more of whose worker it is. */
export function isWiped({ argv, marker }: ProcessSight): boolean {
  return marker === undefined && argumentsNamed('config', argv).length + argumentsNamed('port', argv).length === 0;
}

/** A worker that wiped its argv and environment counts if its pidfile names it, is younger than it, and it listens here. */
function renamedWorker(named: ProcessSight | undefined, facts: PortFacts, trust: Trust): ProcessSight | undefined {
  const { pidfile, listening } = facts;
  if (named === undefined || pidfile.kind !== 'names' || named.id.pid !== pidfile.pid) return undefined;
  // What still says what it is has been looked at already, and is none of ours.
  const fits = isWiped(named) && named.id.startTicks <= pidfile.writtenTicks + COARSE && listening().has(named.id.pid);
  // Or the service user could have root kill any server of root's by writing its number down.
  const isBelieved = pidfile.writer === 0 || pidfile.writer === named.uids[0];
  return fits && isBelieved && isTrusted(named, trust) && !trust.ownPids.has(named.id.pid) ? named : undefined;
}

function findLeftBehind(
  port: Port,
  processes: readonly ProcessSight[],
  facts: PortFacts,
  fleet: Fleet,
  trust: Trust,
): ProcessSight[] {
  return processes.filter(
    (process) =>
      markedPort(process, fleet) === port &&
      // A worker of another fleet on this port is no remains, whichever session it is in.
      agreesOnPidfile(port, process.argv, fleet) &&
      (facts.sessions.has(process.session) || hasOutlived(process, facts)) &&
      isTrusted(process, trust) &&
      !trust.ownPids.has(process.id.pid),
  );
}

/** How far a daemon's pid can be from its session's, which is the pid of the process that forked it. */
const NEAR = 1000;

/**
 * Whether a process is in the session of a worker that the pidfile still names and that is another process: it led its
 * session, or was forked by its leader, which is gone. What another daemon leads, or what is older than the pidfile and so
 * of an earlier worker, is not.
 */
function hasOutlived({ session, id }: ProcessSight, { pidfile, isLed }: PortFacts): boolean {
  if (pidfile.kind !== 'names' || session > pidfile.pid || session <= pidfile.pid - NEAR) return false;
  return session === pidfile.pid || (id.startTicks >= pidfile.writtenTicks && !isLed(session));
}

/** Whether a process is the worker or descends from it, through processes that match too. */
export function belongsTo(worker: ProcessSight, pid: number, matching: readonly ProcessSight[]): boolean {
  if (pid === worker.id.pid) return true;
  const parents = new Map<number, number>(matching.map((process) => [process.id.pid, process.parent]));
  let current = parents.get(pid);
  // A tree of processes is finite, but the list is no snapshot: a pid may have been reused while it was read.
  for (let depth = 0; current !== undefined && depth < matching.length; depth += 1) {
    if (current === worker.id.pid) return true;
    current = parents.get(current);
  }
  return false;
}

/**
 * Ports outside `configured` on which workers of ours are: with the same configuration, and either with our pidfile
 * template or, like us, with none.
 */
export function stalePorts(processes: readonly ProcessSight[], fleet: Fleet, configured: ReadonlySet<Port>): Port[] {
  const ports = new Set<Port>();
  for (const process of processes) {
    const port = claimedPort(process, fleet);
    if (port !== undefined && !configured.has(port) && sharesTemplate(process, port, fleet)) ports.add(port);
  }
  return [...ports].toSorted((one, other) => one - other);
}

function sharesTemplate(process: ProcessSight, port: Port, fleet: Fleet): boolean {
  if (fleet.anyTemplate || argumentsNamed('config', process.argv).length === 0) return true;
  const hasPidfile = argumentsNamed('pidfile', process.argv).length > 0;
  return hasPidfile === fleet.pidfilesOf(port).length > 0;
}
