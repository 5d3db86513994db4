import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CALL,
  CONFIG,
  command,
  GIVEN,
  LAUNCHER,
  type Machine,
  SCRIPT,
  SETTINGS,
  simulated,
  twoRunning,
} from '../support/adapters-world.ts';

const app = { user: 'app', uid: 1000, gid: 1000 };
const bad = (text: string): Machine => ({ files: { [CONFIG]: text, [LAUNCHER]: CALL } });
const launching = (text: string | { readonly code: string }): Machine => ({
  files: { [CONFIG]: SETTINGS, [LAUNCHER]: text },
});

interface Obstacle {
  readonly what: string;
  readonly words: readonly string[];
  readonly machine?: Machine;
  readonly told: readonly string[];
  /** Exit codes: of what starts, and of `stop`; `stops` is that it does its work all the same. */
  readonly starting: number;
  readonly stopping: number | 'stops' | 'is none';
  readonly status: 4 | 'is none';
}

const CAPABLE = { status: 4 } as const;
const ON_COMMAND_LINE = { ...CAPABLE, starting: 2, stopping: 2 } as const;
const IN_CONFIG = { ...CAPABLE, starting: 6, stopping: 'stops' } as const;
const IN_LAUNCHER = { ...CAPABLE, starting: 6, stopping: 6 } as const;
const ONLY_STARTING = { stopping: 'is none', status: 'is none' } as const;

const OBSTACLES: readonly Obstacle[] = [
  {
    what: 'an unknown option',
    words: [...GIVEN, '--nonsense'],
    told: ['--nonsense: unknown option'],
    ...ON_COMMAND_LINE,
  },
  {
    what: 'an option without its value',
    words: ['--app', ...GIVEN],
    told: ['--app: needs a value'],
    ...ON_COMMAND_LINE,
  },
  {
    what: 'a wrong number on the command line',
    words: [...GIVEN, '--start-port=abc'],
    told: ["--start_port: must be an int, got 'abc'"],
    ...ON_COMMAND_LINE,
  },
  {
    what: 'a negative limit on the command line',
    words: [...GIVEN, '--nofile-soft-limit=-1'],
    told: ['--nofile_soft_limit: must be from 0 to 2147483647, got -1'],
    ...ON_COMMAND_LINE,
  },
  {
    what: 'no config',
    words: [SCRIPT],
    told: ['--config: is required: give it on the command line or in a launcher'],
    ...ON_COMMAND_LINE,
  },
  {
    what: 'no script',
    words: [`--config=${CONFIG}`],
    told: ['--script: is required: give it on the command line or in a launcher'],
    starting: 2,
    ...ONLY_STARTING,
  },
  {
    what: 'a configuration that is not there',
    words: GIVEN,
    machine: { files: {} },
    told: [`${CONFIG}: this configuration file does not exist`],
    ...IN_CONFIG,
  },
  {
    what: 'a configuration that may not be read',
    words: GIVEN,
    machine: { files: { [CONFIG]: { code: 'EACCES' } } },
    told: [`${CONFIG}: no permission to read this configuration file`],
    ...IN_CONFIG,
    starting: 4,
  },
  {
    what: 'a configuration that is a directory',
    words: GIVEN,
    machine: { files: { [CONFIG]: { code: 'EISDIR' } } },
    told: [`${CONFIG}: this configuration file is a directory`],
    ...IN_CONFIG,
  },
  {
    what: 'a configuration that is too large',
    words: GIVEN,
    machine: { files: { [CONFIG]: { code: 'EFBIG' } } },
    told: [`${CONFIG}: this configuration file cannot be read: EFBIG`],
    ...IN_CONFIG,
  },
  {
    what: 'a wrong type in the configuration',
    words: GIVEN,
    machine: bad("workers_count = 2\nstart_port = 'abc'\n"),
    told: [`${CONFIG}:2:14: start_port must be an int, got str 'abc'`],
    ...IN_CONFIG,
  },
  {
    what: 'a template without the port in the configuration',
    words: GIVEN,
    machine: bad("workers_count = 2\npidfile_template = '/run/app.pid'\n"),
    told: [`${CONFIG}:2:20: pidfile_template has no %(port)s, so 2 workers would share '/run/app.pid'`],
    ...IN_CONFIG,
  },
  {
    what: 'ports that do not exist in the configuration',
    words: GIVEN,
    machine: bad('start_port = 65535\n'),
    told: [`${CONFIG}:1:14: start_port leads to ports 65535..65538, but the highest port is 65535`],
    ...IN_CONFIG,
  },
  {
    what: 'a launcher that is not there',
    words: [LAUNCHER],
    machine: { files: { [CONFIG]: SETTINGS } },
    told: [`${LAUNCHER}: this launcher does not exist`],
    ...CAPABLE,
    starting: 5,
    stopping: 5,
  },
  {
    what: 'a launcher that may not be read',
    words: [LAUNCHER],
    machine: launching({ code: 'EACCES' }),
    told: [`${LAUNCHER}: no permission to read this launcher`],
    ...CAPABLE,
    starting: 4,
    stopping: 4,
  },
  {
    what: 'a wrong type in a launcher',
    words: [LAUNCHER],
    machine: launching(CALL.replace("script='/usr/bin/frontik'", 'script=1')),
    told: [`${LAUNCHER}:3:19: script must be a str, got int 1`],
    ...IN_LAUNCHER,
  },
  {
    what: 'a wrong option on the first line of a launcher',
    words: [LAUNCHER],
    machine: launching(CALL.replace('supervisor\n', 'supervisor --nonsense=1\n')),
    told: [`${LAUNCHER}:1: --nonsense: unknown option`],
    ...IN_LAUNCHER,
  },
  {
    what: 'a script that is not installed',
    words: GIVEN,
    machine: { programs: { '/usr/bin/frontik': { kind: 'missing' } } },
    told: ['--script: /usr/bin/frontik is not installed'],
    starting: 5,
    ...ONLY_STARTING,
  },
  {
    what: 'a Python that is not installed',
    words: [...GIVEN, '--python=/srv/venv/bin/python'],
    machine: { programs: { '/srv/venv/bin/python': { kind: 'missing' } } },
    told: ['--supervisor_python: /srv/venv/bin/python is not installed'],
    starting: 5,
    ...ONLY_STARTING,
  },
  {
    what: 'a directory that may not be written to',
    words: GIVEN,
    machine: { closed: { '/run/app': 'EACCES' } },
    told: ['/run/app: no permission to write to this directory: workers need it'],
    starting: 4,
    ...ONLY_STARTING,
  },
  {
    what: 'a directory that is none',
    words: GIVEN,
    machine: { closed: { '/run/app': 'ENOTDIR' } },
    told: ['/run/app: this is no directory: workers need it'],
    starting: 1,
    ...ONLY_STARTING,
  },
  {
    what: 'a user that only root can become',
    words: [...GIVEN, '--user=app'],
    machine: { uid: 1001, users: { app } },
    told: ['--supervisor_user: only root can start workers as app'],
    starting: 4,
    ...ONLY_STARTING,
  },
  {
    what: 'a user on the command line that nobody knows',
    words: [...GIVEN, '--user=nosuch'],
    told: ['--supervisor_user: there is no user nosuch'],
    ...ON_COMMAND_LINE,
  },
  {
    what: 'a user in the configuration that nobody knows',
    words: GIVEN,
    machine: bad(`${SETTINGS}supervisor_user = 'nosuch'\n`),
    told: [`${CONFIG}:4:19: supervisor_user: there is no user nosuch`],
    ...IN_CONFIG,
  },
  {
    what: 'a relative path in a directory that has gone',
    words: [SCRIPT, '--config=app.cfg'],
    machine: { cwd: undefined, files: { 'app.cfg': SETTINGS } },
    told: ['app.cfg: is relative to a working directory that no longer exists'],
    ...ON_COMMAND_LINE,
  },
];

