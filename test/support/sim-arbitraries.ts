// Random machines: workers of every temper, strangers that look like them, commands that are killed half-way.

import fc from 'fast-check';
import type { Sim, Verb } from './sim.ts';
import { bear, type Script } from './sim-worker.ts';

/** What a worker may be like. `able`: it becomes ready in time whenever it is launched, and stays. */
export interface Temper {
  readonly name: string;
  readonly able: boolean;
  readonly script: Partial<Script>;
}

const TEMPERS: readonly Temper[] = [
  { name: 'good', able: true, script: {} },
  { name: 'quick', able: true, script: { daemonizes: 3, writesPidfile: 4, listens: 5, ready: 6 } },
  { name: 'slow', able: true, script: { listens: 900, ready: 1500 } },
  { name: 'foreground', able: true, script: { daemonizes: 'never' } },
  { name: 'silent at first', able: true, script: { listens: 200, ready: 1300, whileBooting: 'silent' } },
  { name: 'lingering starter', able: true, script: { lingers: 700 } },
  { name: 'eternal starter', able: false, script: { lingers: 'never' } },
  { name: 'no pidfile', able: true, script: { writesPidfile: 'never' } },
  { name: 'loses its pidfile', able: true, script: { losesPidfile: 400 } },
  { name: 'tidies up', able: true, script: { removesPidfile: true } },
  { name: 'follower', able: true, script: { offspring: [{ kind: 'fork', outlives: false }] } },
  { name: 'helper', able: true, script: { offspring: [{ kind: 'helper', sigterm: 'obeyed' }] } },
  { name: 'stubborn helper', able: true, script: { offspring: [{ kind: 'helper', sigterm: 'ignored' }] } },
  { name: 'outlived', able: true, script: { offspring: [{ kind: 'fork', outlives: true }] } },
  { name: 'daemon', able: true, script: { offspring: [{ kind: 'daemon' }] } },
  { name: 'hangs up first', able: true, script: { sigterm: 800, hangsUp: 'at once' } },
  { name: 'needs SIGKILL', able: true, script: { sigterm: 'never' } },
  { name: 'stays when taken', able: true, script: { onTaken: 'stays' } },
  { name: 'renamed', able: true, script: { renames: 260 } },
  { name: 'dies early', able: false, script: { dies: 50 } },
  { name: 'dies late', able: false, script: { dies: 220 } },
  { name: 'dies when ready', able: false, script: { dies: 400 } },
  { name: 'answers 503', able: false, script: { answer: { sight: 'unready', after: 3 } } },
  { name: 'silent', able: false, script: { answer: { sight: 'ready', after: 4000 } } },
  { name: 'deaf', able: false, script: { listens: 'never' } },
  { name: 'unkillable', able: false, script: { sigterm: 'never', sigkill: 'never' } },
  { name: 'comes back', able: false, script: { respawns: 1 } },
];

const moment = fc.oneof(
  fc.integer({ min: 0, max: 400 }),
  fc.integer({ min: 0, max: 2500 }),
  fc.constant('never' as const),
);
const soon = fc.integer({ min: 1, max: 300 });

/** A worker without any plan. */
const temper: fc.Arbitrary<Temper> = fc
  .record({
    daemonizes: fc.oneof(soon, fc.constant('never' as const)),
    lingers: moment,
    writesPidfile: moment,
    losesPidfile: moment,
    listens: moment,
    ready: moment,
    whileBooting: fc.constantFrom('unready' as const, 'silent' as const),
    dies: fc.oneof({ weight: 3, arbitrary: fc.constant('never' as const) }, { weight: 1, arbitrary: moment }),
    sigterm: moment,
    hangsUp: fc.constantFrom('at once' as const, 'at the end' as const),
    removesPidfile: fc.boolean(),
    respawns: fc.constantFrom(0, 0, 0, 1, 2),
    respawnsAfter: fc.constantFrom(0, 0, 5, 60),
    onTaken: fc.constantFrom('dies' as const, 'stays' as const),
  })
  .map((script) => ({ name: 'wild', able: false, script }));

export const PORTS = [8000, 8001, 8002, 8003, 8004, 8005] as const;

/** How a port is before the first command. */
export interface Scene {
  readonly temper: Temper;
  readonly before: 'nothing' | 'running' | 'booting' | 'crashed' | 'recycled' | 'unmarked';
}

export const scene: fc.Arbitrary<Scene> = fc.record({
  temper: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...TEMPERS) }, { weight: 1, arbitrary: temper }),
  before: fc.constantFrom('nothing', 'nothing', 'running', 'running', 'booting', 'crashed', 'recycled', 'unmarked'),
});

/** Somebody who is none of ours. */
export type Stranger =
  | { readonly kind: 'holds port'; readonly port: number }
  | { readonly kind: 'looks alike'; readonly port: number; readonly how: number; readonly isNamed: boolean };

export const stranger: fc.Arbitrary<Stranger> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('holds port' as const), port: fc.constantFrom(...PORTS) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('looks alike' as const),
      port: fc.constantFrom(...PORTS),
      how: fc.nat(5),
      isNamed: fc.boolean(),
    }),
  },
);

export interface Command {
  readonly verb: Verb;
  /** Killed at this call, if it gets that far. */
  readonly killAt: number | undefined;
  /** Milliseconds until the next one. */
  readonly pause: number;
}

export const command: fc.Arbitrary<Command> = fc.record({
  verb: fc.constantFrom('start', 'stop', 'restart', 'status'),
  killAt: fc.oneof(fc.constant(undefined), fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 600 })),
  pause: fc.constantFrom(0, 0, 5, 100, 2000),
});

/** Puts a worker of an earlier time on a port. */
export function setScene(sim: Sim, port: number, { temper, before }: Scene): void {
  sim.scripts.set(port, temper.script);
  if (before === 'nothing') return;
  const changes = before === 'unmarked' ? { marker: undefined } : {};
  bear(sim.kernel, sim.birth(port, changes), sim.scriptOf(port));
  sim.kernel.pass(before === 'booting' ? 120 : 2000);
  if (before !== 'crashed' && before !== 'recycled') return;
  for (const process of sim.kernel.living()) {
    if (!process.truth.ours || process.truth.port !== port) continue;
    sim.kernel.end(process, 'crashed');
    if (before === 'recycled') sim.stranger('recycled', { pid: process.id.pid });
  }
}

export function admit(sim: Sim, who: Stranger): void {
  if (who.kind === 'holds port') {
    sim.stranger('nginx', { listens: who.port });
    return;
  }
  const { argv, marker } = sim.birth(who.port);
  const change = (from: string, to: string): readonly string[] => argv.map((word) => word.replace(from, to));
  const looks =
    [
      { argv: change('app.cfg', 'app.cfg.bak') },
      { argv: change(`--port=${who.port}`, `--port=${who.port}1`) },
      { argv: change('/run/app/', '/run/other/') },
      { argv: change('/etc/app/', '/etc/other/') },
      { argv, marker, uids: [666, 666] as const },
      { argv: ['/usr/sbin/cron'], marker },
    ][who.how] ?? {};
  const process = sim.stranger(`look-alike ${who.how}`, looks);
  // A process with our marker that our pidfile names is ours, by the contract.
  if ('marker' in looks && looks.uids === undefined) return;
  const path = sim.birth(who.port).pidfile;
  if (who.isNamed && path !== undefined && !sim.kernel.files.has(path)) sim.kernel.write(path, { pid: process.id.pid });
}
