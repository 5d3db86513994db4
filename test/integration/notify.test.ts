import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import {
  begin,
  inNode,
  linesOf,
  nextOf,
  PYTHON,
  type ScriptOptions,
  scratch,
  unlessNamespaces,
} from '../support/adapters.ts';
import { until } from '../support/e2e-command.ts';
import { inPlaceOfSystems } from '../support/namespaces.ts';

const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/** Tells all of `given`, and says when that is settled and what is left in the environment. */
const TELL = `
  const { openNotifier } = await load('host/notify');
  const notifier = openNotifier();
  const left = Object.keys(process.env).filter((name) => /NOTIFY|WATCHDOG/.test(name));
  for (const assignments of given) notifier?.tell(assignments);
  await notifier?.settled();
  say({ hasNotifier: notifier !== undefined, left });`;

/** A systemd-notify of our own in the place of the real one: `body` is what its shell does. */
function fake(t: TestContext, body: string): { readonly log: string; readonly options: ScriptOptions } {
  const directory = scratch(t);
  const log = join(scratch(t), 'log');
  writeFileSync(join(directory, 'systemd-notify'), `#!/bin/sh\nLOG=${log}\n${body}\n`, { mode: 0o755 });
  return {
    log,
    options: {
      under: inPlaceOfSystems(directory),
      env: { PATH: `${directory}:${PATH}`, NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '3', WATCHDOG_PID: '1' },
      given: ORDER,
    },
  };
}

const ORDER = [['READY=1', 'STATUS=4/4 workers are running'], ['RELOADING=1', 'STATUS=a "b" $c'], ['STOPPING=1']];

suite('the service manager', { concurrency: 4, timeout: 120_000, skip: unlessNamespaces }, () => {
  test('is told everything in order, one after another, and all is told when it is settled', async (t) => {
    // The first message takes longest; one that overtakes it would be logged before.
    const body = `
echo "begin $#" >>$LOG; [ "$1" = READY=1 ] && sleep 0.5
for word; do echo "$word" >>$LOG; done; echo "end $NOTIFY_SOCKET" >>$LOG`;
    const { log, options } = fake(t, body);
    assert.deepEqual(inNode(TELL, options), { hasNotifier: true, left: [] });
    const told = ORDER.flatMap((words) => [`begin ${words.length}`, ...words, 'end /run/notify']);
    assert.deepEqual(readFileSync(log, 'utf8').trimEnd().split('\n'), told);
  });

  test('is told how we are, and not how we were, when it takes its time', (t) => {
    const { log, options } = fake(t, '[ "$1" = READY=1 ] && sleep 0.5; echo "$*" >>$LOG');
    const given = ['READY=1 STATUS=0', 'STATUS=1', 'STATUS=2', 'STOPPING=1 STATUS=3', 'STATUS=4', 'STATUS=5'];
    assert.deepEqual(inNode(TELL, { ...options, given: given.map((words) => words.split(' ')) }), {
      hasNotifier: true,
      left: [],
    });
    assert.deepEqual(readFileSync(log, 'utf8').split('\n'), [
      'READY=1 STATUS=0',
      'STOPPING=1 STATUS=3',
      'STATUS=5',
      '',
    ]);
  });

  test('leaves nothing of itself in our environment, whether it wants to be told or not', () => {
    const env = { PATH, WATCHDOG_USEC: '3', WATCHDOG_PID: '1' };
    const silent = { hasNotifier: false, left: [] };
    assert.deepEqual(inNode(TELL, { env, given: ORDER }), silent);
    assert.deepEqual(inNode(TELL, { env: { ...env, NOTIFY_SOCKET: '' }, given: ORDER }), silent);
  });

  const FAILING: readonly (readonly [what: string, body: string])[] = [
    ['fails', 'echo said >>$LOG; exit 1'],
    ['is killed', 'echo said >>$LOG; kill -KILL $$'],
    ['hangs', 'echo said >>$LOG; [ "$1" = STOPPING=1 ] || exit 0; exec sleep 20'],
  ];
  for (const [what, body] of FAILING) {
    test(`whose systemd-notify ${what} is told the rest all the same`, (t) => {
      const { log, options } = fake(t, body);
      const before = performance.now();
      assert.deepEqual(inNode(TELL, options), { hasNotifier: true, left: [] });
      assert(performance.now() - before < 15_000, 'it was waited for');
      assert.equal(readFileSync(log, 'utf8'), 'said\n'.repeat(ORDER.length));
    });
  }

  test('that cannot be told, for want of systemd-notify, changes nothing', (t) => {
    const directory = scratch(t);
    writeFileSync(join(directory, 'systemd-notify'), '');
    const under = inPlaceOfSystems(directory);
    const env = { PATH: '/no/such/directory', NOTIFY_SOCKET: '/run/notify' };
    assert.deepEqual(inNode(TELL, { under, env, given: ORDER }), { hasNotifier: true, left: [] });
  });

  const real = spawnSync('systemd-notify', ['--version'], { env: { PATH } }).status === 0;
  const RECEIVE = `
import json, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(60)
while True:
    # What systemd-notify waits for is the end of a descriptor that it sends along: recv(2) drops it.
    lines = s.recv(65536).decode().split('\\n')
    print(json.dumps([line for line in lines if '=' in line]), flush=True)`;
  const skip = real ? false : 'there is no systemd-notify';
  test('hears the words of the real systemd-notify in their order', { skip }, async (t) => {
    const path = join(scratch(t), 'notify');
    const receiver = linesOf(await begin(t, [PYTHON, '-Ic', RECEIVE, path]));
    await until(() => assert(existsSync(path)));
    assert.deepEqual(inNode(TELL, { env: { PATH, NOTIFY_SOCKET: path }, given: ORDER }), {
      hasNotifier: true,
      left: [],
    });
    for (const words of ORDER) {
      const heard = await nextWords(receiver);
      assert.deepEqual(heard, words);
    }
  });

  test('that does not listen any more changes nothing', { skip }, (t) => {
    const env = { PATH, NOTIFY_SOCKET: join(scratch(t), 'gone') };
    assert.deepEqual(inNode(TELL, { env, given: ORDER }), { hasNotifier: true, left: [] });
  });
});

/** What systemd-notify adds of its own is no word of ours. */
async function nextWords(receiver: AsyncGenerator<string, void, undefined>): Promise<readonly string[]> {
  while (true) {
    const words = ((await nextOf(receiver)) as string[]).filter(
      (word) => !/^(BARRIER|MONOTONIC_USEC|MAINPID)=/.test(word),
    );
    if (words.length > 0) return words;
  }
}
