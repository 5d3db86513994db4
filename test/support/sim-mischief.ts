// What the world does while a command runs: at some call, something happens on one port.

import fc from 'fast-check';
import type { Ended, Sim, Verb } from './sim.ts';
import { PORTS } from './sim-arbitraries.ts';
import type { Call, Meddle } from './sim-host.ts';

export interface Mischief {
  /** Before this call of the command. */
  readonly count: number;
  readonly port: number;
  readonly deed:
    | 'crash'
    | 'recycle'
    | 'lose pidfile'
    | 'spoil pidfile'
    | 'steal pidfile'
    | 'take port'
    | 'stall'
    | 'leave orphan';
}

export const mischief: fc.Arbitrary<Mischief> = fc.record({
  count: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 300 })),
  port: fc.constantFrom(...PORTS),
  deed: fc.constantFrom(
    'crash',
    'crash',
    'recycle',
    'recycle',
    'lose pidfile',
    'spoil pidfile',
    'steal pidfile',
    'take port',
    'stall',
    'leave orphan',
  ),
});

/** Does the mischief at its calls. */
export function meddling(sim: Sim, all: readonly Mischief[]): Meddle {
  return ({ count }: Call) => {
    for (const one of all) if (one.count === count) doMischief(sim, one);
    return undefined;
  };
}

function doMischief(sim: Sim, { port, deed }: Mischief): void {
  const { kernel } = sim;
  const { pidfile = '' } = sim.birth(port);
  const workers = kernel.living().filter(({ truth }) => truth.ours && truth.port === port);
  switch (deed) {
    case 'crash':
      for (const worker of workers) kernel.end(worker, 'crashed');
      break;
    case 'recycle':
      for (const worker of workers) {
        kernel.end(worker, 'crashed');
        // Pids are not reused within a tick of the clock: it takes a whole round of them.
        const startTicks = kernel.ticks + 1;
        if (!kernel.processes.has(worker.id.pid)) sim.stranger('recycled', { pid: worker.id.pid, startTicks });
      }
      break;
    case 'lose pidfile':
      if (workers.every(({ marker }) => marker !== undefined)) kernel.files.delete(pidfile);
      break;
    case 'spoil pidfile':
      kernel.write(pidfile, { unusable: 'a symbolic link' });
      break;
    case 'steal pidfile':
      kernel.write(pidfile, { pid: sim.stranger('victim').id.pid });
      break;
    case 'take port':
      sim.stranger('squatter', { listens: port });
      break;
    case 'stall':
      for (const worker of workers) worker.answer = () => ({ sight: 'ready', after: 5000 });
      break;
    case 'leave orphan':
      for (const { id } of workers.slice(0, 1))
        sim.stranger('orphan', { marker: '/etc/other.cfg:8000', session: id.pid });
      break;
    default:
      deed satisfies never;
  }
}

/** A command disturbed in this way. */
export function runDisturbed(sim: Sim, verb: Verb, all: readonly Mischief[]): Promise<Ended> {
  return sim.run(verb, { meddle: meddling(sim, all) });
}
