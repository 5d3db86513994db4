import assert from 'node:assert/strict';
import { test } from 'node:test';
import { binary, onStage, type Stage } from '../support/e2e.ts';
import { environment, until } from '../support/e2e-command.ts';
import { ordeal } from '../support/e2e-ordeal.ts';
import { everyone, isAlive, type Seen, signal } from '../support/e2e-processes.ts';
import { ended, hearing, hears, linesIn, resident, workersOf } from '../support/e2e-run.ts';
import { inPlaceOfSystems, whyNoNamespaces } from '../support/namespaces.ts';

/** A systemd-notify in the place of the real one that writes a line to a file of the stage. */
function manager(stage: Stage): { readonly under: readonly string[]; readonly env: Readonly<Record<string, string>> } {
  stage.directory('bin');
  stage.write('bin/systemd-notify', `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >>${stage.path('notified')}\n`, 0o755);
  const PATH = `${stage.path('bin')}:${environment['PATH']}`;
  const env = { ...environment, PATH, NOTIFY_SOCKET: '@fse', WATCHDOG_USEC: '1000000', WATCHDOG_PID: '1' };
  return { under: inPlaceOfSystems(stage.path('bin')), env };
}

ordeal(
  'a service manager is told how we are, and workers know nothing of it',
  whyNoNamespaces,
  { workers: 2, config: { supervisor_settle: 0 } },
  async (stage) => {
    const run = await resident(stage, '', manager(stage));
    for (const index of [0, 1]) {
      const { env } = await stage.born(index);
      assert.deepEqual(
        Object.keys(env).filter((name) => /NOTIFY|WATCHDOG/.test(name)),
        [],
      );
    }
    const status = (count: number): string => `STATUS=${count}/2 workers are running`;
    const told = (...words: readonly string[]): Promise<void> =>
      until(() => assert.equal(linesIn(stage, 'notified').at(-1), ['@fse', ...words].join(' ')));
    await told('READY=1', status(2));
    assert.deepEqual(linesIn(stage, 'notified').filter((line) => line.includes('READY')).length, 1);
    const heard = hearing(run);
    stage.behave({ fail_start: 'not yet' }, 0);
    await stage.killWorker(0);
    await told(status(1));
    stage.behave({}, 0);
    await hears(heard, 'is running again');
    await told(status(2));
    const before = linesIn(stage, 'notified').length;
    run.kill('SIGHUP');
    await told('READY=1', status(2));
    const rolled = linesIn(stage, 'notified').slice(before);
    assert.equal(rolled[0], `@fse RELOADING=1 ${status(2)}`);
    assert(
      rolled.slice(1, -1).every((line) => /^@fse STATUS=[12]\/2 workers are running$/.test(line)),
      rolled.join('\n'),
    );
    const outcome = await ended(run);
    assert.equal(outcome.code, 0);
    const last = linesIn(stage, 'notified').slice(before + rolled.length);
    assert.match(last[0] ?? '', /^@fse STOPPING=1 EXTEND_TIMEOUT_USEC=\d+ STATUS=2\/2 workers are running$/);
    // All has been told before it has gone.
    assert.equal(last.at(-1), `@fse ${status(0)}`);
  },
);

ordeal('without a service manager nothing is told', whyNoNamespaces, { workers: 1 }, async (stage) => {
  const { under, env: all } = manager(stage);
  const { NOTIFY_SOCKET: _, ...env } = all;
  await ended(await resident(stage, '', { under, env }));
  assert.deepEqual(linesIn(stage, 'notified'), []);
});

/** A run whose output goes wherever the shell's words say; it is found as the process of our binary. */
async function astray(stage: Stage, redirection: string): Promise<Seen> {
  const words = [binary, ...stage.settings, 'run'].map((word) => `'${word}'`).join(' ');
  stage.program(['/bin/sh', '-c', `${words} ${redirection}`], { limit: 200_000 });
  await until(() => stage.assertServing(0, 1));
  return until(() => {
    const found = everyone().find(
      ({ argv }) => argv[0] === binary && argv.includes('run') && argv.includes(`--config=${stage.config}`),
    );
    assert(found !== undefined, 'the run has ended');
    return found;
  });
}

for (const [what, redirection] of [
  ['closed', '>&- 2>&-'],
  ['closed, stdin too', '<&- >&- 2>&-'],
  ['a pipe whose reader has gone', '2>&1 | true'],
  ['a full device', '>/dev/full 2>&1'],
] as const) {
  test(
    `a run whose stdout and stderr are ${what} does its work`,
    onStage({}, async (stage) => {
      const run = await astray(stage, redirection);
      const [old] = workersOf(stage, 0);
      assert(old !== undefined);
      signal(old, 'SIGKILL');
      await until(() => assert(!isAlive(old)));
      await until(() => stage.assertServing(0, 1));
      signal(run, 'SIGHUP');
      signal(run, 'SIGUSR2');
      const [after] = workersOf(stage, 0);
      assert(after !== undefined);
      await until(() => assert(!isAlive(after)));
      await until(() => stage.assertServing(0, 1));
      assert(isAlive(run));
      signal(run, 'SIGTERM');
      await until(() => assert(!isAlive(run)));
      await stage.assertServing();
    }),
  );
}

ordeal(
  'a run that cannot notify for want of the program does its work',
  whyNoNamespaces,
  { workers: 1 },
  async (stage) => {
    stage.directory('bin');
    stage.write('bin/systemd-notify', '', 0o644);
    const run = await resident(stage, '', {
      under: inPlaceOfSystems(stage.path('bin')),
      env: { ...environment, NOTIFY_SOCKET: stage.path('no-socket') },
    });
    await stage.assertServing(0);
    assert.equal((await ended(run)).code, 0);
  },
);
