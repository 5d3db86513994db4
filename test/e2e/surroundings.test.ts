import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { test } from 'node:test';
import { onStage } from '../support/e2e.ts';
import { environment, type RunOptions } from '../support/e2e-command.ts';

const RUNNING = '[T] start worker P0\n[T] all workers are running\nexit 0';

for (const daemonize of [true, false]) {
  test(
    `start into a pipe ends while the workers live on (daemonize = ${daemonize})`,
    onStage({ workers: 1, config: { daemonize } }, async (stage) => {
      const pipe = ['/bin/sh', '-c', '"$@" 2>&1 | cat; exit 7', 'sh', ...stage.command('start')];
      assert.equal(stage.tell(await stage.program(pipe).outcome), RUNNING.replace('exit 0', 'exit 7'));
      await stage.assertServing(0);
    }),
  );
}

test(
  'start goes on when its reader has gone away',
  onStage({ workers: 1, switches: { sleep_start: 1.5 } }, async (stage) => {
    const pipe = ['/bin/bash', '-c', 'set -o pipefail; "$@" 2>&1 | head -n 1', 'bash', ...stage.command('start')];
    assert.equal(stage.tell(await stage.program(pipe).outcome), '[T] start worker P0\nexit 0');
    await stage.assertServing(0);
  }),
);

test(
  'start goes on when nothing can be written',
  onStage({ workers: 1 }, async (stage) => {
    const full = ['/bin/sh', '-c', 'exec "$@" >/dev/full 2>/dev/full', 'sh', ...stage.command('start')];
    assert.equal((await stage.program(full).outcome).code, 0);
    await stage.assertServing(0);
  }),
);

for (const closed of ['<&-', '>&-', '2>&-', '<&- >&- 2>&-']) {
  test(
    `every action works with descriptors closed: ${closed}`,
    onStage({ workers: 1 }, async (stage) => {
      const codes: (number | null)[] = [];
      for (const action of ['start', 'status', 'restart', 'stop', 'status']) {
        const words = ['/bin/sh', '-c', `exec "$@" ${closed}`, 'sh', ...stage.command(action)];
        codes.push((await stage.program(words).outcome).code);
        if (action === 'start') {
          await stage.assertServing(0);
          const { fds } = await stage.born(0);
          assert.deepEqual(fds, { 0: '/dev/null', 1: stage.logfile(0), 2: stage.logfile(0) });
        }
      }
      assert.deepEqual(codes, [0, 0, 0, 0, 3]);
    }),
  );
}

test(
  'workers daemonize although our stdin is a socket',
  onStage({ workers: 1 }, async (stage) => {
    await stage.expect('start', RUNNING, { stdin: 'socket' });
    const worker = stage.worker(0);
    assert.notEqual(worker.session, worker.pid, 'a daemon is no session leader');
  }),
);

test(
  'every action works with an empty environment',
  onStage({ workers: 1 }, async (stage) => {
    const env = {};
    await stage.expect('start', RUNNING, { env });
    await stage.expect('status', '[T] all workers are running\nexit 0', { env });
    const restart = await stage.run('restart', { env });
    assert.equal(restart.code, 0, stage.tell(restart));
    await stage.expect(
      'stop',
      `
      [T] some of the workers are running, trying to kill
      [T] stopping worker P0
      [T] all workers are stopped
      exit 0`,
      { env },
    );
    stage.assertNobody();
  }),
);

interface Hostile {
  readonly what: string;
  readonly files: Readonly<Record<string, string>>;
}

const HOSTILE: readonly Hostile[] = [
  { what: 'a malformed package.json', files: { 'package.json': '{ "name": ' } },
  {
    what: 'a package.json that configures signale and yargs',
    files: {
      'package.json': JSON.stringify({
        name: 'trap',
        version: '6.6.6',
        signale: { displayTimestamp: true, displayBadge: true, displayLabel: true, underlineMessage: true },
        yargs: { 'parse-numbers': false, 'short-option-groups': false, 'boolean-negation': true },
        pkg: { scripts: 'trap.js' },
      }),
    },
  },
  {
    what: 'modules of its own',
    files: {
      'package.json': '{ "type": "module", "main": "trap.js" }',
      'trap.js': 'process.exit(66)',
      'node_modules/yargs/package.json': '{ "main": "index.js" }',
      'node_modules/yargs/index.js': 'process.exit(66)',
      'node_modules/signale/index.js': 'process.exit(66)',
      'node_modules/signale/signale.js': 'process.exit(66)',
    },
  },
  { what: 'translations', files: { 'locales/en.json': '{ "Unknown argument: %s": "trap", "Options:": "trap" }' } },
  {
    what: 'a .env and a .noderc',
    files: { '.env': 'NODE_OPTIONS=--bogus\n', '.noderc': '--bogus\n', '.npmrc': 'x=y\n' },
  },
];

