// A `run` among random accidents: whatever dies comes back, whoever kills the run kills no worker, and the next one adopts them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { simulated } from '../support/adapters-world.ts';
import { trials } from '../support/fuzz.ts';
import type { Sim } from '../support/sim.ts';
import { FAULTS } from '../support/sim-faults.ts';
import type { Operation } from '../support/sim-host.ts';
import { survivors } from '../support/sim-invariants.ts';
import { liveThrough, type Stage, type TimeTable } from '../support/sim-resident.ts';
import type { Script } from '../support/sim-worker.ts';

const PORTS = [8000, 8001] as const;
const END = 90_000;
// A starter that lives on without its worker looks like one that boots: it has its start timeout, and then hangs.
const RECOVERED = 150_000;

const script: fc.Arbitrary<Partial<Script>> = fc.record({
  daemonizes: fc.constantFrom<Script['daemonizes']>('never', 100),
  lingers: fc.constantFrom<Script['lingers']>(0, 50, 'never'),
  writesPidfile: fc.constantFrom<Script['writesPidfile']>(110, 'never'),
  listens: fc.constantFrom(150, 300),
  ready: fc.constantFrom(300, 900),
  sigterm: fc.constantFrom<Script['sigterm']>(5, 800, 'never'),
  hangsUp: fc.constantFrom<Script['hangsUp']>('at once', 'at the end'),
  offspring: fc.constantFrom<Script['offspring']>(
    [],
    [{ kind: 'helper', sigterm: 'obeyed' }],
    [{ kind: 'fork', outlives: true }],
  ),
});

/** The same, and workers that wipe their words long before they listen: whoever has not seen them before cannot know them. */
function wiping(daemonizes: readonly Script['daemonizes'][]): fc.Arbitrary<Partial<Script>> {
  return fc
    .tuple(script, fc.boolean())
    .map(([usual, wipes]) =>
      wipes && daemonizes.includes(usual.daemonizes ?? 'never')
        ? { ...usual, renames: 130, lingers: 0, listens: 1200, ready: 1500 }
        : usual,
    );
}

const wipingAny = wiping(['never', 100]);
/** Where looks are refused, a daemon may have wiped its words before anybody saw it. */
const wipingChild = wiping(['never']);

interface Accident {
  readonly at: number;
  readonly port: (typeof PORTS)[number];
  readonly what:
    | 'kill'
    | 'hang'
    | 'SIGHUP'
    | 'start'
    | 'stop and start'
    | 'restart'
    | 'reload'
    | 'one more'
    | 'one less';
}

const accident: fc.Arbitrary<Accident> = fc.record({
  at: fc.integer({ min: 0, max: 20_000 }),
  port: fc.constantFrom(...PORTS),
  what: fc.constantFrom<Accident['what']>(
    'kill',
    'kill',
    'hang',
    'SIGHUP',
    'start',
    'stop and start',
    'restart',
    'reload',
    'one more',
    'one less',
  ),
});

function machine(scripts: readonly Partial<Script>[]): Sim {
  const sim = simulated();
  for (const [index, port] of PORTS.entries()) sim.scripts.set(port, scripts[index] ?? {});
  // Not every story configures it.
  sim.scripts.set(8002, { daemonizes: 'never', dies: 50 });
  return sim;
}

/** Ports on which nobody of ours listens: whoever has a worker's socket and answers for it counts. */
function unserved(sim: Sim): number[] {
  const served = sim.kernel.sockets.filter(({ holders }) => [...holders].some(({ truth }) => truth.ours));
  return PORTS.filter((port) => !served.some((socket) => socket.port === port));
}

/** The settings with so many workers. */
function configuration(count: number): string {
  return `start_port = 8000\nworkers_count = ${count}\npidfile_template = '/run/app/%(port)s.pid'\n`;
}

function befall({ sim, signal, order, configure }: Stage, { port, what }: Accident): void {
  const ours = sim.kernel.living().filter(({ truth }) => truth.ours && truth.port === port);
  if (what === 'kill') for (const process of ours) sim.kernel.end(process, 'was killed by SIGKILL');
  else if (what === 'hang') for (const process of ours) process.answer = () => ({ sight: 'ready', after: 1_000_000 });
  else if (what === 'SIGHUP') signal('SIGHUP');
  else if (what === 'one more' || what === 'one less') {
    configure(configuration(what === 'one more' ? 3 : 2));
    // Whether by this or by that makes a difference: a reload stops those that are not configured any more.
    if (port === 8000) order('start');
    else signal('SIGHUP');
  } else for (const action of what.split(' and ')) order(action);
}

/** What Node throws when the system refuses a look. */
function refusal(op: Operation): Error {
  return Object.assign(new Error(`EMFILE: too many open files, ${op}`), { code: 'EMFILE', syscall: op });
}

function table(accidents: readonly Accident[], end: number): TimeTable {
  return [
    ...accidents.map((each): TimeTable[number] => [each.at, (stage) => befall(stage, each)]),
    [end, ({ signal }) => signal('SIGTERM')],
  ];
}

test('whatever dies, hangs or is ordered: in the end all run, and after the end none is left', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(wipingAny, wipingAny),
      fc.array(accident, { maxLength: 6 }),
      async (scripts, accidents) => {
        const sim = machine(scripts);
        // Accidents before it has come up would be those of a start.
        const later = accidents.map((each) => ({ ...each, at: each.at + 3000 }));
        const missed: number[] = [];
        const watching: TimeTable = [[END - 1, () => missed.push(...unserved(sim))]];
        const lived = await liveThrough(sim, [...watching, ...table(later, END)]);
        assert.deepEqual([sim.kernel.crimes, lived.exit], [[], 0], lived.lines.join('\n'));
        assert.deepEqual(missed, [], lived.lines.join('\n'));
        assert.deepEqual(survivors(sim), [], lived.lines.join('\n'));
      },
    ),
    trials(30),
  );
});

