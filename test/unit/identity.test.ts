// Who is who on one port, by the rules of what counts as alive.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { PidfileSight } from '../../src/core/worker.ts';
import { names, pid } from '../support/core-values.ts';
import { ARGV, type Case, type Look, MARKER, sight, whoIsWho, words } from '../support/identity-cases.ts';

function check(title: string, given: Case, expected: string): void {
  test(title, () => assert.equal(whoIsWho(given), expected));
}

const FULL: Look = { argv: ARGV, marker: MARKER };
const BY_HAND: Look = { argv: ARGV };
const HELPER: Look = { argv: words('/usr/bin/convert a.png'), marker: MARKER };

suite('one worker', () => {
  check('nobody', { processes: [] }, 'nobody');
  check('ours', { processes: [sight(101, FULL)] }, 'worker 101');
  check('started by hand', { processes: [sight(101, BY_HAND)] }, 'worker 101');
  check('it listens', { processes: [sight(101, FULL)], listening: [101] }, 'worker 101, port of worker');
  check('somebody else listens', { processes: [sight(101, FULL)], isOpen: true }, 'worker 101, port of stranger');
  check('nobody of ours, and the port is open', { processes: [], isOpen: true }, 'nobody, port of stranger');
  check(
    'another port',
    { processes: [sight(101, { argv: words('frontik --config=/etc/app/app.cfg --port=8001') })] },
    'nobody',
  );
  check('the pidfile is empty', { processes: [sight(101, FULL)], pidfile: { kind: 'garbled' } }, 'worker 101');
  check('the pidfile is wrong', { processes: [sight(101, FULL)], pidfile: names(999) }, 'worker 101');
  check(
    'renamed with its environment, named by its pidfile',
    { processes: [sight(101, { marker: MARKER })], pidfile: names(101) },
    'worker 101',
  );
  check(
    'renamed with its environment, listening',
    { processes: [sight(101, { marker: MARKER })], listening: [101] },
    'worker 101, port of worker',
  );
  check(
    'launched by another name of the configuration, and not listening yet',
    { processes: [sight(101, { argv: words('frontik --config=app.cfg --port=8000'), marker: MARKER })] },
    'worker 101',
  );
  check(
    'its marker, and words that name no port',
    { processes: [sight(101, { argv: words('psql --config=app.cfg'), marker: MARKER })] },
    'nobody',
  );
  check(
    'just launched, still the wrapper',
    { processes: [sight(101, { argv: words('/bin/sh -c x'), marker: MARKER })], starter: 101 },
    'worker 101',
  );
});

suite('families', () => {
  const child = { ...FULL, parent: 101, session: 101 };
  check('forked children', { processes: [sight(101, FULL), sight(102, child), sight(103, child)] }, 'worker 101');
  check(
    'a forked grandchild',
    { processes: [sight(101, FULL), sight(102, child), sight(103, { ...FULL, parent: 102 })] },
    'worker 101',
  );
  const command: Look = { argv: words('frontik-supervisor run'), marker: MARKER };
  check(
    'launched by a command that was itself run from inside a worker',
    { processes: [sight(50, command), sight(101, { ...FULL, parent: 50 })] },
    'worker 101',
  );
  check(
    'a worker that wiped its words, and a child of its own session that has them',
    { processes: [sight(50, { marker: MARKER }), sight(101, { ...FULL, parent: 50 })], listening: [50] },
    'worker 50, port of worker',
  );
  check('the child was read first', { processes: [sight(102, child), sight(101, FULL)] }, 'worker 101');
  check(
    'the pidfile names the child',
    { processes: [sight(101, FULL), sight(102, child)], pidfile: names(102) },
    'worker 101',
  );
  check(
    'the child has the port',
    { processes: [sight(101, FULL), sight(102, child)], listening: [102] },
    'worker 101, port of worker',
  );
  check(
    'a helper of the worker has the port',
    { processes: [sight(101, FULL), sight(102, { ...HELPER, parent: 101 })], listening: [102] },
    'worker 101, port of worker',
  );
  check(
    'a helper',
    { processes: [sight(101, FULL), sight(102, { ...HELPER, parent: 101, session: 101 })] },
    'worker 101',
  );
  check(
    'a helper of its own session',
    { processes: [sight(101, FULL), sight(102, { ...HELPER, parent: 101 })] },
    'worker 101',
  );
  check(
    'a shell that waits for its worker',
    {
      processes: [sight(101, { argv: words('/bin/sh run.sh'), marker: MARKER }), sight(102, { ...FULL, parent: 101 })],
      starter: 101,
    },
    'worker 101',
  );
  check(
    "two that are each other's parent, as a reused pid can make it seem",
    {
      processes: [sight(101, { ...FULL, parent: 102 }), sight(102, { ...FULL, parent: 101 })],
      listening: [102],
    },
    'nobody, port of stranger',
  );
});

