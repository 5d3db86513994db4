import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lines } from '../../src/report/wording.ts';
import { CONFIG, command, type Ended, GIVEN, type Machine, SETTINGS, simulated } from '../support/adapters-world.ts';
import type { Sim } from '../support/sim.ts';

/** Two workers, all, some or none of which run. */
function app(...running: readonly number[]): Sim {
  const sim = simulated();
  sim.running(...running);
  return sim;
}

/** Exit status and what was told. */
async function ends(words: readonly string[], machine?: Machine, sim?: Sim): Promise<readonly [number, ...string[]]> {
  const { exit, told } = await command(words, machine, sim);
  return [exit, ...told];
}

const MISSING = 'error: missing action: please use `start`, `stop`, `restart` or `status`';
const INCORRECT = 'error: incorrect action: please use `start`, `stop`, `restart` or `status`';
const RUNNING = 'info: all workers are running';
const STOPPED = 'info: all workers are stopped';

test('no action', async () => {
  assert.deepEqual(await ends(GIVEN), [1, MISSING]);
  assert.deepEqual(await ends([]), [1, MISSING]);
});

test('no action of ours', async () => {
  for (const word of ['strat', 'Start', 'START', ''])
    assert.deepEqual(await ends([...GIVEN, word]), [1, INCORRECT], word);
});

test('no action of ours, and a wrong command line', async () => {
  assert.deepEqual(await ends(['--nonsense', 'strat']), [2, 'error: --nonsense: unknown option', INCORRECT]);
});

test('help and version are printed, whatever else there is', async () => {
  const help: Ended = await command(['--nonsense', '--help', 'start']);
  assert.deepEqual([help.exit, help.told, help.printed.includes('--workers_count')], [0, [], true]);
  const version = await command(['--version']);
  assert.deepEqual(
    [version.exit, version.told, version.printed],
    [0, [], 'frontik-supervisor 1.2.3 (commit abcdef1)\n'],
  );
});

test('start', async () => {
  const expected = ['debug: start worker 8000', 'debug: start worker 8001', RUNNING];
  assert.deepEqual(await ends([...GIVEN, 'start']), [0, ...expected]);
});

test('start what runs in part', async () => {
  assert.deepEqual(await ends([...GIVEN, 'start'], {}, app(8000)), [
    0,
    'warning: another worker already started on 8000',
    'debug: start worker 8001',
    RUNNING,
  ]);
});

test('start what cannot run', async () => {
  const sim = simulated();
  for (const port of [8000, 8001]) sim.scripts.set(port, { dies: 10, words: ['ImportError: app'] });
  assert.deepEqual(await ends([...GIVEN, 'start'], {}, sim), [
    1,
    'debug: start worker 8000',
    'debug: start worker 8001',
    ...[8000, 8001].flatMap((port) => [
      `error: worker on port ${port} failed to start`,
      `error: worker on port ${port}: it exited with status 1 before it was ready`,
      `error: worker on port ${port}: | ImportError: app`,
    ]),
    'error: all workers are stopped',
  ]);
});

const STOPPING = [
  'warning: some of the workers are running, trying to kill',
  'debug: stopping worker 8000',
  'debug: stopping worker 8001',
];

test('stop', async () => {
  assert.deepEqual(await ends([...GIVEN, 'stop'], {}, app(8000, 8001)), [0, ...STOPPING, STOPPED]);
  assert.deepEqual(await ends([...GIVEN, 'stop']), [0, STOPPED]);
});

test('stop and status need no script', async () => {
  const config = `--config=${CONFIG}`;
  assert.deepEqual(await ends([config, 'stop'], {}, app(8000, 8001)), [0, ...STOPPING, STOPPED]);
  assert.deepEqual(await ends([config, 'status'], {}, app(8000, 8001)), [0, RUNNING]);
});

