import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { onStage, type Stage } from '../support/e2e.ts';
import { type Running, until } from '../support/e2e-command.ts';
import { isAlive, signal } from '../support/e2e-processes.ts';

test(
  'two starts at once make one worker a port, and both succeed',
  onStage({}, async (stage) => {
    const outcomes = await Promise.all([stage.run('start'), stage.run('start')]);
    const told = outcomes.map((outcome) => stage.tell(outcome));
    const started = '[T] start worker P0\n[T] start worker P1\n[T] all workers are running\nexit 0';
    const found =
      '[T] another worker already started on P0\n[T] another worker already started on P1\n[T] all workers are running\nexit 0';
    // On a busy machine the one that comes second has said before whom it waits for.
    assert(told.includes(started), told.join('\n\n'));
    assert(
      told.some((text) => text.endsWith(found)),
      told.join('\n\n'),
    );
    assert.deepEqual(
      outcomes.map(({ code }) => code),
      [0, 0],
    );
    await stage.assertServing(0, 1);
  }),
);

test(
  'two starts at once, one through a link to the configuration: still one worker a port',
  onStage({}, async (stage) => {
    const link = stage.path('link.cfg');
    symlinkSync(stage.config, link);
    const throughLink = stage.call([`--script=${stage.script}`, `--config=${link}`, 'start']).outcome;
    const outcomes = await Promise.all([throughLink, stage.run('start')]);
    const told = outcomes.map((outcome) => stage.tell(outcome));
    assert.equal(told.filter((text) => text.includes('start worker P0')).length, 1, told.join('\n\n'));
    assert.equal(told.filter((text) => text.includes('already started on P0')).length, 1, told.join('\n\n'));
    assert(
      told.every((text) => text.endsWith('[T] all workers are running\nexit 0')),
      told.join('\n\n'),
    );
    await stage.assertServing(0, 1);
  }),
);

test(
  'a command that waits for another names it after a second, and then does its work',
  // Longer than the second command needs to come up on a busy machine, and its second.
  onStage({ workers: 1, switches: { sleep_start: 6 } }, async (stage) => {
    const first = stage.begin('start');
    await first.said('start worker');
    const second = stage.begin('stop');
    await until(() => assert.match(second.stderr, new RegExp(`\\b${first.pid}\\b`)));
    assert.match(second.stderr, /\bstart\b/);
    assert(!first.isOver);
    assert.equal((await first.outcome).code, 0);
    assert.equal((await second.outcome).code, 0);
    stage.assertNobody();
  }),
);

test(
  'start and stop at once leave the state of whichever came last',
  onStage({}, async (stage) => {
    for (let round = 0; round < 3; round += 1) {
      const [start, stop] = await Promise.all([stage.run('start'), stage.run('stop')]);
      assert.equal(start.code, 0, stage.tell(start));
      assert.equal(stop.code, 0, stage.tell(stop));
      const status = await stage.run('status');
      assert(status.code === 0 || status.code === 3, stage.tell(status));
      await (status.code === 0 ? stage.assertServing(0, 1) : stage.assertServing());
    }
  }),
);

test(
  'six commands at once never double a worker, and the next start puts all right',
  onStage({}, async (stage) => {
    const words = ['start', 'restart', 'stop', 'start', 'restart', 'start'];
    const outcomes = await Promise.all(words.map((word) => stage.run(word)));
    for (const outcome of outcomes) {
      assert.equal(outcome.code, 0, stage.tell(outcome));
    }
    for (const index of [0, 1]) {
      assert(stage.workersOn(index).length <= 1);
    }
    await stage.started();
    await stage.assertServing(0, 1);
  }),
);

test(
  'the lock is gone with a holder that was killed',
  onStage({ workers: 1, switches: { sleep_start: 600 } }, async (stage) => {
    const first = stage.begin('start');
    await first.said('start worker');
    first.kill('SIGKILL');
    await first.outcome;
    stage.behave({});
    const second = await stage.run('stop', { limit: 30_000 });
    assert.equal(second.code, 0, stage.tell(second));
    stage.assertNobody();
  }),
);

