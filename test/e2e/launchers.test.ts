import assert from 'node:assert/strict';
import { rmSync, symlinkSync } from 'node:fs';
import { test } from 'node:test';
import { binary, onStage, type Stage } from '../support/e2e.ts';
import { environment } from '../support/e2e-command.ts';

const LSB = `### BEGIN INIT INFO
# Provides:          app
# Required-Start:    $remote_fs $network
# Required-Stop:     $remote_fs $network
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: an application
### END INIT INFO
`;

/** A launcher of the original, but for its first line. */
function launcher(
  stage: Stage,
  call = `script='${stage.script}', app='testapp', config='${stage.config}'`,
  firstLine = '',
): string {
  const text = `#!${binary}${firstLine}
# coding=utf-8

${LSB}
from frontik.server.supervisor import supervisor

supervisor(${call})
`;
  return stage.write('app', text, 0o755);
}

test(
  'a launcher whose interpreter we are starts, shows, restarts and stops its application',
  onStage({}, async (stage) => {
    const path = launcher(stage);
    const run = async (...words: readonly string[]): Promise<string> =>
      stage.tell(await stage.program([path, ...words]).outcome);
    assert.equal(await run('status'), '[T] all workers are stopped\nexit 3');
    assert.equal(await run('start'), '[T] start worker P0\n[T] start worker P1\n[T] all workers are running\nexit 0');
    assert.equal((await stage.facts(0)).app, 'testapp');
    assert.equal(await run('status'), '[T] all workers are running\nexit 0');
    assert.match(await run('restart'), /\n\[T\] all workers are running\nexit 0$/);
    assert.match(await run('force-reload'), /\n\[T\] all workers are running\nexit 0$/);
    assert.match(await run('stop'), /\n\[T\] all workers are stopped\nexit 0$/);
    assert.equal(await run(), '[T] missing action: please use `start`, `stop`, `restart` or `status`\nexit 1');
    assert.equal(
      await run('reboot'),
      '[T] incorrect action: please use `start`, `stop`, `restart` or `status`\nexit 1',
    );
  }),
);

test(
  'a launcher may be the first argument',
  onStage({ workers: 1 }, async (stage) => {
    const path = launcher(stage);
    const started = await stage.call([path, 'start']).outcome;
    assert.equal(stage.tell(started), '[T] start worker P0\n[T] all workers are running\nexit 0');
    const relative = await stage.call(['./app', 'status']).outcome;
    assert.equal(stage.tell(relative), '[T] all workers are running\nexit 0');
    const withOptions = await stage.call(['--workers-count', '1', './app', 'status', '--partial-status=4']).outcome;
    assert.equal(stage.tell(withOptions), '[T] all workers are running\nexit 0');
  }),
);

test(
  'a launcher is found through a link, relatively, and from anywhere',
  onStage({ workers: 1 }, async (stage) => {
    symlinkSync(launcher(stage), stage.path('S01app'));
    const calls = [
      {
        words: ['./S01app', 'start'],
        cwd: stage.dir,
        told: '[T] start worker P0\n[T] all workers are running\nexit 0',
      },
      { words: ['../app', 'status'], cwd: stage.path('run'), told: '[T] all workers are running\nexit 0' },
      { words: [stage.path('S01app'), 'status'], cwd: '/', told: '[T] all workers are running\nexit 0' },
    ];
    for (const { words, cwd, told } of calls) {
      assert.equal(stage.tell(await stage.program(words, { cwd }).outcome), told);
    }
  }),
);

test(
  'a launcher takes options on its command line, on its first line and in its call',
  onStage({ workers: 4 }, async (stage) => {
    const path = launcher(
      stage,
      `'${stage.script}', config='${stage.config}', workers_count=2`.replace(/^/, 'script='),
      ' --workers-count=1',
    );
    const run = async (...words: readonly string[]): Promise<string> =>
      stage.tell(await stage.program([path, ...words]).outcome);
    assert.equal(
      await run('start'),
      '[T] start worker P0\n[T] all workers are running\nexit 0',
      'the first line is a command line',
    );
    assert.equal(await run('--workers_count=2', 'status'), '[T] some workers are running!\nexit 1');
    assert.equal(
      await run('status', '--workers_count', '2', '--partial_status=4'),
      '[T] some workers are running!\nexit 4',
    );
    launcher(stage, `script='${stage.script}', config='${stage.config}', workers_count=1`);
    assert.equal(await run('status'), '[T] all workers are running\nexit 0', 'the call wins over the configuration');
    launcher(stage, `script='${stage.script}', config='${stage.config}'`);
    assert.equal(await run('status'), '[T] some workers are running!\nexit 1', 'the configuration alone');
    assert.equal(await run('status', '--workers-count=1'), '[T] all workers are running\nexit 0');
  }),
);