suite('what is left behind', () => {
  const orphan = { ...HELPER, session: 101 };
  check(
    'in the session of the worker that the pidfile names',
    { processes: [sight(102, orphan)], pidfile: names(101) },
    'nobody, left 102',
  );
  check(
    'in a session that was seen',
    { processes: [sight(102, { ...HELPER, session: 77 })], sessions: [77] },
    'nobody, left 102',
  );
  check(
    'a forked child in the session of the worker that the pidfile names',
    { processes: [sight(102, { ...FULL, session: 101 })], pidfile: names(101) },
    'nobody, left 102',
  );
  check(
    'and it has the port',
    { processes: [sight(102, { ...FULL, session: 101 })], pidfile: names(101), listening: [102] },
    'nobody, left 102, port of stranger',
  );
  check(
    'no worker of another fleet: one whose pidfile is spelled otherwise, through a link perhaps',
    {
      processes: [sight(101, { ...FULL, argv: ARGV.map((word) => word.replace('/run/', '/var/run/')) })],
      pidfile: names(101),
    },
    'nobody',
  );
  check(
    'not while the worker lives',
    { processes: [sight(101, FULL), sight(102, orphan)], pidfile: names(101) },
    'worker 101',
  );
  check(
    'a daemon in a session of its own',
    { processes: [sight(102, HELPER)], pidfile: names(101), sessions: [77] },
    'nobody',
  );
  check(
    'without our marker',
    { processes: [sight(102, { argv: words('vim'), session: 101 })], pidfile: names(101) },
    'nobody',
  );
  check(
    'with the marker of another port',
    { processes: [sight(102, { ...orphan, marker: '/etc/app/app.cfg:8001' })], pidfile: names(101) },
    'nobody',
  );
  check('of another user', { processes: [sight(102, { ...orphan, uids: [666, 666] })], pidfile: names(101) }, 'nobody');
  check('we ourselves', { processes: [sight(102, orphan)], pidfile: names(101), ownPids: [102] }, 'nobody');
});

suite('what a daemon left behind that forked twice, so that its session has a number below its own', () => {
  const helper = { ...HELPER, session: 100, startTicks: 20 };
  const pidfile = names(101);
  check(
    'younger than the pidfile, and nobody leads its session',
    { processes: [sight(102, helper)], pidfile },
    'nobody, left 102',
  );
  check(
    'begun in the tick in which the pidfile was written',
    { processes: [sight(102, { ...helper, startTicks: 9 })], pidfile },
    'nobody, left 102',
  );
  check(
    'older than the pidfile: of an earlier worker',
    { processes: [sight(102, { ...helper, startTicks: 8 })], pidfile },
    'nobody',
  );
  check(
    'another daemon leads its session',
    { processes: [sight(100, { argv: words('nginx') }), sight(102, helper)], pidfile },
    'nobody',
  );
  check(
    'its session is younger than the worker',
    { processes: [sight(110, { ...helper, session: 105 })], pidfile },
    'nobody',
  );
  check(
    'its session is far away',
    { processes: [sight(2500, { ...helper, session: 999 })], pidfile: names(2001) },
    'nobody',
  );
  check('there is no pidfile', { processes: [sight(102, helper)] }, 'nobody');
  check('another user', { processes: [sight(102, { ...helper, uids: [666, 666] })], pidfile }, 'nobody');
});

suite('daemons that a worker started', () => {
  check(
    'a daemon that an earlier worker started',
    { processes: [sight(90, { argv: words('/usr/sbin/daemon'), marker: MARKER, startTicks: 3 })], pidfile: names(101) },
    'nobody',
  );
  const nginx = { argv: words('nginx: master process'), marker: MARKER };
  check('beside the worker', { processes: [sight(101, FULL), sight(200, nginx)] }, 'worker 101');
  check('without the worker', { processes: [sight(200, nginx)] }, 'nobody');
  check(
    'that speaks of a port of its own',
    { processes: [sight(200, { argv: words('redis --port=6379'), marker: MARKER })] },
    'nobody',
  );
});

