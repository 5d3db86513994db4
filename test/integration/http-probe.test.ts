import assert from 'node:assert/strict';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { suite, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Readiness } from '../../src/core/application.ts';
import type { Port } from '../../src/core/units.ts';
import type { HttpSight } from '../../src/core/worker.ts';
import { isReady, probe } from '../../src/host/http-probe.ts';
import { begin, linesOf, nextOf, nodeRunning, PYTHON, portOf } from '../support/adapters.ts';
import { takePorts } from '../support/e2e-ports.ts';

const USUAL: Readiness = { path: '/status/', servers: ['TornadoServer', 'Frontik'] };
const ANY: Readiness = { path: '/status/', servers: [] };
const GOOD = 'HTTP/1.1 200 OK\r\nServer: TornadoServer/6.2\r\nContent-Length: 0\r\n\r\n';

const HEADS: readonly (readonly [what: string, head: string, readiness: Readiness, ready: boolean])[] = [
  ['Tornado', GOOD, USUAL, true],
  ['Frontik', 'HTTP/1.1 200 OK\r\nServer: Frontik/2.28\r\n\r\n', USUAL, true],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nServer: Frontik\r\n\r\n', USUAL, true],
  ['204', 'HTTP/1.1 204 No Content\r\nServer: Frontik\r\n\r\n', USUAL, true],
  ['299 without a reason', 'HTTP/1.1 299\r\nServer: Frontik\r\n\r\n', USUAL, true],
  ['301', 'HTTP/1.1 301 Moved\r\nServer: Frontik\r\nLocation: /\r\n\r\n', USUAL, false],
  ['404', 'HTTP/1.1 404 Not Found\r\nServer: TornadoServer/6.2\r\n\r\n', USUAL, false],
  ['500', 'HTTP/1.1 500 Oops\r\nServer: TornadoServer/6.2\r\n\r\n', USUAL, false],
  ['100', 'HTTP/1.1 100 Continue\r\nServer: Frontik\r\n\r\n', USUAL, false],
  ['2000', 'HTTP/1.1 2000 OK\r\nServer: Frontik\r\n\r\n', USUAL, false],
  ['another server', 'HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n', USUAL, false],
  ['a server that only mentions ours', 'HTTP/1.1 200 OK\r\nServer: my TornadoServer\r\n\r\n', USUAL, false],
  ['a server in other case', 'HTTP/1.1 200 OK\r\nServer: frontik\r\n\r\n', USUAL, false],
  ['no server', 'HTTP/1.1 200 OK\r\n\r\n', USUAL, false],
  ['an empty server', 'HTTP/1.1 200 OK\r\nServer:\r\n\r\n', USUAL, false],
  ['another header that ends so', 'HTTP/1.1 200 OK\r\nX-Server: Frontik\r\n\r\n', USUAL, false],
  ['the server in the body', 'HTTP/1.1 200 OK\r\n\r\nServer: Frontik\r\n\r\n', USUAL, false],
  ['header names in any case', 'HTTP/1.1 200 OK\r\nsERVER: Frontik\r\n\r\n', USUAL, true],
  ['no blank after the colon', 'HTTP/1.1 200 OK\r\nServer:Frontik\r\n\r\n', USUAL, true],
  ['blanks and tabs after the colon', 'HTTP/1.1 200 OK\r\nServer: \t Frontik\r\n\r\n', USUAL, true],
  ['the last of many headers', `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(500)}Server: Frontik\r\n\r\n`, USUAL, true],
  ['any server is accepted: nginx', 'HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n', ANY, true],
  ['any server is accepted: none', 'HTTP/1.1 200 OK\r\n\r\n', ANY, true],
  ['any server is accepted: 500', 'HTTP/1.1 500 OK\r\n\r\n', ANY, false],
  ['a banner', 'SSH-2.0-OpenSSH_9.2\r\n\r\n', ANY, false],
  ['another protocol', 'ICY 200 OK\r\n\r\n', ANY, false],
  ['HTTP/2', 'HTTP/2 200\r\n\r\n', ANY, false],
  ['an empty head', '\r\n\r\n', ANY, false],
];
for (const [what, head, readiness, ready] of HEADS) {
  test(`head: ${what}`, () => assert.equal(isReady(head, readiness), ready));
}

