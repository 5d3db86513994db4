import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { binary, type Stage } from '../support/e2e.ts';
import { type Outcome, type Running, until } from '../support/e2e-command.ts';
import { ordeal } from '../support/e2e-ordeal.ts';
import { everyone, isAlive, look, type Seen, signal } from '../support/e2e-processes.ts';
import { workersOf } from '../support/e2e-run.ts';
import { whyNoNamespaces } from '../support/namespaces.ts';

/** A run that is the first process of a pid namespace, as it is in a container. */
interface Container {
  readonly running: Running;
  /** The run, with its number on this machine. */
  readonly run: Seen;
  readonly under: readonly string[];
}

const UNSHARE = ['/usr/bin/unshare', '--mount', '--propagation', 'private', '--pid', '--fork', '--mount-proc'];

async function contain(stage: Stage): Promise<Container> {
  const running = stage.begin('run', { under: UNSHARE, limit: 200_000 });
  await running.said('all workers are running');
  const run = everyone().find(({ parent }) => parent === running.pid);
  assert(run !== undefined && run.argv[0] === binary);
  return { running, run, under: ['/usr/bin/nsenter', '-t', String(run.pid), '-m', '-p', '--'] };
}

/** Ends it as `docker stop` does. */
async function stopped({ running, run }: Container): Promise<Outcome> {
  signal(run, 'SIGTERM');
  return running.outcome;
}

/** Both workers are there, and answer; what they call themselves is another number. */
function serving(stage: Stage): Promise<void> {
  return until(async () => {
    for (const index of [0, 1]) {
      stage.worker(index);
      assert.equal((await stage.facts(index)).port, stage.port(index));
    }
  });
}

/** Its dead children that it has not buried. */
function unburied({ run }: Container): readonly number[] {
  return readdirSync('/proc')
    .map((name) => look(Number(name)))
    .flatMap((one) => (one?.parent === run.pid && one.state === 'Z' ? [one.pid] : []));
}

for (const daemonize of [false, true]) {
  ordeal(
    `as the first process of a container, run does all it does elsewhere (daemonize = ${daemonize})`,
    whyNoNamespaces,
    { workers: 2, config: { daemonize, supervisor_settle: 0 } },
    async (stage) => {
      const container = await contain(stage);
      await serving(stage);
      const [old, other] = workersOf(stage, 0, 1);
      assert(old !== undefined && other !== undefined);
      signal(old, 'SIGKILL');
      await container.running.said(`worker on port ${stage.port(0)} is running again`);
      await serving(stage);
      assert.deepEqual(workersOf(stage, 1), [other]);
      for (const [action, code] of [
        ['status', 0],
        ['reload', 0],
        ['restart', 0],
        ['stop', 0],
        ['status', 3],
        ['start', 0],
      ] as const) {
        const outcome = await stage.run(action, { under: container.under });
        assert.equal(outcome.code, code, stage.tell(outcome));
      }
      await serving(stage);
      assert(!isAlive(other));
      assert.deepEqual(unburied(container), []);
      const outcome = await stopped(container);
      assert.equal(outcome.code, 0, stage.tell(outcome));
      stage.assertNobody();
    },
  );
}

ordeal(
  'what a killed worker leaves to the first process of a container does not keep its port from coming back',
  whyNoNamespaces,
  { workers: 2, config: { daemonize: false }, switches: { child: 'exec' } },
  async (stage) => {
    const container = await contain(stage);
    for (let round = 0; round < 2; round += 1) {
      await serving(stage);
      const [old] = workersOf(stage, 0);
      assert(old !== undefined);
      signal(old, 'SIGKILL');
      await until(() => assert(!isAlive(old)));
      await serving(stage);
    }
    const outcome = await stopped(container);
    assert.equal(outcome.code, 0, stage.tell(outcome));
    stage.assertNobody();
  },
);
