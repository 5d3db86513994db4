import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MARKER } from '../../src/host/proc.ts';
import { asNobody, NOBODY, PYTHON, scratch, unlessNobodyCan, unlessRoot } from '../support/adapters.ts';
import { factsOf, launchIn, spec } from '../support/adapters-launch.ts';
import { everyone } from '../support/e2e-processes.ts';

const NULL = { 0: '/dev/null', 1: '/dev/null', 2: '/dev/null' };
const PATH = process.env['PATH'] ?? '';

test('a worker has a session of its own, /dev/null, and no shell about it', async (t) => {
  const launched = await launchIn(t, spec({ argv: ['sleep', '1000'] }));
  const facts = await factsOf(launched);
  const { pid } = facts;
  assert.deepEqual(
    { argv: facts.argv, session: facts.session, descriptors: facts.descriptors, parent: facts.status('PPid') },
    { argv: ['sleep', '1000'], session: pid, descriptors: NULL, parent: String(launched.supervisor) },
  );
  assert.deepEqual(
    everyone()
      .filter(({ session }) => session === pid)
      .map((one) => one.pid),
    [pid],
  );
});

test('the words of a worker reach it as they are', async (t) => {
  const words = ['', ' ', '$HOME', '`id`', '"', "'", '\\', '*', '-n', '--', 'a\nb', 'за мок', ';exit 1'] as const;
  const launched = await launchIn(t, spec({ argv: [PYTHON, '-c', 'import time; time.sleep(1000)', ...words] }));
  const { argv } = await factsOf(launched, PYTHON);
  assert.deepEqual(argv, [PYTHON, '-c', 'import time; time.sleep(1000)', ...words]);
});

test('a worker outlives the command that launched it', async (t) => {
  const launched = await launchIn(t, spec());
  const { pid } = await factsOf(launched);
  await launched.release();
  const gone = await factsOf(launched);
  assert.equal(gone.pid, pid);
});

test('no descriptor of ours or of our caller reaches a worker', async (t) => {
  const leak = [
    PYTHON,
    '-c',
    `
import os, sys
fd = os.open('/etc/passwd', os.O_RDONLY)
for number in (5, 15, 30, 100, 200):
    os.dup2(fd, number, inheritable=True)
os.execvp(sys.argv[1], sys.argv[1:])
`,
  ];
  const launched = await launchIn(t, spec(), { under: leak });
  assert.deepEqual((await factsOf(launched)).descriptors, NULL);
});

test('a worker has the environment of the caller, our marker, and nothing else', async (t) => {
  const env = { PATH, PWD: process.cwd(), A: '1', EMPTY: '', LINES_OF: 'a\nb', http_proxy: 'http://proxy:3128' };
  const launched = await launchIn(t, spec({ marker: '/etc/app.cfg:8000' }), { env });
  const { environment } = await factsOf(launched);
  const wanted = Object.entries({ ...env, [MARKER]: '/etc/app.cfg:8000' }).map(([name, value]) => `${name}=${value}`);
  assert.deepEqual([...environment].sort(), wanted.sort());
});

test('an environment without PWD stays without it', async (t) => {
  const { environment } = await factsOf(await launchIn(t, spec(), { env: { PATH } }));
  assert.deepEqual([...environment].sort(), [`${MARKER}=/etc/app.cfg:8000`, `PATH=${PATH}`]);
});

test('the marker of a worker that calls us is replaced', async (t) => {
  const launched = await launchIn(t, spec(), { env: { PATH, PWD: '/', [MARKER]: '/etc/other.cfg:9000' } });
  const { environment } = await factsOf(launched);
  assert.deepEqual(
    environment.filter((word) => word.startsWith(MARKER)),
    [`${MARKER}=/etc/app.cfg:8000`],
  );
});

test('working directory and umask are the caller`s', async (t) => {
  const cwd = scratch(t);
  const under = ['/bin/sh', '-c', 'umask 027 && exec "$@"', 'sh'];
  const facts = await factsOf(await launchIn(t, spec(), { cwd, under }));
  assert.deepEqual([readlinkSync(`/proc/${facts.pid}/cwd`), facts.status('Umask')], [cwd, '0027']);
});

test('no signal is blocked or ignored for a worker', async (t) => {
  const facts = await factsOf(await launchIn(t, spec()));
  // The real-time signals, from 32 on, are the C library's own and come as the caller has them.
  const standard = ['SigBlk', 'SigIgn'].map((field) => BigInt(`0x${facts.status(field)}`) & 0x7fffffffn);
  assert.deepEqual(standard, [0n, 0n]);
});

