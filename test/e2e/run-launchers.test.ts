import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { test } from 'node:test';
import { binary, onStage, type Stage } from '../support/e2e.ts';
import { type Running, until } from '../support/e2e-command.ts';
import { ended, hearing, hears, linesIn, workersOf } from '../support/e2e-run.ts';

const LIMIT = { limit: 200_000 };

/** Writes the launcher anew: what it does to its surroundings, and the options in its call. */
function launcher(stage: Stage, body = '', options = ''): string {
  const call = `supervisor(script='${stage.script}', config='${stage.config}'${options})`;
  const text = `#!${binary}\nimport os\nfrom frontik.server.supervisor import supervisor\n${body}\n${call}\n`;
  return stage.write('app', text, 0o755);
}

async function running(stage: Stage, path: string): Promise<Running> {
  const run = stage.program([path, 'run'], LIMIT);
  await run.said('all workers are running');
  return run;
}

/** What the worker on that port has of our variables. */
async function variables(stage: Stage, index: number): Promise<Readonly<Record<string, string>>> {
  const { env } = await stage.born(index);
  return Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('TEST_')));
}

async function killed(stage: Stage, run: Running, index: number): Promise<void> {
  const heard = hearing(run);
  await stage.killWorker(index);
  await hears(heard, `worker on port ${stage.port(index)} is running again`);
}

test(
  'a launcher runs, and the same launcher orders its run about',
  onStage({ workers: 1, config: { supervisor_settle: 0 } }, async (stage) => {
    const path = launcher(stage, '', ', app="one"');
    const run = await running(stage, path);
    const act = async (action: string): Promise<string> => stage.tell(await stage.program([path, action]).outcome);
    assert.equal((await stage.facts(0)).app, 'one');
    launcher(stage, '', ', app="two"');
    const renewed = '[T] stopping worker P0\n[T] start worker P0\n[T] all workers are running\nexit 0';
    assert.equal(await act('reload'), renewed);
    assert.equal((await stage.facts(0)).app, 'two');
    assert.equal(await act('start'), '[T] another worker already started on P0\n[T] all workers are running\nexit 0');
    assert.match(await act('stop'), /\[T\] all workers are stopped\nexit 0$/);
    assert.equal((await ended(run)).code, 0);
  }),
);

test(
  'what a launcher does to the environment holds for workers that come later, until SIGHUP finds another launcher',
  onStage({ workers: 2, config: { supervisor_settle: 0 } }, async (stage) => {
    const run = await running(stage, launcher(stage, "os.environ['TEST_A'] = 'one'"));
    assert.deepEqual(await variables(stage, 0), { TEST_A: 'one' });
    await killed(stage, run, 0);
    assert.deepEqual(await variables(stage, 0), { TEST_A: 'one' });
    for (const name of ['TEST_B', 'TEST_C']) {
      launcher(stage, `os.environ['${name}'] = 'two'`);
      const heard = hearing(run);
      run.kill('SIGHUP');
      await hears(heard, 'all workers are running');
      await killed(stage, run, 1);
      for (const index of [0, 1]) assert.deepEqual(await variables(stage, index), { [name]: 'two' });
    }
    assert.equal((await ended(run)).code, 0);
  }),
);

test(
  'a launcher that is broken at SIGHUP changes nothing, not even for workers that come later',
  onStage({ workers: 2, config: { supervisor_settle: 0 } }, async (stage) => {
    const elsewhere = stage.directory('elsewhere');
    const run = await running(stage, launcher(stage, `os.environ['TEST_A'] = 'one'\nos.chdir('${elsewhere}')`));
    const before = workersOf(stage, 0, 1);
    const heard = hearing(run);
    launcher(stage, 'def');
    run.kill('SIGHUP');
    await hears(heard, /app:\d+:\d+: .*syntax/i);
    assert.deepEqual(workersOf(stage, 0, 1), before);
    await killed(stage, run, 0);
    assert.deepEqual(await variables(stage, 0), { TEST_A: 'one' });
    assert.equal((await stage.born(0)).cwd, elsewhere);
    assert.equal((await ended(run)).code, 0);
    stage.assertNobody();
  }),
);

test(
  'a launcher that has become another application`s is refused at SIGHUP, and nothing changes',
  onStage({ workers: 1, config: { supervisor_settle: 0 } }, async (stage) => {
    const run = await running(stage, launcher(stage));
    const before = workersOf(stage, 0);
    const other = stage.write('other.cfg', stage.read(stage.config));
    stage.write('app', stage.read(stage.path('app')).replace(stage.config, other), 0o755);
    const heard = hearing(run);
    run.kill('SIGHUP');
    await hears(heard, `${other}: is another configuration than the one of this run, ${stage.config}: start it anew`);
    assert.deepEqual(workersOf(stage, 0), before);
    await killed(stage, run, 0);
    assert.equal((await ended(run)).code, 0);
    stage.assertNobody();
  }),
);

