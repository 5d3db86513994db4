import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PidfileSight } from '../../src/core/worker.ts';
import { Sim } from '../support/sim.ts';
import { plays } from '../support/sim-story.ts';

const PIDFILE = '/run/app/8000.pid';

/** The pid of a worker that ran, wrote its pidfile and is gone. */
function crashed(sim: Sim): number {
  sim.running(8000);
  const worker = sim.find('worker 8000');
  sim.kernel.end(worker, 'crashed');
  return worker.id.pid;
}

function sightOf(sim: Sim): PidfileSight['kind'] {
  return sim.kernel.pidfile(PIDFILE).kind;
}

test('it names a recycled pid: the file is tidied, and the stranger is left alone', async () => {
  const sim = new Sim();
  const stranger = sim.stranger('editor', { pid: crashed(sim) });
  await plays(sim, 'status', '0.0 = nothing: 8000 down');
  await plays(
    sim,
    'stop',
    `0.0 remove /run/app/8000.pid
     0.0 = stopped: 8000 down`,
  );
  assert.equal(stranger.state, 'alive');
});

test('it names a recycled pid, and a worker is started over it', async () => {
  const sim = new Sim();
  sim.stranger('editor', { pid: crashed(sim) });
  await plays(
    sim,
    'start',
    `0.0 8000 launching
     0.0 remove /run/app/8000.pid
     0.0 launch 8000
     0.3 = started: 8000 running`,
  );
});

test('it is lost: the worker is found by its command line, and start writes it again', async () => {
  const sim = new Sim();
  sim.running(8000);
  sim.kernel.files.delete(PIDFILE);
  await plays(
    sim,
    'start',
    `0.0 8000 already-started
     0.0 write /run/app/8000.pid
     0.0 = started: 8000 running`,
  );
  sim.kernel.files.delete(PIDFILE);
  await plays(
    sim,
    'stop',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM worker 8000
     0.0 = stopped: 8000 down`,
  );
});

test('it is lost, and the worker was started by the Python supervisor: it has no marker', async () => {
  const sim = new Sim();
  sim.running(8000);
  sim.find('worker 8000').marker = undefined;
  sim.kernel.files.delete(PIDFILE);
  await plays(sim, 'status', '0.0 = nothing: 8000 running');
});

test('it is empty, or names another process: the worker is found, and the file goes when it is gone', async () => {
  for (const content of ['garbled', { pid: 4242 }] as const) {
    const sim = new Sim();
    sim.running(8000);
    sim.kernel.write(PIDFILE, content);
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
  }
});

test('it is a symlink, a directory, a fifo, huge: it is left alone, and the worker is found', async () => {
  const sim = new Sim();
  sim.running(8000);
  sim.kernel.write(PIDFILE, { unusable: 'a symbolic link' });
  await plays(
    sim,
    'stop',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM worker 8000
     0.0 = stopped: 8000 down`,
  );
  assert.equal(sightOf(sim), 'unusable');
});

test('another application shares the template: its worker and its pidfile are left alone', async () => {
  const sim = new Sim();
  const argv = ['/usr/bin/frontik', '--config=/etc/other.cfg', '--port=8000', `--pidfile=${PIDFILE}`];
  const other = sim.stranger('other', { argv, listens: 8000 });
  sim.kernel.write(PIDFILE, { pid: other.id.pid });
  await plays(sim, 'status', '0.0 = nothing: 8000 down');
  await plays(sim, 'stop', '0.0 = stopped: 8000 down');
  await plays(
    sim,
    'start',
    `0.0 8000 failed-to-start: held by other (PID)
     0.0 = started: 8000 down`,
  );
  assert.equal(sightOf(sim), 'names');
});

test('another application shares the template and is still booting: one word of its command line says whose the file is', async () => {
  for (const word of ['--port=8000', `--pidfile=${PIDFILE}`]) {
    const sim = new Sim();
    const other = sim.stranger('other', { argv: ['/usr/bin/frontik', '--config=/etc/other.cfg', word] });
    sim.kernel.write(PIDFILE, { pid: other.id.pid });
    await plays(sim, 'stop', '0.0 = stopped: 8000 down');
    assert.equal(sightOf(sim), 'names');
  }
});

test('another application shares the template, and its worker has wiped its command line: the port says whose the file is', async () => {
  const sim = new Sim();
  const other = sim.stranger('other', { marker: '/etc/other.cfg:8000', listens: 8000 });
  sim.kernel.write(PIDFILE, { pid: other.id.pid });
  await plays(sim, 'stop', '0.0 = stopped: 8000 down');
  assert.equal(sightOf(sim), 'names');
});

test('a worker that writes it late, after a second one took the port, does not lose it', async () => {
  const sim = new Sim({ scripts: { 8000: { writesPidfile: 'never' } } });
  await plays(
    sim,
    'start',
    `0.0 8000 launching
     0.0 launch 8000
     0.3 write /run/app/8000.pid
     0.3 = started: 8000 running`,
  );
  await plays(
    sim,
    'start',
    `0.0 8000 already-started
     0.0 = started: 8000 running`,
  );
});

test('without a template no pidfile is read, written or removed', async () => {
  const sim = new Sim({ pidfileTemplate: undefined });
  await plays(
    sim,
    'start',
    `0.0 8000 launching
     0.0 launch 8000
     0.3 = started: 8000 running`,
  );
  await plays(
    sim,
    'stop',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM worker 8000
     0.0 = stopped: 8000 down`,
  );
});

test('a worker that removes its own pidfile', async () => {
  const sim = new Sim({ scripts: { 8000: { removesPidfile: true } } });
  sim.running(8000);
  await plays(
    sim,
    'stop',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM worker 8000
     0.0 = stopped: 8000 down`,
  );
});

test('a renamed worker is known by it: restart and stop find what start began', async () => {
  const sim = new Sim({ scripts: { 8000: { renames: 260 } } });
  sim.running(8000);
  await plays(sim, 'status', '0.0 = nothing: 8000 running');
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
  await plays(
    sim,
    'stop',
    `0.0 killing
     0.0 8000 stopping
     0.0 SIGTERM worker 8000 (2)
     0.0 remove /run/app/8000.pid
     0.0 = stopped: 8000 down`,
  );
});

test('a worker writes it long after it was first seen: it is not written over', async () => {
  const sim = new Sim({ scripts: { 8000: { writesPidfile: 200 } } });
  await plays(
    sim,
    'start',
    `0.0 8000 launching
     0.0 launch 8000
     0.3 = started: 8000 running`,
  );
});
