import assert from 'node:assert/strict';
import { chmodSync, chownSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { binary, nobody, onStage, python, type Stage, whyNotAnotherUser } from '../support/e2e.ts';
import { environment } from '../support/e2e-command.ts';

/** What no native reader follows. */
const COMPUTED = "workers_count = sum(__import__('itertools').repeat(1, 2))\n";

const HEAD = `#!${binary}\nimport os, sys\nfrom frontik.server.supervisor import supervisor\n`;

function launcher(stage: Stage, text: string, head = HEAD): string {
  return stage.write('app', head + text, 0o755);
}

test(
  'a configuration that computes its values starts workers; check says who computed them',
  onStage({ workers: 2 }, async (stage) => {
    stage.configure({ workers_count: null }, `print('hello')\n${COMPUTED}`);
    await stage.expect(
      'start',
      `
      [T] DIR/app.cfg: | hello
      [T] start worker P0
      [T] start worker P1
      [T] all workers are running
      exit 0`,
    );
    await stage.assertServing(0, 1);
    const told = stage.tell(await stage.run('check'));
    assert.match(told, /^workers_count +2 +DIR\/app\.cfg:6$/m);
    // The script's own interpreter.
    assert.match(told, /^python +(\/usr\/bin\/)?python3$/m);
    assert.equal((await stage.run('stop')).code, 0);
  }),
);

test(
  'a configuration that looks at the environment and at its own path',
  onStage({ workers: 2 }, async (stage) => {
    const text = `import os
if os.environ.get('STAGE') == 'test':
    workers_count = 1
else:
    workers_count = int(os.environ['WORKERS'])
pidfile_template = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'run', 'x.%(port)s.pid')
`;
    stage.configure({ workers_count: null, pidfile_template: null }, text);
    const env = { ...environment, STAGE: 'test' };
    assert.equal((await stage.run('start', { env })).code, 0);
    await stage.assertServing(0);
    const four = stage.tell(await stage.run('check', { env: { ...environment, WORKERS: '4' } }));
    assert.match(four, /^ports +P0\.\.P3$/m);
    assert.match(four, /--pidfile=DIR\/run\/x\.P0\.pid/);
    assert.match(stage.tell(await stage.run('status')), /^\[T\] DIR\/app\.cfg:8(:\d+)?: KeyError: 'WORKERS'\nexit 4$/);
    assert.equal((await stage.run('stop', { env })).code, 0);
  }),
);

test(
  'a launcher that computes its arguments, its directory and its environment',
  onStage({ workers: 1 }, async (stage) => {
    const path = launcher(
      stage,
      `
os.chdir(${JSON.stringify(stage.dir)})
os.environ['FROM_LAUNCHER'] = 'yes'
arguments = dict(script=os.path.join('.', 'worker'), config='app.cfg')
sys.argv.insert(1, '--app=pages')
supervisor(**arguments)
`,
    );
    const outcome = await stage.program([path, 'start'], { cwd: '/' }).outcome;
    assert.equal(stage.tell(outcome), '[T] start worker P0\n[T] all workers are running\nexit 0');
    const { env, argv, cwd } = await stage.born(0);
    assert.equal(env['FROM_LAUNCHER'], 'yes');
    assert(argv.includes('--config=app.cfg') && argv.includes('--app=pages'), argv.join(' '));
    assert.equal(cwd, stage.dir);
    assert.equal((await stage.program([path, 'status'], { cwd: '/' }).outcome).code, 0);
    assert.equal((await stage.program([path, 'stop'], { cwd: '/' }).outcome).code, 0);
  }),
);

test(
  'a launcher that only sets its directory and environment is applied too',
  onStage({ workers: 1 }, async (stage) => {
    const path = launcher(
      stage,
      `os.chdir(${JSON.stringify(stage.dir)})\nos.environ['FROM_LAUNCHER'] = 'yes'\nsupervisor('./worker', 'app.cfg')\n`,
    );
    const outcome = await stage.program([path, 'start'], { cwd: '/' }).outcome;
    assert.equal(stage.tell(outcome), '[T] start worker P0\n[T] all workers are running\nexit 0');
    const { env, cwd } = await stage.born(0);
    assert.deepEqual([env['FROM_LAUNCHER'], cwd], ['yes', stage.dir]);
    assert.equal((await stage.program([path, 'stop'], { cwd: '/' }).outcome).code, 0);
  }),
);

test(
  'what is wrong with an executed file is one line with its place',
  onStage({ workers: 1 }, async (stage) => {
    stage.configure({}, `${COMPUTED}\nraise ValueError('not today')\n`);
    await stage.expect('start', '[T] DIR/app.cfg:8: ValueError: not today\nexit 6');
    stage.configure({}, `${COMPUTED}import nosuch.module\nx = nosuch.y\n`);
    await stage.expect('start', "[T] DIR/app.cfg:7: ModuleNotFoundError: No module named 'nosuch'\nexit 6");
    stage.configure({}, `${COMPUTED}import os\nos._exit(3)\n`);
    const told = stage.tell(await stage.run('start'));
    assert.match(
      told,
      /^\[T\] DIR\/app\.cfg: \S*python3 exited with status 3 instead of telling what the file says\nexit 6$/,
    );
    stage.assertNobody();
  }),
);

test(
  'stop needs no configuration that works, whoever reads it',
  onStage({ workers: 1 }, async (stage) => {
    await stage.started();
    stage.configure({}, `${COMPUTED}raise ValueError('not today')\n`);
    await stage.expect(
      'stop',
      `
      [T] DIR/app.cfg:7: ValueError: not today
      [T] some of the workers are running, trying to kill
      [T] stopping worker P0
      [T] all workers are stopped
      exit 0`,
    );
  }),
);

test(
  '--no-python forbids it',
  onStage({ workers: 1 }, async (stage) => {
    stage.configure({ workers_count: null }, COMPUTED);
    const told = stage.tell(await stage.run('start --no-python'));
    assert.match(
      told,
      /^\[T\] DIR\/app\.cfg:5:\d+: .* cannot be read without a Python; write a literal value\nexit 6$/,
    );
    const path = launcher(
      stage,
      `supervisor('${stage.script}', '${stage.config}')\n`,
      HEAD.replace('\n', ' --no-python\n'),
    );
    assert.equal(stage.tell(await stage.program([path, 'start']).outcome), told);
    stage.assertNobody();
  }),
);

test(
  'the Python of --python is asked, and missing ones are named',
  onStage({ workers: 1 }, async (stage) => {
    stage.configure({ workers_count: null }, COMPUTED);
    stage.directory('bin');
    const mine = stage.write('bin/my-python', `#!/bin/sh\necho mine >&2\nexec ${python} "$@"\n`, 0o755);
    chmodSync(stage.dir, 0o755);
    const told = stage.tell(await stage.run(`check --python=${mine}`));
    assert.match(told, /^python +DIR\/bin\/my-python$/m);
    assert.match(told, /^\[T\] DIR\/app\.cfg: \| mine$/m);
    const missing = stage.tell(await stage.run('start --python=/nosuch/python'));
    assert.match(missing, /needs a Python, and \/nosuch\/python is not installed\nexit 5$/);
  }),
);

test(
  'a configuration that does not end is ended after ten seconds',
  onStage({ workers: 1 }, async (stage) => {
    stage.configure({}, `import time\ntime.sleep(${COMPUTED.length * 100})\nwith_coverage = bool(time.time() < 0)\n`);
    const outcome = await stage.run('status');
    assert.equal(stage.tell(outcome), '[T] DIR/app.cfg: Python did not finish within 10 s\nexit 4');
    assert(outcome.took < 20_000, `${outcome.took} ms`);
    const begun = stage.begin('status');
    // The interpreter is there, so the command waits for it.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    begun.kill('SIGINT');
    const interrupted = await begun.outcome;
    assert.equal(stage.tell(interrupted), 'exit 130');
    stage.assertNobody();
  }),
);

const why = whyNotAnotherUser();

test(
  'root executes no configuration that others may change',
  { skip: why ?? false },
  onStage({ workers: 1 }, async (stage) => {
    const proof = stage.path('executed');
    stage.configure({ workers_count: null }, `${COMPUTED}open(${JSON.stringify(proof)}, 'w')\n`);
    const refuse = (path: string, reason: string): RegExp =>
      new RegExp(
        `^\\[T\\] DIR/app\\.cfg:5:\\d+: .* needs a Python, and root lets none execute what others may change: ${path} ${reason}; chown it to root and chmod it go-w, or write a literal value\nexit 6$`,
      );
    chownSync(stage.config, nobody, 0);
    assert.match(stage.tell(await stage.run('start')), refuse('DIR/app\\.cfg', 'belongs to nobody'));
    chownSync(stage.config, 0, 0);
    chmodSync(stage.config, 0o666);
    assert.match(stage.tell(await stage.run('start')), refuse('DIR/app\\.cfg', 'may be written by everybody'));
    chmodSync(stage.config, 0o644);
    chmodSync(stage.dir, 0o1777);
    assert.match(stage.tell(await stage.run('start')), refuse('DIR', 'may be written by everybody'));
    chmodSync(stage.dir, 0o755);
    stage.assertNobody();
    assert.equal((await stage.run('check')).code, 0);
    rmSync(proof);
    // What can be read natively is only data, and never executed.
    stage.configure({ workers_count: 1 });
    chownSync(stage.config, nobody, 0);
    assert.equal((await stage.run('check')).code, 0);
  }),
);
