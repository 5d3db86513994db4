// What a worker answered counts for that worker alone, and what could not be asked is asked again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { millis } from '../../src/core/units.ts';
import type { HttpSight } from '../../src/core/worker.ts';
import { Prober } from '../../src/engine/readiness.ts';
import type { Host } from '../../src/host/host.ts';
import { at, port } from '../support/core-values.ts';
import { sight } from '../support/identity-cases.ts';
import { SimHost } from '../support/sim-host.ts';
import { Kernel, type Truth } from '../support/sim-kernel.ts';
import { GOOD } from '../support/sim-worker.ts';

const PORT = port(8000);

/** A machine on which each question waits until it is answered here. */
function asked(): { host: Host; answers: PromiseWithResolvers<HttpSight>[] } {
  const kernel = new Kernel();
  const truth: Truth = { label: 'supervisor', ours: false, role: 'stranger', port: undefined };
  const supervisor = kernel.spawn({ truth });
  const sim = new SimHost({ kernel, supervisor, scriptOf: () => GOOD, killAt: undefined, meddle: () => undefined });
  const answers: PromiseWithResolvers<HttpSight>[] = [];
  const probe = (): Promise<HttpSight> => {
    const answer = Promise.withResolvers<HttpSight>();
    answers.push(answer);
    return answer.promise;
  };
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
  answers[0]?.resolve('ready');
  await Promise.resolve();
  assert.equal(await look(102), 'silent');
  answers[1]?.resolve('unready');
  await Promise.resolve();
  assert.equal(await look(102), 'unready');
});

test('a question that fails spoils the look that waits for it, and none after it', async () => {
  const { host, answers } = asked();
  let now = 0;
  const clock = { ...host.clock, now: () => at(now), sleep: () => new Promise<void>(() => undefined) };
  const prober = new Prober({ path: '/status/', servers: [] }, { ...host, clock });
  const look = async (): Promise<HttpSight | undefined> =>
    (await prober.latest(new Map([[PORT, sight(101, {})]]), millis(10))).get(PORT);
  const first = look();
  answers[0]?.reject(new Error('a bug'));
  await assert.rejects(first, /a bug/);
  now = 1000;
  const second = look();
  answers[1]?.resolve('ready');
  assert.equal(await second, 'ready');
});
