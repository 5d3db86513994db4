// Commands that wait, or do not: for workers, for the lock, for a `run` that does it for them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LockResult, OrderAnswer } from '../../src/host/host.ts';
import { CONFIG, command, GIVEN, type Machine, SETTINGS, simulated, twoRunning } from '../support/adapters-world.ts';
import type { Sim } from '../support/sim.ts';

const RUNNING = 'info: all workers are running';
const STOPPED = 'info: all workers are stopped';

async function ends(words: readonly string[], machine?: Machine, sim?: Sim): Promise<readonly [number, ...string[]]> {
  const { exit, told } = await command([...GIVEN, ...words], machine, sim);
  return [exit, ...told];
}

test('status --wait: until all run, and no longer', async () => {
  const sim = simulated();
  sim.running(8000);
  sim.kernel.in(2500, () => sim.launch(8001));
  const begun = sim.kernel.now;
  assert.deepEqual(await ends(['status', '--wait'], {}, sim), [0, RUNNING]);
  const took = sim.kernel.now - begun;
  assert.ok(took >= 2800 && took < 3000, String(took));
});

test('status --wait=SECONDS: what is there then counts as ever', async () => {
  for (const [words, seconds] of [
    [['--wait=3', 'status'], 3],
    [['--wait=0', 'status'], 0],
    [['status', '--wait', '--start-timeout=7'], 7],
  ] as const) {
    const sim = simulated();
    sim.running(8000);
    const begun = sim.kernel.now;
    assert.deepEqual(await ends(words, {}, sim), [1, 'warning: some workers are running!']);
    const took = sim.kernel.now - begun;
    assert.ok(took >= 1000 * seconds && took < 1000 * seconds + 300, `${words.join(' ')}: ${took}`);
  }
  assert.deepEqual(await ends(['status', '--wait=1']), [3, STOPPED]);
});

test('start --no-wait: as soon as they are launched; what cannot be launched is a failure', async () => {
  const sim = simulated();
  sim.running(8000);
  sim.scripts.set(8001, { ready: 30_000 });
  const begun = sim.kernel.now;
  assert.deepEqual(await ends(['start', '--no-wait'], {}, sim), [
    0,
    'warning: another worker already started on 8000',
    'debug: start worker 8001',
  ]);
  assert.ok(sim.kernel.now - begun < 100);
  assert.equal(sim.alive(8001).length, 1);
  const taken = simulated();
  taken.stranger('nginx', { listens: 8001 });
  assert.deepEqual(await ends(['start', '--no-wait'], {}, taken), [
    1,
    'debug: start worker 8000',
    'error: port 8001 is held by nginx (pid 101)',
  ]);
});

test('flags that belong elsewhere are mistakes, and nothing is done', async () => {
  const stray = (flag: string, action: string) => `error: ${flag}: belongs to the action ${action}`;
  assert.deepEqual(await ends(['stop', '--wait']), [2, stray('--wait', 'status')]);
  assert.deepEqual(await ends(['restart', '--no-wait']), [2, stray('--no-wait', 'start')]);
  assert.deepEqual(await ends(['reload', '--json']), [2, stray('--json', 'check')]);
  assert.deepEqual(await ends(['status', '--no-wait']), [4, stray('--no-wait', 'start')]);
  assert.deepEqual(await ends(['status', '--wait=soon']), [
    4,
    "error: --wait: must be a number of seconds, got 'soon'",
  ]);
  assert.deepEqual(await ends(['start', '--no-wait=1']), [2, 'error: --no-wait: takes no value']);
});

const HELD = { kind: 'held', hasWaited: true, lock: { relabel: () => undefined, release: () => undefined } } as const;

test('after a wait for the lock everything is read again, and what was said is not said twice', async () => {
  const files = { [CONFIG]: `${SETTINGS}nofile_soft_limit: 5\n` };
  const whileWaiting = (): void => {
    files[CONFIG] = `${SETTINGS.replace('count = 2', 'count = 1')}nofile_soft_limit: 5\n`;
  };
  assert.deepEqual(await ends(['start'], { files, lock: HELD, whileWaiting }), [
    0,
    `warning: ${CONFIG}:4:1: "nofile_soft_limit: ..." sets nothing in Python; write "nofile_soft_limit = ..."`,
    'debug: start worker 8000',
    RUNNING,
  ]);
});

test('what has become wrong while it waited for the lock ends it', async () => {
  const files = { [CONFIG]: SETTINGS };
  const whileWaiting = (): void => {
    files[CONFIG] = 'workers_count = 0\n';
  };
  const sim = twoRunning();
  assert.deepEqual(await ends(['restart'], { files, lock: HELD, whileWaiting }, sim), [
    6,
    `error: ${CONFIG}:1:17: workers_count must be from 1 to 65535, got 0`,
  ]);
  assert.deepEqual([sim.alive(8000), sim.alive(8001)], [['worker 8000'], ['worker 8001']]);
});

