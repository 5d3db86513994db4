// advance() on the way up: every stage against every kind of look.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { advance, type Journey } from '../../src/core/journey.ts';
import type { Sighting, WorkerSpec } from '../../src/core/worker.ts';
import { at, describeTurn, names, PATIENCE, process, SPEC, see, starting, stopping } from '../support/core-values.ts';

function check(title: string, from: Journey, seen: Sighting, expected: string, spec: WorkerSpec = SPEC): void {
  test(title, () => assert.equal(describeTurn(advance(from, seen, spec, PATIENCE)), expected));
}

const WORKER = process(101);
const NGINX = { kind: 'stranger', holder: { pid: 7, name: 'nginx' } } as const;
const OWN = { kind: 'worker' } as const;
const due: Journey = { stage: 'start-due' };
const READY = { worker: WORKER, listener: OWN, http: 'ready', pidfile: names(101) } as const;
const BOOTING = { worker: WORKER } as const;
const RUNS = { kind: 'running' } as const;
const EXITED = { kind: 'exited', how: 'exited with status 1' } as const;

suite('start-due', () => {
  const LAUNCH = 'starting launched till 60000 tell 1000 | tidy-pidfile, launch | launching';
  check('nothing there', due, see(0), LAUNCH);
  check('a dead pidfile', due, see(0, { pidfile: names(9) }), LAUNCH);
  check('only what an old worker left behind', due, see(0, { leftBehind: [process(5)] }), LAUNCH);
  check('port held', due, see(0, { listener: NGINX }), 'failed port-held |  | failed-to-start (held by nginx (pid 7))');
  check(
    'port held by somebody who cannot be seen',
    due,
    see(0, { listener: { kind: 'stranger', holder: undefined } }),
    'failed port-held |  | failed-to-start (held by a process that cannot be seen from here)',
  );
  check('alive and ready', due, see(0, READY), 'up #101 |  | already-started');
  check(
    'alive and ready, its pidfile lost',
    due,
    see(0, { ...READY, pidfile: { kind: 'none' } }),
    'up #101 | write-pidfile #101 | already-started',
  );
  check('alive, booting', due, see(0, BOOTING), 'starting found till 60000 tell 1000 |  | already-started');
  check(
    'alive, answering 503',
    due,
    see(0, { ...READY, http: 'unready' }),
    'starting found till 60000 tell 1000 |  | already-started',
  );
  check(
    'alive, but a stranger has its port',
    due,
    see(0, { ...BOOTING, listener: NGINX }),
    'failed port-held |  | already-started, failed-to-start (held by nginx (pid 7))',
  );
});

suite('what a dead worker left on the port', () => {
  const left = {
    leftBehind: [process(5)],
    listener: { kind: 'stranger', holder: { pid: 5, name: 'frontik' } },
  } as const;
  const clearing = stopping({
    because: 'its-port',
    leavers: [{ id: process(5), sent: 'SIGTERM', until: at(4000) }],
    waves: 1,
  });
  const STOP = 'stopping SIGTERM#5 sent wave 1 because its-port | SIGTERM #5 | stopping';
  const LAUNCH = 'starting launched till 60050 tell 1050 | tidy-pidfile, launch | launching';
  check('it is ended first', due, see(0, left), STOP);
  check('it is no matter while the port is free', due, see(50, { leftBehind: [process(5)] }), LAUNCH);
  check('gone', { ...clearing, unseen: 1 }, see(50), 'start-due | tidy-pidfile |');
  check('gone, and the port is free', { stage: 'start-due', cleared: true }, see(50), LAUNCH);
  check(
    'once is enough',
    { stage: 'start-due', cleared: true },
    see(50, left),
    'failed port-held |  | failed-to-start (held by frontik (pid 5))',
  );
  check(
    'a worker that is there is no matter for it',
    due,
    see(50, { ...left, ...READY }),
    'up #101 |  | already-started',
  );
  check('a worker comes meanwhile: it is not signalled', clearing, see(50, BOOTING), 'start-due |  |');
});

