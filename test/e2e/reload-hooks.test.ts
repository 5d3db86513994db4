import assert from 'node:assert/strict';
import { chmodSync, chownSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { nobody, onStage } from '../support/e2e.ts';
import { until } from '../support/e2e-command.ts';
import { ordeal } from '../support/e2e-ordeal.ts';
import { isAlive } from '../support/e2e-processes.ts';
import { linesIn, hookScript as script, workersOf } from '../support/e2e-run.ts';

const QUICK = { supervisor_settle: 0 };
const RUNNING = '[T] all workers are running\nexit 0';
const renewed = (...indexes: readonly number[]): string =>
  indexes.map((index) => `[T] stopping worker P${index}\n[T] start worker P${index}`).join('\n');

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
