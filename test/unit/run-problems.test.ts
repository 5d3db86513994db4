import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CALL,
  CONFIG,
  command,
  GIVEN,
  LAUNCHER,
  type Machine,
  simulated,
  twoRunning,
} from '../support/adapters-world.ts';
import type { Sim } from '../support/sim.ts';
import { bear } from '../support/sim-worker.ts';

test('everything that is wrong is told at once; the command line decides the exit code', async () => {
  const machine = { files: { [CONFIG]: "start_port = 'abc'\nworkers_count = 1.5\n", [LAUNCHER]: CALL } };
  const words = [LAUNCHER, '--nonsense', '--nofile_soft_limit=many', 'start', 'again'];
  const { exit, told } = await command(words, machine);
  assert.deepEqual(
    [exit, told],
    [
      2,
      [
        'error: --nonsense: unknown option',
        'error: again: unexpected word after the action start',
        `error: ${CONFIG}:2:17: workers_count must be an int, got float 1.5`,
        `error: ${CONFIG}:1:14: start_port must be an int, got str 'abc'`,
        "error: --nofile_soft_limit: must be an int, got 'many'",
      ],
    ],
  );
});

test('all that hinders a start is told at once', async () => {
  const machine: Machine = {
    programs: { '/usr/bin/frontik': { kind: 'missing' } },
    closed: { '/run/app': 'EACCES', '/var/log/app': 'EROFS' },
  };
  const { exit, told } = await command([...GIVEN, '--logfile_template=/var/log/app/%(port)s.log', 'start'], machine);
  assert.deepEqual(
    [exit, told],
    [
      5,
      [
        'error: --script: /usr/bin/frontik is not installed',
        'error: /run/app: no permission to write to this directory: workers need it',
        'error: /var/log/app: this directory is on a read-only file system: workers need it',
      ],
    ],
  );
});

test('a restart that is hindered stops nothing', async () => {
  const sim = twoRunning();
  const { exit } = await command([...GIVEN, 'restart'], { programs: { '/usr/bin/frontik': { kind: 'missing' } } }, sim);
  assert.deepEqual([exit, sim.alive(8000), sim.alive(8001)], [5, ['worker 8000'], ['worker 8001']]);
});

test('a stop without a configuration stops every worker of it, on whatever port', async () => {
  const sim = twoRunning();
  sim.running(8007);
  const { exit, told } = await command([...GIVEN, 'stop'], { files: {} }, sim);
  assert.deepEqual(
    [exit, told],
    [
      0,
      [
        `error: ${CONFIG}: this configuration file does not exist`,
        'warning: some of the workers are running, trying to kill',
        'debug: stopping worker 8000',
        'debug: stopping worker 8001',
        'debug: stopping worker 8007',
        'info: all workers are stopped',
      ],
    ],
  );
});

/** Workers of a user who needs six seconds for an end. */
function ofSomebody(): Sim {
  const sim = simulated();
  for (const port of [8000, 8001]) {
    sim.scripts.set(port, { sigterm: 6000 });
    bear(sim.kernel, sim.birth(port, { uid: 500 }), sim.scriptOf(port));
  }
  sim.kernel.pass(10_000);
  return sim;
}

test('a stop with a configuration that is wrong somewhere goes by what it says of the stop', async () => {
  const sim = ofSomebody();
  const users = { worker: { user: 'worker', uid: 500, gid: 500 } };
  const files = { [CONFIG]: "supervisor_sigterm_timeout = 20\nsupervisor_user = 'worker'\nnofile_soft_limit = 'x'\n" };
  const { exit, told } = await command([...GIVEN, 'stop'], { files, users }, sim);
  assert.deepEqual([exit, told.at(-1)], [0, 'info: all workers are stopped'], told.join('\n'));
  assert.deepEqual(
    sim.kernel.signals.map(({ signal }) => signal),
    ['SIGTERM', 'SIGTERM'],
  );
});

test('a stop that cannot know whose the workers are says so, and fails', async () => {
  const sim = ofSomebody();
  const { exit, told } = await command([...GIVEN, 'stop'], { files: {} }, sim);
  assert.deepEqual([exit, sim.kernel.signals], [1, []]);
  assert.match(told.at(-1) ?? '', /cannot be read, so it is not known whether the ignored processes are its workers/);
});
