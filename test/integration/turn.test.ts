import assert from 'node:assert/strict';
import { test } from 'node:test';
import { probe } from '../../src/host/http-probe.ts';
import { openHost } from '../../src/host/node-host.ts';
import { begin, linesOf, nextOf, PYTHON, portOf } from '../support/adapters.ts';

const SERVER = `
import socket
server = socket.create_server(('127.0.0.1', 0))
print(server.getsockname()[1], flush=True)
peer, _ = server.accept()
peer.recv(1000)
peer.sendall(b'HTTP/1.1 200 OK\\r\\nServer: Frontik\\r\\n\\r\\n')
`;

// A look at /proc of a busy machine can take longer than the second that a worker has for its answer.
test('what is asked when an answer has come goes out before the next turn, so that the worker has its second', async (t) => {
  const child = await begin(t, [PYTHON, '-c', SERVER]);
  // What follows runs, as a survey after a start does, where the event loop hands out what was read.
  const port = portOf((await nextOf(linesOf(child))) as number);
  const sight = probe(port, { path: '/status/', servers: ['Frontik'] });
  await openHost().clock.turn();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
  assert.equal(await sight, 'ready');
});