test(
  'a launcher names the Python of its workers on its first line',
  onStage({ workers: 1 }, async (stage) => {
    const path = launcher(stage, undefined, ' --python=/usr/bin/python3');
    assert.equal(
      stage.tell(await stage.program([path, 'start']).outcome),
      '[T] start worker P0\n[T] all workers are running\nexit 0',
    );
    assert.deepEqual(stage.worker(0).argv.slice(0, 3), ['/usr/bin/python3', stage.script, `--config=${stage.config}`]);
  }),
);

test(
  'a launcher is run as init and service run it: a small environment, another directory, no stdin',
  onStage({ workers: 1 }, async (stage) => {
    const path = launcher(stage);
    const env = { PATH: environment['PATH'] ?? '', TERM: 'linux', LANG: 'C' };
    const outcome = await stage.program(['/bin/sh', '-c', 'cd / && exec "$0" start </dev/null', path], { env }).outcome;
    assert.equal(stage.tell(outcome), '[T] start worker P0\n[T] all workers are running\nexit 0');
    assert.equal((await stage.born(0)).cwd, '/');
  }),
);

test(
  'a launcher that is missing is exit 5',
  onStage({ workers: 1 }, async (stage) => {
    for (const action of ['start', 'restart']) {
      const told = stage.tell(await stage.call([stage.path('nowhere'), action]).outcome);
      assert.match(told, /DIR\/nowhere/);
      assert.match(told, /exit 5$/);
    }
    const status = stage.tell(await stage.call([stage.path('nowhere'), 'status']).outcome);
    assert.match(status, /DIR\/nowhere/);
    assert.match(status, /exit [45]$/);
    stage.assertNobody();
  }),
);

const BROKEN = [
  {
    what: 'an unknown keyword',
    call: "script='/bin/true', config='/dev/null', colour='red'",
    names: /app:\d+:\d+.*colour/,
  },
  {
    what: 'a value of the wrong type',
    call: "script='/bin/true', config='/dev/null', workers_count='many'",
    names: /app:\d+:\d+.*workers_count/,
  },
  {
    what: 'a value out of range',
    call: "script='/bin/true', config='/dev/null', workers_count=0",
    names: /app:\d+:\d+.*workers_count/,
  },
  { what: 'a syntax error', call: "script='/bin/true', config=", names: /app:\d+:\d+/ },
];

for (const { what, call, names } of BROKEN) {
  test(
    `a launcher with ${what} is reported with its place, exit 6`,
    onStage({ workers: 1 }, async (stage) => {
      const told = stage.tell(await stage.program([launcher(stage, call), 'start']).outcome);
      assert.match(told, names);
      assert.match(told, /exit 6$/);
      stage.assertNobody();
    }),
  );
}

test(
  'a launcher that calls no supervisor is exit 6',
  onStage({ workers: 1 }, async (stage) => {
    const path = stage.write('app', `#!${binary}\nprint('hello')\n`, 0o755);
    const told = stage.tell(await stage.program([path, 'start']).outcome);
    assert.match(told, /DIR\/app/);
    assert.match(told, /exit 6$/);
    assert.doesNotMatch(told, /^hello/m);
  }),
);

test(
  'a bare word is always an action, even with a file of that name at hand',
  onStage({ workers: 1 }, async (stage) => {
    launcher(stage);
    const told = stage.tell(await stage.call(['app', 'start']).outcome);
    assert.doesNotMatch(told, /start worker/);
    assert.match(told, /exit [12]$/);
    rmSync(stage.path('app'));
    stage.assertNobody();
  }),
);