suite('rivals', () => {
  check(
    "a rival's child has the port",
    {
      processes: [sight(101, FULL), sight(102, FULL), sight(103, { ...FULL, parent: 102 })],
      listening: [103],
    },
    'worker 101, rivals 102, port of stranger',
  );
  const two = [sight(101, FULL), sight(102, { ...FULL, startTicks: 5 })];
  check('the older one', { processes: two.toReversed() }, 'worker 101, rivals 102');
  check('the one the pidfile names', { processes: two, pidfile: names(102) }, 'worker 102, rivals 101');
  check('the one that listens', { processes: two, listening: [102] }, 'worker 102, rivals 101, port of worker');
  check(
    'listening outranks the pidfile',
    { processes: two, pidfile: names(102), listening: [101] },
    'worker 101, rivals 102, port of worker',
  );
  check('three', { processes: [...two, sight(103, BY_HAND)] }, 'worker 101, rivals 103 102');
  check(
    'one of them is a child of ours',
    { processes: [...two, sight(103, { ...FULL, parent: 102 })] },
    'worker 101, rivals 102',
  );
});

suite('owners', () => {
  const planted = { ...FULL, uids: [666, 666] as const };
  check('a look-alike of another user', { processes: [sight(101, planted)] }, 'nobody, ignored 101');
  check(
    'and it has the port',
    { processes: [sight(101, planted)], listening: [101] },
    'nobody, ignored 101, port of stranger',
  );
  check('and the pidfile names it', { processes: [sight(101, planted)], pidfile: names(101) }, 'nobody, ignored 101');
  check('beside the worker', { processes: [sight(101, FULL), sight(102, planted)] }, 'worker 101, ignored 102');
  check(
    'beside the worker, with its port',
    { processes: [sight(101, FULL), sight(102, planted)], listening: [102] },
    'worker 101, ignored 102, port of stranger',
  );
  check(
    'real user another, effective root: set-user-ID',
    { processes: [sight(101, { ...FULL, uids: [666, 0] })] },
    'nobody, ignored 101',
  );
  check(
    'real user root, effective another',
    { processes: [sight(101, { ...FULL, uids: [0, 666] })] },
    'nobody, ignored 101',
  );
  check('a user who counts', { processes: [sight(101, { ...FULL, uids: [700, 700] })], uids: [0, 700] }, 'worker 101');
  check('a helper of a look-alike', { processes: [sight(101, { ...HELPER, uids: [666, 666] })] }, 'nobody');
  check(
    'a look-alike posing as parent does not hide the worker',
    {
      processes: [sight(101, { ...FULL, parent: 66 }), sight(66, planted)],
    },
    'worker 101, ignored 66',
  );
});