for (const action of ['restart', 'force-reload', 'try-restart', 'condrestart']) {
  test(`${action} what runs`, async () => {
    const expected = [...STOPPING, 'debug: start worker 8000', 'debug: start worker 8001', RUNNING];
    assert.deepEqual(await ends([...GIVEN, action], {}, app(8000, 8001)), [0, ...expected]);
  });
}

for (const action of ['restart', 'force-reload']) {
  test(`${action} what is stopped`, async () => {
    assert.deepEqual(await ends([...GIVEN, action]), [
      0,
      'debug: start worker 8000',
      'debug: start worker 8001',
      RUNNING,
    ]);
  });
}

for (const action of ['try-restart', 'condrestart']) {
  test(`${action} what is stopped: nothing`, async () => assert.deepEqual(await ends([...GIVEN, action]), [0]));

  test(`${action} what runs in part, or only on a port that is no longer configured`, async () => {
    const [exit, first] = await ends([...GIVEN, action], {}, app(8001));
    assert.deepEqual([exit, first], [0, STOPPING[0]]);
    const [other, again] = await ends([...GIVEN, action], {}, app(8007));
    assert.deepEqual([other, again], [0, STOPPING[0]]);
  });
}

const STATUS: readonly (readonly [
  running: readonly number[],
  option: string,
  expected: readonly [number, ...string[]],
])[] = [
  [[8000, 8001], '--partial_status=4', [0, RUNNING]],
  [[8000], '--workers-count=2', [1, 'warning: some workers are running!']],
  [[8000], '--partial_status=4', [4, 'warning: some workers are running!']],
  [[8000], '--supervisor_partial_status=0', [0, 'warning: some workers are running!']],
  [[], '--partial_status=4', [3, STOPPED]],
  [[8000, 8001], '--workers_count=1', [0, 'warning: some stale workers are running!', RUNNING]],
  [[8001], '--workers_count=1', [3, 'warning: some stale workers are running!', STOPPED]],
];
for (const [running, option, expected] of STATUS) {
  test(`status of ${running.join(', ') || 'none'} ${option}`, async () =>
    assert.deepEqual(await ends([...GIVEN, option, 'status'], {}, app(...running)), expected));
}

test('status takes no lock; the others hold one while they may work, under their own names', async () => {
  const locks: unknown[] = [];
  for (const action of ['status', 'start', 'stop', 'restart', 'force-reload', 'try-restart', 'condrestart']) {
    const sim = app(8000, 8001);
    locks.push((await command([...GIVEN, action], {}, sim)).locked.map(({ name, action }) => `${action} ${name}`));
    assert.equal(sim.kernel.journal.filter(({ text }) => text === 'unlock').length, action === 'status' ? 0 : 1);
  }
  assert.deepEqual(locks, [
    [],
    ...['start', 'stop', 'restart', 'force-reload', 'try-restart', 'condrestart'].map((action) => [
      `${action} ${CONFIG}`,
    ]),
  ]);
});

test('the lock is the application`s, whatever way its configuration is written', async () => {
  const relative = ['--script=x', '--config=../etc/./app/app.cfg', 'stop'];
  const files = { '../etc/./app/app.cfg': SETTINGS };
  const [lock] = (await command(relative, { files, cwd: '/srv' })).locked;
  assert.equal(lock?.name, CONFIG);
});