suite('starting', () => {
  const launched = starting();
  const found = starting({ origin: 'found' });
  const WAIT = 'starting launched till 60000 tell 1000';
  check('still booting', launched, see(500, BOOTING), `${WAIT} |  |`);
  check('a second is over', launched, see(1000, BOOTING), 'starting launched till 60000 tell 2000 |  | waiting');
  check(
    'told a moment ago',
    starting({ tellAt: at(2400) }),
    see(2000, BOOTING),
    'starting launched till 60000 tell 2400 |  |',
  );
  check('ready', launched, see(700, READY), 'up #101 |  |');
  check('ready at the very end', launched, see(60_000, READY), 'up #101 |  |');
  check(
    'ready, and it wrote no pidfile',
    launched,
    see(700, { ...READY, pidfile: { kind: 'none' } }),
    'up #101 | write-pidfile #101 |',
  );
  check(
    'ready, and its pidfile is unusable',
    launched,
    see(700, { ...READY, pidfile: { kind: 'unusable', why: 'EACCES' } }),
    'up #101 |  |',
  );
  check(
    'ready, and its pidfile is empty',
    launched,
    see(700, { ...READY, pidfile: { kind: 'garbled' } }),
    'up #101 |  |',
  );
  check(
    'ready, and no pidfile is wanted',
    launched,
    see(700, { ...READY, pidfile: { kind: 'none' } }),
    'up #101 |  |',
    { ...SPEC, pidfile: undefined },
  );
  check(
    'its port answers, but is not its own',
    launched,
    see(700, { ...READY, listener: { kind: 'none' } }),
    `${WAIT} |  |`,
  );
  check('listens, silent', launched, see(700, { ...READY, http: 'silent' }), `${WAIT} |  |`);

  check('unseen, its starter runs', launched, see(100, { starter: RUNS }), `${WAIT} |  |`);
  check('unseen once, its starter is gone', launched, see(100, { starter: EXITED }), `${WAIT} unseen 1 |  |`);
  check('unseen twice', starting({ unseen: 1 }), see(110, { starter: EXITED }), `${WAIT} unseen 2 |  |`);
  check('seen again', starting({ unseen: 2 }), see(120, BOOTING), `${WAIT} |  |`);
  check(
    'unseen three times: dead',
    starting({ unseen: 2 }),
    see(120, { starter: EXITED }),
    'failed died-while-starting | tidy-pidfile | failed-to-start (it exited with status 1 before it was ready)',
  );
  check(
    'dead, and what it left behind is ended',
    starting({ unseen: 2 }),
    see(120, { starter: EXITED, leftBehind: [process(5)] }),
    'stopping SIGTERM#5 sent wave 1 because died-while-starting | SIGTERM #5 | failed-to-start (it exited with status 1 before it was ready), stopping',
  );
  check(
    'out of time: stopped again',
    launched,
    see(60_000, { ...READY, http: 'unready' }),
    'stopping SIGTERM#101 sent wave 1 because not-ready-in-time | SIGTERM #101 | failed-to-start (it was not ready within 60 s (pid 101): its answer is not that of a ready worker), stopping',
  );
  check(
    'out of time, but nobody has looked for seconds: one more second',
    starting({ lookedAt: at(50_000) }),
    see(65_000, { ...READY, http: 'silent' }),
    'starting launched till 66000 tell 66000 |  | waiting',
  );
  check(
    'that second is over as well, seconds ago',
    starting({ deadline: at(66_000), isProlonged: true, lookedAt: at(65_000) }),
    see(70_000, { ...READY, http: 'silent' }),
    'stopping SIGTERM#101 sent wave 1 because not-ready-in-time | SIGTERM #101 | failed-to-start (it was not ready within 60 s (pid 101): it gives no answer within 1 s), stopping',
  );
  check(
    'out of time and nowhere to be seen',
    launched,
    see(60_000, { starter: RUNS }),
    'failed died-while-starting | tidy-pidfile | failed-to-start (it died before it was ready)',
  );
  check(
    'its port was taken',
    launched,
    see(300, { ...BOOTING, listener: NGINX }),
    'stopping SIGTERM#101 sent wave 1 because port-held | SIGTERM #101 | failed-to-start (held by nginx (pid 7)), stopping',
  );

  check('found, booting', found, see(500, BOOTING), 'starting found till 60000 tell 1000 |  |');
  check('found, ready', found, see(500, READY), 'up #101 |  |');
  check('found, gone for a moment', found, see(500), 'starting found till 60000 tell 1000 unseen 1 |  |');
  check(
    'found, gone: launched anew',
    starting({ origin: 'found', unseen: 2 }),
    see(520),
    'starting launched till 60520 tell 1520 | tidy-pidfile, launch | launching',
  );
  check(
    'found, gone, and a stranger was quicker',
    starting({ origin: 'found', unseen: 2 }),
    see(520, { listener: NGINX }),
    'failed port-held |  | failed-to-start (held by nginx (pid 7))',
  );
  check(
    'found, out of time: left alone',
    found,
    see(60_000, BOOTING),
    'failed alive-not-ready |  | failed-to-start (alive (pid 101) but not ready)',
  );
});

suite('settled', () => {
  check('up stays up, whatever is seen', { stage: 'up', id: WORKER }, see(9), 'up #101 |  |');
  check('down stays down', { stage: 'down' }, see(9, READY), 'down |  |');
  check(
    'failed stays failed',
    { stage: 'failed', failure: { kind: 'alive-not-ready', id: WORKER } },
    see(9, READY),
    'failed alive-not-ready |  |',
  );
});
