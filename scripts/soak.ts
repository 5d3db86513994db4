// Races and deaths of real commands on real workers, for SOAK_SECONDS (600 without it): `make soak`. Every choice follows
// from SOAK_SEED, which is printed; moments also depend on the machine. Exit 1 when a promise was not kept.

import { randomInt } from 'node:crypto';
import { Soak } from '../test/support/soak.ts';

const PROGRESS = 10_000;
const LANES = 4;
const RACES = 2;
/** What ten minutes have to bring at least, on two CPUs with nothing else to do. */
const WANTED = { rounds: 200, deaths: 500 };

const { SOAK_SECONDS: time = '600', SOAK_SEED: seed = String(randomInt(1_000_000)) } = process.env;
const seconds = Number(time);
if (!(seconds > 0)) {
  throw new Error(`SOAK_SECONDS should be a number of seconds, not "${time}"`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

const soak = new Soak({
  seed,
  seconds,
  lanes: LANES,
  races: RACES,
  wanted: WANTED,
  whenMet: 'begin again',
  onViolation: say,
});
const { figures } = soak;
const began = performance.now();

function elapsed(): number {
  return Math.round((performance.now() - began) / 1000);
}

function sayFigures(): void {
  const failed = figures.violations.length;
  say(
    `\nSOAK_SEED=${seed}, ${elapsed()} s: ${figures.reached(WANTED)}\n${figures.summary()}\n\n${figures.trials - failed} passed, ${failed} failed`,
  );
}

for (const [signal, number] of [
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const) {
  process.once(signal, () => {
    soak.abandon();
    say(`interrupted by ${signal}`);
    sayFigures();
    process.exit(128 + number);
  });
}

say(`SOAK_SEED=${seed} SOAK_SECONDS=${seconds}`);
const progress = setInterval(() => say(figures.progress(elapsed())), PROGRESS);
try {
  await soak.run();
} finally {
  clearInterval(progress);
}
sayFigures();
process.exitCode = figures.violations.length > 0 ? 1 : 0;
