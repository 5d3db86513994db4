import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sim } from '../support/sim.ts';
import { failuresOf, plays } from '../support/sim-story.ts';

test('none runs: all are launched together and waited for', async () => {
  const sim = new Sim({ ports: [8000, 8001] });
  const ended = await plays(
    sim,
    'start',
    `0.0 8000 launching
     0.0 launch 8000
     0.0 8001 launching
     0.0 launch 8001
     0.3 = started: 8000 running, 8001 running`,
  );
  assert.deepEqual(failuresOf(ended), []);
});

test('all run: nothing is launched', async () => {
  const sim = new Sim({ ports: [8000, 8001] });
  sim.running(8000, 8001);
  await plays(
    sim,
    'start',
    `0.0 8000 already-started
     0.0 8001 already-started
     0.0 = started: 8000 running, 8001 running`,
  );
});

test('some run: only the missing one is launched, its dead pidfile removed before', async () => {
  const sim = new Sim({ ports: [8000, 8001] });
  sim.running(8000, 8001);
  sim.kernel.end(sim.find('worker 8001'), 'crashed');
  await plays(
    sim,
    'start',
    `0.0 8000 already-started
     0.0 8001 launching
     0.0 remove /run/app/8001.pid
     0.0 launch 8001
     0.3 = started: 8000 running, 8001 running`,
  );
});

test('a stale worker is told of and left alone', async () => {
  const sim = new Sim({ ports: [8000] });
  sim.running(8000, 8007);
  await plays(
    sim,
    'start',
    `0.0 8000 already-started
     0.0 = started: 8000 running, 8007 stale`,
  );
});

test('one is broken: its last words are shown, the others go on', async () => {
  const sim = new Sim({ ports: [8000, 8001], scripts: { 8000: { dies: 50, words: ['ImportError: app', 'bye'] } } });
  const ended = await plays(
    sim,
    'start',
    `0.0 8000 launching
     0.0 launch 8000
     0.0 8001 launching
     0.0 launch 8001
     0.0 8000 failed-to-start: it exited with status 1 before it was ready
     0.0 8000 | ImportError: app
     0.0 8000 | bye
     0.3 = started: 8000 down, 8001 running`,
  );
  assert.deepEqual(failuresOf(ended), ['died-while-starting']);
});

test('all are broken after they went into the background', async () => {
  const sim = new Sim({ ports: [8000, 8001], scripts: { 8000: { dies: 220 }, 8001: { dies: 220 } } });
  await plays(
    sim,
    'start',
    `0.0 8000 launching
     0.0 launch 8000
     0.0 8001 launching
     0.0 launch 8001
     0.2 8000 failed-to-start: it exited with status 0 before it was ready
     0.2 remove /run/app/8000.pid
     0.2 8001 failed-to-start: it exited with status 0 before it was ready
     0.2 remove /run/app/8001.pid
     0.2 = started: 8000 down, 8001 down`,
  );
});

test('a worker in the foreground is its own starter', async () => {
  const sim = new Sim({ scripts: { 8000: { daemonizes: 'never', writesPidfile: 'never' } } });
  await plays(
    sim,
    'start',
    `0.0 8000 launching
     0.0 launch 8000
     0.3 write /run/app/8000.pid
     0.3 = started: 8000 running`,
  );
  assert.deepEqual(sim.kernel.pidfile('/run/app/8000.pid'), {
    kind: 'names',
    pid: sim.find('worker 8000').id.pid,
    writtenTicks: sim.kernel.ticks,
    writer: 0,
  });
});

test('a starter that never exits is not waited for', async () => {
  const sim = new Sim({ scripts: { 8000: { lingers: 'never' } } });
  await plays(
    sim,
    'start',
    `0.0 8000 launching
     0.0 launch 8000
     0.3 = started: 8000 running`,
  );
});

test('a foreign process on the port: its holder is named, nothing is launched', async () => {
  const sim = new Sim({ ports: [8000, 8001] });
  sim.stranger('nginx', { listens: 8000 });
  const ended = await plays(
    sim,
    'start',
    `0.0 8000 failed-to-start: held by nginx (PID)
     0.0 8001 launching
     0.0 launch 8001
     0.3 = started: 8000 down, 8001 running`,
  );
  assert.deepEqual(failuresOf(ended), ['port-held']);
});

test('a stranger takes the port while the worker boots: the worker that cannot bind is stopped again', async () => {
  const sim = new Sim({ scripts: { 8000: { onTaken: 'stays' } } });
  sim.kernel.in(200, () => sim.stranger('nginx', { listens: 8000 }));
  await plays(
    sim,
    'start',
    `0.0 8000 launching
     0.0 launch 8000
     0.2 8000 failed-to-start: held by nginx (PID)
     0.2 8000 stopping
     0.2 SIGTERM worker 8000
     0.2 remove /run/app/8000.pid
     0.2 = started: 8000 down`,
  );
});

test('the program cannot be run', async () => {
  const sim = new Sim();
  const ended = await plays(
    sim,
    'start',
    `0.0 8000 launching
     0.0 8000 failed-to-start: /usr/bin/frontik could not be started: ENOENT
     0.0 = started: 8000 down`,
    { meddle: ({ op }) => (op === 'launch' ? 'ENOENT' : undefined) },
  );
  assert.deepEqual(failuresOf(ended), ['launch-refused']);
});

test('a daemon that wipes its command line long before it listens is waited for', async () => {
  const early = { daemonizes: 103, renames: 104, writesPidfile: 105 } as const;
  const sim = new Sim({ scripts: { 8000: { ...early, listens: 900, ready: 950 } } });
  await plays(
    sim,
    'start',
    `0.0 8000 launching
     0.0 launch 8000
     0.9 = started: 8000 running`,
  );
});
