import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { until } from './e2e-command.ts';
import type { LoadPlan, Tally } from './rolling-tally.ts';

const program = join(import.meta.dirname, 'rolling-load.ts');

/** A load under way, in a process of its own that ends with this one. */
export class Load {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #said = '';

  private constructor(plan: LoadPlan) {
    this.#child = spawn(process.execPath, [program, JSON.stringify(plan)], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
    });
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject).once('close', () => resolve());
    });
    this.#ended.catch(() => undefined);
  }

  /** Starts the load; returns when it is answered. */
  static async begin(plan: LoadPlan): Promise<Load> {
    const load = new Load(plan);
    await until(() => assert(load.#said.startsWith('serving\n'), 'the load is not answered'));
    return load;
  }

  /** Sends no more; returns when everything is answered or given up. */
  async end(): Promise<Tally> {
    this.#child.stdin?.end();
    await this.#ended;
    const [, tally = ''] = this.#said.split('\n');
    assert.notEqual(tally, '', 'the load ended without a tally');
    return JSON.parse(tally) as Tally;
  }
}
