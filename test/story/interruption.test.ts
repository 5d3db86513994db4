// SIGTERM to ourselves: the command stops waiting and says what is running; nothing is signalled after it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sim } from '../support/sim.ts';
import { plays } from '../support/sim-story.ts';

test('start: the workers boot on', async () => {
  const sim = new Sim({ ports: [8000, 8001] });
  await plays(
    sim,
    'start',
    `0.0 8000 launching
     0.0 launch 8000
     0.0 8001 launching
     0.0 launch 8001
     0.1 interrupted
     0.1 = nothing: 8000 alive, 8001 alive`,
    { interruptAt: 150 },
  );
  sim.kernel.pass(1000);
  await plays(sim, 'status', '0.0 = nothing: 8000 running, 8001 running');
});

test('start: interrupted while one worker is launched, it launches no other', async () => {
  const sim = new Sim({ ports: [8000, 8001] });
  await plays(
    sim,
    'start',
    `0.0 8000 launching
     0.0 interrupted
     0.0 launch 8000
     0.0 = nothing: 8000 alive, 8001 down`,
    {
      interruptAt: 5,
      meddle: ({ op }) => {
        if (op === 'launch') sim.kernel.pass(10);
        return undefined;
      },
    },
  );
});

test('stop: no SIGKILL follows', async () => {
  const sim = new Sim({ scripts: { 8000: { sigterm: 'never' } } });
  sim.running(8000);
  await plays(
    sim,
    'stop',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM worker 8000
     2.0 interrupted
     2.0 = nothing: 8000 running`,
    { interruptAt: 2000 },
  );
});

test('restart, while it stops: nothing is launched, and the port that will be empty is named', async () => {
  const sim = new Sim({ scripts: { 8000: { sigterm: 3000 } } });
  sim.running(8000);
  await plays(
    sim,
    'restart',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM worker 8000
     1.0 interrupted
     1.0 left-stopped 8000
     1.0 = nothing: 8000 running`,
    { interruptAt: 1000 },
  );
});

test('restart, with one port stopped and another on its way: both are named', async () => {
  const sim = new Sim({ ports: [8000, 8001], scripts: { 8001: { sigterm: 3000 } } });
  sim.running(8000, 8001);
  await plays(
    sim,
    'restart',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM worker 8000
     0.0 8001 stopping
     0.0 SIGTERM worker 8001
     0.0 remove /run/app/8000.pid
     1.0 interrupted
     1.0 left-stopped 8000 8001
     1.0 = nothing: 8000 down, 8001 running`,
    { interruptAt: 1000 },
  );
});

test('restart, while it starts: the new workers boot on', async () => {
  const sim = new Sim();
  sim.running(8000);
  await plays(
    sim,
    'restart',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM worker 8000
     0.0 remove /run/app/8000.pid
     0.0 8000 launching
     0.0 launch 8000
     0.1 interrupted
     0.1 = nothing: 8000 alive`,
    { interruptAt: 150 },
  );
});

test('while a failed worker is cleared away: it is not killed', async () => {
  const sim = new Sim({ startTimeout: 1, scripts: { 8000: { ready: 'never', sigterm: 'never' } } });
  await plays(
    sim,
    'start',
    `0.0 8000 launching
     0.0 launch 8000
     1.0 8000 failed-to-start: it was not ready within 1 s (PID): its answer is not that of a ready worker
     1.0 8000 stopping
     1.0 SIGTERM worker 8000
     3.0 interrupted
     3.0 = nothing: 8000 alive`,
    { interruptAt: 3000 },
  );
});

test('before anything is done: nothing is', async () => {
  const sim = new Sim();
  sim.running(8000);
  for (const verb of ['start', 'stop', 'restart', 'status'] as const) {
    const ended = await sim.run(verb, { interruptAt: 0, meddle: interruptFirst(sim) });
    assert.ok(
      ended.lines.every((line) => !/SIG|launch|remove|write/.test(line)),
      ended.lines.join('\n'),
    );
  }
});

/** Lets the interruption arrive at the first call. */
function interruptFirst(sim: Sim): () => undefined {
  return () => {
    sim.kernel.pass(0);
    return undefined;
  };
}
