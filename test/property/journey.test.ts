// advance() under any sequence of looks: it never throws, it always ends, and it signals nobody too early.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Action, advance, isSettled, type Journey, MOST_WAVES } from '../../src/core/journey.ts';
import { longestCommand } from '../../src/core/patience.ts';
import {
  type HttpSight,
  isSame,
  type ListenerSight,
  type PidfileSight,
  type ProcessIdentity,
  type Sighting,
  type StarterSight,
} from '../../src/core/worker.ts';
import { at, names, PATIENCE, process, SPEC, see } from '../support/core-values.ts';
import { trials } from '../support/fuzz.ts';

const identity = fc.record({ pid: fc.integer({ min: 101, max: 105 }), ticks: fc.integer({ min: 1, max: 3 }) });
const id = identity.map(({ pid, ticks }) => process(pid, ticks));
const listener: fc.Arbitrary<ListenerSight> = fc.constantFrom(
  { kind: 'none' },
  { kind: 'worker' },
  { kind: 'stranger', holder: undefined },
  { kind: 'stranger', holder: { pid: 7, name: 'nginx' } },
);
const http: fc.Arbitrary<HttpSight> = fc.constantFrom<HttpSight>('unasked', 'silent', 'unready', 'ready', {
  unaskable: 'EMFILE',
});
const pidfile: fc.Arbitrary<PidfileSight> = fc.constantFrom(
  { kind: 'none' },
  { kind: 'garbled' },
  { kind: 'unusable', why: 'EACCES' },
  names(101),
);
const starter: fc.Arbitrary<StarterSight> = fc.constantFrom(
  { kind: 'never' },
  { kind: 'running' },
  { kind: 'exited', how: 'exited with status 1' },
);
/** Nobody is seen twice in one look. */
function distinct(seen: Omit<Sighting, 'at'>): boolean {
  const all = [seen.worker, ...seen.rivals, ...seen.leftBehind].flatMap((one) => (one === undefined ? [] : [one.pid]));
  return new Set(all).size === all.length;
}

const anySighting: fc.Arbitrary<Omit<Sighting, 'at'>> = fc.record({
  worker: fc.option(id, { nil: undefined }),
  rivals: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(id, { maxLength: 2 }) }),
  leftBehind: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(id, { maxLength: 2 }) },
  ),
  listener,
  http,
  pidfile,
  starter,
});
const sighting = anySighting.filter(distinct);
/** Most looks find what the one before found. */
const looks = fc.array(
  fc.record({ seen: sighting, times: fc.integer({ min: 1, max: 60 }), rest: fc.constantFrom(10, 500, 1700) }),
  {
    minLength: 1,
    maxLength: 40,
  },
);
const beginning: fc.Arbitrary<Journey> = fc.constantFrom({ stage: 'start-due' }, { stage: 'stop-due' });

/** What was sent to a process, and when. */
class Post {
  readonly #terms = new Map<string, number>();
  readonly #kills = new Set<string>();

  deliver(signal: 'SIGTERM' | 'SIGKILL', key: string, now: number): void {
    if (signal === 'SIGTERM') {
      this.#terms.set(key, now);
      this.#kills.delete(key);
      return;
    }
    const since = this.#terms.get(key);
    assert.ok(since !== undefined && now - since >= PATIENCE.termGrace, `SIGKILL at ${now}, SIGTERM at ${since}`);
    assert.ok(!this.#kills.has(key), 'SIGKILL twice');
    this.#kills.add(key);
  }
}

/** Checks that every action is due, and counts the launches. */
function checkActions(
  actions: readonly Action[],
  first: Journey,
  seen: Omit<Sighting, 'at'>,
  post: Post,
  now: number,
): number {
  let launches = 0;
  for (const action of actions) {
    if (action.do === 'signal') post.deliver(action.signal, `${action.id.pid}@${action.id.startTicks}`, now);
    if (action.do !== 'launch') continue;
    launches += 1;
    assert.equal(first.stage, 'start-due');
    assert.ok(seen.worker === undefined && seen.listener.kind !== 'stranger');
  }
  return launches;
}

/** Before a start has launched anything, it signals only what a dead worker left behind. */
function checkClearing(actions: readonly Action[], { leftBehind }: Pick<Sighting, 'leftBehind'>): void {
  for (const action of actions) {
    if (action.do === 'signal')
      assert.ok(
        leftBehind.some((id) => isSame(id, action.id)),
        `a start signals ${action.id.pid}`,
      );
  }
}

test('any looks: every signal is due, at most two launches, never over a worker or a stranger', () => {
  fc.assert(
    fc.property(beginning, looks, (first, script) => {
      let journey = first;
      let now = 0;
      let launches = 0;
      const post = new Post();
      for (const { seen, times, rest } of script) {
        for (let count = 0; count < times && !isSettled(journey); count += 1) {
          const turn = advance(journey, see(now, { ...seen, at: at(now) }), SPEC, PATIENCE);
          launches += checkActions(turn.actions, first, seen, post, now);
          if (first.stage === 'start-due' && launches === 0) checkClearing(turn.actions, seen);
          journey = turn.journey;
          now += rest;
        }
      }
      assert.ok(launches <= 2);
    }),
    trials(1500),
  );
});

test('it settles within the bound that follows from the patience, whatever is seen', () => {
  fc.assert(
    fc.property(
      beginning,
      fc.array(sighting, { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 400 }),
      (first, seen, every) => {
        let journey = first;
        const bound = longestCommand(PATIENCE, 1);
        let now = 0;
        for (; !isSettled(journey) && now <= bound; now += 100) {
          const look = seen[Math.floor(now / 100 / every) % seen.length];
          journey = advance(journey, see(now, { ...look, at: at(now) }), SPEC, PATIENCE).journey;
        }
        assert.ok(isSettled(journey), `after ${now} ms it is still ${journey.stage}`);
      },
    ),
    trials(300),
  );
});

test('a stop ends after the waves that it may take', () => {
  fc.assert(
    fc.property(fc.infiniteStream(id), (ids) => {
      let journey: Journey = { stage: 'stop-due' };
      const bound = (MOST_WAVES + 1) * (PATIENCE.termGrace + PATIENCE.killGrace);
      for (let now = 0; !isSettled(journey) && now <= bound; now += 250) {
        const seen = see(now, { worker: ids.next().value as ProcessIdentity });
        journey = advance(journey, seen, SPEC, PATIENCE).journey;
      }
      assert.ok(isSettled(journey));
    }),
    trials(200),
  );
});

test('a settled journey stays as it is, and does nothing', () => {
  const settled: fc.Arbitrary<Journey> = fc.oneof(
    id.map((worker): Journey => ({ stage: 'up', id: worker })),
    fc.constant<Journey>({ stage: 'down' }),
    id.map((worker): Journey => ({ stage: 'failed', failure: { kind: 'alive-not-ready', id: worker } })),
  );
  fc.assert(
    fc.property(settled, sighting, (journey, seen) => {
      assert.deepEqual(advance(journey, see(5, seen), SPEC, PATIENCE), { journey, actions: [], notices: [] });
    }),
    trials(200),
  );
});
