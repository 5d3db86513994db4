import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sim } from '../support/sim.ts';
import { plays } from '../support/sim-story.ts';

/** Two commands of the original at once: the second worker could not bind, lives on, and has overwritten the pidfile. */
function doubled(): Sim {
  const sim = new Sim({ scripts: { 8000: { onTaken: 'stays' } } });
  sim.running(8000);
  sim.running(8000);
  return sim;
}

test('two workers on one port: the one that listens is the worker, whatever the pidfile says', async () => {
  const sim = doubled();
  await plays(sim, 'status', '0.0 = nothing: 8000 running');
  await plays(
    sim,
    'start',
    `0.0 8000 already-started
     0.0 = started: 8000 running`,
  );
});

test('both are stopped', async () => {
  const sim = doubled();
  await plays(
    sim,
    'stop',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM worker 8000
     0.0 SIGTERM worker 8000 (2)
     0.0 remove /run/app/8000.pid
     0.0 = stopped: 8000 down`,
  );
  assert.deepEqual(sim.alive(8000), []);
});

test('restart leaves one', async () => {
  const sim = doubled();
  await plays(
    sim,
    'restart',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM worker 8000
     0.0 SIGTERM worker 8000 (2)
     0.0 remove /run/app/8000.pid
     0.0 8000 launching
     0.0 launch 8000
     0.3 = started: 8000 running`,
  );
  assert.deepEqual(sim.alive(8000), ['worker 8000 (3)']);
});

test('somebody else starts the worker again while restart launches it: one of ours answers, so it is running', async () => {
  const sim = new Sim();
  sim.scripts.set(8000, { respawns: 1, respawnsAfter: 50, onTaken: 'stays' });
  sim.running(8000);
  sim.scripts.set(8000, { onTaken: 'stays' });
  await plays(
    sim,
    'restart',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM worker 8000
     0.0 remove /run/app/8000.pid
     0.0 8000 launching
     0.0 launch 8000
     0.3 = started: 8000 running`,
  );
});
