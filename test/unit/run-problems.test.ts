import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CALL, CONFIG, command, GIVEN, LAUNCHER, type Machine, twoRunning } from '../support/adapters-world.ts';

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