test('killed at any moment: the workers that ran serve on, the next run adopts them, and its end leaves none', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(script, script),
      fc.array(accident, { maxLength: 4 }),
      fc.integer({ min: 1, max: 3000 }),
      fc.constantFrom(0, 5, 150, 3000),
      async (scripts, accidents, killAt, pause) => {
        const sim = machine(scripts);
        await liveThrough(sim, table(accidents, 25_000), { killAt });
        sim.kernel.pass(pause);
        const missed: number[] = [];
        const next = await liveThrough(sim, [
          [RECOVERED, () => missed.push(...unserved(sim))],
          [RECOVERED + 1, ({ signal }) => signal('SIGTERM')],
        ]);
        const story = next.lines.join('\n');
        assert.deepEqual([sim.kernel.crimes, next.exit], [[], 0], story);
        assert.deepEqual(missed, [], story);
        assert.deepEqual(survivors(sim), [], story);
      },
    ),
    trials(30),
  );
});

test('what the machine refuses for a while is tried again', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(wipingChild, wipingChild),
      fc.constantFrom('EAGAIN', 'EMFILE', 'ENOMEM'),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 0, max: 5 }),
      async (scripts, code, from, times) => {
        const sim = machine(scripts);
        const lived = await liveThrough(sim, table([{ at: 15_000, port: 8000, what: 'kill' }], 420_000), {
          meddle: ({ op, nth }) => (op === 'launch' && nth >= from && nth < from + times ? code : undefined),
        });
        const last = lived.notified.findLast((words) => words.includes('STOPPING')) ?? '';
        // Both refused at the first start: then there is nothing to stay for.
        if (lived.exit === 1) assert.ok(from === 1 && times >= 2);
        else assert.match(last, /STATUS=2\/2 workers/, lived.lines.join('\n'));
        assert.deepEqual([sim.kernel.crimes, survivors(sim)], [[], []]);
      },
    ),
    trials(60),
  );
});

test('looks that are refused now and then, whatever happens meanwhile: in the end all run, and after the end none is left', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(wipingChild, wipingChild),
      fc.array(accident, { maxLength: 4 }),
      fc.constantFrom<Operation>('scan', 'inspect', 'isAlive', 'listeners', 'holds', 'probe'),
      // Not so many in a row that the first start or the end gives up.
      fc.uniqueArray(fc.integer({ min: 1, max: 400 }), { maxLength: 4 }),
      async (scripts, accidents, refused, times) => {
        const sim = machine(scripts);
        const later = accidents.map((each) => ({ ...each, at: each.at + 3000 }));
        const missed: number[] = [];
        const watching: TimeTable = [[END - 1, () => missed.push(...unserved(sim))]];
        const lived = await liveThrough(sim, [...watching, ...table(later, END)], {
          meddle: ({ op, nth }) => {
            if (op !== refused || !times.includes(nth)) return undefined;
            if (op === 'probe') return 'EMFILE';
            throw refusal(op);
          },
        });
        const story = lived.lines.join('\n');
        assert.deepEqual([sim.kernel.crimes, lived.exit], [[], 0], story);
        assert.deepEqual(survivors(sim), [], story);
        // An order to stop that was refused leaves it at that.
        if (!story.includes('stop: exit 1')) assert.deepEqual(missed, [], story);
      },
    ),
    trials(60),
  );
});

interface Trouble {
  readonly from: number;
  readonly lasts: number;
  readonly op: Operation;
  /** In SimHost's words; undefined: the look is refused. */
  readonly fault: string | undefined;
}

const LOOKS: readonly Operation[] = ['scan', 'inspect', 'isAlive', 'listeners', 'holds'];

const trouble: fc.Arbitrary<Trouble> = fc
  .record({
    from: fc.integer({ min: 2000, max: 60_000 }),
    lasts: fc.constantFrom(5, 100, 1500, 10_000, 60_000),
    what: fc.constantFrom(
      ...LOOKS.map((op) => ({ op, fault: undefined })),
      ...Object.entries(FAULTS).flatMap(([op, faults]) => faults.map((fault) => ({ op: op as Operation, fault }))),
    ),
  })
  .map(({ what, ...when }) => ({ ...what, ...when }));

test('minutes of any trouble, whatever happens meanwhile: in the end all run, and after the end none is left', async () => {
  // Given up and tried again after five minutes, twice.
  const end = 1_500_000;
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(wipingChild, wipingChild),
      fc.array(accident, { maxLength: 4 }),
      fc.array(trouble, { minLength: 1, maxLength: 3 }),
      async (scripts, accidents, troubles) => {
        const sim = machine(scripts);
        const begun = sim.kernel.now;
        const later = accidents.map((each) => ({ ...each, at: 3 * each.at + 3000 }));
        const missed: number[] = [];
        const watching: TimeTable = [[end - 1, () => missed.push(...unserved(sim))]];
        const lived = await liveThrough(sim, [...watching, ...table(later, end)], {
          meddle: ({ op }) => {
            const now = sim.kernel.now - begun;
            const met = troubles.find(
              ({ from, lasts, ...each }) => each.op === op && now >= from && now < from + lasts,
            );
            if (met !== undefined && met.fault === undefined) throw refusal(op);
            return met?.fault;
          },
        });
        const story = lived.lines.join('\n');
        assert.deepEqual([sim.kernel.crimes, lived.exit], [[], 0], story);
        assert.deepEqual(survivors(sim), [], story);
        // An order to stop that was refused leaves it at that.
        if (!/stop: exit [14]/.test(story)) assert.deepEqual(missed, [], story);
      },
    ),
    trials(30),
  );
});
