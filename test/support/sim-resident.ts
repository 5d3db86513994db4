// A whole `run` on a simulated machine: what happens to it is put on a time table, and all that it told and did comes out.

import { run } from '../../src/cli/run.ts';
import type { Signal } from '../../src/cli/world.ts';
import { codeOf } from '../../src/host/errno.ts';
import type { Order, OrderResult, Starter } from '../../src/host/host.ts';
import { lines } from '../../src/report/wording.ts';
import { CONFIG, GIVEN, hostOn, type Machine, SETTINGS } from './adapters-world.ts';
import type { Sim } from './sim.ts';
import { Killed, type Meddle } from './sim-host.ts';
import type { SimProcess } from './sim-kernel.ts';

/** What can be done to a `run` while it runs. */
export interface Stage {
  readonly sim: Sim;
  /** Changes the configuration. */
  readonly configure: (text: string) => void;
  readonly signal: (name: Signal) => void;
  /** What another command asks; the answer goes into the journal. */
  readonly order: (action: string, options?: Readonly<Record<string, string>>, hangsUp?: 'at once' | 'never') => void;
  /** Ends the process that holds a port, as SIGKILL from somebody else does. */
  readonly kill: (port: number) => void;
}

/** What happens when, in milliseconds since the beginning. */
export type TimeTable = readonly (readonly [at: number, happens: (stage: Stage) => void])[];

export interface Lived {
  /** The exit status. */
  readonly exit: number | 'killed';
  /** Everything that it told (as people read it), did and heard, with tenths of seconds. */
  readonly lines: readonly string[];
  /** What the service manager was told. */
  readonly notified: readonly string[];
}

export interface Circumstances {
  readonly machine?: Machine;
  readonly words?: readonly string[];
  readonly killAt?: number;
  readonly meddle?: Meddle;
  /** Is given whatever is launched. */
  readonly onLaunch?: (starter: Starter) => void;
}

/** Lets a `run` live through a time table. It must end by what is on it. */
export async function liveThrough(sim: Sim, table: TimeTable, given: Circumstances = {}): Promise<Lived> {
  const { kernel } = sim;
  const begun = kernel.now;
  const from = kernel.journal.length;
  const files = { [CONFIG]: SETTINGS, ...given.machine?.files };
  const notified: string[] = [];
  let take: ((order: Order) => void) | undefined;
  let hand: ((signal: Signal) => void) | undefined;
  let end: () => void = () => undefined;
  const host = hostOn(sim, { ...given.machine, files }, [], [], {
    killAt: given.killAt,
    meddle: given.meddle,
    onBirth: (ending) => {
      end = ending;
    },
  });
  const stage: Stage = {
    sim,
    configure: (text) => {
      files[CONFIG] = text;
    },
    signal: (name) => {
      kernel.note(name);
      hand?.(name);
    },
    order: (action, options = {}, hangsUp = 'at once') => {
      const done = ({ exit, hasLooked }: OrderResult): void =>
        kernel.note(`${action}: exit ${exit}${hasLooked ? '' : ', without a look'}`);
      const say: Order['say'] = ([level, text]) => kernel.note(`> ${level}: ${text}`);
      const decline = (): void => kernel.note(`${action}: declined`);
      const closed = hangsUp === 'never' ? new Promise<void>(() => undefined) : Promise.resolve();
      take?.({ action, options: new Map(Object.entries(options)), say, done, decline, closed });
    },
    kill: (port) => {
      const process = holderOf(sim, port);
      kernel.note(`somebody kills ${process.truth.label}`);
      kernel.end(process, 'was killed by SIGKILL');
    },
  };
  for (const [at, happens] of table) {
    kernel.in(at, () => {
      happens(stage);
      kernel.wake();
    });
  }
  const exit = await run([...GIVEN, ...(given.words ?? []), 'run'], {
    version: '1.2.3',
    host: {
      ...host,
      processes: {
        ...host.processes,
        launch: async (spec) => {
          const launched = await host.processes.launch(spec);
          if (launched.ok) given.onLaunch?.(launched.value);
          return launched;
        },
      },
      control: {
        ...host.control,
        serve: async (_, to) => {
          take = to;
          return { ok: true, value: { close: () => kernel.note('close') } };
        },
      },
      notifier: () => ({ tell: (words) => notified.push(words.join(' ')), settled: async () => undefined }),
    },
    tell: (event) => {
      for (const [level, text] of lines(event)) kernel.note(`${level}: ${text}`);
    },
    interruption: { signal: undefined, arrived: new Promise(() => undefined) },
    onSignal: (to) => {
      hand = to;
    },
    neverBlock: () => undefined,
    print: () => undefined,
    columns: () => undefined,
    faultOf: (error) => (codeOf(error) === undefined ? undefined : String(error)),
  }).catch((error: unknown) => {
    if (error instanceof Killed) return 'killed' as const;
    throw error;
  });
  end();
  const told = kernel.journal.slice(from).map(({ at, text }) => `${((at - begun) / 1000).toFixed(1)} ${text}`);
  return { exit, lines: told, notified };
}

/** The process that answers on a port. */
export function holderOf(sim: Sim, port: number): SimProcess {
  const [holder] = sim.kernel.sockets.find((socket) => socket.port === port)?.holders ?? [];
  if (holder === undefined) throw new Error(`nobody listens on ${port}`);
  return holder;
}
