import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sim } from '../support/sim.ts';
import { plays } from '../support/sim-story.ts';
import type { Offspring } from '../support/sim-worker.ts';

function parentOf(...offspring: Offspring[]): Sim {
  const sim = new Sim({ scripts: { 8000: { offspring } } });
  sim.running(8000);
  return sim;
}

test('a helper that outlives its worker is left behind, and stop ends it', async () => {
  const sim = parentOf({ kind: 'helper', sigterm: 'ignored' });
  await plays(
    sim,
    'stop',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM worker 8000
     0.0 8000 stopping
     0.0 SIGTERM helper of 8000
     4.0 8000 stopping
     4.0 SIGKILL helper of 8000
     4.0 remove /run/app/8000.pid
     4.0 = stopped: 8000 down`,
  );
});

test('a forked child that ends with its worker is never signalled itself', async () => {
  const sim = parentOf({ kind: 'fork', outlives: false }, { kind: 'fork', outlives: false });
  await plays(sim, 'status', '0.0 = nothing: 8000 running');
  await plays(
    sim,
    'stop',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM worker 8000
     0.0 remove /run/app/8000.pid
     0.0 = stopped: 8000 down`,
  );
});

test('a forked child that outlives its worker is stopped too', async () => {
  const sim = parentOf({ kind: 'fork', outlives: true });
  await sim.run('stop');
  assert.deepEqual(sim.alive(8000), []);
  assert.deepEqual(
    sim.kernel.signals.map(({ signal, process }) => `${signal} ${process.truth.label}`),
    ['SIGTERM worker 8000', 'SIGTERM fork of 8000'],
  );
});

test('a daemon that a worker started lives on, though it inherited the marker', async () => {
  const sim = parentOf({ kind: 'daemon' });
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
  assert.equal(sim.find('daemon').state, 'alive');
});

test('what a crashed daemon left is ended as well, though its session is known by its number only', async () => {
  const sim = parentOf({ kind: 'helper', sigterm: 'obeyed' }, { kind: 'daemon' });
  sim.kernel.end(sim.find('worker 8000'), 'crashed');
  await plays(
    sim,
    'stop',
    `0.0 8000 stopping
     0.0 SIGTERM helper of 8000
     0.0 remove /run/app/8000.pid
     0.0 = stopped: 8000 down`,
  );
});

test('what a crashed worker left is not alive: start fills the port, stop ends it where the session is known', async () => {
  const sim = new Sim({
    scripts: { 8000: { daemonizes: 'never', offspring: [{ kind: 'helper', sigterm: 'obeyed' }] } },
  });
  sim.running(8000);
  sim.kernel.end(sim.find('worker 8000'), 'crashed');
  await plays(sim, 'status', '0.0 = nothing: 8000 down');
  assert.equal(await sim.isAnyAlive(), false);
  await plays(
    sim,
    'stop',
    `0.0 8000 stopping
     0.0 SIGTERM helper of 8000
     0.0 remove /run/app/8000.pid
     0.0 = stopped: 8000 down`,
  );
});

test('a forked child of a crashed worker keeps its socket: it is left behind, not alive', async () => {
  const sim = new Sim({
    scripts: { 8000: { daemonizes: 'never', offspring: [{ kind: 'fork', outlives: true }] } },
  });
  sim.running(8000);
  sim.kernel.end(sim.find('worker 8000'), 'crashed');
  await plays(sim, 'status', '0.0 = nothing: 8000 down');
});

test("a port held by a child of the worker is the worker's", async () => {
  const sim = parentOf({ kind: 'fork', outlives: false });
  const [socket] = sim.kernel.sockets;
  socket?.holders.delete(sim.find('worker 8000'));
  await plays(sim, 'status', '0.0 = nothing: 8000 running');
});

test('without a pidfile only the session that this command saw tells what the worker left behind', async () => {
  const sim = new Sim({
    pidfileTemplate: undefined,
    scripts: { 8000: { offspring: [{ kind: 'helper', sigterm: 'obeyed' }, { kind: 'daemon' }] } },
  });
  sim.running(8000);
  await plays(
    sim,
    'stop',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM worker 8000
     0.0 8000 stopping
     0.0 SIGTERM helper of 8000
     0.0 = stopped: 8000 down`,
  );
});

test('a worker that dies before anybody has seen it leaves a helper in the session of its starter', async () => {
  const helper = { kind: 'helper', sigterm: 'obeyed' } as const;
  const sim = new Sim({
    pidfileTemplate: undefined,
    scripts: { 8000: { daemonizes: 'never', listens: 3, dies: 5, offspring: [helper] } },
  });
  await plays(
    sim,
    'start',
    `0.0 8000 launching
     0.0 launch 8000
     0.0 8000 failed-to-start: it exited with status 1 before it was ready
     0.0 8000 stopping
     0.0 SIGTERM helper of 8000
     0.0 = started: 8000 down`,
  );
});

test('a forked child that keeps the port of a crashed worker is ended by start, which then fills the port', async () => {
  const sim = new Sim({
    scripts: { 8000: { daemonizes: 'never', offspring: [{ kind: 'fork', outlives: true }] } },
  });
  sim.running(8000);
  sim.kernel.end(sim.find('worker 8000'), 'crashed');
  await plays(
    sim,
    'start',
    `0.0 8000 stopping
     0.0 SIGTERM fork of 8000
     0.0 remove /run/app/8000.pid
     0.0 8000 launching
     0.0 launch 8000
     0.3 = started: 8000 running`,
  );
});

test('a worker that was told to go, and is found alive, leaves its child on the port: it is launched all the same', async () => {
  const sim = new Sim({
    scripts: { 8000: { offspring: [{ kind: 'fork', outlives: true }], answer: { sight: 'unready', after: 2 } } },
  });
  sim.running(8000);
  sim.scripts.set(8000, {});
  const worker = sim.find('worker 8000');
  sim.kernel.in(500, () => {
    sim.kernel.end(worker, 'crashed');
    sim.kernel.wake();
  });
  const { lines } = await sim.run('start');
  assert.match(lines.join('\n'), /= started: 8000 running$/);
  assert.deepEqual(
    sim.kernel.signals.map(({ signal, process }) => `${signal} ${process.truth.label}`),
    ['SIGTERM fork of 8000'],
  );
});
