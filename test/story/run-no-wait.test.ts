import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulated } from '../support/adapters-world.ts';
import { liveThrough } from '../support/sim-resident.ts';

test('a worker that dies on its way after a start --no-wait beside a run: its last words are told', async () => {
  const sim = simulated();
  for (const port of [8000, 8001]) sim.scripts.set(port, { daemonizes: 'never' });
  const words = ['ImportError: no such module'];
  const { lines } = await liveThrough(sim, [
    [4000, ({ order }) => order('stop')],
    [
      4500,
      ({ order }) => {
        sim.scripts.set(8001, { daemonizes: 'never', dies: 200, listens: 'never', ready: 'never', words });
        order('launch');
      },
    ],
    [5000, ({ signal }) => signal('SIGTERM')],
  ]);
  assert.match(lines.join('\n'), /8001: \| ImportError: no such module/);
});