interface Moment {
  readonly name: string;
  readonly reached: (stage: Stage, command: Running) => Promise<unknown>;
}

function said(words: string): Moment {
  return { name: `after it said "${words}"`, reached: (_, command) => command.said(words) };
}

function after(ms: number): Moment {
  return { name: `after ${ms} ms`, reached: () => sleep(ms) };
}

function workersAlive(count: number): Moment {
  return {
    name: `with ${count} workers alive`,
    reached: (stage, command) =>
      until(() => {
        const alive = [0, 1].filter((index) => stage.workersOn(index).length > 0).length;
        assert(command.isOver || (count === 0 ? alive === 0 : alive >= count));
      }),
  };
}

/** Kills a command at that moment, wherever it is by then; it may even be over. */
async function killAt(stage: Stage, words: string, moment: Moment): Promise<void> {
  const command = stage.begin(words);
  await moment.reached(stage, command);
  command.kill('SIGKILL');
  await command.outcome;
}

const IN_START = [
  after(0),
  after(20),
  after(60),
  after(200),
  after(400),
  said('start worker'),
  workersAlive(1),
  workersAlive(2),
];

for (const moment of IN_START) {
  test(
    `kill -9 of start ${moment.name}: the next start converges`,
    onStage({ switches: { sleep_bind: 0.2 } }, async (stage) => {
      await killAt(stage, 'start', moment);
      const outcome = await stage.run('start');
      assert.match(stage.tell(outcome), /\[T\] all workers are running\nexit 0$/);
      await stage.assertServing(0, 1);
      assert.equal((await stage.run('stop')).code, 0);
      stage.assertNobody();
    }),
  );
}

for (const moment of [after(50), said('start worker'), workersAlive(2)]) {
  test(
    `kill -9 of start ${moment.name}: the next stop leaves nothing`,
    onStage({ switches: { sleep_daemonized: 0.3 } }, async (stage) => {
      await killAt(stage, 'start', moment);
      const outcome = await stage.run('stop');
      assert.match(stage.tell(outcome), /\[T\] all workers are stopped\nexit 0$/);
      stage.assertNobody();
    }),
  );
}

const IN_STOP = [after(0), after(50), said('trying to kill'), said('stopping worker'), workersAlive(0)];

for (const moment of IN_STOP) {
  for (const next of ['start', 'stop', 'restart']) {
    test(
      `kill -9 of stop ${moment.name}: the next ${next} converges`,
      onStage({ switches: { stop_timeout: 0.7 } }, async (stage) => {
        await stage.started();
        await killAt(stage, 'stop', moment);
        const outcome = await stage.run(next);
        assert.equal(outcome.code, 0, stage.tell(outcome));
        await (next === 'stop' ? until(() => stage.assertNobody()) : stage.assertServing(0, 1));
      }),
    );
  }
}

const IN_RESTART = [after(50), said('trying to kill'), said('stopping worker'), workersAlive(0), said('start worker')];

for (const moment of IN_RESTART) {
  for (const next of ['start', 'restart']) {
    test(
      `kill -9 of restart ${moment.name}: the next ${next} converges`,
      onStage({ switches: { stop_timeout: 0.3 } }, async (stage) => {
        await stage.started();
        await killAt(stage, 'restart', moment);
        const outcome = await stage.run(next);
        assert.equal(outcome.code, 0, stage.tell(outcome));
        await stage.assertServing(0, 1);
      }),
    );
  }
}

