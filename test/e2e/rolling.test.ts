import { test } from 'node:test';
import { onStage } from '../support/e2e.ts';
import { whyNotBehind } from '../support/rolling-proxies.ts';
import { assertLossless, FOUR, Site } from '../support/rolling-site.ts';
import { describe } from '../support/rolling-tally.ts';

const skip = whyNotBehind('nginx');

// The short form of `make test-rolling`.
test(
  'two rolling restarts behind nginx lose no request',
  { skip: skip ?? false },
  onStage(FOUR, async (stage, t) => {
    const site = await Site.open(stage, 'nginx', { stopTimeout: 0.4 });
    const tally = await site.under({ rate: 300, posts: 0 }, async () => {
      await site.replace('reload --settle=0');
      await site.replace('reload --settle=0 --batch=2');
    });
    t.diagnostic(describe(tally));
    assertLossless(tally, 1000);
    await site.close();
  }),
);
