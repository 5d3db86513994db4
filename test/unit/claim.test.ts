// Which port a process speaks of, if it is of our fleet at all.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { claimedPort, type Fleet, parseMarker, seenFrom } from '../../src/core/identity.ts';
import { ARGV, CONFIG, fleet, type Look, MARKER, sight, words } from '../support/identity-cases.ts';

function check(title: string, look: Look, expected: number | undefined, changes: Partial<Fleet> = {}): void {
  test(title, () => assert.equal(claimedPort(sight(101, look), fleet(changes)), expected));
}

const OURS = `frontik --config=${CONFIG}`;

suite('by its command line', () => {
  check('ours', { argv: ARGV }, 8000);
  check('with --app and --logfile', { argv: [...ARGV, '--app=pkg', '--logfile=/var/log/x'] }, 8000);
  check('through an interpreter', { argv: ['/usr/bin/python', ...ARGV] }, 8000);
  check('another port of ours', { argv: words(`${OURS} --port=8003 --pidfile=/run/8003.pid`) }, 8003);
  check('80001 is not 8000', { argv: words(`${OURS} --port=80001`) }, undefined);
  check('18000 is not 8000', { argv: words(`${OURS} --port=18000`) }, 18_000);
  check('08000 is no port', { argv: words(`${OURS} --port=08000`) }, undefined);
  check('8000 in another notation', { argv: words(`${OURS} --port=0x1f40`) }, undefined);
  check('no port', { argv: words(OURS) }, undefined);
  check('an empty port', { argv: words(`${OURS} --port=`) }, undefined);
  check('the port in a word of its own', { argv: words(`${OURS} --port 8000`) }, undefined);
  check('a word that only ends like it', { argv: words(`${OURS} --http--port=8000`) }, undefined);
  check('a config that begins like ours', { argv: words(`frontik --config=${CONFIG}.bak --port=8000`) }, undefined);
  check('a config that ends like ours', { argv: words(`frontik --config=/srv${CONFIG} --port=8000`) }, undefined);
  check(
    'another config',
    { argv: words('frontik --config=/etc/other.cfg --port=8000 --pidfile=/run/8000.pid') },
    undefined,
  );
  check(
    'ours by another name is left to the marker',
    { argv: words('frontik --config=/etc/link.cfg --port=8000') },
    undefined,
  );
  check('no config', { argv: words('frontik --port=8000 --pidfile=/run/8000.pid') }, undefined);
  check('one word that holds both', { argv: [`sh -c "frontik --config=${CONFIG} --port=8000"`] }, undefined);
  check('no pidfile though we have a template', { argv: words(`${OURS} --port=8000`) }, 8000);
  check(
    'the pidfile of another fleet',
    { argv: words(`${OURS} --port=8000 --pidfile=/run/other/8000.pid`) },
    undefined,
  );
  check('the pidfile of another port', { argv: words(`${OURS} --port=8000 --pidfile=/run/8001.pid`) }, undefined);
  check('a pidfile though we have no template', { argv: ARGV }, undefined, { pidfilesOf: () => [] });
  check('neither has a pidfile', { argv: words(`${OURS} --port=8000`) }, 8000, { pidfilesOf: () => [] });
  check('any template, when the config cannot be read', { argv: ARGV }, 8000, {
    pidfilesOf: () => [],
    anyTemplate: true,
  });
  check(
    'the template as it is written, relative',
    { argv: words(`${OURS} --port=8000 --pidfile=run/8000.pid`) },
    8000,
    {
      pidfilesOf: (port) => [`/srv/run/${port}.pid`, `run/${port}.pid`],
    },
  );
});

