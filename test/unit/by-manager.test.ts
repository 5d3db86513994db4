// An init script that is called by hand on a system that systemd runs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Interruption } from '../../src/engine/drive.ts';
import type { Control } from '../../src/host/host.ts';
import {
  CALL,
  CONFIG,
  command,
  GIVEN,
  LAUNCHER,
  type Machine,
  SETTINGS,
  simulated,
} from '../support/adapters-world.ts';
import type { Sim } from '../support/sim.ts';

const FILES = { [LAUNCHER]: CALL, [CONFIG]: SETTINGS };
const RUNNING = 'info: all workers are running';
const STOPPED = 'info: all workers are stopped';

/** A systemd that does what it is told, and what it was told. */
function managed(sim: Sim, jobs: string[], error?: string): Machine {
  return {
    files: FILES,
    serviceManager: {
      unitOf: (launcher) => (launcher === LAUNCHER ? 'app.service' : undefined),
      pursue: async (verb, unit) => {
        jobs.push(`${verb} ${unit} with ${[8000, 8001].flatMap((port) => sim.alive(port)).length} workers`);
        if (error !== undefined) return { ok: false, error };
        if (verb !== 'stop') sim.running(8000, 8001);
        return { ok: true, value: undefined };
      },
    },
  };
}

async function acts(action: string, running: readonly number[], error?: string): Promise<readonly unknown[]> {
  const sim = simulated();
  sim.running(...running);
  const jobs: string[] = [];
  const { exit, told } = await command([LAUNCHER, action], managed(sim, jobs, error), sim);
  const unlocked = sim.kernel.journal.filter(({ text }) => text === 'unlock').length;
  assert.ok(action === 'status' || unlocked === 1, 'systemd must be able to take the lock');
  return [exit, ...told.filter((line) => !line.startsWith('debug')), ...jobs];
}

const KILLING = 'warning: some of the workers are running, trying to kill';

test('start is the unit`s, and what has come of it is looked at', async () => {
  assert.deepEqual(await acts('start', []), [0, RUNNING, 'start app.service with 0 workers']);
  assert.deepEqual(await acts('start', [], 'Job for app.service failed.'), [
    1,
    'error: systemctl start app.service: Job for app.service failed.',
    'error: app.service: journalctl -u app.service -n 50 says why',
    'error: all workers are stopped',
    'start app.service with 0 workers',
  ]);
});

test('stop: the unit first, then whatever is left, and by whoever it was started', async () => {
  assert.deepEqual(await acts('stop', [8000, 8001]), [0, KILLING, STOPPED, 'stop app.service with 2 workers']);
  assert.deepEqual(await acts('stop', [8001, 8007]), [0, KILLING, STOPPED, 'stop app.service with 1 workers']);
});

test('restart: what is not the unit`s goes first', async () => {
  for (const action of ['restart', 'force-reload', 'try-restart']) {
    assert.deepEqual(await acts(action, [8000]), [0, KILLING, RUNNING, 'restart app.service with 0 workers'], action);
  }
  assert.deepEqual(await acts('try-restart', []), [0]);
});

test('restart beside the unit`s run is the unit`s, too, which reads the launcher anew; all else is asked of the run', async () => {
  const beside = async (action: string, running: readonly number[]): Promise<readonly unknown[]> => {
    const sim = simulated();
    sim.running(...running);
    const jobs: string[] = [];
    const ask: Control['ask'] = async (_, order) => {
      jobs.push(`asked to ${order.action}`);
      return { kind: 'done', result: { exit: 0, hasLooked: true }, release: () => undefined };
    };
    const control = { serve: async () => ({ ok: false, error: { path: '/', code: 'EROFS' } }) as const, ask };
    const machine: Machine = { ...managed(sim, jobs), lock: { kind: 'resident', holder: 'run, pid 7' }, control };
    const { exit } = await command([LAUNCHER, action], machine, sim);
    return [exit, ...jobs];
  };
  for (const action of ['restart', 'force-reload', 'try-restart']) {
    assert.deepEqual(await beside(action, [8000, 8001]), [0, 'restart app.service with 2 workers'], action);
  }
  assert.deepEqual(await beside('try-restart', []), [0]);
  assert.deepEqual(await beside('start', [8000, 8001]), [0, 'asked to start']);
  assert.deepEqual(await beside('reload', [8000, 8001]), [0, 'asked to reload']);
});

