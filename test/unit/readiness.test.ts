// What a worker answered counts for that worker alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { millis } from '../../src/core/units.ts';
import type { HttpSight } from '../../src/core/worker.ts';
import { Prober } from '../../src/engine/readiness.ts';
import type { Host } from '../../src/host/host.ts';
import { port } from '../support/core-values.ts';
import { sight } from '../support/identity-cases.ts';
import { SimHost } from '../support/sim-host.ts';
import { Kernel, type Truth } from '../support/sim-kernel.ts';
import { GOOD } from '../support/sim-worker.ts';

const PORT = port(8000);

/** A machine on which each question waits until it is answered here. */
function asked(): { host: Host; answers: ((sight: HttpSight) => void)[] } {
  const kernel = new Kernel();
  const truth: Truth = { label: 'supervisor', ours: false, role: 'stranger', port: undefined };
  const supervisor = kernel.spawn({ truth });
  const sim = new SimHost({ kernel, supervisor, scriptOf: () => GOOD, killAt: undefined, meddle: () => undefined });
  const answers: ((sight: HttpSight) => void)[] = [];
  const probe = (): Promise<HttpSight> => new Promise((answer) => answers.push(answer));
  const clock = { ...sim.clock, sleep: async (): Promise<void> => undefined };
  return { host: Object.assign(sim, { clock, sockets: { ...sim.sockets, probe } }), answers };
}

test('the late answer of an earlier process is not that of the one that has its port now', async () => {
  const { host, answers } = asked();
  const prober = new Prober({ path: '/status/', servers: [] }, host);
  const look = async (pid: number): Promise<HttpSight | undefined> =>
    (await prober.latest(new Map([[PORT, sight(pid, {})]]), millis(10))).get(PORT);
  assert.equal(await look(101), 'silent');
  prober.forget(PORT);
  assert.equal(await look(102), 'silent');
  answers[0]?.('ready');
  await Promise.resolve();
  assert.equal(await look(102), 'silent');
  answers[1]?.('unready');
  await Promise.resolve();
  assert.equal(await look(102), 'unready');
});
