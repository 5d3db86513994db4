// Workers of ours on ports that are no longer configured.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Fleet, stalePorts } from '../../src/core/identity.ts';
import { port } from '../support/core-values.ts';
import { CONFIG, fleet, type Look, sight, words } from '../support/identity-cases.ts';

function check(title: string, looks: readonly Look[], expected: readonly number[], changes: Partial<Fleet> = {}): void {
  const processes = looks.map((look, index) => sight(101 + index, look));
  const configured = new Set([port(8000), port(8001)]);
  test(title, () => assert.deepEqual(stalePorts(processes, fleet(changes), configured), expected));
}

const on = (number: number): Look => ({
  argv: words(`frontik --config=${CONFIG} --port=${number} --pidfile=/run/${number}.pid`),
});
const bare = (number: number): Look => ({ argv: words(`frontik --config=${CONFIG} --port=${number}`) });
const NO_TEMPLATE = { pidfilesOf: (): string[] => [] };

check('none', [on(8000), on(8001)], []);
check('one', [on(8000), on(8002)], [8002]);
check('several, by port, each once', [on(8010), on(8002), on(8010), on(9)], [9, 8002, 8010]);
check('with our marker', [{ ...on(8002), marker: `${CONFIG}:8002` }], [8002]);
check('renamed, with our marker', [{ argv: ['frontik'], marker: `${CONFIG}:8002` }], [8002]);
check(
  'another template is another fleet',
  [{ argv: words(`frontik --config=${CONFIG} --port=8002 --pidfile=/x/8002.pid`) }],
  [],
);
check(
  'its pidfile is that of another port',
  [{ argv: words(`frontik --config=${CONFIG} --port=8002 --pidfile=/run/8003.pid`) }],
  [],
);
check('it has no pidfile, and we have a template', [bare(8002)], []);
check('it has a pidfile, and we have no template', [on(8002)], [], NO_TEMPLATE);
check('neither has one', [bare(8002)], [8002], NO_TEMPLATE);
check(
  'another application that shares the template',
  [{ argv: words('frontik --config=/etc/other.cfg --port=8002 --pidfile=/run/8002.pid') }],
  [],
);
check('the config cannot be read: every worker of it', [on(8002), bare(8003)], [8002, 8003], {
  ...NO_TEMPLATE,
  anyTemplate: true,
});
check(
  'a daemon that inherited the marker of a port that is gone, and speaks of itself',
  [{ argv: words('redis --port=6379'), marker: `${CONFIG}:8002` }],
  [],
);