const LIMITS: readonly (readonly [words: string, soft: number, found: readonly [number, number]])[] = [
  ['ulimit -n 2000', 1024, [1024, 2000]], // Node raised its own to 2000
  ['ulimit -n 2000 && ulimit -S -n 100', 1500, [1500, 2000]],
  ['ulimit -n 2000', 2000, [2000, 2000]],
  ['ulimit -n 2000', 64, [64, 2000]],
];
for (const [words, soft, found] of LIMITS) {
  test(`${words}, wanted ${soft}: the soft limit is set, the hard one untouched`, async (t) => {
    const under = ['/bin/sh', '-c', `${words} && exec "$@"`, 'sh'];
    const facts = await factsOf(await launchIn(t, spec({ openFiles: { soft, raiseHard: false } }), { under }));
    assert.deepEqual(facts.openFiles, found);
  });
}

const unlessRaising =
  spawnSync('/bin/sh', ['-c', 'ulimit -n 2000 && ulimit -n 2001 2>&-']).status === 0
    ? false
    : 'CAP_SYS_RESOURCE is needed, and even root has not got it here';

test('where it may be, the hard limit is raised to the soft one', { skip: unlessRaising }, async (t) => {
  const under = ['/bin/sh', '-c', 'ulimit -n 2000 && exec "$@"', 'sh'];
  const facts = await factsOf(await launchIn(t, spec({ openFiles: { soft: 3000, raiseHard: true } }), { under }));
  assert.deepEqual(facts.openFiles, [3000, 3000]);
});

test('a worker is started as another user, with the limits that root gave', { skip: unlessRoot }, async (t) => {
  const account = { user: 'nobody', uid: NOBODY, gid: NOBODY };
  const facts = await factsOf(await launchIn(t, spec({ account, openFiles: { soft: 600, raiseHard: false } })));
  const four = Array(4).fill(NOBODY).join('\t');
  assert.deepEqual(
    { uid: facts.status('Uid'), gid: facts.status('Gid'), groups: facts.status('Groups'), soft: facts.openFiles[0] },
    { uid: four, gid: four, groups: String(NOBODY), soft: 600 },
  );
  assert.deepEqual([facts.argv, facts.session, facts.descriptors], [['sleep', '1000'], facts.pid, NULL]);
});

test('an ordinary user starts workers as himself', { skip: unlessNobodyCan }, async (t) => {
  const facts = await factsOf(await launchIn(t, spec(), { under: asNobody }));
  assert.deepEqual([facts.status('Uid'), facts.session], [Array(4).fill(NOBODY).join('\t'), facts.pid]);
});

const ENDS: readonly (readonly [script: string, how: string])[] = [
  ['exit 3', 'exited with status 3'],
  ['exit 0', 'died'],
  ['kill -SEGV $$', 'was killed by SIGSEGV'],
  ['kill -KILL $$', 'was killed by SIGKILL'],
];
for (const [script, how] of ENDS) {
  test(`a worker that ends: ${script}`, async (t) => {
    const launched = await launchIn(t, spec({ argv: ['/bin/sh', '-c', `ulimit -c 0; ${script}`] }));
    assert.deepEqual((await launched.end()).state, { kind: 'exited', how });
  });
}

test('a worker that lives is running', async (t) => {
  const launched = await launchIn(t, spec());
  await factsOf(launched);
  assert.deepEqual(await launched.ask(), { state: { kind: 'running' }, words: [] });
});

test('a program that is not there, or may not be run, says so in its last words', async (t) => {
  const directory = scratch(t);
  writeFileSync(join(directory, 'closed'), '#!/bin/sh\n');
  writeFileSync(join(directory, 'lost'), '#!/no/such/python\n');
  chmodSync(join(directory, 'lost'), 0o755);
  const logfile = join(directory, 'log');
  const found: unknown[] = [];
  for (const program of [
    'no-such-program',
    join(directory, 'missing'),
    join(directory, 'closed'),
    join(directory, 'lost'),
  ]) {
    const launched = await launchIn(t, spec({ argv: [program], logfile }), { env: { PATH: '/usr/bin:/bin' } });
    const { state, words } = await launched.end();
    found.push([state, words.map((line) => /not found|Permission denied/.exec(line)?.[0])]);
  }
  const exited = (status: number) => ({ kind: 'exited', how: `exited with status ${status}` });
  assert.deepEqual(found, [
    [exited(127), ['not found']],
    [exited(127), ['not found']],
    [exited(126), ['Permission denied']],
    [exited(127), ['not found']],
  ]);
});