const LOCKS: readonly (readonly [what: string, machine: Machine, expected: readonly [number, ...string[]]])[] = [
  [
    'in time',
    { waitsFor: 'stop, pid 7' },
    [0, 'info: waiting for another command on this application (stop, pid 7) to finish', ...STOPPING, STOPPED],
  ],
  [
    'too late',
    { waitsFor: 'stop, pid 7', lock: { kind: 'timed-out', holder: 'stop, pid 7' } },
    [
      1,
      'info: waiting for another command on this application (stop, pid 7) to finish',
      'error: another command on this application (stop, pid 7) did not finish in time: nothing was done',
    ],
  ],
  [
    'not, since it may not',
    { lock: { kind: 'unusable', obstacle: { path: '/tmp/x', code: 'EPERM' } } },
    [4, 'error: /tmp/x: cannot lock this application: this is not ours alone: remove it'],
  ],
  [
    'not, since it cannot',
    { lock: { kind: 'unusable', obstacle: { path: 'flock', code: 'not installed (util-linux)' } } },
    [1, 'error: flock: cannot lock this application: not installed (util-linux)'],
  ],
  ['not, since it was interrupted', { lock: { kind: 'interrupted' }, signal: 'SIGINT' }, [130, RUNNING]],
];
for (const [what, machine, expected] of LOCKS) {
  test(`it gets the lock ${what}`, async () => {
    const sim = app(8000, 8001);
    assert.deepEqual(await ends([...GIVEN, 'stop'], machine, sim), expected);
    assert.equal(sim.alive(8000).length, what === 'in time' ? 0 : 1);
  });
}

test('root is told of the run of another user on the same application, whatever the order; others have nothing to do with it', async () => {
  const foreignRuns: Machine['foreignRuns'] = (name) => (name === CONFIG ? [{ pid: 7, uid: 33 }] : []);
  const warning = lines({ kind: 'foreign-run', pid: 7, user: 'user33' }).map(([level, text]) => `${level}: ${text}`);
  const [exit, ...said] = await ends([...GIVEN, 'stop'], { foreignRuns }, app(8000, 8001));
  assert.deepEqual([exit, ...said], [0, ...warning, ...STOPPING, STOPPED]);
  assert.deepEqual(await ends([...GIVEN, 'status'], { foreignRuns }, app()), [3, STOPPED]);
  assert.deepEqual(await ends([...GIVEN, 'stop'], { foreignRuns, uid: 1000 }, app()), [0, STOPPED]);
});

for (const [signal, exit] of [
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} ends every action with ${exit}, and the workers live on`, async () => {
    for (const action of ['start', 'status', 'stop', 'restart']) {
      const sim = app(8000, 8001);
      const [code, ...told] = await ends([...GIVEN, action], { signal }, sim);
      assert.deepEqual(
        [code, told.at(-1), sim.alive(8000), sim.alive(8001)],
        [exit, RUNNING, ['worker 8000'], ['worker 8001']],
        action,
      );
    }
  });
}

const PRINTING: readonly (readonly string[])[] = [
  ['--help'],
  ['--version'],
  [...GIVEN, 'check'],
  [...GIVEN, 'check', '--json'],
  [...GIVEN, 'export', 'nginx'],
];
for (const words of PRINTING) {
  test(`what stdout has lost is no success, unless its reader has left: ${words.at(-1)}`, async () => {
    const end = async (stdoutLoses: string) => {
      const { exit, told } = await command(words, { stdoutLoses });
      return [exit, told];
    };
    assert.deepEqual(await end('ENOSPC'), [1, ['error: stdout: cannot be written: ENOSPC']]);
    assert.deepEqual(await end('EPIPE'), [0, []]);
    assert.deepEqual(await end('ECONNRESET'), [0, []]);
  });
}

test('what stdout has lost does not hide what else is wrong', async () => {
  const { exit, told } = await command([...GIVEN, '--nonsense', 'check'], { stdoutLoses: 'EDQUOT' });
  assert.deepEqual(
    [exit, told],
    [6, ['error: --nonsense: unknown option', 'error: stdout: cannot be written: EDQUOT']],
  );
});

test('help is as wide as the terminal lets it be', async () => {
  const widest = async (columns?: number) => {
    const { printed } = await command(['--help'], columns === undefined ? {} : { columns });
    return Math.max(...printed.split('\n').map((line) => line.length));
  };
  assert.equal(await widest(), 80);
  assert.equal(await widest(80), 80);
  assert.equal(await widest(200), 100);
});