test(
  'a worker that a killed stop had told to go is launched anew by start',
  onStage({ workers: 1, switches: { stop_timeout: 600 } }, async (stage) => {
    await stage.started();
    const worker = stage.worker(0);
    await killAt(stage, 'stop', said('stopping worker'));
    await until(() => assert.rejects(stage.page(0, '/')));
    assert(isAlive(worker));
    const start = stage.begin('start');
    await start.said('another worker already started');
    // It goes at last, but not before it has been found.
    await stage.killWorker(0);
    const told = stage.tell(await start.outcome);
    assert.match(told, /^\[T\] another worker already started on P0\n/);
    assert.match(told, /\n\[T\] all workers are running\nexit 0$/);
    await stage.assertServing(0);
    assert(!isAlive(worker));
  }),
);

const SIGNALS = [
  { name: 'SIGINT', code: 130 },
  { name: 'SIGTERM', code: 143 },
] as const;

for (const { name, code } of SIGNALS) {
  test(
    `${name} to start ends the waiting, says what runs, and lets the workers live`,
    onStage({}, async (stage) => {
      stage.behave({ sleep_bind: 6 }, 1);
      const command = stage.begin('start');
      await command.said('waiting for worker');
      await until(async () => assert.equal((await stage.page(0, '/status/')).status, 200));
      command.kill(name);
      const told = stage.tell(await command.outcome);
      assert.match(told, /^\[T\] start worker P0\n\[T\] start worker P1\n/);
      assert.match(told, /\n\[T\] some workers are running!\nexit \d+$/);
      assert.match(told, new RegExp(`exit ${code}$`));
      await until(() => stage.assertServing(0, 1));
      await stage.expect('status', '[T] all workers are running\nexit 0');
    }),
  );

  test(
    `${name} to stop ends the waiting and says what runs`,
    onStage({ config: { supervisor_sigterm_timeout: 60 } }, async (stage) => {
      await stage.started();
      stage.behave({ ignore_sigterm: true }, 0);
      const command = stage.begin('stop');
      await until(() => assert.equal(stage.workersOn(1).length, 0));
      command.kill(name);
      const told = stage.tell(await command.outcome);
      assert.match(told, /\n\[T\] stopping worker P1\n/);
      assert.match(told, /\n\[T\] some workers are running!\nexit \d+$/);
      assert.match(told, new RegExp(`exit ${code}$`));
      await stage.assertServing(0);
    }),
  );

  test(
    `${name} to restart between stop and start says which ports are stopped`,
    onStage({ config: { supervisor_sigterm_timeout: 60 }, switches: { stop_timeout: 600 } }, async (stage) => {
      await stage.started();
      const workers = [stage.worker(0), stage.worker(1)];
      const command = stage.begin('restart');
      await command.said(`stopping worker ${stage.port(1)}`);
      command.kill(name);
      const outcome = await command.outcome;
      for (const worker of workers) {
        signal(worker, 'SIGKILL');
      }
      assert.equal(outcome.code, code, stage.tell(outcome));
      assert.match(stage.tell(outcome), /^\[T\] ports .*P0.*P1 are stopped: run start$/m);
      assert.doesNotMatch(outcome.stderr, /start worker/);
      await until(() => stage.assertNobody());
    }),
  );

  test(
    `${name} to restart that starts already lets the workers live`,
    onStage({}, async (stage) => {
      await stage.started();
      stage.behave({ sleep_bind: 5 });
      const command = stage.begin('restart');
      await command.said(`start worker ${stage.port(1)}`);
      command.kill(name);
      const outcome = await command.outcome;
      assert.equal(outcome.code, code, stage.tell(outcome));
      await until(() => stage.assertServing(0, 1));
    }),
  );
}

test(
  'a second command that waits can be interrupted',
  onStage({ workers: 1, switches: { sleep_start: 6 } }, async (stage) => {
    const first = stage.begin('start');
    await first.said('start worker');
    const second = stage.begin('stop');
    await until(() => assert.match(second.stderr, new RegExp(`\\b${first.pid}\\b`)));
    second.kill('SIGTERM');
    assert.equal((await second.outcome).code, 143);
    assert.equal((await first.outcome).code, 0);
    await stage.assertServing(0);
  }),
);