/** A run that answers so, and what it was asked. */
function resident(answer: OrderAnswer, asked: string[] = []): Machine {
  return {
    lock: { kind: 'resident', holder: 'run, pid 7' },
    control: {
      serve: async () => ({ ok: false, error: { path: '/', code: 'EROFS' } }),
      ask: async (name, { action, options }, _, hear) => {
        asked.push(`${action} ${name} ${[...options.keys()].join(' ')}`);
        hear(['debug', 'it says so']);
        return answer;
      },
    },
  };
}

const done = (exit: number, hasLooked: boolean): OrderAnswer => ({
  kind: 'done',
  result: { exit, hasLooked },
  release: () => undefined,
});

test('a run that lets its caller wait for long, and then ends: the caller does it himself', async () => {
  const sim = simulated();
  let takes = 0;
  const machine: Machine = {
    get lock(): LockResult {
      takes += 1;
      return takes === 1 ? { kind: 'resident', holder: 'run, pid 7' } : HELD;
    },
    control: {
      serve: async () => ({ ok: false, error: { path: '/', code: 'EROFS' } }),
      ask: async () => {
        await sim.kernel.wait(30_000, new Set());
        return { kind: 'absent' };
      },
    },
  };
  const [exit, ...told] = await ends(['start'], machine, sim);
  assert.deepEqual([exit, told.at(-1), takes], [0, RUNNING, 2]);
});

test('a run has the application: it is asked, and what has come of it is looked at', async () => {
  const asked: string[] = [];
  for (const [action, goal] of [
    ['start', 'start'],
    ['restart', 'restart'],
    ['force-reload', 'restart'],
    ['try-restart', 'restart-if-alive'],
    ['reload', 'reload'],
  ] as const) {
    const machine = resident(done(0, true), asked);
    assert.deepEqual(await ends([action], machine, twoRunning()), [0, 'debug: it says so', RUNNING], action);
    assert.equal(asked.pop(), `${goal} ${CONFIG} script config`);
  }
  assert.deepEqual(await ends(['stop'], resident(done(0, true))), [0, 'debug: it says so', STOPPED]);
});

test('a run says that all is well, and it is not: what is seen counts', async () => {
  assert.deepEqual(await ends(['start'], resident(done(0, true))), [
    1,
    'debug: it says so',
    'error: all workers are stopped',
  ]);
  assert.deepEqual(await ends(['stop'], resident(done(0, true)), twoRunning()), [
    1,
    'debug: it says so',
    'error: all workers are running',
  ]);
});

test('a run says that it has failed, or had nothing to look at', async () => {
  const sim = twoRunning();
  assert.deepEqual(await ends(['reload'], resident(done(1, true)), sim), [1, 'debug: it says so', RUNNING]);
  assert.deepEqual(await ends(['reload'], resident(done(7, false)), sim), [7, 'debug: it says so']);
  assert.deepEqual(await ends(['try-restart'], resident(done(0, false))), [0, 'debug: it says so']);
  assert.deepEqual(await ends(['start', '--no-wait'], resident(done(0, false))), [0, 'debug: it says so']);
});

test('a run that ends in the middle, or takes too long', async () => {
  const sim = twoRunning();
  assert.deepEqual(await ends(['restart'], resident({ kind: 'lost' }), sim), [
    1,
    'debug: it says so',
    'error: the run that was asked has ended meanwhile',
    RUNNING,
  ]);
  assert.deepEqual((await ends(['restart'], resident({ kind: 'late' }), sim)).slice(0, 2), [1, 'debug: it says so']);
});

test('a run that never listens: the command ends all the same', async () => {
  const sim = twoRunning();
  const begun = sim.kernel.now;
  const [exit, ...told] = await ends(['stop', '--supervisor-sigterm-timeout=0'], resident({ kind: 'absent' }), sim);
  assert.deepEqual(
    [exit, told.at(-1)],
    [1, 'error: another command on this application (run) did not finish in time: nothing was done'],
  );
  assert.ok(sim.kernel.now - begun < 11_000);
});

test('a hook that is not installed is found before any port leaves rotation, by check too', async () => {
  const sim = twoRunning();
  const programs = { '/usr/bin/leave': { kind: 'missing' } as const };
  const problem = 'error: --supervisor_before_stop: /usr/bin/leave is not installed, or no program';
  const hooks = ['--before-stop=/usr/bin/leave %(port)s', '--after-start=/usr/bin/enter'];
  assert.deepEqual(await ends(['reload', ...hooks], { programs }, sim), [5, problem]);
  assert.deepEqual(await ends(['check', ...hooks], { programs }, sim), [6, problem]);
  assert.equal((await ends(['restart', ...hooks], { programs }, sim))[0], 0);
});
