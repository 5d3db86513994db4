import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { binary, nobody, onStage, reachable, type Stage, whyNotAnotherUser } from '../support/e2e.ts';
import { type Running, until } from '../support/e2e-command.ts';
import { ordeal } from '../support/e2e-ordeal.ts';
import { everyone, isAlive, signal } from '../support/e2e-processes.ts';
import { ended, hearing, hears, resident, workersOf } from '../support/e2e-run.ts';

/** Changes a soft limit of a process of nobody's that is under way. */
function limit(pid: number, words: string): void {
  const asNobody = [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];
  const { status, stderr } = spawnSync('setpriv', [...asNobody, 'prlimit', '--pid', String(pid), words], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
}

test(
  'a run that was itself stopped for longer than a worker may hang restarts nobody',
  onStage({ workers: 2 }, async (stage) => {
    const run = await resident(stage, '--hang-timeout=2');
    const before = workersOf(stage, 0, 1);
    for (let round = 0; round < 3; round += 1) {
      run.kill('SIGSTOP');
      await sleep(3000);
      run.kill('SIGCONT');
      await sleep(500);
    }
    const heard = hearing(run);
    run.kill('SIGUSR2');
    await hears(heard, 'all workers are running');
    assert.deepEqual(workersOf(stage, 0, 1), before);
    assert.equal((await ended(run)).code, 0);
  }),
);

for (const [what, few, many] of [
  ['no descriptor', '--nofile=3:', '--nofile=1024:'],
  ['no process', '--nproc=1:', '--nproc=2000:'],
] as const) {
  ordeal(
    `a run that can have ${what} for a while goes on, and brings a killed worker back when it can again`,
    whyNotAnotherUser,
    { workers: 2, owner: nobody, config: { daemonize: false } },
    async (stage) => {
      const copy = reachable(stage);
      const run = stage.program([copy, ...stage.settings, 'run'], { uid: nobody, limit: 200_000 });
      await run.said('all workers are running');
      const [old, other] = workersOf(stage, 0, 1);
      assert(old !== undefined);
      limit(run.pid, few);
      const heard = hearing(run);
      signal(old, 'SIGKILL');
      await hears(heard, `worker on port ${stage.port(0)} (pid ${old.pid}) was killed by SIGKILL`);
      await hears(heard, /EAGAIN|EMFILE/);
      await sleep(2000);
      assert(!run.isOver, heard());
      assert.deepEqual(workersOf(stage, 1), [other]);
      limit(run.pid, many);
      await hears(heard, `worker on port ${stage.port(0)} is running again`, 60_000);
      await stage.assertServing(0, 1);
      assert.equal((await ended(run)).code, 0);
      stage.assertNobody();
    },
  );
}

/** A run whose output nobody reads, although somebody could: `less` at its first page, a log driver that hangs. */
async function unread(stage: Stage): Promise<{ readonly shell: Running; readonly pid: number }> {
  const words = [binary, ...stage.settings, 'run'].map((word) => `'${word}'`).join(' ');
  const shell = stage.program(['/bin/sh', '-c', `${words} 2>&1 | sleep 600`], { limit: 200_000 });
  await until(() => stage.assertServing(0, 1));
  return until(() => {
    const found = everyone().find(({ argv }) => argv[0] === binary && argv.includes(`--config=${stage.config}`));
    assert(found !== undefined);
    return { shell, pid: found.pid };
  });
}

test(
  'a run whose output fills a pipe that nobody reads still looks after its workers, and ends when it is told to',
  onStage({ workers: 2 }, async (stage) => {
    const { pid } = await unread(stage);
    const id = everyone().find((one) => one.pid === pid);
    assert(id !== undefined);
    // Three lines each, of some fifty bytes: a pipe holds 64 KB.
    for (let times = 0; times < 1000; times += 1) {
      signal(id, 'SIGUSR2');
      await sleep(2);
    }
    const [old] = workersOf(stage, 0);
    assert(old !== undefined);
    signal(old, 'SIGKILL');
    await until(() => assert(!isAlive(old)));
    await until(() => stage.assertServing(0, 1));
    signal(id, 'SIGTERM');
    await until(() => assert(!isAlive(id)));
    await stage.assertServing();
  }),
);
