import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { endWith } from '../support/adapters.ts';
import { AT_ONCE, type Contest, contest, WAITED } from '../support/adapters-lock.ts';
import { until } from '../support/e2e-command.ts';
import { everyone, isAlive } from '../support/e2e-processes.ts';

const START = { action: 'start', most: 60_000 };
const STOP = { action: 'stop', most: 60_000 };

/** What the only lock file says. */
function note({ directory }: Contest): string {
  const [name, ...others] = readdirSync(directory);
  assert(name !== undefined && others.length === 0);
  return readFileSync(join(directory, name), 'utf8');
}

suite('lock', { concurrency: 4 }, () => {
  test('the holder writes who it is, and wipes it out when it lets go', async (t) => {
    const ours = contest(t);
    const one = await ours.contend(START);
    assert.deepEqual(await one.next(), AT_ONCE);
    assert.equal(note(ours), `${one.pid} start 60000\n`);
    const [name = ''] = readdirSync(ours.directory);
    assert.match(name, /^[0-9a-f]{16}\.lock$/);
    assert.equal(statSync(join(ours.directory, name)).mode & 0o777, 0o600);
    one.tell('release');
    assert.equal(await one.next(), 'released');
    assert.equal(note(ours), '');
  });

  test('the second waits, is told for whom, and gets the lock when the first lets go', async (t) => {
    const ours = contest(t);
    const one = await ours.contend(START);
    assert.deepEqual(await one.next(), AT_ONCE);
    const two = await ours.contend(STOP);
    assert.deepEqual(await two.next(), { waiting: `start, pid ${one.pid}` });
    one.tell('release');
    assert.deepEqual(await two.next(), WAITED);
    assert.equal(note(ours), `${two.pid} stop 60000\n`);
  });

  test('the second gets the lock when the first is killed', async (t) => {
    const ours = contest(t);
    const one = await ours.contend(START);
    assert.deepEqual(await one.next(), AT_ONCE);
    const two = await ours.contend(STOP);
    assert.deepEqual(await two.next(), { waiting: `start, pid ${one.pid}` });
    await one.kill();
    assert.deepEqual(await two.next(), WAITED);
    assert.equal(note(ours), `${two.pid} stop 60000\n`);
  });

  test('what the first one started does not keep the lock', async (t) => {
    const ours = contest(t);
    const one = await ours.contend(START);
    assert.deepEqual(await one.next(), AT_ONCE);
    one.tell('spawn');
    const { spawned } = (await one.next()) as { spawned: number };
    const id = endWith(t, spawned);
    await one.kill();
    const two = await ours.contend(STOP);
    assert.deepEqual(await two.next(), AT_ONCE);
    assert.equal(id !== undefined && isAlive(id), true);
  });

  test('the time to wait is what the first may take, not what the second may', async (t) => {
    const ours = contest(t);
    const one = await ours.contend({ action: 'restart', most: 1500 });
    assert.deepEqual(await one.next(), AT_ONCE);
    const two = await ours.contend(STOP);
    assert.deepEqual(await two.next(), { waiting: `restart, pid ${one.pid}` });
    assert.deepEqual(await two.next(), { kind: 'timed-out', holder: `restart, pid ${one.pid}` });
    assert.equal(note(ours), `${one.pid} restart 1500\n`);
  });

  test('one that came before us has its own time', async (t) => {
    const ours = contest(t);
    const one = await ours.contend({ action: 'start', most: 8000 });
    assert.deepEqual(await one.next(), AT_ONCE);
    const others = [await ours.contend(STOP), await ours.contend(STOP)];
    for (const other of others) assert.deepEqual(await other.next(), { waiting: `start, pid ${one.pid}` });
    await one.kill();
    const said = others.map((other) => other.next());
    const first = await Promise.race(said.map((word, index) => word.then(() => index)));
    assert.deepEqual(await said[first], WAITED);
    const [next, last] = first === 0 ? others : others.toReversed();
    // When its 8 s for the first one are over, it waits anew, for the 60 s that the next one may take.
    await until(() => assert(everyone().some(({ parent, argv }) => parent === last?.pid && argv.includes('60'))));
    next?.tell('release');
    assert.deepEqual(await said[1 - first], WAITED);
  });

  test('an interruption ends the waiting', async (t) => {
    const ours = contest(t);
    const one = await ours.contend(START);
    assert.deepEqual(await one.next(), AT_ONCE);
    const two = await ours.contend(STOP);
    assert.deepEqual(await two.next(), { waiting: `start, pid ${one.pid}` });
    const flock = everyone().find(({ parent, argv }) => parent === two.pid && argv[0]?.endsWith('/flock') === true);
    assert(flock !== undefined, 'it waits by flock(1)');
    two.tell('interrupt');
    assert.deepEqual(await two.next(), { kind: 'interrupted' });
    await until(() => assert(!isAlive(flock), 'its flock(1) waits on'));
    one.tell('release');
    assert.equal(await one.next(), 'released');
    const three = await ours.contend(START);
    assert.deepEqual(await three.next(), AT_ONCE);
  });

  test('a command that waits and is killed does not get the lock', async (t) => {
    const ours = contest(t);
    const one = await ours.contend(START);
    assert.deepEqual(await one.next(), AT_ONCE);
    const two = await ours.contend(STOP);
    assert.deepEqual(await two.next(), { waiting: `start, pid ${one.pid}` });
    await two.kill();
    one.tell('release');
    assert.equal(await one.next(), 'released');
    const three = await ours.contend(STOP);
    assert.deepEqual(await three.next(), AT_ONCE);
  });

  test('another application is not waited for', async (t) => {
    const ours = contest(t);
    const one = await ours.contend(START, '/etc/one.cfg');
    const two = await ours.contend(START, '/etc/two.cfg');
    assert.deepEqual([await one.next(), await two.next()], [AT_ONCE, AT_ONCE]);
  });
});