for (const { what, files } of HOSTILE) {
  test(
    `a current directory with ${what} changes nothing`,
    onStage({ workers: 1 }, async (stage) => {
      const plain = [await stage.run('status'), await stage.run('status --nonsense'), await stage.run('--help')];
      for (const [name, text] of Object.entries(files)) {
        stage.directory(`hostile/${name}/..`);
        stage.write(`hostile/${name}`, text);
      }
      const options: RunOptions = { cwd: stage.path('hostile'), env: { ...environment, LANG: 'en_US.UTF-8' } };
      await stage.expect('status', '[T] all workers are stopped\nexit 3', options);
      const here = [
        await stage.run('status', options),
        await stage.run('status --nonsense', options),
        await stage.run('--help', options),
      ];
      assert.deepEqual(
        here.map((outcome) => stage.tell(outcome)),
        plain.map((outcome) => stage.tell(outcome)),
      );
    }),
  );
}

test(
  'a current directory that is gone is no obstacle',
  onStage({ workers: 1 }, async (stage) => {
    const gone = 'mkdir "$0" && cd "$0" && rmdir "$0" && exec "$@"';
    for (const [action, told] of [
      ['status', '[T] all workers are stopped\nexit 3'],
      ['start', RUNNING],
      ['status', '[T] all workers are running\nexit 0'],
    ] as const) {
      const outcome = await stage.program(['/bin/sh', '-c', gone, stage.path('gone'), ...stage.command(action)])
        .outcome;
      assert.equal(stage.tell(outcome), told);
    }
    await stage.assertServing(0);
  }),
);

for (const value of [
  '--bogus',
  '--require /nonexistent/trap.js',
  '--inspect-brk=127.0.0.1:0',
  '--max-old-space-size=1',
]) {
  test(
    `NODE_OPTIONS=${value} does not reach us, and reaches the worker`,
    onStage({ workers: 1 }, async (stage) => {
      const env = { ...environment, NODE_OPTIONS: value };
      await stage.expect('status', '[T] all workers are stopped\nexit 3', { env });
      await stage.expect('start', RUNNING, { env });
      assert.equal((await stage.born(0)).env['NODE_OPTIONS'], value);
    }),
  );
}

test(
  "nothing else of Node's or pkg's environment makes a difference",
  onStage({ workers: 1 }, async (stage) => {
    const env = {
      ...environment,
      NODE_PATH: stage.dir,
      NODE_DEBUG: 'http,net',
      NODE_EXTRA_CA_CERTS: '/nonexistent',
      NODE_PENDING_DEPRECATION: '1',
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
      OPENSSL_CONF: '/nonexistent',
      PKG_EXECPATH: 'PKG_INVOKE_NODEJS',
      PKG_DUMMY_ENTRYPOINT: '/nonexistent',
      COLUMNS: '20',
      LC_ALL: 'junk',
      FORCE_COLOR: '3',
      DEBUG: '*',
    };
    await stage.expect('status', '[T] all workers are stopped\nexit 3', { env });
  }),
);

test(
  'SIGUSR1 opens no debugger',
  onStage({ workers: 1, switches: { sleep_start: 2 } }, async (stage) => {
    const start = stage.begin('start');
    await start.said('start worker');
    for (let times = 0; times < 5; times += 1) {
      start.kill('SIGUSR1');
      await assert.rejects(
        new Promise<void>((resolve, reject) => {
          const socket = createConnection({ host: '127.0.0.1', port: 9229 }, () => {
            socket.destroy();
            resolve();
          });
          socket.once('error', reject);
        }),
        'nobody listens on the port of the debugger',
      );
    }
    assert.equal(stage.tell(await start.outcome), RUNNING);
  }),
);

test(
  'times are local',
  onStage({ workers: 1 }, async (stage) => {
    const minutes = async (zone: string): Promise<number> => {
      const { stderr } = await stage.run('status', { env: { ...environment, TZ: zone } });
      const [, hour, minute] = /^\[(\d\d):(\d\d):\d\d root\]/.exec(stderr) ?? [];
      assert(hour !== undefined && minute !== undefined, stderr);
      return Number(hour) * 60 + Number(minute);
    };
    const [here, there] = [await minutes('UTC'), await minutes('Asia/Kolkata')];
    const ahead = (there - here + 24 * 60) % (24 * 60);
    assert(ahead >= 330 && ahead <= 332, `${ahead} minutes ahead`);
  }),
);

test(
  'nothing resident is left after a command',
  onStage({ workers: 1 }, async (stage) => {
    await stage.started();
    assert.equal((await stage.run('stop')).code, 0);
    stage.assertNobody();
    assert.equal(readFileSync(stage.logfile(0), 'utf8'), '');
  }),
);