/** A port on which somebody answers every connection in some way. */
async function answering(t: TestContext, answer: (socket: Socket) => unknown): Promise<Port> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
    answer(socket);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  t.after(async () => {
    const closed = new Promise((over) => server.close(over));
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return portOf((server.address() as AddressInfo).port);
}

/** Writes parts one after another, with a pause before each but the first, as long as anybody reads. */
async function drip(socket: Socket, parts: Iterable<string>, pause: number): Promise<void> {
  for (const part of parts) {
    if (socket.destroyed) return;
    socket.write(part);
    await sleep(pause);
  }
}

const ANSWERS: readonly (readonly [what: string, answer: (socket: Socket) => unknown, sight: HttpSight])[] = [
  ['ready', (socket) => socket.end(GOOD), 'ready'],
  ['ready and keeps the connection', (socket) => socket.write(GOOD), 'ready'],
  ['ready once it has been asked', (socket) => socket.once('data', () => socket.end(GOOD)), 'ready'],
  ['ready, in pieces', (socket) => drip(socket, GOOD.match(/[\s\S]{1,7}/g) ?? [], 5), 'ready'],
  ['ready, cut within the last newline', (socket) => drip(socket, [GOOD.slice(0, -1), '\n'], 50), 'ready'],
  [
    'ready, with a body that never ends',
    (socket) => drip(socket, [GOOD, ...Array<string>(2000).fill('x'.repeat(65_536))], 0),
    'ready',
  ],
  [
    'a redirect, which is not followed',
    (socket) => socket.end('HTTP/1.1 302 Found\r\nServer: Frontik\r\nLocation: /ok\r\n\r\n'),
    'unready',
  ],
  ['an error', (socket) => socket.end('HTTP/1.1 500 Oops\r\nServer: Frontik\r\n\r\n'), 'unready'],
  ['another server', (socket) => socket.end('HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n'), 'unready'],
  ['a head that is cut off', (socket) => socket.end(GOOD.slice(0, -4)), 'unready'],
  ['one byte a second', (socket) => drip(socket, GOOD, 1000), 'unready'],
  ['a head that never ends', (socket) => drip(socket, GOOD.slice(0, -2).concat('A: b\r\n'.repeat(1000)), 2), 'unready'],
  [
    'a head of a megabyte',
    (socket) => socket.end(`HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(180_000)}Server: Frontik\r\n\r\n`),
    'unready',
  ],
  ['a banner', (socket) => socket.write('SSH-2.0-OpenSSH_9.2p1\r\n'), 'unready'],
  ['garbage', (socket) => socket.end(Buffer.from([0, 255, 13, 10, 13, 10, 128])), 'unready'],
  ['nothing, for ever', () => undefined, 'silent'],
  ['nothing, and closes at once', (socket) => socket.end(), 'silent'],
  ['a reset', (socket) => socket.resetAndDestroy(), 'silent'],
];
// One after another: servers and probes share one event loop, and a flood would take the others' second from them.
suite('probe', () => {
  for (const [what, answer, sight] of ANSWERS) {
    test(`somebody answers: ${what}`, async (t) => {
      const port = await answering(t, answer);
      const began = performance.now();
      assert.equal(await probe(port, USUAL), sight);
      const took = performance.now() - began;
      assert(took < 6000, `it took ${took} ms`);
    });
  }

  test('nobody listens', async () => {
    // Not one that the kernel has just given: it may give it to somebody else.
    const ports = await takePorts();
    assert.equal(await probe(portOf(ports.first), USUAL), 'unasked');
    await ports.release();
  });

  test('what is asked for', async (t) => {
    let asked = '';
    const port = await answering(t, (socket) =>
      socket.setEncoding('latin1').on('data', (part: string) => {
        asked += part;
        if (asked.endsWith('\r\n\r\n')) socket.end(GOOD);
      }),
    );
    assert.equal(await probe(port, { ...USUAL, path: '/healthz?full=1' }), 'ready');
    assert.equal(asked, `GET /healthz?full=1 HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`);
  });

  test('many at once', async (t) => {
    const ports = await Promise.all(Array.from({ length: 64 }, () => answering(t, (socket) => socket.end(GOOD))));
    const sights = await Promise.all(ports.map((port) => probe(port, USUAL)));
    assert.deepEqual([...new Set(sights)], ['ready']);
  });

  test('a queue of connections that is full', async (t) => {
    const program = `
import socket, sys
server = socket.create_server(('127.0.0.1', 0), backlog=0)
port = server.getsockname()[1]
waiting = [socket.create_connection(('127.0.0.1', port)) for _ in range(1)]
print(port, flush=True)
sys.stdin.read()
`;
    const child = await begin(t, [PYTHON, '-c', program]);
    const port = portOf(Number(await nextOf(linesOf(child))));
    assert.equal(await probe(port, USUAL), 'silent');
  });
});

/** The first thing that a command says, while the servers of this process go on. */
async function saidBy(t: TestContext, command: readonly string[]): Promise<unknown> {
  return nextOf(linesOf(await begin(t, command)));
}

test('a probe leaves nothing open, whatever it met', async (t) => {
  const ports = await Promise.all(
    [
      (socket: Socket) => socket.end(GOOD),
      (socket: Socket) => socket.resetAndDestroy(),
      (): undefined => undefined,
    ].map((answer) => answering(t, answer)),
  );
  const script = `
    const { readdirSync } = await import('node:fs');
    const { probe } = await load('host/http-probe');
    await probe(given[0], ${JSON.stringify(USUAL)});
    const before = readdirSync('/proc/self/fd').length;
    const sights = await Promise.all(given.map((port) => probe(port, ${JSON.stringify(USUAL)})));
    await new Promise((turn) => setImmediate(turn));
    say({ sights, left: readdirSync('/proc/self/fd').length - before, active: process.getActiveResourcesInfo() });`;
  const { active, ...rest } = (await saidBy(t, nodeRunning(script, ports))) as { active: readonly string[] };
  assert.deepEqual(rest, { sights: ['ready', 'silent', 'silent'], left: 0 });
  assert.deepEqual(
    active.filter((resource) => resource.startsWith('TCP') || resource === 'Timeout'),
    [],
  );
});

test('a probe for which no descriptor is left', async (t) => {
  const port = await answering(t, (socket) => socket.end(GOOD));
  const script = `
    const { openSync } = await import('node:fs');
    const { probe } = await load('host/http-probe');
    for (let isFull = false; !isFull; ) {
      try { openSync('/dev/null'); } catch (error) { if (error.code !== 'EMFILE') throw error; isFull = true; }
    }
    say(await probe(given, ${JSON.stringify(USUAL)}));`;
  const under = ['/bin/sh', '-c', 'ulimit -n 200 && exec "$@"', 'sh'];
  assert.deepEqual(await saidBy(t, [...under, ...nodeRunning(script, port)]), { unaskable: 'EMFILE' });
});
