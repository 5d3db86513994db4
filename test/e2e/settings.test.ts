import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { onStage, type Stage } from '../support/e2e.ts';

/** What a person reads: one line for each problem, without the ending. */
function problems(told: string): readonly string[] {
  return told.split('\n').filter((line) => !line.startsWith('exit '));
}

/** Nothing was started, tried, or shown as a crash. */
function assertNothingDone(stage: Stage, told: string): void {
  assert.doesNotMatch(told, /start worker|^\s+at |Traceback|node:|undefined|\[object/m);
  stage.assertNobody();
}

/** Bad values, the option they are given to, and as the command line and a configuration file spell them. */
const BAD_VALUES: readonly {
  readonly option: string;
  readonly words: readonly string[];
  readonly python: readonly string[];
}[] = [
  {
    option: 'workers_count',
    words: ['abc', '', '0', '-1', '1.5', '1e3x', '99999', '4 4', '9'.repeat(30)],
    python: ["'four'", '0', '-1', '1.5', '[1]', '65536'],
  },
  { option: 'start_port', words: ['abc', '', '-8000', '65536', '0.5'], python: ["'eight'", '-1', '65536', '8000.0'] },
  { option: 'supervisor_sigterm_timeout', words: ['abc', '', '-1', '1.5'], python: ["'four'", '-1', '1.5'] },
  { option: 'nofile_soft_limit', words: ['abc', '', '-1', 'unlimited'], python: ["'4k'", '-1', '(1, 2)'] },
  { option: 'supervisor_start_timeout', words: ['abc', '', '-1'], python: ["'soon'", '-1', '{}'] },
  { option: 'supervisor_partial_status', words: ['abc', '', '-1', '256'], python: ["'one'", '-1', '256'] },
  { option: 'with_coverage', words: ['maybe', '2'], python: ['7', '[]'] },
  {
    option: 'pidfile_template',
    words: ['run/app.pid', 'run/%(prot)s.pid', 'run/%s.%(port)s.pid', 'run/%(port)s.%', 'run/%(port'],
    python: ["'run/app.pid'", "'%(prot)s'", '5', "['a']"],
  },
  {
    option: 'logfile_template',
    words: ['log/app.log', 'log/%(prot)s.log', 'log/%(port)s.%'],
    python: ["'log/app.log'", "'%(host)s.%(port)s'", '5'],
  },
];

for (const { option, words, python } of BAD_VALUES) {
  test(
    `a bad ${option} on the command line is one clear line and exit 2`,
    onStage({ workers: 2 }, async (stage) => {
      for (const word of words) {
        const told = stage.tell(await stage.call([...stage.settings, `--${option}=${word}`, 'start']).outcome);
        assert.match(told, /exit 2$/, `${option}=${word}: ${told}`);
        assert.equal(problems(told).length, 1, `${option}=${word}: ${told}`);
        assert.match(told.replaceAll('-', '_'), new RegExp(option), `${option}=${word}: ${told}`);
        assertNothingDone(stage, told);
      }
    }),
  );

  test(
    `a bad ${option} in the configuration is one clear line with its place and exit 6`,
    onStage({ workers: 2 }, async (stage) => {
      for (const value of python) {
        stage.configure({ [option]: null }, `\n# the value is on the line after this comment\n${option} = ${value}\n`);
        const config = stage.read(stage.config).split('\n');
        const line = config.findIndex((text) => text.startsWith(`${option} = `)) + 1;
        const told = stage.tell(await stage.run('start'));
        assert.match(told, /exit 6$/, `${option} = ${value}: ${told}`);
        assert.equal(problems(told).length, 1, `${option} = ${value}: ${told}`);
        assert.match(told, new RegExp(`DIR/app\\.cfg:${line}:\\d+.*${option}`), `${option} = ${value}: ${told}`);
        assertNothingDone(stage, told);
      }
    }),
  );
}

test(
  'ports beyond 65535 are refused, wherever they come from',
  onStage({ workers: 2 }, async (stage) => {
    for (const words of ['--start_port=65535', '--start_port=65535 --workers_count=2', '--workers_count=60000']) {
      const told = stage.tell(await stage.run(`${words} start`));
      assert.match(told, /65535/);
      // Which of two values is to blame for their sum is nobody's to say when they have different sources.
      assert.match(told, words.startsWith('--start_port') ? /exit 2$/ : /exit [26]$/);
      assert.equal(problems(told).length, 1, told);
      assertNothingDone(stage, told);
    }
    stage.configure({ start_port: 65535 });
    const told = stage.tell(await stage.run('start'));
    assert.match(told, /65535/);
    assert.match(told, /exit 6$/);
    assertNothingDone(stage, told);
  }),
);

const BAD_WORDS: readonly { readonly words: readonly string[]; readonly names: RegExp }[] = [
  { words: ['--nonsense=1', 'start'], names: /nonsense/ },
  { words: ['start', '--nonsense'], names: /nonsense/ },
  { words: ['start', '--workers_counts=1'], names: /workers.counts/ },
  { words: ['--constructor=1', 'start'], names: /constructor/ },
  { words: ['--__proto__=1', 'start'], names: /__proto__|--proto--/ },
  { words: ['--toString=1', 'start'], names: /toString/ },
  { words: ['--hasOwnProperty', 'start'], names: /hasOwnProperty/ },
  { words: ['-x', 'start'], names: /x/ },
  { words: ['start', '--workers_count'], names: /workers.count/ },
  { words: ['start', 'stop'], names: /stop/ },
  { words: ['start', 'now', 'please'], names: /now/ },
  { words: ['--with_coverage', 'maybe', 'start'], names: /maybe|start/ },
  { words: ['--no-with_coverage', 'start'], names: /no.with.coverage/ },
];

test(
  'words that are no option, or one word too many, are refused with exit 2',
  onStage({ workers: 1 }, async (stage) => {
    for (const { words, names } of BAD_WORDS) {
      const told = stage.tell(await stage.call([...stage.settings, ...words]).outcome);
      const isAction = /incorrect action/.test(told);
      assert.match(told, isAction ? /exit [12]$/ : /exit 2$/, `${words.join(' ')}: ${told}`);
      assert.match(told, isAction ? /maybe|incorrect/ : names, `${words.join(' ')}: ${told}`);
      assertNothingDone(stage, told);
    }
  }),
);

test(
  'a missing script or config is exit 2 and named',
  onStage({ workers: 1 }, async (stage) => {
    const script = `--script=${stage.script}`;
    const config = `--config=${stage.config}`;
    for (const { words, names } of [
      { words: [config, 'start'], names: /script/ },
      { words: [script, 'start'], names: /config/ },
      { words: [config, 'restart'], names: /script/ },
      { words: ['--script=', config, 'start'], names: /script/ },
      { words: [script, '--config=', 'start'], names: /config/ },
    ]) {
      const told = stage.tell(await stage.call(words).outcome);
      assert.match(told, /exit 2$/, told);
      assert.match(told, names);
      assert.equal(problems(told).length, 1, told);
      assertNothingDone(stage, told);
    }
    const both = stage.tell(await stage.call(['start']).outcome);
    assert.equal(problems(both).length, 2, both);
    assert.match(both, /exit 2$/);
  }),
);

test(
  'all problems are reported together, each with its source',
  onStage({ workers: 1 }, async (stage) => {
    stage.configure({ workers_count: null, nofile_soft_limit: null }, 'workers_count = 0\nnofile_soft_limit = -5\n');
    const inConfig = stage.tell(await stage.run('start'));
    assert.equal(problems(inConfig).length, 2, inConfig);
    assert.match(inConfig, /app\.cfg:\d+:\d+.*workers_count/);
    assert.match(inConfig, /app\.cfg:\d+:\d+.*nofile_soft_limit/);
    assert.match(inConfig, /exit 6$/);
    const everywhere = stage.tell(
      await stage.run('--supervisor_sigterm_timeout=soon --nonsense=1 --partial-status=999 start'),
    );
    const text = everywhere.replaceAll('-', '_');
    for (const name of [/workers_count/, /nofile_soft_limit/, /sigterm_timeout/, /nonsense/, /partial_status/]) {
      assert.match(text, name);
    }
    assert.equal(problems(everywhere).length, 5, everywhere);
    assert.match(everywhere, /exit 2$/);
    assertNothingDone(stage, everywhere);
  }),
);

test(
  'a value in the configuration that the command line overrides is still checked or overridden, never mixed up',
  onStage({ workers: 1 }, async (stage) => {
    await stage.started();
    stage.configure({ workers_count: 3, start_port: stage.port(9) });
    await stage.expect(`status --workers_count=1 --start_port=${stage.port(0)}`, '[T] all workers are running\nexit 0');
  }),
);

test(
  'options stand before or after the action, with - or _, with = or a space, with or without our prefix',
  onStage({ workers: 4 }, async (stage) => {
    await stage.started('start --workers_count=1');
    await stage.killWorker(0);
    await stage.started('--workers-count=1 start');
    const [config, port] = [stage.config, String(stage.port(1))];
    const calls: readonly (readonly string[])[] = [
      [`--config=${config}`, '--workers_count=1', 'status'],
      ['--config', config, '--workers-count', '1', 'status'],
      ['status', '--config', config, '--workers_count', '1'],
      ['--config', config, 'status', '--workers-count=1', '--with-coverage'],
      ['--config', config, '--with_coverage', 'status', '--workers-count=1'],
      ['--config', config, '--with_coverage=False', 'status', '--workers-count=1'],
      ['--config', config, '--supervisor-sigterm-timeout', '3', 'status', '--workers-count=1', '--start_timeout=9'],
    ];
    for (const words of calls) {
      const told = stage.tell(await stage.call(words).outcome);
      assert.equal(told, '[T] all workers are running\nexit 0', words.join(' '));
    }
    const other = await stage.call(['--config', config, '--workers_count=1', 'status', '--start_port', port]).outcome;
    assert.equal(stage.tell(other), '[T] some stale workers are running!\n[T] all workers are stopped\nexit 3');
  }),
);

test(
  'what a configuration has beside our options is ignored',
  onStage({ workers: 1 }, async (stage) => {
    stage.configure(
      {},
      [
        '# coding=utf-8',
        'import os',
        'from datetime import timedelta',
        "script = '/nonexistent'",
        "config = '/nonexistent'",
        "app = 'never'",
        'start_timeout = -1',
        "user = 'nobody-at-all'",
        "urls = [('/', 'page'), ('/x', 'y')]",
        "nested = {'a': [1, 2.5, None, True], 'b': ('c',)}",
        'ratio = 1.',
        "text = '''three",
        "lines'''",
        "loglevel = 'debug'; debug = False",
        'nothing = None',
      ].join('\n'),
    );
    await stage.expect('start', '[T] start worker P0\n[T] all workers are running\nexit 0');
    assert.deepEqual(
      stage.worker(0).argv.filter((word) => word.startsWith('--app')),
      [],
    );
  }),
);

test(
  'a configuration with a syntax error is named with its line',
  onStage({ workers: 1 }, async (stage) => {
    stage.write('app.cfg', "start_port = 8000\nworkers_count = (4\npidfile_template = 'x'\n");
    const told = stage.tell(await stage.run('start'));
    assert.match(told, /DIR\/app\.cfg:\d+:\d+/);
    assert.match(told, /exit 6$/);
    assertNothingDone(stage, told);
  }),
);

test(
  'a configuration that is missing or a directory is exit 6 for start',
  onStage({ workers: 1 }, async (stage) => {
    rmSync(stage.config);
    const missing = stage.tell(await stage.run('start'));
    assert.match(missing, /DIR\/app\.cfg/);
    assert.match(missing, /exit 6$/);
    stage.directory('app.cfg');
    const directory = stage.tell(await stage.run('start'));
    assert.match(directory, /DIR\/app\.cfg/);
    assert.match(directory, /exit 6$/);
    assertNothingDone(stage, missing + directory);
  }),
);

test(
  'a script that is missing is exit 5, and nothing is started',
  onStage({ workers: 1 }, async (stage) => {
    for (const script of [stage.path('nowhere/worker'), './nowhere', `${stage.config}/below-a-file`]) {
      for (const action of ['start', 'restart', 'force-reload']) {
        const told = stage.tell(await stage.call([`--script=${script}`, `--config=${stage.config}`, action]).outcome);
        assert.match(told, /nowhere|below-a-file/);
        assert.match(told, /exit 5$/, told);
        assertNothingDone(stage, told);
      }
    }
  }),
);

test(
  'a script that is a directory cannot be started',
  onStage({ workers: 1 }, async (stage) => {
    const outcome = await stage.call([`--script=${stage.dir}`, `--config=${stage.config}`, 'start']).outcome;
    const told = stage.tell(outcome);
    assert.notEqual(outcome.code, 0);
    assert.match(told, /DIR/);
    assertNothingDone(stage, told);
  }),
);

test(
  'a place for pidfiles or logs that cannot be is named before anything is started',
  onStage({ workers: 1 }, async (stage) => {
    stage.write('file', '');
    for (const option of ['pidfile_template', 'logfile_template']) {
      const outcome = await stage.run(`start --${option}=${stage.path('file')}/%(port)s`);
      const told = stage.tell(outcome);
      assert.notEqual(outcome.code, 0);
      assert.match(told, /DIR\/file/);
      assertNothingDone(stage, told);
    }
  }),
);

test(
  'values may be anything that a path may be',
  onStage({ workers: 1 }, async (stage) => {
    const odd = 'run/a b\'c"d$e`f;é\\n';
    stage.directory(odd);
    const template = `${stage.path(odd)}/%(port)s.pid`;
    const started = await stage.call([...stage.settings, `--pidfile_template=${template}`, 'start']).outcome;
    assert.equal(stage.tell(started), '[T] start worker P0\n[T] all workers are running\nexit 0');
    const pidfile = `${stage.path(odd)}/${stage.port(0)}.pid`;
    assert(existsSync(pidfile));
    assert(stage.worker(0).argv.includes(`--pidfile=${pidfile}`));
    const stopped = await stage.call([...stage.settings, `--pidfile_template=${template}`, 'stop']).outcome;
    assert.equal(stopped.code, 0);
    assert(!existsSync(pidfile));
  }),
);