for (const { what, words, machine = {}, told, starting, stopping, status } of OBSTACLES) {
  const errors = told.map((text) => `error: ${text}`);

  test(`${what}: what starts workers does nothing but tell`, async () => {
    for (const action of ['start', 'restart', 'force-reload']) {
      const sim = simulated();
      const ended = await command([...words, action], machine, sim);
      assert.deepEqual([ended.exit, ended.told, ended.locked], [starting, errors, []], action);
      assert.deepEqual([sim.alive(8000), sim.kernel.signals], [[], []]);
    }
  });

  test(`${what}: status`, async () => {
    const sim = machine.uid === undefined ? twoRunning() : simulated();
    const ended = await command([...words, 'status'], machine, sim);
    const expected =
      status === 4
        ? [4, errors]
        : machine.uid === undefined
          ? [0, ['info: all workers are running']]
          : [3, ['info: all workers are stopped']];
    assert.deepEqual([ended.exit, ended.told], expected);
  });

  test(`${what}: stop`, async () => {
    const sim = machine.uid === undefined ? twoRunning() : simulated();
    const { exit, told: said } = await command([...words, 'stop'], machine, sim);
    const alive = sim.alive(8000).length + sim.alive(8001).length;
    if (typeof stopping === 'number') {
      assert.deepEqual([exit, said, alive, sim.kernel.signals], [stopping, errors, 2, []]);
      return;
    }
    const first = stopping === 'stops' ? errors : [];
    assert.deepEqual(
      [exit, said.slice(0, first.length), said.at(-1), alive],
      [0, first, 'info: all workers are stopped', 0],
    );
  });
}
