import assert from 'node:assert/strict';
import { chmodSync, chownSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { nobody, onStage, type Stage } from '../support/e2e.ts';
import { until } from '../support/e2e-command.ts';
import { ordeal } from '../support/e2e-ordeal.ts';
import { isAlive, mentioning } from '../support/e2e-processes.ts';
import { linesIn, pidsOf, workersOf } from '../support/e2e-run.ts';

const QUICK = { supervisor_settle: 0 };
const RUNNING = '[T] all workers are running\nexit 0';
const renewed = (...indexes: readonly number[]): string =>
  indexes.map((index) => `[T] stopping worker P${index}\n[T] start worker P${index}`).join('\n');

/** A hook that is a shell script; it gets its word and its port as arguments. */
function script(stage: Stage, name: string, body: string): string {
  return stage.write(name, `#!/bin/sh\nLOG=${stage.path('hooks')}\n${body}\n`, 0o755);
}

test(
  'hooks get their words as they are written, with the port in them, and no shell sees them',
  onStage({ workers: 1, config: QUICK }, async (stage) => {
    await stage.started();
    const path = script(stage, 'hook', 'printf "[%s]" "$@" >>$LOG; echo >>$LOG');
    const words = [`--before-stop=${path}  $HOME "%(port)s  x" ; 100%% *`, `--after-start=${path} up/%(port)s`];
    const outcome = await stage.call([...stage.settings, ...words, 'reload']).outcome;
    assert.equal(stage.tell(outcome), `${renewed(0)}\n${RUNNING}`);
    const port = stage.port(0);
    assert.deepEqual(linesIn(stage, 'hooks'), [`[$HOME]["${port}][x"][;][100%][*]`, `[up/${port}]`]);
  }),
);

test(
  'a port that is to drain serves on between its hook and SIGTERM',
  onStage({ workers: 2, config: QUICK }, async (stage) => {
    const hook = script(stage, 'hook', 'date +%s%3N >>$LOG');
    await stage.started();
    const [old] = workersOf(stage, 0);
    assert(old !== undefined);
    const words = [...stage.settings, `--before-stop=${hook}`, '--drain=3'];
    const reload = stage.call([...words, 'reload']);
    await until(() => assert.equal(linesIn(stage, 'hooks').length, 1));
    assert.equal((await stage.facts(0)).pid, old.pid, 'it serves');
    await until(() => assert(!isAlive(old)));
    const drained = Date.now() - Number(linesIn(stage, 'hooks')[0]);
    assert(drained >= 2990, `it was stopped after ${drained} ms`);
    assert.equal(stage.tell(await reload.outcome), `${renewed(0, 1)}\n${RUNNING}`);
  }),
);

test(
  'a hook that fails before a stop keeps its worker, and says what it wrote',
  onStage({ workers: 2, config: QUICK }, async (stage) => {
    await stage.started();
    const before = workersOf(stage, 0, 1);
    const hook = script(stage, 'hook', 'echo no such backend: $1; exit 3');
    const outcome = await stage.call([...stage.settings, `--before-stop=${hook} %(port)s`, 'reload']).outcome;
    assert.equal(
      stage.tell(outcome),
      [
        '[T] worker on port P0: hook before_stop: DIR/hook exited with status 3',
        '[T] worker on port P0: hook before_stop: | no such backend: P0',
        '[T] reload has stopped: P0, P1 are old',
        '[T] all workers are running',
        'exit 1',
      ].join('\n'),
    );
    assert.deepEqual(workersOf(stage, 0, 1), before);
  }),
);

test(
  'a hook that fails for one of a batch lets those before it back in',
  onStage({ workers: 3, config: QUICK }, async (stage) => {
    await stage.started();
    const before = workersOf(stage, 0, 1, 2);
    const out = script(stage, 'out', `echo out $1 >>$LOG; [ $1 != ${stage.port(1)} ]`);
    const back = script(stage, 'in', 'echo in $1 >>$LOG');
    const words = [`--before-stop=${out} %(port)s`, `--after-start=${back} %(port)s`, '--batch=2'];
    const outcome = await stage.call([...stage.settings, ...words, 'reload']).outcome;
    assert.equal(outcome.code, 1, stage.tell(outcome));
    const [first, second] = [stage.port(0), stage.port(1)];
    assert.deepEqual(linesIn(stage, 'hooks'), [`out ${first}`, `out ${second}`, `in ${first}`]);
    assert.deepEqual(workersOf(stage, 0, 1, 2), before);
  }),
);

test(
  'a hook that fails after a start stops the roll there',
  onStage({ workers: 2, config: QUICK }, async (stage) => {
    await stage.started();
    const before = pidsOf(stage, 0, 1);
    const outcome = await stage.run('reload --after-start=/no/such/program');
    assert.equal(
      stage.tell(outcome),
      [
        renewed(0),
        '[T] worker on port P0: hook after_start: /no/such/program could not be started: ENOENT',
        '[T] reload has stopped: P0 is new; P1 is old',
        '[T] all workers are running',
        'exit 1',
      ].join('\n'),
    );
    assert.notEqual(pidsOf(stage, 0)[0], before[0]);
    assert.equal(pidsOf(stage, 1)[0], before[1]);
  }),
);

test(
  'a hook that does not end is killed with what it has started, and stops the roll',
  onStage({ workers: 2, config: QUICK }, async (stage) => {
    await stage.started();
    const before = workersOf(stage, 0, 1);
    const hook = script(stage, 'hook', 'sleep 500 & sleep 500');
    const outcome = await stage.run(`reload --hook-timeout=1 --before-stop=${hook}`);
    assert.match(
      stage.tell(outcome),
      /^\[T\] worker on port P0: hook before_stop: DIR\/hook did not finish within 1 s\n/,
    );
    assert.equal(outcome.code, 1);
    await until(() => assert.deepEqual(mentioning(stage.path('hook')), []));
    assert.deepEqual(workersOf(stage, 0, 1), before);
  }),
);

test(
  'the other actions run no hook',
  onStage({ workers: 1 }, async (stage) => {
    stage.configure({ supervisor_before_stop: '/no/such/program', supervisor_after_start: '/no/such/program' });
    for (const action of ['start', 'restart', 'status', 'stop'])
      assert.equal((await stage.run(action)).code, 0, action);
  }),
);

function unlessRoot(): string | undefined {
  return process.getuid?.() === 0 ? undefined : 'only root trusts nobody else';
}

ordeal(
  'root runs no hook out of a configuration that others may change, but one of the command line',
  unlessRoot,
  { workers: 1, config: QUICK },
  async (stage) => {
    const hook = script(stage, 'hook', 'id -u >>$LOG');
    stage.configure({ supervisor_after_start: hook });
    await stage.started();
    await stage.expect('reload', `${renewed(0)}\n${RUNNING}`);
    assert.deepEqual(linesIn(stage, 'hooks'), ['0']);
    const line = readFileSync(stage.config, 'utf8')
      .split('\n')
      .findIndex((text) => text.startsWith('supervisor_after_start'));
    const before = workersOf(stage, 0);
    const spoilt: readonly (readonly [spoil: () => void, mend: () => void, path: string, why: string])[] = [
      [
        () => chownSync(stage.config, nobody, nobody),
        () => chownSync(stage.config, 0, 0),
        'DIR/app.cfg',
        'belongs to nobody',
      ],
      [
        () => chmodSync(stage.config, 0o664),
        () => chmodSync(stage.config, 0o644),
        'DIR/app.cfg',
        'may be written by its group',
      ],
      [() => chmodSync(stage.dir, 0o777), () => chmodSync(stage.dir, 0o755), 'DIR', 'may be written by everybody'],
    ];
    for (const [spoil, mend, path, why] of spoilt) {
      spoil();
      const outcome = await stage.run('reload');
      assert.match(
        stage.tell(outcome),
        new RegExp(
          `^\\[T\\] DIR/app.cfg:${line + 1}:\\d+: supervisor_after_start: root runs no command that others may change: ${path} ${why}; .*\nexit 6$`,
        ),
      );
      assert.deepEqual(workersOf(stage, 0), before);
      mend();
    }
    chownSync(stage.config, nobody, nobody);
    await stage.expect(`reload --after-start=${hook}`, `${renewed(0)}\n${RUNNING}`);
    assert.deepEqual(linesIn(stage, 'hooks'), ['0', '0']);
  },
);
