import assert from 'node:assert/strict';
import { chmodSync, chownSync, copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { nobody, onStage, python, type Stage, whyNotAnotherUser } from '../support/e2e.ts';
import { environment, until } from '../support/e2e-command.ts';
import { assertCivil, ordeal } from '../support/e2e-ordeal.ts';
import { type Identity, isAlive, look } from '../support/e2e-processes.ts';
import { Cell, whyNoNamespaces } from '../support/namespaces.ts';

const STOPPED = '[T] all workers are stopped';
const RUNNING = '[T] all workers are running';
const STARTED = `[T] start worker P0\n${RUNNING}\nexit 0`;

/** A container that has our paths, as from the same image, with a directory of its own for pidfiles. */
async function container(stage: Stage): Promise<Cell> {
  return Cell.withProcesses(stage, `mount --bind ${stage.directory('inside')} ${stage.path('run')}`);
}

ordeal(
  'a worker in a container on this machine is no worker of ours, and holds its port like any stranger',
  whyNoNamespaces,
  { workers: 1 },
  async (stage) => {
    const { under } = await container(stage);
    await stage.expect('start', STARTED, { under });
    const theirs = stage.worker(0);
    await stage.expect('status', `${STOPPED}\nexit 3`);
    await stage.expect('stop', `${STOPPED}\nexit 0`);
    await stage.expect('start', `[T] port P0 is held by worker (pid PID)\n${STOPPED}\nexit 1`);
    const restart = await stage.expect('restart', `[T] port P0 is held by worker (pid PID)\n${STOPPED}\nexit 1`);
    assert(restart.stderr.includes(`(pid ${theirs.pid})`));
    assert(isAlive(theirs));
    assert(existsSync(stage.path(`inside/app.${stage.port(0)}.pid`)), 'its pidfile is its own');
    await stage.expect('status', `${RUNNING}\nexit 0`, { under });
    assert.equal((await stage.run('stop', { under })).code, 0);
    stage.assertNobody();
  },
);

ordeal(
  'from within a container the workers of the machine are out of reach',
  whyNoNamespaces,
  { workers: 1 },
  async (stage) => {
    const { under } = await container(stage);
    await stage.started();
    const ours = stage.worker(0);
    await stage.expect('status', `${STOPPED}\nexit 3`, { under });
    await stage.expect('stop', `${STOPPED}\nexit 0`, { under });
    const unseen = '[T] port P0 is held by a process that cannot be seen from here';
    await stage.expect('start', `${unseen}\n${STOPPED}\nexit 1`, { under });
    assert(isAlive(ours));
    await stage.expect('status', `${RUNNING}\nexit 0`);
  },
);

/** Starts a stranger in the container with that very pid, which must be free there. */
async function reuse(stage: Stage, cell: Cell, pid: number): Promise<void> {
  const words = `echo ${pid - 1} >/proc/sys/kernel/ns_last_pid; /bin/sleep 602 & echo $! >${stage.path('reused')}`;
  const outcome = await cell.shell(stage, `(${words}) >/dev/null 2>&1 </dev/null`);
  assert.equal(outcome.code, 0, outcome.stderr);
  assert.equal(readFileSync(stage.path('reused'), 'utf8').trim(), String(pid), 'the pid came round');
}

async function isReusedAlive(stage: Stage, cell: Cell, pid: number): Promise<boolean> {
  const { stdout } = await cell.shell(stage, `tr '\\0' ' ' </proc/${pid}/cmdline`);
  return stdout === '/bin/sleep 602 ';
}

for (const actions of [
  { status: `${STOPPED}\nexit 3`, stop: `${STOPPED}\nexit 0` },
  { start: STARTED, status: `${RUNNING}\nexit 0` },
]) {
  const names = Object.keys(actions).join(', ');
  ordeal(
    `a pidfile whose pid the kernel has given to somebody else (${names}): he is spared`,
    whyNoNamespaces,
    { workers: 1 },
    async (stage) => {
      const cell = await Cell.withProcesses(stage);
      await stage.expect('start', STARTED, { under: cell.under });
      const pid = Number(readFileSync(stage.pidfile(0), 'utf8'));
      await stage.killWorker(0);
      await reuse(stage, cell, pid);
      for (const [action, told] of Object.entries(actions)) {
        await stage.expect(action, told, { under: cell.under });
      }
      assert(await isReusedAlive(stage, cell, pid));
    },
  );
}

ordeal(
  'a pid that changes hands between SIGTERM and SIGKILL is spared',
  whyNoNamespaces,
  { workers: 1, switches: { ignore_sigterm: true }, config: { supervisor_sigterm_timeout: 1 } },
  async (stage) => {
    const cell = await Cell.withProcesses(stage);
    await stage.expect('start', STARTED, { under: cell.under });
    const pid = Number(readFileSync(stage.pidfile(0), 'utf8'));
    const stop = stage.begin('stop', { under: cell.under });
    await stop.said('stopping worker');
    const supervisor = await until(() => commandOf(stage, stop.pid));
    process.kill(supervisor.pid, 'SIGSTOP');
    await stage.killWorker(0);
    await reuse(stage, cell, pid);
    // Its grace is over when it looks again.
    await cell.shell(stage, 'sleep 1.2');
    // nsenter stops and goes on as its child does.
    for (const pid of [stop.pid, supervisor.pid]) {
      process.kill(pid, 'SIGCONT');
    }
    const outcome = await stop.outcome;
    assertCivil(outcome);
    assert.match(stage.tell(outcome), /\n\[T\] all workers are stopped\nexit 0$/);
    assert(await isReusedAlive(stage, cell, pid));
  },
);

/** The supervisor itself, which nsenter forked. */
function commandOf(stage: Stage, parent: number): Identity {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ');
  const found = children.map((pid) => look(Number(pid))).find((one) => one?.argv.includes(`--config=${stage.config}`));
  assert(found !== undefined);
  return found;
}

function wordsOf(stage: Stage): readonly string[] {
  return [`--config=${stage.config}`, `--port=${stage.port(0)}`, `--pidfile=${stage.pidfile(0)}`];
}

const SLEEP = 'import time; time.sleep(600)';

ordeal(
  "another user's perfect copy of a worker keeps us from its port only",
  whyNotAnotherUser,
  { workers: 1 },
  async (stage) => {
    const env = { ...environment, FRONTIK_SUPERVISOR_WORKER: `${stage.config}:${stage.port(0)}` };
    const words = ['--daemonize=false', ...wordsOf(stage)];
    const copy = await stage.stranger([stage.script, ...words], { uid: nobody, env });
    await until(async () => assert.equal((await stage.page(0, '/status/')).status, 200));
    writeFileSync(stage.pidfile(0), String(copy.pid));
    const warning = '[T] process PID of nobody looks like the worker on port P0 and is ignored';
    await stage.expect('status', `${warning}\n${STOPPED}\nexit 3`);
    const held = '[T] port P0 is held by worker (pid PID)';
    await stage.expect('start', `${held}\n${warning}\n${STOPPED}\nexit 1`);
    await stage.expect('restart', `${held}\n${warning}\n${STOPPED}\nexit 1`);
    await stage.expect('stop', `${warning}\n${STOPPED}\nexit 0`);
    assert(isAlive(copy));
  },
);

for (const [what, owner, caller] of [
  ['a program that is set-user-ID root, run by another user', 0, nobody],
  ["another user's set-user-ID program, run by root", nobody, 0],
] as const) {
  ordeal(`${what}, is no worker whatever it says`, whyNotAnotherUser, { workers: 1 }, async (stage) => {
    const disguise = stage.path('disguise');
    copyFileSync(python, disguise);
    chownSync(disguise, owner, owner);
    chmodSync(disguise, 0o4755);
    const plant = await stage.stranger([disguise, '-c', SLEEP, ...wordsOf(stage)], { uid: caller });
    await until(() => assert.match(readFileSync(`/proc/${plant.pid}/status`, 'utf8'), uids(caller, owner)));
    writeFileSync(stage.pidfile(0), String(plant.pid));
    const warning = '[T] process PID of nobody looks like the worker on port P0 and is ignored';
    await stage.expect('status', `${warning}\n${STOPPED}\nexit 3`);
    await stage.expect('stop', `${warning}\n${STOPPED}\nexit 0`);
    await stage.expect('start', `[T] start worker P0\n${warning}\n${RUNNING}\nexit 0`);
    assert(isAlive(plant));
  });
}

function uids(real: number, effective: number): RegExp {
  return new RegExp(`^Uid:\\t${real}\\t${effective}\\t`, 'm');
}

test(
  'what merely speaks of a worker is none, even when the pidfile names it',
  onStage({ workers: 1 }, async (stage) => {
    const words = wordsOf(stage).join(' ');
    const speakers = [
      ['/usr/bin/tail', '-F', stage.config, stage.script, stage.path('run')],
      ['/bin/sh', '-c', `kill -STOP $$; exec ${stage.script} ${words}`],
      [python, '-c', SLEEP, words],
      [python, '-c', SLEEP, `--port=${stage.port(0)}`],
      [python, '-c', SLEEP, `--config=${stage.config}`],
      [python, '-c', SLEEP, `--config=${stage.config}`, '--port', String(stage.port(0))],
      [python, '-c', SLEEP, `--config=${stage.config}`, `--port=0${stage.port(0)}`],
      [python, '-c', SLEEP, `--config=${stage.config}x`, `--port=${stage.port(0)}`],
    ];
    for (const argv of speakers) {
      const speaker = await stage.stranger(argv);
      await until(() => assert.deepEqual(look(speaker.pid)?.argv, argv));
      writeFileSync(stage.pidfile(0), String(speaker.pid));
      await stage.expect('status', `${STOPPED}\nexit 3`);
      await stage.expect('stop', `${STOPPED}\nexit 0`);
      assert(isAlive(speaker), argv.join(' '));
    }
    await stage.expect('start', STARTED);
  }),
);

async function pidOn(stage: Stage, index: number): Promise<number> {
  return (await stage.facts(index)).pid;
}

for (const daemonize of [true, false]) {
  for (const [how, hook] of [
    ['a script of its own', '/bin/sh "$0.hook"'],
    ['a fork with the very command line of the worker', '. "$0.hook"'],
  ] as const) {
    test(
      `restart from inside a worker, by ${how}, is completed (daemonize = ${daemonize})`,
      onStage({ config: { daemonize } }, async (stage) => {
        const [report, go] = [stage.path('report'), stage.path('go')];
        const command = stage.command('restart').join(' ');
        const script = stage.path('outer');
        stage.write('outer', `#!/bin/sh\n[ -e ${report} ] || (${hook}) &\nexec ${stage.script} "$@"\n`, 0o755);
        // The hook of whichever worker is first; that of the other one just goes.
        stage.write(
          'outer.hook',
          `until [ -e ${go} ]; do sleep 0.05; done
          mkdir ${report} || exit
          { ${command.replace(stage.script, script)}; echo "exit $?"; } >${report}/part 2>&1
          mv ${report}/part ${report}/whole\n`,
        );
        const start = await stage.call([`--script=${script}`, `--config=${stage.config}`, 'start']).outcome;
        assert.equal(start.code, 0, start.stderr);
        const before = [await pidOn(stage, 0), await pidOn(stage, 1)];
        writeFileSync(go, '');
        await until(() => assert(existsSync(`${report}/whole`), 'the restart does not end'), 15_000);
        const told = readFileSync(`${report}/whole`, 'utf8');
        assert.match(told, /all workers are running\nexit 0\n$/, told);
        assert.notEqual(await pidOn(stage, 0), before[0]);
        assert.notEqual(await pidOn(stage, 1), before[1]);
        await until(() => stage.assertServing(0, 1));
      }),
    );
  }
}