suite('renamed', () => {
  const renamed = sight(101, { argv: ['frontik: worker'], startTicks: 3 });
  check(
    'its pidfile names it, is younger, and it listens',
    { processes: [], named: renamed, pidfile: names(101), listening: [101] },
    'worker 101, port of worker',
  );
  check('it does not listen', { processes: [], named: renamed, pidfile: names(101) }, 'nobody');
  check(
    'somebody else listens',
    { processes: [], named: renamed, pidfile: names(101), isOpen: true },
    'nobody, port of stranger',
  );
  check(
    'it is younger than its pidfile: a recycled pid',
    { processes: [], named: sight(101, { startTicks: 110 }), pidfile: names(101), listening: [101] },
    'nobody, port of stranger',
  );
  check(
    'the clocks of files and processes differ by up to a second',
    { processes: [], named: sight(101, { startTicks: 109 }), pidfile: names(101), listening: [101] },
    'worker 101, port of worker',
  );
  check(
    'of another user',
    { processes: [], named: sight(101, { uids: [666, 666] }), pidfile: names(101), listening: [101] },
    'nobody, port of stranger',
  );
  check(
    'it speaks of another config',
    {
      processes: [],
      named: sight(101, { argv: words('frontik --config=/etc/other.cfg') }),
      pidfile: names(101),
      listening: [101],
    },
    'nobody, port of stranger',
  );
  check(
    'it speaks of another fleet of our config',
    {
      processes: [],
      named: sight(101, { argv: words('frontik --config=/etc/app/app.cfg --port=8000 --pidfile=/x/8000.pid') }),
      pidfile: names(101),
      listening: [101],
    },
    'nobody, port of stranger',
  );
  check(
    'its marker is of another port',
    { processes: [], named: sight(101, { marker: '/etc/app/app.cfg:8001' }), pidfile: names(101), listening: [101] },
    'nobody, port of stranger',
  );
  check(
    'its marker is of another application',
    { processes: [], named: sight(101, { marker: '/etc/other.cfg:8000' }), pidfile: names(101), listening: [101] },
    'nobody, port of stranger',
  );
  check(
    'we ourselves',
    { processes: [], named: renamed, pidfile: names(101), listening: [101], ownPids: [101] },
    'nobody, port of stranger',
  );
  const service = [700, 700] as const;
  const byService: PidfileSight = { kind: 'names', pid: pid(101), writtenTicks: 9, writer: 700 };
  check(
    'of root, and the service user has written its number down',
    {
      processes: [],
      named: renamed,
      pidfile: byService,
      listening: [101],
      uids: [0, 700],
    },
    'nobody, port of stranger',
  );
  check(
    'of the service user, and he has written its number down',
    {
      processes: [],
      named: sight(101, { uids: service }),
      pidfile: byService,
      listening: [101],
      uids: [0, 700],
    },
    'worker 101, port of worker',
  );
  check(
    'of the service user, and root has written its number down',
    { processes: [], named: sight(101, { uids: service }), pidfile: names(101), listening: [101], uids: [0, 700] },
    'worker 101, port of worker',
  );
});

suite('called from inside a worker', () => {
  check(
    'of a second one, which could not bind: it is our ancestor, and not the worker',
    { processes: [sight(101, FULL), sight(102, FULL)], ownPids: [1, 102], listening: [101] },
    'worker 101, port of worker',
  );
  check(
    'of a second one, which the pidfile names: no rival of the worker that is to be stopped',
    { processes: [sight(101, FULL), sight(102, FULL)], ownPids: [1, 102], listening: [101], pidfile: names(102) },
    'worker 101, port of worker',
  );
  check(
    'the worker is gone, and our ancestor has inherited its socket',
    { processes: [sight(102, { ...HELPER, session: 101 })], ownPids: [102], listening: [102] },
    'nobody, port of stranger',
  );
  check(
    'the worker is gone, and a planted pidfile names our ancestor',
    { processes: [sight(102, { ...HELPER, session: 101 })], ownPids: [102], pidfile: names(102) },
    'nobody',
  );
  const worker = sight(101, FULL);
  const shell = sight(102, { argv: words('/bin/sh -c restart'), marker: MARKER, parent: 101, session: 101 });
  const own = sight(103, {
    argv: words('frontik-supervisor --config=/etc/app/app.cfg restart'),
    marker: MARKER,
    parent: 102,
    session: 101,
  });
  check(
    'the worker counts though it is our ancestor',
    { processes: [worker, shell, own], ownPids: [1, 101, 102, 103], listening: [101] },
    'worker 101, port of worker',
  );
  check(
    'what we launch is a worker, though we have inherited the marker and are its parent',
    { processes: [own, sight(104, { ...FULL, parent: 103 })], ownPids: [1, 102, 103] },
    'worker 104',
  );
  check(
    'a hook that the worker forked, with its very words, is not the worker',
    { processes: [sight(101, FULL), sight(102, FULL)], ownPids: [102], listening: [101] },
    'worker 101, port of worker',
  );
  check('nor when the worker is gone', { processes: [sight(102, FULL)], ownPids: [102] }, 'nobody');
  check(
    'the worker is gone: we are not left behind',
    {
      processes: [{ ...shell, parent: 1 }, own],
      ownPids: [1, 102, 103],
      sessions: [101],
      pidfile: names(101),
    },
    'nobody',
  );
  check(
    'but a helper is',
    {
      processes: [{ ...shell, parent: 1 }, own, sight(104, { ...HELPER, session: 101 })],
      ownPids: [1, 102, 103],
      sessions: [101],
    },
    'nobody, left 104',
  );
});
