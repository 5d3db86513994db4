import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sim } from '../support/sim.ts';
import { plays } from '../support/sim-story.ts';

test('none, some, all', async () => {
  const sim = new Sim({ ports: [8000, 8001] });
  await plays(sim, 'status', '0.0 = nothing: 8000 down, 8001 down');
  sim.running(8001);
  await plays(sim, 'status', '0.0 = nothing: 8000 down, 8001 running');
  sim.running(8000);
  await plays(sim, 'status', '0.0 = nothing: 8000 running, 8001 running');
});

test('stale ones', async () => {
  const sim = new Sim();
  sim.running(8007, 8009);
  await plays(sim, 'status', '0.0 = nothing: 8000 down, 8007 stale, 8009 stale');
});

test('alive but not ready: booting, answering 503, silent', async () => {
  const sim = new Sim({
    ports: [8000, 8001, 8002],
    scripts: {
      8000: { listens: 'never' },
      8001: { answer: { sight: 'unready', after: 3 } },
      8002: { answer: { sight: 'ready', after: 1500 } },
    },
  });
  sim.running(8000, 8001, 8002);
  await plays(sim, 'status', '1.0 = nothing: 8000 alive, 8001 alive, 8002 alive');
});

test('a port that answers but is held by a stranger is not running', async () => {
  const sim = new Sim({ scripts: { 8000: { onTaken: 'stays' } } });
  const nginx = sim.stranger('nginx', { listens: 8000 });
  nginx.answer = () => ({ sight: 'ready', after: 1 });
  sim.running(8000);
  await plays(sim, 'status', '0.0 = nothing: 8000 alive');
});

test('a zombie is not alive', async () => {
  const sim = new Sim();
  sim.running(8000);
  sim.kernel.end(sim.find('worker 8000'), 'crashed', 'zombie');
  await plays(sim, 'status', '0.0 = nothing: 8000 down');
});

test('any user may ask', async () => {
  const sim = new Sim({ ports: [8000, 8001] });
  sim.running(8000);
  await plays(sim, 'status', '0.0 = nothing: 8000 running, 8001 down', { uid: 500 });
});

test('it changes nothing, whatever lies about', async () => {
  const sim = new Sim({ ports: [8000, 8001, 8002] });
  sim.running(8000, 8001);
  sim.kernel.end(sim.find('worker 8001'), 'crashed');
  sim.kernel.files.delete('/run/app/8000.pid');
  sim.kernel.write('/run/app/8002.pid', 'garbled');
  const before = JSON.stringify([...sim.kernel.files]);
  await plays(sim, 'status', '0.0 = nothing: 8000 running, 8001 down, 8002 down');
  assert.equal(JSON.stringify([...sim.kernel.files]), before);
});

test('it launches nothing for a worker that goes away while it looks', async () => {
  const sim = new Sim();
  sim.running(8000);
  const worker = sim.find('worker 8000');
  await plays(sim, 'status', '0.0 = nothing: 8000 down', {
    meddle: ({ op }) => {
      if (op === 'probe') sim.kernel.end(worker, 'crashed');
      return undefined;
    },
  });
});

test('whether anything is alive, stale ones included', async () => {
  const sim = new Sim();
  assert.equal(await sim.isAnyAlive(), false);
  sim.running(8007);
  assert.equal(await sim.isAnyAlive(), true);
});
