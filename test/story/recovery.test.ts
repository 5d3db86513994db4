// A command is killed with SIGKILL at some call; the next one puts things right.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sim } from '../support/sim.ts';
import { plays } from '../support/sim-story.ts';

/** Kills a command right after its first call of an operation. */
async function killAfterFirst(sim: Sim, verb: 'start' | 'stop' | 'restart', operation: string): Promise<void> {
  let killAt = 0;
  const copy = new Sim(sim.settings);
  copy.running(...sim.settings.ports.filter((port) => sim.alive(port).length > 0));
  await copy.run(verb, {
    meddle: ({ op, count }) => {
      if (op === operation && killAt === 0) killAt = count + 1;
      return undefined;
    },
  });
  assert.equal((await sim.run(verb, { killAt })).outcome, 'killed');
}

test('start is killed right after a launch: the next start waits for that worker and launches the rest', async () => {
  const sim = new Sim({ ports: [8000, 8001] });
  await killAfterFirst(sim, 'start', 'launch');
  assert.deepEqual(sim.alive(8000), ['starter 8000']);
  await plays(
    sim,
    'start',
    `0.0 8000 already-started
     0.0 8001 launching
     0.0 launch 8001
     0.3 = started: 8000 running, 8001 running`,
  );
});

test('stop is killed after its first SIGTERM: start waits for the one that goes and launches it anew, once', async () => {
  const sim = new Sim({ ports: [8000, 8001], scripts: { 8000: { sigterm: 2500, hangsUp: 'at once' } } });
  sim.running(8000, 8001);
  await killAfterFirst(sim, 'stop', 'signal');
  await plays(
    sim,
    'start',
    `0.0 8000 already-started
     0.0 8001 already-started
     1.0 8000 waiting
     2.0 8000 waiting
     2.5 8000 launching
     2.5 remove /run/app/8000.pid
     2.5 launch 8000
     2.8 = started: 8000 running, 8001 running`,
  );
});

test('the one launched anew dies as well: no third', async () => {
  const sim = new Sim({ scripts: { 8000: { sigterm: 500, hangsUp: 'at once' } } });
  sim.running(8000);
  await killAfterFirst(sim, 'stop', 'signal');
  sim.scripts.set(8000, { dies: 50 });
  await plays(
    sim,
    'start',
    `0.0 8000 already-started
     0.5 8000 launching
     0.5 remove /run/app/8000.pid
     0.5 launch 8000
     0.5 8000 failed-to-start: it exited with status 1 before it was ready
     0.5 = started: 8000 down`,
  );
});

test('stop is killed within the grace: the next stop gives the whole grace again before SIGKILL', async () => {
  const sim = new Sim({ scripts: { 8000: { sigterm: 'never' } } });
  sim.running(8000);
  await killAfterFirst(sim, 'stop', 'signal');
  sim.kernel.pass(3900);
  await plays(
    sim,
    'stop',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM worker 8000
     4.0 8000 stopping
     4.0 SIGKILL worker 8000
     4.0 remove /run/app/8000.pid
     4.0 = stopped: 8000 down`,
  );
});

test('restart is killed between stop and start: start fills every port', async () => {
  const sim = new Sim({ ports: [8000, 8001] });
  sim.running(8000, 8001);
  await killAfterFirst(sim, 'restart', 'removePidfile');
  await plays(
    sim,
    'start',
    `0.0 8000 launching
     0.0 launch 8000
     0.0 8001 launching
     0.0 remove /run/app/8001.pid
     0.0 launch 8001
     0.3 = started: 8000 running, 8001 running`,
  );
});

test('a booting worker that is told to stop by a killed command, then by stop', async () => {
  const sim = new Sim({ scripts: { 8000: { daemonizes: 1000, listens: 1200, ready: 1300 } } });
  await killAfterFirst(sim, 'start', 'launch');
  await plays(
    sim,
    'stop',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM starter 8000
     0.0 = stopped: 8000 down`,
  );
});
