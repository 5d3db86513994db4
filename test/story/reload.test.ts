import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sim } from '../support/sim.ts';
import { failuresOf, plays } from '../support/sim-story.ts';

test('none runs: there is nothing to reload', async () => {
  await plays(new Sim(), 'reload', '0.0 nothing-to-reload');
});

test('one after another: the next goes when the one before is ready and has settled', async () => {
  const sim = new Sim({ ports: [8000, 8001] });
  sim.running(8000, 8001);
  await plays(
    sim,
    'reload',
    `0.0 8000 stopping
     0.0 SIGTERM worker 8000
     0.0 remove /run/app/8000.pid
     0.0 8000 launching
     0.0 launch 8000
     1.3 8001 stopping
     1.3 SIGTERM worker 8001
     1.3 remove /run/app/8001.pid
     1.3 8001 launching
     1.3 launch 8001
     2.6 = started: 8000 running, 8001 running`,
  );
});

test('missing workers are started first, who does not serve is replaced before who does, stale ones go last', async () => {
  const sim = new Sim({ ports: [8000, 8001, 8002], settle: 0 });
  sim.running(8000, 8007);
  sim.scripts.set(8002, { ready: 'never' });
  sim.running(8002);
  sim.scripts.delete(8002);
  await plays(
    sim,
    'reload',
    `0.0 8001 launching
     0.0 launch 8001
     0.3 8002 stopping
     0.3 SIGTERM worker 8002
     0.3 remove /run/app/8002.pid
     0.3 8002 launching
     0.3 launch 8002
     0.6 8000 stopping
     0.6 SIGTERM worker 8000
     0.6 remove /run/app/8000.pid
     0.6 8000 launching
     0.6 launch 8000
     1.0 8007 stopping
     1.0 SIGTERM worker 8007
     1.0 remove /run/app/8007.pid
     1.0 = started: 8000 running, 8001 running, 8002 running`,
  );
});

test('the new code is broken: the first that does not come up is the last that is touched', async () => {
  const sim = new Sim({ ports: [8000, 8001, 8002] });
  sim.running(8000, 8001, 8002);
  sim.scripts.set(8001, { dies: 50, words: ['ImportError: app'] });
  const ended = await plays(
    sim,
    'reload',
    `0.0 8000 stopping
     0.0 SIGTERM worker 8000
     0.0 remove /run/app/8000.pid
     0.0 8000 launching
     0.0 launch 8000
     1.3 8001 stopping
     1.3 SIGTERM worker 8001
     1.3 remove /run/app/8001.pid
     1.3 8001 launching
     1.3 launch 8001
     1.4 8001 failed-to-start: it exited with status 1 before it was ready
     1.4 8001 | ImportError: app
     1.4 roll-stopped: new 8000; down 8001; old 8002
     1.4 = started: 8000 running, 8001 down, 8002 running`,
  );
  assert.deepEqual(failuresOf(ended), ['died-while-starting']);
});

test('a missing worker does not come up: nothing else is touched', async () => {
  const sim = new Sim({ ports: [8000, 8001], scripts: { 8001: { dies: 50 } } });
  sim.running(8000);
  await plays(
    sim,
    'reload',
    `0.0 8001 launching
     0.0 launch 8001
     0.0 8001 failed-to-start: it exited with status 1 before it was ready
     0.0 roll-stopped: new ; down 8001; old 8000
     0.0 = started: 8000 running, 8001 down`,
  );
});

test('it was ready, and did not stay', async () => {
  const sim = new Sim({ ports: [8000, 8001] });
  sim.running(8000, 8001);
  sim.scripts.set(8000, { dies: 700, words: ['Segmentation fault'] });
  const ended = await plays(
    sim,
    'reload',
    `0.0 8000 stopping
     0.0 SIGTERM worker 8000
     0.0 remove /run/app/8000.pid
     0.0 8000 launching
     0.0 launch 8000
     0.7 8000 failed-to-start: it was ready, and went away within 1 s
     0.7 8000 | Segmentation fault
     0.7 roll-stopped: new ; down 8000; old 8001
     0.7 = started: 8000 down, 8001 running`,
  );
  assert.deepEqual(failuresOf(ended), ['did-not-stay']);
});

