// What root takes from files that others may change, and what not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONFIG, command, GIVEN, type Machine, SETTINGS, simulated, twoRunning } from '../support/adapters-world.ts';
import type { Sim } from '../support/sim.ts';

const distrusted = { path: CONFIG, why: 'belongs to app' };
const app = { user: 'app', uid: 1001, gid: 1001 };
const disk = { user: 'disk', uid: 6, gid: 6 };
const users = { app, disk, root: { user: 'root', uid: 0, gid: 0 } };

async function ends(words: readonly string[], machine?: Machine, sim?: Sim): Promise<readonly [number, ...string[]]> {
  const { exit, told } = await command([...GIVEN, ...words], machine, sim);
  return [exit, ...told];
}

test('root runs no hook from a configuration that others may change', async () => {
  const files = { [CONFIG]: `${SETTINGS}supervisor_before_stop = '/usr/bin/leave %(port)s'\n` };
  const machine = { files, distrusted };
  const [exit, text, ...more] = await ends(['reload'], machine, twoRunning());
  assert.deepEqual([exit, more], [6, []]);
  assert.match(
    text ?? '',
    /app\.cfg:4:26: supervisor_before_stop: root runs no command that others may change: .* belongs to app;/,
  );
  const sim = twoRunning();
  const own = ['--before_stop=/usr/bin/leave', 'reload', '--settle=0'];
  assert.equal((await ends(own, { distrusted }, sim))[0], 0);
  assert.equal((await ends(['restart'], machine, twoRunning()))[0], 0);
  assert.ok(sim.kernel.journal.some(({ text }) => text === 'run /usr/bin/leave'));
});

test('root runs no hook that others may change, and check says so too', async () => {
  const program = { path: '/srv/app', why: 'belongs to app' };
  const told =
    'root runs no program that others may change: /srv/app belongs to app; chown it to root and chmod it go-w';
  const typed = ['--after_start=/srv/app/enter %(port)s'];
  const machine = { distrusted: program };
  const sim = twoRunning();
  assert.deepEqual(await ends(['reload', ...typed], machine, sim), [2, `error: --supervisor_after_start: ${told}`]);
  assert.deepEqual(
    sim.kernel.journal.filter(({ text }) => text.startsWith('run ')),
    [],
  );
  const files = { [CONFIG]: `${SETTINGS}supervisor_after_start = '/srv/app/enter'\n` };
  const place = `${CONFIG}:4:26`;
  const problem = `error: ${place}: supervisor_after_start: ${told}`;
  assert.deepEqual(await ends(['reload'], { ...machine, files }, twoRunning()), [6, problem]);
  assert.deepEqual(await ends(['check', ...typed], machine), [6, `error: --supervisor_after_start: ${told}`]);
  assert.equal((await ends(['restart', ...typed], machine, twoRunning()))[0], 0);
  assert.equal((await ends(['reload', ...typed], { ...machine, uid: 1001 }, simulated()))[0], 7);
});

const USER = '--user=app';
const REMEDY = 'chown it to root and chmod it go-w, or give the option on the command line or in the launcher';
const refusal = (place: string, name: string): string =>
  `${CONFIG}:${place}: ${name}: root takes it from no file that others may change: ${CONFIG} belongs to app; ${REMEDY}`;
const PIDFILES = refusal('3:20', 'pidfile_template');
const MORE = `${SETTINGS}logfile_template = '/root/%(port)s'\nsupervisor_group = 'disk'\n`;

test('with workers of another user, root takes neither paths nor a group from a file that others may change', async () => {
  const files = { [CONFIG]: MORE };
  const all = [PIDFILES, refusal('4:20', 'logfile_template'), refusal('5:20', 'supervisor_group')];
  for (const action of ['start', 'restart', 'condrestart', 'reload', 'run', 'check']) {
    const sim = twoRunning();
    assert.deepEqual(
      await ends([action, USER], { files, users, distrusted }, sim),
      [6, ...all.map((text) => `error: ${text}`)],
      action,
    );
    assert.deepEqual([sim.alive(8000), sim.alive(8001)], [['worker 8000'], ['worker 8001']]);
  }
  const given = ['--pidfile_template=/run/app/%(port)s.pid', '--logfile_template=/var/log/%(port)s', '--group=app'];
  assert.equal((await ends(['start', USER, ...given], { files, users, distrusted }))[0], 0);
});

test('status looks, and stop stops all of them, but leaves files alone that such a file names', async () => {
  const sim = twoRunning();
  const machine = { users, distrusted };
  assert.deepEqual(await ends(['status', USER], machine, sim), [0, 'info: all workers are running']);
  assert.deepEqual((await ends(['stop', USER], machine, sim)).slice(0, 2), [0, `warning: ${PIDFILES}`]);
  const left = [8000, 8001].map((port) => [sim.alive(port), sim.kernel.pidfile(`/run/app/${port}.pid`).kind]);
  assert.deepEqual(left, [
    [[], 'names'],
    [[], 'names'],
  ]);
});

test('where nothing is to be gained by it, paths are taken as ever, and pidfiles removed', async () => {
  const ways: readonly (readonly [words: readonly string[], machine: Machine])[] = [
    [[], { distrusted }],
    [['--user=root'], { users, distrusted }],
    // Whoever may write that may as well leave it out, and the workers are root's.
    [[], { users, distrusted, files: { [CONFIG]: `${SETTINGS}supervisor_user = 'app'\n` } }],
    [[USER], { users }],
    [[USER], { users, distrusted, uid: 1001 }],
  ];
  for (const [words, machine] of ways) {
    const sim = simulated();
    assert.equal((await ends(['start', ...words], machine, sim))[0], 0);
    assert.equal((await ends(['stop', ...words], machine, sim))[0], 0);
    const kinds = [8000, 8001].map((port) => sim.kernel.pidfile(`/run/app/${port}.pid`).kind);
    assert.deepEqual(kinds, ['none', 'none']);
  }
});
