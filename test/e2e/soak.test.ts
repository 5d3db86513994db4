import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Soak } from '../support/soak.ts';

// The short form of `make soak`, which scripts/soak.ts runs for minutes.
test('twenty commands at once, and commands that die at random moments: no worker is lost or doubled', async (t) => {
  const { SOAK_SEED: seed = '1' } = process.env;
  const onViolation = (text: string): void => t.diagnostic(text);
  const wanted = { rounds: 3, deaths: 30 };
  const soak = new Soak({ seed, seconds: 60, lanes: 3, races: 1, wanted, whenMet: 'end', onViolation });
  const abandon = (): never => {
    soak.abandon();
    process.exit(1);
  };
  process.once('SIGTERM', abandon).once('SIGINT', abandon).once('SIGHUP', abandon);
  const figures = await soak.run();
  process.off('SIGTERM', abandon).off('SIGINT', abandon).off('SIGHUP', abandon);
  t.diagnostic(figures.summary());
  assert.deepEqual(
    figures.violations.map(({ trial, what }) => `${trial}: ${what}`),
    [],
  );
  assert(figures.rounds + figures.deaths > 0, 'nothing was tried');
});