test('one survives SIGKILL: its neighbour of the batch is started again, and the roll ends', async () => {
  const sim = new Sim({
    ports: [8000, 8001, 8002],
    batch: 2,
    scripts: { 8000: { sigterm: 'never', sigkill: 'never' } },
  });
  sim.running(8000, 8001, 8002);
  await plays(
    sim,
    'reload',
    `0.0 8000 stopping
     0.0 SIGTERM worker 8000
     0.0 8001 stopping
     0.0 SIGTERM worker 8001
     0.0 remove /run/app/8001.pid
     4.0 8000 stopping
     4.0 SIGKILL worker 8000
     6.0 8000 failed-to-stop: PID survived SIGKILL
     6.0 8001 launching
     6.0 launch 8001
     7.3 roll-stopped: new 8001; down 8000; old 8002
     7.3 = started: 8000 running, 8001 running, 8002 running`,
  );
});

test('hooks: out of rotation, a while for what is under way, and back when the new one has settled', async () => {
  const sim = new Sim({ ports: [8000], hooks: true, drain: 3 });
  sim.running(8000);
  await plays(
    sim,
    'reload',
    `0.0 run /usr/bin/leave 8000
     3.0 8000 stopping
     3.0 SIGTERM worker 8000
     3.0 remove /run/app/8000.pid
     3.0 8000 launching
     3.0 launch 8000
     4.3 run /usr/bin/enter 8000
     4.3 = started: 8000 running`,
  );
});

test('a hook fails before the stop: who had left comes back, and no worker is touched', async () => {
  const sim = new Sim({ ports: [8000, 8001, 8002], batch: 2, hooks: true });
  sim.running(8000, 8001, 8002);
  await plays(
    sim,
    'reload',
    `0.0 run /usr/bin/leave 8000
     0.0 run /usr/bin/leave 8001
     0.0 8001 before_stop /usr/bin/leave exited with status 1
     0.0 run /usr/bin/enter 8000
     0.0 run /usr/bin/enter 8001
     0.0 roll-stopped: new ; down ; old 8000 8001 8002
     0.0 = started: 8000 running, 8001 running, 8002 running`,
    { meddle: ({ op, nth }) => (op === 'hook' && nth === 2 ? 'exited with status 1' : undefined) },
  );
});

test('a hook fails after the start: the roll ends there', async () => {
  const sim = new Sim({ ports: [8000, 8001], hooks: true });
  sim.running(8000, 8001);
  await plays(
    sim,
    'reload',
    `0.0 run /usr/bin/leave 8000
     0.0 8000 stopping
     0.0 SIGTERM worker 8000
     0.0 remove /run/app/8000.pid
     0.0 8000 launching
     0.0 launch 8000
     1.3 run /usr/bin/enter 8000
     1.3 8000 after_start /usr/bin/enter did not finish within 10 s
     1.3 roll-stopped: new 8000; down ; old 8001
     1.3 out-of-rotation 8000
     1.3 = started: 8000 running, 8001 running`,
    { meddle: ({ op, nth }) => (op === 'hook' && nth === 2 ? 'did not finish within 10 s' : undefined) },
  );
});

test('interrupted while a port drains: it comes back into rotation', async () => {
  const sim = new Sim({ ports: [8000, 8001], hooks: true, drain: 3 });
  sim.running(8000, 8001);
  await plays(
    sim,
    'reload',
    `0.0 run /usr/bin/leave 8000
     1.5 interrupted
     1.5 run /usr/bin/enter 8000
     1.5 roll-stopped: new ; down ; old 8000 8001
     1.5 = nothing: 8000 running, 8001 running`,
    { interruptAt: 1500 },
  );
});

test('interrupted between stop and start: it says what is down', async () => {
  const sim = new Sim({ ports: [8000, 8001], scripts: { 8000: { sigterm: 2000 } } });
  sim.running(8000, 8001);
  await plays(
    sim,
    'reload',
    `0.0 8000 stopping
     0.0 SIGTERM worker 8000
     1.5 interrupted
     1.5 roll-stopped: new ; down 8000; old 8001
     1.5 left-stopped 8000
     1.5 = nothing: 8000 running, 8001 running`,
    { interruptAt: 1500 },
  );
});

test('only stale workers serve: the configured ones come first, then those go', async () => {
  const sim = new Sim({ settle: 0 });
  sim.running(8007);
  await plays(
    sim,
    'reload',
    `0.0 8000 launching
     0.0 launch 8000
     0.3 8007 stopping
     0.3 SIGTERM worker 8007
     0.3 remove /run/app/8007.pid
     0.3 = started: 8000 running`,
  );
});
