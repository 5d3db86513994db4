import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sim } from '../support/sim.ts';
import { failuresOf, plays } from '../support/sim-story.ts';
import { bear } from '../support/sim-worker.ts';

for (const verb of ['start', 'stop', 'restart'] as const) {
  test(`${verb} on workers of somebody else: it says whose they are, and nothing is done`, async () => {
    const sim = new Sim({ ports: [8000, 8001, 8002] });
    sim.running(8000, 8001);
    const ended = await plays(
      sim,
      verb,
      `0.0 8000 forbidden of root
       0.0 8001 forbidden of root`,
      { uid: 500 },
    );
    assert.deepEqual(failuresOf(ended), ['not-permitted', 'not-permitted']);
    assert.ok(ended.outcome !== 'killed' && ended.outcome.survey === undefined);
  });
}

test("everything works for one's own workers", async () => {
  const sim = new Sim();
  await sim.run('start', { uid: 500 });
  await plays(sim, 'status', '0.0 = nothing: 8000 running', { uid: 500 });
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
    { uid: 500 },
  );
});

test('a planted look-alike of another user is told of and ignored', async () => {
  const sim = new Sim();
  sim.stranger('planted', { ...sim.looks(8000), uids: [666, 666] });
  await plays(
    sim,
    'stop',
    `0.0 8000 look-alike of user666
     0.0 = stopped: 8000 down`,
  );
  await plays(
    sim,
    'start',
    `0.0 8000 launching
     0.0 launch 8000
     0.3 8000 look-alike of user666
     0.3 = started: 8000 running`,
  );
});

test('of many look-alikes a few are told of', async () => {
  const sim = new Sim();
  for (let each = 0; each < 8; each += 1) sim.stranger('planted', { ...sim.looks(8000), uids: [666, 666] });
  const told = Array.from({ length: 5 }, () => '0.0 8000 look-alike of user666');
  await plays(sim, 'stop', [...told, '0.0 3 more look-alikes', '0.0 = stopped: 8000 down'].join('\n'));
});

test('a set-user-ID program dressed up as a worker has two users, and one does not count', async () => {
  const sim = new Sim();
  sim.stranger('planted', { ...sim.looks(8000), uids: [666, 0] });
  await plays(
    sim,
    'stop',
    `0.0 8000 look-alike of user666
     0.0 = stopped: 8000 down`,
  );
});

test('a look-alike that holds the port is foreign', async () => {
  const sim = new Sim();
  sim.stranger('planted', { ...sim.looks(8000), uids: [666, 666], listens: 8000 });
  await plays(
    sim,
    'start',
    `0.0 8000 failed-to-start: held by planted (PID)
     0.0 8000 look-alike of user666
     0.0 = started: 8000 down`,
  );
});

test('a pidfile planted by the service user names a process of root: it is not signalled', async () => {
  const sim = new Sim();
  const victim = sim.stranger('sshd');
  sim.kernel.directories.set('/run/app', 666);
  sim.kernel.write('/run/app/8000.pid', { pid: victim.id.pid }, 666);
  await plays(
    sim,
    'stop',
    `0.0 remove /run/app/8000.pid
     0.0 = stopped: 8000 down`,
  );
});

test('workers of the user whose directory the pidfiles are in count', async () => {
  const sim = new Sim();
  sim.kernel.directories.set('/run/app', 700);
  bear(sim.kernel, sim.birth(8000, { uid: 700 }), sim.scriptOf(8000));
  sim.kernel.pass(1000);
  await plays(sim, 'status', '0.0 = nothing: 8000 running');
});

test('workers of supervisor_user count', async () => {
  const sim = new Sim({ workerUid: 700 });
  await plays(
    sim,
    'start',
    `0.0 8000 launching
     0.0 launch 8000
     0.3 = started: 8000 running`,
  );
  assert.deepEqual(sim.find('worker 8000').uids, [700, 700]);
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

test('root may not signal after all: the others are stopped, and the reason is told', async () => {
  const sim = new Sim({ ports: [8000, 8001] });
  sim.running(8000, 8001);
  const pid = sim.find('worker 8000').id.pid;
  const ended = await plays(
    sim,
    'stop',
    `0.0 killing
     0.0 8000 stopping
     0.0 8000 failed-to-stop: no permission to signal PID: run this as its owner or as root
     0.0 8001 stopping
     0.0 SIGTERM worker 8001
     0.0 remove /run/app/8001.pid
     0.0 stop-failed`,
    { meddle: ({ op, about }) => (op === 'signal' && about === pid ? 'EPERM' : undefined) },
  );
  assert.deepEqual(failuresOf(ended), ['not-permitted']);
});

test("one's own workers are stopped as fast as root's", async () => {
  const times: number[] = [];
  for (const uid of [0, 500]) {
    const sim = new Sim({ ports: [8000, 8001] });
    await sim.run('start', { uid });
    times.push((await sim.run('stop', { uid })).took);
  }
  assert.equal(times[1], times[0]);
});