suite('by a relative config', () => {
  const relative = { config: 'app.cfg', configPaths: new Set(['/srv/app.cfg']) };
  const argv = words('frontik --config=app.cfg --port=8000');
  const full = words('frontik --config=app.cfg --port=8000 --pidfile=/run/8000.pid');
  check('the same file from where it stands', { argv, cwd: '/srv' }, 8000, relative);
  check('the same name elsewhere', { argv, cwd: '/home' }, undefined, relative);
  check('nobody knows where it stands', { argv, cwd: undefined }, undefined, relative);
  check('a daemon in /, with our pidfile', { argv: full, cwd: '/' }, 8000, relative);
  check('nobody knows where it stands, with our pidfile', { argv: full, cwd: undefined }, 8000, relative);
  check(
    'a relative pidfile says as little as a relative config',
    { argv: words('frontik --config=app.cfg --port=8000 --pidfile=run/8000.pid'), cwd: '/' },
    undefined,
    { ...relative, pidfilesOf: () => ['/srv/run/8000.pid', 'run/8000.pid'] },
  );
  check(
    'another fleet of the same directory',
    { argv: words('frontik --config=app.cfg --port=8000 --pidfile=/x/8000.pid'), cwd: '/srv' },
    undefined,
    relative,
  );
  const dotted = { config: './conf/../app.cfg', configPaths: new Set(['/srv/app.cfg']) };
  check('with dots', { argv: words('frontik --config=./conf/../app.cfg --port=8000'), cwd: '/srv' }, 8000, dotted);
});

suite('by its marker', () => {
  check('renamed, but its environment is there', { argv: ['frontik: worker'], marker: MARKER }, 8000);
  check('the target of our config', { marker: '/srv/real.cfg:8000' }, 8000, {
    configPaths: new Set([CONFIG, '/srv/real.cfg']),
  });
  check('another config', { marker: '/etc/other.cfg:8000' }, undefined);
  check('a config that begins like ours', { marker: `${CONFIG}.bak:8000` }, undefined);
  check('a relative path', { marker: 'app.cfg:8000' }, undefined);
  check('no port', { marker: CONFIG }, undefined);
  check('80001', { marker: `${CONFIG}:80001` }, undefined);
  check('a port that is none', { marker: `${CONFIG}:0` }, undefined);
  check('empty', { marker: '' }, undefined);
});

suite('a command line outweighs an inherited marker', () => {
  check('they agree', { argv: ARGV, marker: MARKER }, 8000);
  check('another config', { argv: words('frontik --config=/etc/other.cfg --port=8000'), marker: MARKER }, undefined);
  check('another port', { argv: words(`${OURS} --port=8001`), marker: MARKER }, 8001);
  check('another port alone', { argv: words('redis --port=6379'), marker: MARKER }, undefined);
  check('another pidfile', { argv: words('nginx --pidfile=/run/nginx.pid'), marker: MARKER }, undefined);
  check(
    'another fleet of the same config',
    { argv: words(`${OURS} --port=8000 --pidfile=/x/8000.pid`), marker: MARKER },
    undefined,
  );
  check('two ports, one of them ours', { argv: [...ARGV, '--port=8001'], marker: MARKER }, undefined);
  check(
    'our config, spelled otherwise',
    { argv: words('frontik --config=/etc//./app/x/../app.cfg --port=8000'), marker: MARKER },
    8000,
  );
  check(
    'our config by another name',
    { argv: words('frontik --config=/etc/link.cfg --port=8000'), marker: MARKER },
    8000,
    {
      configPaths: new Set([CONFIG, '/etc/link.cfg']),
    },
  );
  check(
    'a relative config, seen after it has changed its directory',
    { argv: words('frontik --config=app.cfg --port=8000'), cwd: '/', marker: MARKER },
    8000,
    {
      config: 'app.cfg',
    },
  );
});

suite('markers and paths', () => {
  const marker = (text: string, expected: unknown): void =>
    void test(`marker ${text}`, () => assert.deepEqual(parseMarker(text), expected));
  marker('/a/b.cfg:8000', { path: '/a/b.cfg', port: 8000 });
  marker('/a/b:c.cfg:8000', { path: '/a/b:c.cfg', port: 8000 });
  marker('/a/b.cfg:', undefined);
  marker(':8000', undefined);
  marker('8000', undefined);
  marker('/a/b.cfg:8000 ', undefined);
  const seen = (cwd: string | undefined, path: string, expected: string | undefined): void =>
    void test(`${path} from ${cwd}`, () => assert.equal(seenFrom(cwd, path), expected));
  seen('/srv', 'app.cfg', '/srv/app.cfg');
  seen('/', 'app.cfg', '/app.cfg');
  seen('/srv', './app.cfg', '/srv/app.cfg');
  seen('/srv/x', '../app.cfg', '/srv/app.cfg');
  seen('/srv', '/etc/app.cfg', '/etc/app.cfg');
  seen(undefined, '/etc/app.cfg', '/etc/app.cfg');
  seen(undefined, '/etc//x/.././app.cfg', '/etc/app.cfg');
  seen(undefined, 'app.cfg', undefined);
});
