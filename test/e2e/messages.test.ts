import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lines, onStage, type Stage } from '../support/e2e.ts';
import { environment } from '../support/e2e-command.ts';

const LEVELS: Readonly<Record<string, string>> = { 4: 'debug', 2: 'info', 3: 'warning', 1: 'error' };

/** Runs an action on a terminal of its own and returns what appears there. */
async function onTerminal(stage: Stage, words: string, env: Readonly<Record<string, string>>): Promise<string> {
  // script(1) passes on the exit code with -e and keeps no typescript worth having.
  const command = stage
    .command(words)
    .map((word) => `'${word}'`)
    .join(' ');
  const outcome = await stage.program(['/usr/bin/script', '-qec', command, '/dev/null'], {
    env: { ...environment, ...env },
  }).outcome;
  return `${outcome.stdout.replaceAll('\r\n', '\n')}exit ${outcome.code}`;
}

/** Replaces the coloured bracket by the level's name; the way back to plain text differs between terminals. */
function levels(stage: Stage, text: string): string {
  const named = text
    .replaceAll('\u001b', 'ESC')
    .replaceAll('\u000f', '')
    .replaceAll(
      /^ESC\[(?:2;)?3([1-4])m\[\d\d:\d\d:\d\d root\](?:ESC\(B)?ESC\[0?m /gm,
      (_, colour: string) => `${LEVELS[colour]} `,
    );
  return stage
    .tell({ code: 0, signal: null, took: 0, stdout: named, stderr: '' })
    .replace(/\nexit 0$/, '')
    .split('\n')
    .filter((line) => !line.includes('waiting for worker'))
    .join('\n');
}

for (const terminal of ['xterm-256color', 'linux']) {
  test(
    `on a terminal (${terminal}) the bracket has the colour of the level`,
    onStage({}, async (stage) => {
      const env = { TERM: terminal };
      const see = async (words: string): Promise<string> => levels(stage, await onTerminal(stage, words, env));
      assert.equal(
        await see('start'),
        lines(`
          debug start worker P0
          debug start worker P1
          info all workers are running
          exit 0`),
      );
      await stage.killWorker(0);
      assert.equal(await see('status'), 'warning some workers are running!\nexit 1');
      assert.equal(
        await see('start --workers_count=1'),
        lines(`
          debug start worker P0
          warning some stale workers are running!
          info all workers are running
          exit 0`),
      );
      assert.equal(
        await see('start'),
        lines(`
          warning another worker already started on P0
          warning another worker already started on P1
          info all workers are running
          exit 0`),
      );
      assert.equal(
        await see('stop'),
        lines(`
          warning some of the workers are running, trying to kill
          debug stopping worker P0
          debug stopping worker P1
          info all workers are stopped
          exit 0`),
      );
      stage.behave({ fail_start: 'x' });
      const failed = await see('start');
      assert.match(failed, /^error worker on port P0 failed to start$/m);
      assert.match(failed, /\nerror all workers are stopped\nexit 1$/);
      assert.equal(
        await see('nonsense'),
        'error incorrect action: please use `start`, `stop`, `restart` or `status`\nexit 1',
      );
    }),
  );
}

for (const env of [{ TERM: 'xterm', NO_COLOR: '1' }, { TERM: 'dumb' }] as const) {
  test(
    `on a terminal with ${Object.entries(env)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ')} nothing is coloured`,
    onStage({ workers: 1 }, async (stage) => {
      const seen = await onTerminal(stage, 'status', env);
      assert.match(seen, /^\[\d\d:\d\d:\d\d root\] all workers are stopped\nexit 3$/);
    }),
  );
}

test(
  'without a terminal nothing is coloured',
  onStage({ workers: 1 }, async (stage) => {
    const { stderr } = await stage.run('status', { env: { ...environment, TERM: 'xterm', CLICOLOR_FORCE: '1' } });
    assert.match(stderr, /^\[\d\d:\d\d:\d\d root\] all workers are stopped\n$/);
  }),
);

const MISSING = '[T] missing action: please use `start`, `stop`, `restart` or `status`\nexit 1';
const INCORRECT = '[T] incorrect action: please use `start`, `stop`, `restart` or `status`\nexit 1';

test(
  'an action is needed, and only known ones are taken',
  onStage({ workers: 1 }, async (stage) => {
    assert.equal(stage.tell(await stage.call(stage.settings).outcome), MISSING);
    for (const word of ['START', 'Start', 'starts', 'kill', '--', 'help']) {
      const told = stage.tell(await stage.run(word));
      assert(told === INCORRECT || (word === '--' && told === MISSING), `${word}: ${told}`);
    }
    stage.assertNobody();
  }),
);

test(
  'a call without anything says that the action is missing',
  onStage({ workers: 1 }, async (stage) => {
    const told = stage.tell(await stage.call([]).outcome);
    assert.match(told, /missing action: please use `start`, `stop`, `restart` or `status`/);
    assert.match(told, /exit [12]$/);
  }),
);

test(
  '--help is asked for, so it goes to stdout, with every option and action',
  onStage({ workers: 1 }, async (stage) => {
    const { stdout, stderr, code } = await stage.call(['--help']).outcome;
    assert.equal(stderr, '');
    assert.equal(code, 0);
    const names =
      'script config app workers_count start_port pidfile logfile sigterm nofile coverage start_timeout partial ' +
      'status_path status_server python user group stop restart force-reload try-restart condrestart';
    const shown = stdout.replaceAll('-', '_');
    const missing = names.split(' ').filter((name) => !shown.includes(name.replaceAll('-', '_')));
    assert.deepEqual(missing, []);
    assert.equal(widest(stdout), 80);
    assert.match(stdout, /^ {2}128\+n {2}ended by signal n; the workers live on$/m);
  }),
);

/** The length of the longest line. */
function widest(text: string): number {
  return Math.max(...text.split('\n').map((line) => line.length));
}

test(
  '--help takes the width of its terminal, between 80 and 100 columns',
  onStage({ workers: 1 }, async (stage) => {
    const [binary = ''] = stage.command('--help');
    // A serial line knows no width: 0.
    for (const [columns, most] of [
      [0, 80],
      [40, 80],
      [80, 80],
      [100, 100],
      [200, 100],
    ]) {
      const words = `stty cols ${columns}; '${binary}' --help`;
      const outcome = await stage.program(['/usr/bin/script', '-qec', words, '/dev/null']).outcome;
      assert.deepEqual([outcome.code, widest(outcome.stdout.replaceAll('\r', ''))], [0, most], `${columns} columns`);
    }
  }),
);

test(
  'what cannot be written to stdout is told, with exit 1; a reader that leaves is none of our business',
  onStage({ workers: 1 }, async (stage) => {
    const [binary = ''] = stage.command('--help');
    const shell = (words: string) =>
      stage.program(['/bin/sh', '-c', words, 'sh', binary, `--config=${stage.config}`, `--script=${stage.script}`]);
    for (const words of ['--help', '--version', '"$2" "$3" check', '"$2" "$3" check --json', '"$2" export nginx']) {
      const full = await shell(`exec "$1" ${words} >/dev/full`).outcome;
      assert.equal(stage.tell(full), '[T] stdout: cannot be written: ENOSPC\nexit 1', words);
      const left = await shell(`{ sleep 0.2; "$1" ${words}; echo "exit $?" >&2; } | true`).outcome;
      assert.equal(left.stderr, 'exit 0\n', words);
    }
    const { code, stderr } = await shell('exec "$1" "$2" "$3" --nonsense check >/dev/full').outcome;
    assert.equal(code, 6);
    assert.match(stderr, /--nonsense: unknown option\n.* stdout: cannot be written: ENOSPC\n$/);
    // What is said on stderr is lost, and not the command.
    assert.equal((await shell('exec "$1" "$2" "$3" status 2>/dev/full').outcome).code, 3);
  }),
);

test(
  '--version names the program, its version and its commit',
  onStage({ workers: 1 }, async (stage) => {
    const { stdout, stderr, code } = await stage.call(['--version']).outcome;
    assert.match(stdout, /^frontik-supervisor \d+\.\d+\.\d+\S* .*[0-9a-f]{7}/);
    assert.equal(stderr, '');
    assert.equal(code, 0);
  }),
);

test(
  'status, start and stop never write to stdout',
  onStage({ workers: 1 }, async (stage) => {
    for (const action of ['status', 'start', 'status', 'restart', 'stop', 'nonsense']) {
      assert.equal((await stage.run(action)).stdout, '', action);
    }
  }),
);
