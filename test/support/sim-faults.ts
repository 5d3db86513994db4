// What can go wrong at each operation of the host, and the machines on which it does.

import { Sim, type Verb } from './sim.ts';
import type { Call, Meddle, Operation } from './sim-host.ts';

/** The faults of every operation, in the words that SimHost takes. */
export const FAULTS: Readonly<Record<Operation, readonly string[]>> = {
  // The machine stalls.
  sleep: ['900', '3000'],
  inspect: ['gone'],
  isAlive: [],
  signal: ['EPERM'],
  launch: ['EAGAIN', 'EMFILE', 'ENOENT', 'EACCES', 'ENOEXEC'],
  listeners: ['none'],
  holds: ['unreadable'],
  holderOf: ['unreadable'],
  probe: ['silent', 'unready', 'EADDRNOTAVAIL'],
  readPidfile: ['none', 'garbled', 'EACCES', '4242'],
  removePidfile: ['EACCES', 'EROFS'],
  createPidfile: ['ENOSPC', 'EACCES', 'EROFS'],
  directoryOwner: ['unknown'],
  target: [],
  hook: ['exited with status 1'],
  // A whole pass over /proc that finds nothing is hidepid=2, which root does not meet.
  scan: [],
};

/** Faults that strike once, or from then on. */
export const WHEN = ['1st', '2nd', '3rd', 'always'] as const;
export type When = (typeof WHEN)[number];

/** Meddles with the calls of one operation. */
export function faulty(op: Operation, fault: string, when: When): Meddle {
  return (call: Call) => {
    const isDue = when === 'always' || call.nth === Number.parseInt(when, 10);
    return call.op === op && isDue ? fault : undefined;
  };
}

/** Things that happen to a process between two calls, just before one operation. */
export const ACCIDENTS = ['crash', 'recycle', 'zombie'] as const;
export type Accident = (typeof ACCIDENTS)[number];

/** Lets an accident befall all workers just before the nth call of an operation. */
export function accident(sim: Sim, kind: Accident, op: Operation, nth: number): Meddle {
  return (call: Call) => {
    if (call.op !== op || call.nth !== nth) return undefined;
    const { kernel } = sim;
    for (const worker of kernel.living().filter(({ truth }) => truth.ours)) {
      kernel.end(worker, 'crashed', kind === 'zombie' ? 'zombie' : 'reaped');
      if (kind === 'recycle') sim.stranger('recycled', { pid: worker.id.pid, startTicks: kernel.ticks + 1 });
    }
    return undefined;
  };
}

export const VERBS: readonly Verb[] = ['start', 'stop', 'restart', 'reload', 'status'];

const SETTINGS = { ports: [8000, 8001], startTimeout: 2, sigtermTimeout: 1, sigkillTimeout: 1, hooks: true };

/** The machines, by name. */
export const MACHINES: Readonly<Record<string, () => Sim>> = {
  'nothing runs': () => new Sim(SETTINGS),
  'all run': () => {
    const sim = new Sim(SETTINGS);
    sim.running(8000, 8001);
    return sim;
  },
  'one runs, one has crashed, one is stale': () => {
    const sim = new Sim(SETTINGS);
    sim.running(8000, 8001, 8007);
    sim.kernel.end(sim.find('worker 8001'), 'crashed');
    return sim;
  },
  'one boots, one writes no pidfile': () => {
    const sim = new Sim({
      ...SETTINGS,
      scripts: { 8000: { listens: 900, ready: 1000 }, 8001: { writesPidfile: 'never' } },
    });
    sim.running(8001);
    sim.launch(8000);
    sim.kernel.pass(300);
    return sim;
  },
  'one ignores SIGTERM, one leaves helpers': () => {
    const helpers = [{ kind: 'helper', sigterm: 'ignored' }, { kind: 'daemon' }] as const;
    const sim = new Sim({ ...SETTINGS, scripts: { 8000: { sigterm: 'never' }, 8001: { offspring: helpers } } });
    sim.running(8000, 8001);
    return sim;
  },
};
