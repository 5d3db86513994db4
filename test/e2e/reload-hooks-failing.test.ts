import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onStage } from '../support/e2e.ts';
import { until } from '../support/e2e-command.ts';
import { mentioning } from '../support/e2e-processes.ts';
import { linesIn, pidsOf, hookScript as script, workersOf } from '../support/e2e-run.ts';

const QUICK = { supervisor_settle: 0 };
const RUNNING = '[T] all workers are running\nexit 0';
const renewed = (...indexes: readonly number[]): string =>
  indexes.map((index) => `[T] stopping worker P${index}\n[T] start worker P${index}`).join('\n');

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
  'a hook that fails for one of a batch: all that it was run for come back in',
  onStage({ workers: 3, config: QUICK }, async (stage) => {
    await stage.started();
    const before = workersOf(stage, 0, 1, 2);
    const out = script(stage, 'out', `echo out $1 >>$LOG; [ $1 != ${stage.port(1)} ]`);
    const back = script(stage, 'in', 'echo in $1 >>$LOG');
    const words = [`--before-stop=${out} %(port)s`, `--after-start=${back} %(port)s`, '--batch=2'];
    const outcome = await stage.call([...stage.settings, ...words, 'reload']).outcome;
    assert.equal(outcome.code, 1, stage.tell(outcome));
    const [first, second] = [stage.port(0), stage.port(1)];
    assert.deepEqual(linesIn(stage, 'hooks'), [`out ${first}`, `out ${second}`, `in ${first}`, `in ${second}`]);
    assert.deepEqual(workersOf(stage, 0, 1, 2), before);
  }),
);

test(
  'a hook that fails after a start stops the roll there, and it is told who is out of rotation until the next one',
  onStage({ workers: 2, config: QUICK }, async (stage) => {
    await stage.started();
    const before = pidsOf(stage, 0, 1);
    const out = script(stage, 'out', 'echo out $1 >>$LOG');
    const back = script(stage, 'in', `echo in $1 >>$LOG; [ -e ${stage.path('mended')} ]`);
    const words = [`--before-stop=${out} %(port)s`, `--after-start=${back} %(port)s`, 'reload'];
    const outcome = await stage.call([...stage.settings, ...words]).outcome;
    assert.equal(
      stage.tell(outcome),
      [
        renewed(0),
        '[T] worker on port P0: hook after_start: DIR/in exited with status 1',
        '[T] reload has stopped: P0 is new; P1 is old',
        '[T] P0 is out of rotation until the next reload',
        '[T] all workers are running',
        'exit 1',
      ].join('\n'),
    );
    assert.notEqual(pidsOf(stage, 0)[0], before[0]);
    assert.equal(pidsOf(stage, 1)[0], before[1]);
    stage.write('mended', '');
    const again = await stage.call([...stage.settings, ...words]).outcome;
    assert.equal(stage.tell(again), `${renewed(0, 1)}\n${RUNNING}`);
    const [first, second] = [stage.port(0), stage.port(1)];
    const whole = [`out ${first}`, `in ${first}`, `out ${second}`, `in ${second}`];
    assert.deepEqual(linesIn(stage, 'hooks'), [...whole.slice(0, 2), ...whole]);
  }),
);

test(
  'a worker that does not come up stays out of rotation, which is told, and the next roll lets it in',
  onStage({ workers: 2, config: QUICK }, async (stage) => {
    await stage.started();
    const hook = script(stage, 'hook', 'echo $1 $2 >>$LOG');
    const words = [`--before-stop=${hook} out %(port)s`, `--after-start=${hook} in %(port)s`, 'reload'];
    stage.behave({ fail_start: 'no module named app' });
    const outcome = await stage.call([...stage.settings, ...words]).outcome;
    assert.match(
      stage.tell(outcome),
      /\n\[T\] reload has stopped: P0 is not running; P1 is old\n\[T\] P0 is out of rotation until the next reload\n/,
    );
    stage.behave({});
    const again = await stage.call([...stage.settings, ...words]).outcome;
    assert.equal(stage.tell(again), `[T] start worker P0\n${renewed(1)}\n${RUNNING}`);
    const [first, second] = [stage.port(0), stage.port(1)];
    assert.deepEqual(linesIn(stage, 'hooks'), [`out ${first}`, `in ${first}`, `out ${second}`, `in ${second}`]);
  }),
);

test(
  'hooks that are not installed are found before anything is touched',
  onStage({ workers: 1, config: QUICK }, async (stage) => {
    await stage.started();
    const before = workersOf(stage, 0);
    for (const name of ['before_stop', 'after_start']) {
      const told = `[T] --supervisor_${name}: /no/such/program is not installed, or no program\nexit 5`;
      await stage.expect(`reload --${name}=/no/such/program`, told);
      await stage.expect(`reload --${name}=${stage.dir}`, told.replace('/no/such/program', 'DIR'));
    }
    assert.deepEqual(workersOf(stage, 0), before);
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
