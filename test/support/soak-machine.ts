import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';

/** Seconds of CPU time; proc_stat(5) counts in ticks of USER_HZ, which is 100 wherever Linux runs. */
interface Spent {
  readonly at: number;
  readonly busy: number;
  readonly idle: number;
  readonly own: number;
  readonly commands: number;
}

function spent(): Spent {
  const [cpu = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, interrupt = 0, soft = 0, steal = 0] = ticks(
    cpu.slice('cpu '.length),
  );
  const stat = readFileSync('/proc/self/stat', 'utf8');
  // The fields after the name, from the third on: utime, stime, cutime and cstime are 14 to 17.
  const own = ticks(stat.slice(stat.lastIndexOf(')') + 4)).slice(10, 14);
  const [ownUser = 0, ownSystem = 0, childUser = 0, childSystem = 0] = own;
  return {
    at: performance.now() / 1000,
    busy: user + nice + system + interrupt + soft + steal,
    idle: idle + waiting,
    own: ownUser + ownSystem,
    commands: childUser + childSystem,
  };
}

function ticks(text: string): readonly number[] {
  return text
    .trim()
    .split(/\s+/)
    .map((word) => Number(word) / 100);
}

/** What a soak costs, and how busy the machine is meanwhile. */
export class Machine {
  readonly #before = spent();
  readonly #loadBefore = loadavg()[0] ?? 0;

  /** Workers that daemonized are nobody's children, so their time is only in the whole machine's. */
  summary(): string {
    const now = spent();
    const busy = now.busy - this.#before.busy;
    const share = Math.round((100 * busy) / (busy + now.idle - this.#before.idle));
    const own = now.own - this.#before.own;
    const commands = now.commands - this.#before.commands;
    return [
      `machine: ${availableParallelism()} CPUs, ${share} % busy; load average ${load(this.#loadBefore)} before, ${load(loadavg()[0] ?? 0)} now`,
      `CPU seconds: ${busy.toFixed(0)} on the whole machine, of these ${commands.toFixed(0)} in commands and what they waited for, ${own.toFixed(0)} in the soak itself`,
    ].join('\n');
  }
}

function load(average: number): string {
  return average.toFixed(1);
}
