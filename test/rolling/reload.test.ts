import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { onStage, type Stage } from '../support/e2e.ts';
import { until } from '../support/e2e-command.ts';
import { whyNotBehind } from '../support/rolling-proxies.ts';
import { assertLossless, FOUR, PROXIES, Site, timed } from '../support/rolling-site.ts';
import { describe, failures, total } from '../support/rolling-tally.ts';

// What an operator is promised, on the real things: nginx and HAProxy as `export` configures them, four Tornado workers,
// handlers that take 0 to 300 ms, a client that counts every outcome.

const RATE = 300;
/** ms of load and nothing else, before and after an accident. */
const QUIET = 1000;

/** Replaces all workers several times, and says how long that took. */
async function rolls(site: Site, times: number, t: TestContext, words = 'reload'): Promise<void> {
  const took: number[] = [];
  for (let roll = 0; roll < times; roll += 1) took.push(await timed(() => site.replace(words)));
  t.diagnostic(`${times} times ${words}, ${Math.min(...took)} to ${Math.max(...took)} ms each`);
}

for (const proxy of PROXIES) {
  const skip = whyNotBehind(proxy) ?? false;
  const behind = (name: string, body: (stage: Stage, t: TestContext) => Promise<void>): void => {
    test(`${proxy}: ${name}`, { skip }, onStage(FOUR, body));
  };

  behind('ten rolling restarts lose none of 20,000 requests', async (stage, t) => {
    const site = await Site.open(stage, proxy);
    const tally = await site.under({ rate: RATE, posts: 0 }, () => rolls(site, 10, t));
    t.diagnostic(describe(tally));
    assertLossless(tally, 20_000);
    await site.close();
  });

  behind('with one worker left, rolling restarts lose no GET either', async (stage, t) => {
    const site = await Site.open(stage, proxy);
    const tally = await site.under({ rate: RATE, posts: 0 }, () => rolls(site, 3, t, 'reload --batch=3'));
    t.diagnostic(describe(tally));
    assertLossless(tally, 2000);
    await site.close();
  });

  behind('of POSTs without hooks hardly one is lost, and none is done twice', async (stage, t) => {
    const site = await Site.open(stage, proxy);
    const tally = await site.under({ rate: RATE, posts: 1 }, () => rolls(site, 3, t));
    t.diagnostic(describe(tally));
    site.assertDoneOnce(tally);
    assert(total(failures(tally.outcomes)) < total(tally.outcomes) / 500, describe(tally));
    await site.close();
  });

  behind('with hooks, rolling restarts lose no POST', async (stage, t) => {
    const site = await Site.open(stage, proxy, { hooks: true });
    // nginx is reloaded by its hooks, and then closes idle connections under the client's hands: it shall have none.
    const traffic = { rate: RATE, posts: 0.5, keepAlive: proxy !== 'nginx' };
    const tally = await site.under(traffic, () => rolls(site, 5, t));
    t.diagnostic(describe(tally));
    assertLossless(tally, 10_000);
    site.assertDoneOnce(tally);
    await site.close();
  });

  behind('hooks that do not reach the proxy end the roll before anything is stopped', async (stage) => {
    const site = await Site.open(stage, proxy, { hooks: true });
    const before = site.workers();
    await site.close();
    const outcome = await stage.run('reload');
    assert.equal(outcome.code, 1, stage.tell(outcome));
    assert.deepEqual(site.workers(), before);
  });

  behind('what a restart costs', async (stage, t) => {
    const site = await Site.open(stage, proxy);
    const tally = await site.under({ rate: RATE, posts: 0.1 }, () => site.replace('restart'));
    t.diagnostic(describe(tally));
    // Had it cost nothing, the client would not see what it is there to see.
    assert(total(failures(tally.outcomes)) > 0, describe(tally));
    await site.close();
  });

  behind('what a worker costs that is killed by SIGKILL and started again', async (stage, t) => {
    const site = await Site.open(stage, proxy);
    const tally = await site.under({ rate: RATE, posts: 0.1 }, async () => {
      await sleep(QUIET);
      await stage.killWorker(1);
      await sleep(QUIET);
      await stage.started();
    });
    t.diagnostic(describe(tally));
    site.assertDoneOnce(tally);
    await site.close();
  });

  behind(
    'beside a `run`, a rolling restart loses no request, and a worker that is killed costs none but its own',
    async (stage, t) => {
      const resident = stage.begin('run', { limit: 120_000 });
      await resident.said('all workers are running');
      const site = await Site.open(stage, proxy);
      const rolled = await site.under({ rate: RATE, posts: 0 }, () => rolls(site, 1, t));
      t.diagnostic(describe(rolled));
      assertLossless(rolled, 1500);
      const { pid } = stage.worker(1);
      const killed = await site.under({ rate: RATE, posts: 0.1 }, async () => {
        await sleep(QUIET);
        await stage.killWorker(1);
        const took = await timed(() => until(async () => assert.notEqual((await stage.facts(1)).pid, pid)));
        t.diagnostic(`the worker is back after ${took} ms`);
        await sleep(QUIET);
      });
      t.diagnostic(describe(killed));
      site.assertDoneOnce(killed);
      await site.close();
      resident.kill('SIGTERM');
      assert.equal((await resident.outcome).code, 0);
    },
  );
}

test(
  'nginx as it is by default, without what is exported, loses requests: the promise needs it, and the client sees it',
  { skip: whyNotBehind('nginx') ?? false },
  onStage(FOUR, async (stage, t) => {
    const site = await Site.open(stage, 'nginx', { adapt: (exported) => exported.replaceAll(' max_fails=0', '') });
    const tally = await site.under({ rate: RATE, posts: 0 }, () => rolls(site, 1, t));
    t.diagnostic(describe(tally));
    assert(total(failures(tally.outcomes)) > 0, describe(tally));
    await site.close();
  }),
);