/** What a Python alone can execute: it leaves a line in a file each time, and takes so many seconds. */
function slowly(stage: Stage, seconds: number): string {
  return `import time\nwith open('${stage.path('reading')}', 'a') as file: file.write('reads\\n')\ntime.sleep(${seconds})`;
}

async function reading(stage: Stage, times: number): Promise<void> {
  await until(() => assert.equal(linesIn(stage, 'reading').length, times), 60_000);
}

for (const what of ['launcher', 'configuration'] as const) {
  test(
    `a worker that dies while a Python reads the ${what} again is started as those before it, and so are later ones`,
    onStage({ workers: 2 }, async (stage) => {
      const elsewhere = stage.directory('elsewhere');
      const own = `os.environ['TEST_A'] = 'one'\nos.chdir('${elsewhere}')`;
      const run = await running(stage, launcher(stage, own));
      const slow = slowly(stage, 6);
      const isLauncher = what === 'launcher';
      launcher(stage, `os.environ['TEST_B'] = 'two'\n${isLauncher ? slow : ''}`, ', workers_count="many"');
      if (!isLauncher) {
        // The worker executes its configuration too.
        const guarded = `import sys\ndef settle():\n  if not any('--port' in word for word in sys.argv):\n${slow.replaceAll(/^/gm, '    ')}\n  return 0\n`;
        stage.write('app.cfg.slow', `${stage.read(stage.config)}${guarded}supervisor_settle = settle()\n`);
        renameSync(stage.path('app.cfg.slow'), stage.config);
      }
      const heard = hearing(run);
      run.kill('SIGHUP');
      await reading(stage, 1);
      await stage.killWorker(0);
      await hears(heard, `worker on port ${stage.port(0)} is running again`);
      await hears(heard, 'workers_count must be an int');
      const [launched, refused] = [`start worker ${stage.port(0)}`, 'workers_count must'].map((words) =>
        heard().indexOf(words),
      );
      assert(Number(launched) < Number(refused), heard());
      await killed(stage, run, 1);
      for (const index of [0, 1]) {
        assert.deepEqual(await variables(stage, index), { TEST_A: 'one' });
        assert.equal((await stage.born(index)).cwd, elsewhere);
      }
      assert.equal((await ended(run)).code, 0);
      stage.assertNobody();
    }),
  );
}

test(
  'told to end while a Python reads the launcher again: it is not waited for',
  onStage({ workers: 1 }, async (stage) => {
    const run = await running(stage, launcher(stage));
    launcher(stage, slowly(stage, 9));
    run.kill('SIGHUP');
    await reading(stage, 1);
    const before = performance.now();
    const outcome = await ended(run);
    const took = performance.now() - before;
    assert.equal(outcome.code, 0, stage.tell(outcome));
    assert(took < 6000, `it took ${took} ms`);
    stage.assertNobody();
  }),
);

test(
  'told to end while a Python reads the launcher again for an order: whoever has given it does it himself',
  onStage({ workers: 1 }, async (stage) => {
    const run = await running(stage, launcher(stage));
    launcher(stage, slowly(stage, 9));
    const caller = stage.begin('restart', LIMIT);
    await reading(stage, 1);
    assert.equal((await ended(run)).code, 0);
    const outcome = await caller.outcome;
    assert.equal(outcome.code, 0, stage.tell(outcome));
    await stage.assertServing(0);
    assert.equal((await stage.run('stop')).code, 0);
    stage.assertNobody();
  }),
);

test(
  'SIGHUP while a Python reads the launcher for the first time: it is read once more, and then all start',
  onStage({ workers: 1 }, async (stage) => {
    const path = launcher(stage, `os.environ['TEST_A'] = 'one'\n${slowly(stage, 2)}`);
    const run = stage.program([path, 'run'], LIMIT);
    await reading(stage, 1);
    launcher(stage, "os.environ['TEST_B'] = 'two'");
    run.kill('SIGHUP');
    await run.said('all workers are running');
    assert.deepEqual(await variables(stage, 0), { TEST_B: 'two' });
    assert.equal(run.stderr.match(/start worker/g)?.length, 1);
    assert.equal((await ended(run)).code, 0);
    stage.assertNobody();
  }),
);

test(
  'told to end while a Python reads the launcher for the first time: nothing was begun, and that is no failure',
  onStage({ workers: 1 }, async (stage) => {
    const run = stage.program([launcher(stage, slowly(stage, 9)), 'run'], LIMIT);
    await reading(stage, 1);
    assert.equal(stage.tell(await ended(run)), 'exit 0');
    stage.assertNobody();
  }),
);
