import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sim } from '../support/sim.ts';
import { failuresOf, plays } from '../support/sim-story.ts';

test('a slow boot: told of after a second, then at most once a second', async () => {
  const sim = new Sim({ scripts: { 8000: { listens: 2400, ready: 2450 } } });
  await plays(
    sim,
    'start',
    `0.0 8000 launching
     0.0 launch 8000
     1.0 8000 waiting
     2.0 8000 waiting
     2.4 = started: 8000 running`,
  );
});

test('out of time: what was launched is stopped again, so that it does not block the next start', async () => {
  const sim = new Sim({ startTimeout: 2, scripts: { 8000: { ready: 'never', sigterm: 'never', words: ['hm'] } } });
  const ended = await plays(
    sim,
    'start',
    `0.0 8000 launching
     0.0 launch 8000
     1.0 8000 waiting
     2.0 8000 failed-to-start: it was not ready within 2 s (PID): its answer is not that of a ready worker
     2.0 8000 | hm
     2.0 8000 stopping
     2.0 SIGTERM worker 8000
     6.0 8000 stopping
     6.0 SIGKILL worker 8000
     6.0 remove /run/app/8000.pid
     6.0 = started: 8000 down`,
  );
  assert.deepEqual(failuresOf(ended), ['not-ready-in-time']);
});

test('out of time, but alive before this command: it is left alone', async () => {
  const sim = new Sim({ startTimeout: 2, scripts: { 8000: { ready: 'never' } } });
  sim.running(8000);
  const ended = await plays(
    sim,
    'start',
    `0.0 8000 already-started
     1.0 8000 waiting
     2.0 8000 failed-to-start: alive (PID) but not ready
     2.0 = started: 8000 alive (told of 8000)`,
  );
  assert.deepEqual(failuresOf(ended), ['alive-not-ready']);
});

test('a worker that never opens its port', async () => {
  const sim = new Sim({ startTimeout: 1, scripts: { 8000: { listens: 'never' } } });
  await plays(
    sim,
    'start',
    `0.0 8000 launching
     0.0 launch 8000
     1.0 8000 failed-to-start: it was not ready within 1 s (PID): it does not listen on its port
     1.0 8000 stopping
     1.0 SIGTERM worker 8000
     1.0 remove /run/app/8000.pid
     1.0 = started: 8000 down`,
  );
});

test('a starter that neither daemonizes nor ends within the time', async () => {
  const sim = new Sim({ startTimeout: 1, scripts: { 8000: { daemonizes: 5000 } } });
  await plays(
    sim,
    'start',
    `0.0 8000 launching
     0.0 launch 8000
     1.0 8000 failed-to-start: it was not ready within 1 s (PID): it does not listen on its port
     1.0 8000 stopping
     1.0 SIGTERM starter 8000
     1.0 = started: 8000 down`,
  );
  assert.deepEqual(sim.alive(8000), []);
});

test('a worker that listens long before it answers is seen within 50 ms of its first answer', async () => {
  for (const ready of [1400, 2700, 3130]) {
    const sim = new Sim({ startTimeout: 10, scripts: { 8000: { listens: 200, ready, whileBooting: 'silent' } } });
    const { took } = await sim.run('start');
    assert.ok(took >= ready && took <= ready + 50, `ready at ${ready}, seen at ${took}`);
  }
});

test('a silent worker does not outstay its time by more than its last probe', async () => {
  const sim = new Sim({ startTimeout: 3, scripts: { 8000: { answer: { sight: 'ready', after: 5000 } } } });
  const { took } = await sim.run('start');
  assert.ok(took <= 4200, `3 s and a probe, but it took ${took}`);
});

test('a worker that had its port goes away, and a stranger takes it before the new one can', async () => {
  const sim = new Sim({ scripts: { 8000: { ready: 'never', onTaken: 'stays' } } });
  sim.running(8000);
  const worker = sim.find('worker 8000');
  sim.kernel.in(500, () => sim.kernel.end(worker, 'crashed'));
  sim.kernel.in(560, () => sim.stranger('nginx', { listens: 8000 }));
  await plays(
    sim,
    'start',
    `0.0 8000 already-started
     0.5 8000 launching
     0.5 remove /run/app/8000.pid
     0.5 launch 8000
     0.7 8000 failed-to-start: held by nginx (PID)
     0.7 8000 stopping
     0.7 SIGTERM worker 8000 (2)
     0.8 remove /run/app/8000.pid
     0.8 = started: 8000 down`,
  );
});

const HUNDRED: readonly number[] = Array.from({ length: 100 }, (_, index) => 8000 + index);

test('of a hundred silent workers no more than 64 are asked at once', async () => {
  const sim = new Sim({ ports: HUNDRED, startTimeout: 3 });
  for (const port of HUNDRED) sim.scripts.set(port, { answer: { sight: 'ready', after: 5000 } });
  sim.running(...HUNDRED);
  await sim.run('start');
  assert.equal(sim.kernel.mostProbes, 64);
});

test('silent workers take turns with those that answer: nobody waits for ever to be asked', async () => {
  const sim = new Sim({ ports: HUNDRED, startTimeout: 5 });
  for (const port of HUNDRED.slice(0, 70)) sim.scripts.set(port, { answer: { sight: 'ready', after: 5000 } });
  const { outcome } = await sim.run('start');
  const workers = outcome === 'killed' ? [] : (outcome.survey?.workers ?? []);
  const running = workers.filter(({ standing }) => standing.kind === 'running').map(({ port }) => Number(port));
  assert.deepEqual(running, HUNDRED.slice(70));
});
