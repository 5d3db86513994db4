import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sim } from '../support/sim.ts';
import { failuresOf, plays } from '../support/sim-story.ts';

test('none runs: nothing is done', async () => {
  await plays(new Sim({ ports: [8000, 8001] }), 'stop', '0.0 = stopped: 8000 down, 8001 down');
});

test('all run: it ends as soon as the last one is gone', async () => {
  const sim = new Sim({ ports: [8000, 8001], scripts: { 8001: { sigterm: 1200 } } });
  sim.running(8000, 8001);
  const ended = await plays(
    sim,
    'stop',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM worker 8000
     0.0 8001 stopping
     0.0 SIGTERM worker 8001
     0.0 remove /run/app/8000.pid
     1.2 remove /run/app/8001.pid
     1.2 = stopped: 8000 down, 8001 down`,
  );
  assert.deepEqual(failuresOf(ended), []);
  assert.deepEqual([...sim.kernel.files], []);
});

test('stale workers are stopped with the others, in the order of the ports', async () => {
  const sim = new Sim({ ports: [8000] });
  sim.running(7999, 8000, 8007);
  await plays(
    sim,
    'stop',
    `0.0 killing
     0.0 7999 stopping
     0.0 SIGTERM worker 7999
     0.0 8000 stopping
     0.0 SIGTERM worker 8000
     0.0 8007 stopping
     0.0 SIGTERM worker 8007
     0.0 remove /run/app/7999.pid
     0.0 remove /run/app/8000.pid
     0.0 remove /run/app/8007.pid
     0.0 = stopped: 8000 down`,
  );
});

test('only stale ones run', async () => {
  const sim = new Sim({ ports: [8000] });
  sim.running(8007);
  await plays(
    sim,
    'stop',
    `0.0 killing
     0.0 8007 stopping
     0.0 SIGTERM worker 8007
     0.0 remove /run/app/8007.pid
     0.0 = stopped: 8000 down`,
  );
});

test('an ignored SIGTERM: SIGKILL after the whole grace', async () => {
  const sim = new Sim({ scripts: { 8000: { sigterm: 'never' } } });
  sim.running(8000);
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

test('a worker in an uninterruptible sleep: the stop fails, its pidfile stays, the others are gone', async () => {
  const sim = new Sim({ ports: [8000, 8001], scripts: { 8000: { sigterm: 'never', sigkill: 'never' } } });
  sim.running(8000, 8001);
  const ended = await plays(
    sim,
    'stop',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM worker 8000
     0.0 8001 stopping
     0.0 SIGTERM worker 8001
     0.0 remove /run/app/8001.pid
     4.0 8000 stopping
     4.0 SIGKILL worker 8000
     6.0 8000 failed-to-stop: PID survived SIGKILL
     6.0 stop-failed`,
  );
  assert.deepEqual(failuresOf(ended), ['survived-sigkill']);
  assert.deepEqual([...sim.kernel.files.keys()], ['/run/app/8000.pid']);
});

test('a booting worker is stopped in whatever shape it is', async () => {
  const sim = new Sim();
  await sim.run('start', { killAt: 25 });
  await plays(
    sim,
    'stop',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM starter 8000
     0.0 = stopped: 8000 down`,
  );
  sim.kernel.pass(1000);
  assert.deepEqual(sim.alive(8000), []);
});

test('a worker that comes back once is stopped again', async () => {
  const sim = new Sim({ scripts: { 8000: { respawns: 1 } } });
  sim.running(8000);
  await plays(
    sim,
    'stop',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM worker 8000
     0.0 8000 stopping
     0.0 SIGTERM starter 8000 (2)
     0.0 remove /run/app/8000.pid
     0.0 = stopped: 8000 down`,
  );
});

test('a worker that always comes back: the stop ends, and says what is the matter', async () => {
  const sim = new Sim({ scripts: { 8000: { respawns: 100, daemonizes: 'never' } } });
  sim.running(8000);
  const ended = await plays(
    sim,
    'stop',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM worker 8000
     0.0 8000 stopping
     0.0 SIGTERM worker 8000 (2)
     0.0 8000 stopping
     0.0 SIGTERM worker 8000 (3)
     0.0 8000 stopping
     0.0 SIGTERM worker 8000 (4)
     0.0 8000 failed-to-stop: it was stopped 4 times and came back each time: something else starts it
     0.0 stop-failed`,
  );
  assert.deepEqual(failuresOf(ended), ['keeps-coming-back']);
});

test('a zombie that nobody reaps is no worker any more', async () => {
  const sim = new Sim();
  sim.running(8000);
  sim.kernel.end(sim.find('worker 8000'), 'crashed', 'zombie');
  await plays(
    sim,
    'stop',
    `0.0 remove /run/app/8000.pid
     0.0 = stopped: 8000 down`,
  );
});

test('a foreign process on the port is none of ours', async () => {
  const sim = new Sim();
  sim.stranger('nginx', { listens: 8000 });
  await plays(sim, 'stop', '0.0 = stopped: 8000 down');
});

test('the machine stalls between the look and the signal: the grace begins with the signal', async () => {
  const sim = new Sim({ scripts: { 8000: { sigterm: 3500 } } });
  sim.running(8000);
  await plays(
    sim,
    'stop',
    `0.0 killing
     0.0 8000 stopping
     3.0 SIGTERM worker 8000
     6.5 remove /run/app/8000.pid
     6.5 = stopped: 8000 down`,
    {
      meddle: ({ op }) => {
        if (op === 'signal') sim.kernel.pass(3000);
        return undefined;
      },
    },
  );
});
