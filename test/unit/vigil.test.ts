// Each worker is asked as it was when it was found ready, whatever is configured for its successor.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpSight } from '../../src/core/worker.ts';
import { Vigil } from '../../src/engine/vigil.ts';
import { Sim } from '../support/sim.ts';
import { SimHost } from '../support/sim-host.ts';
import { GOOD } from '../support/sim-worker.ts';

test('workers of two configurations are asked by their own', async () => {
  const sim = new Sim({ ports: [8000, 8001] });
  const { kernel, application } = sim;
  const supervisor = kernel.spawn({ truth: { label: 'supervisor', ours: false, role: 'stranger', port: undefined } });
  const real = new SimHost({ kernel, supervisor, scriptOf: () => GOOD, killAt: undefined, meddle: () => undefined });
  const asked: string[] = [];
  const probe = async (port: number, { path }: { readonly path: string }): Promise<HttpSight> => {
    asked.push(`${port}${path}`);
    return 'ready';
  };
  const host = Object.assign(real, { sockets: { ...real.sockets, probe } });
  const mourner = { lost: () => undefined, hung: () => undefined, changed: () => undefined, awake: () => undefined };
  const vigil = new Vigil(host, () => undefined, mourner);
  for (const [index, path] of ['/status/', '/healthz'].entries()) {
    const spec = application.specs[index];
    assert(spec !== undefined);
    const { id } = kernel.spawn({ truth: { label: path, ours: true, role: 'worker', port: spec.port } });
    vigil.keep(spec, id, undefined, 'ready', { path, servers: [] });
  }
  vigil.look(application);
  await vigil.end();
  assert.deepEqual(asked, ['8000/status/', '8001/healthz']);
});
