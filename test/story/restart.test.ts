import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sim } from '../support/sim.ts';
import { failuresOf, plays } from '../support/sim-story.ts';

test('none runs: it is a start', async () => {
  await plays(
    new Sim(),
    'restart',
    `0.0 8000 launching
     0.0 launch 8000
     0.3 = started: 8000 running`,
  );
});

test('some run and one is stale: all old ones go, then every configured port is started', async () => {
  const sim = new Sim({ ports: [8000, 8001] });
  sim.running(8001, 8007);
  await plays(
    sim,
    'restart',
    `0.0 killing
     0.0 8001 stopping
     0.0 SIGTERM worker 8001
     0.0 8007 stopping
     0.0 SIGTERM worker 8007
     0.0 remove /run/app/8001.pid
     0.0 remove /run/app/8007.pid
     0.0 8000 launching
     0.0 launch 8000
     0.0 8001 launching
     0.0 launch 8001
     0.3 = started: 8000 running, 8001 running`,
  );
});

test('the socket closes at once but the process takes its time: no second worker beside it', async () => {
  const sim = new Sim({ scripts: { 8000: { sigterm: 3000, hangsUp: 'at once' } } });
  sim.running(8000);
  await plays(
    sim,
    'restart',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM worker 8000
     3.0 remove /run/app/8000.pid
     3.0 8000 launching
     3.0 launch 8000
     3.3 = started: 8000 running`,
  );
});

test('one that survived SIGKILL keeps its port and is not doubled', async () => {
  const sim = new Sim({ ports: [8000, 8001], scripts: { 8000: { sigterm: 'never', sigkill: 'never' } } });
  sim.running(8000, 8001);
  const ended = await plays(
    sim,
    'restart',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM worker 8000
     0.0 8001 stopping
     0.0 SIGTERM worker 8001
     0.0 remove /run/app/8001.pid
     4.0 8000 stopping
     4.0 SIGKILL worker 8000
     6.0 8000 failed-to-stop: PID survived SIGKILL
     6.0 stop-failed
     6.0 8001 launching
     6.0 launch 8001
     6.3 = started: 8000 running, 8001 running`,
  );
  assert.ok(failuresOf(ended).includes('survived-sigkill'));
});

test('new workers are broken: the old ones are gone all the same', async () => {
  const sim = new Sim();
  sim.running(8000);
  sim.scripts.set(8000, { dies: 50 });
  const ended = await plays(
    sim,
    'restart',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM worker 8000
     0.0 remove /run/app/8000.pid
     0.0 8000 launching
     0.0 launch 8000
     0.1 8000 failed-to-start: it exited with status 1 before it was ready
     0.1 = started: 8000 down`,
  );
  assert.deepEqual(failuresOf(ended), ['died-while-starting']);
});

test('called from inside a worker: the caller and its ancestors live, but for the worker', async () => {
  const sim = new Sim({ scripts: { 8000: { offspring: [{ kind: 'helper', sigterm: 'obeyed' }] } } });
  sim.running(8000);
  sim.scripts.delete(8000);
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
    { under: sim.find('helper of 8000') },
  );
  assert.deepEqual(sim.alive(8000), ['helper of 8000', 'worker 8000 (2)']);
});

test('called by the worker itself', async () => {
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
     0.3 = started: 8000 running`,
    { under: sim.find('worker 8000') },
  );
});