test('a signal that comes while systemd is waited for is the exit status, whatever has come of it', async () => {
  for (const action of ['start', 'restart']) {
    const sim = simulated();
    const interruption: Interruption = { signal: undefined, arrived: new Promise(() => undefined) };
    const machine = managed(sim, []);
    const { exit } = await command(
      [LAUNCHER, action],
      {
        ...machine,
        interruption,
        serviceManager: {
          unitOf: () => 'app.service',
          pursue: async () => {
            sim.running(8000, 8001);
            interruption.signal = 'SIGINT';
            return { ok: false, error: '' };
          },
        },
      },
      sim,
    );
    assert.equal(exit, 130, action);
  }
});

test('status and reload are not handed over', async () => {
  assert.deepEqual(await acts('status', [8000, 8001]), [0, RUNNING]);
  assert.deepEqual(await acts('reload', [8000, 8001]), [0, RUNNING]);
});

test('options that are typed behind the action do not reach the unit, and that is told', async () => {
  const shell = { FRONTIK_SUPERVISOR_LAUNCHER: LAUNCHER };
  const CALLS: readonly (readonly [words: readonly string[], lost: string | undefined])[] = [
    [[LAUNCHER, 'start', '--workers_count=2', '--start-port', '8000'], '--workers_count, --start_port'],
    [[LAUNCHER, 'restart', '--workers_count=2'], '--workers_count'],
    [[LAUNCHER, 'try-restart', '--user=root'], '--supervisor_user'],
    [[LAUNCHER, 'start', '--no-wait'], undefined],
    [[LAUNCHER, 'stop', '--workers_count=2'], undefined],
    // The script's own are before its action.
    [[...GIVEN, 'start'], undefined],
    [[...GIVEN, 'start', '--workers_count=2'], '--workers_count'],
  ];
  for (const [words, lost] of CALLS) {
    const sim = simulated();
    sim.running(8000, 8001);
    const environment = words[0] === LAUNCHER ? {} : shell;
    const users = { root: { user: 'root', uid: 0, gid: 0 } };
    const { told } = await command(words, { ...managed(sim, []), environment, users }, sim);
    const text = `warning: app.service: goes by the launcher's own options, and not by ${lost}`;
    assert.deepEqual(
      told.filter((line) => line.includes('own options')),
      lost === undefined ? [] : [text],
      words.join(' '),
    );
  }
});

test('a wrong configuration is told here, and systemd is not asked', async () => {
  const sim = simulated();
  const jobs: string[] = [];
  const files = { ...FILES, [CONFIG]: 'workers_count = 0\n' };
  const { exit } = await command([LAUNCHER, 'start'], { ...managed(sim, jobs), files }, sim);
  assert.deepEqual([exit, jobs], [6, []]);
});

test('only root may have units started', async () => {
  const sim = simulated();
  const jobs: string[] = [];
  const { told } = await command([LAUNCHER, 'start'], { ...managed(sim, jobs), uid: 1000 }, sim);
  assert.deepEqual([told.at(-1), jobs], [RUNNING, []]);
});

test('a script of the sh form says who it is, and workers do not learn it', async () => {
  const sim = simulated();
  const jobs: string[] = [];
  const environment = { FRONTIK_SUPERVISOR_LAUNCHER: LAUNCHER };
  const { exit, effects } = await command([...GIVEN, 'start'], { ...managed(sim, jobs), environment }, sim);
  assert.deepEqual(
    [exit, effects, jobs],
    [0, ['unset FRONTIK_SUPERVISOR_LAUNCHER'], ['start app.service with 0 workers']],
  );
});
