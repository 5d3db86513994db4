// Whose turn it is to get requests: hooks take ports out of rotation and put them back. What is out in the end is told, since
// nobody else would notice.

import type { Rolling } from '../core/application.ts';
import type { Port } from '../core/units.ts';
import { type Drive, pause } from './drive.ts';

/** The ports of one rolling restart, as load balancers and registries see them. */
export class Rotation {
  readonly #rolling: Rolling;
  readonly #with: Drive;
  readonly #out = new Set<Port>();

  constructor(rolling: Rolling, with_: Drive) {
    this.#rolling = rolling;
    this.#with = with_;
  }

  /** Ports that have been taken out, and not been put back. */
  get out(): readonly Port[] {
    return [...this.#out];
  }

  /** Takes ports out, and waits until what is under way has drained. If that fails, those that had left are put back. */
  async leave(ports: readonly Port[]): Promise<boolean> {
    const { interruption } = this.#with;
    for (const port of ports) {
      // A hook that has failed may have done half of its work.
      if (this.#rolling.beforeStop(port) !== undefined) this.#out.add(port);
      if (!(await this.#run('before_stop', port)) || interruption.signal !== undefined) {
        await this.enter(this.out.filter((each) => ports.includes(each)));
        return false;
      }
    }
    await pause(this.#rolling.drain, this.#with);
    if (interruption.signal === undefined) return true;
    await this.enter(this.out.filter((each) => ports.includes(each)));
    return false;
  }

  /** Puts ports back; false if that fails for any. */
  async enter(ports: readonly Port[]): Promise<boolean> {
    let isIn = true;
    for (const port of ports) {
      if (await this.#run('after_start', port)) this.#out.delete(port);
      else isIn = false;
    }
    return isIn;
  }

  async #run(hook: 'before_stop' | 'after_start', port: Port): Promise<boolean> {
    const { host, tell } = this.#with;
    const { beforeStop, afterStart, hookWithin } = this.#rolling;
    const command = hook === 'before_stop' ? beforeStop(port) : afterStart(port);
    if (command === undefined) return true;
    const ran = await host.hooks.run(command, hookWithin);
    if (!ran.ok) tell({ kind: 'hook-failed', port, hook, program: command[0], ...ran.error });
    return ran.ok;
  }
}
