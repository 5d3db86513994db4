import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Listener } from '../../src/host/host.ts';
import { readProcess } from '../../src/host/proc.ts';
import { holderOf, holds, parseListeners, readListeners } from '../../src/host/sockets.ts';
import {
  asNobody,
  begin,
  inNode,
  linesOf,
  NOBODY,
  nextOf,
  nodeRunning,
  PYTHON,
  pidOf,
  portOf,
  puppet,
  unlessNobodyCan,
} from '../support/adapters.ts';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const ROWS: readonly (readonly [what: string, text: string, found: readonly (readonly [number, string, number])[]])[] =
  [
    ['only a heading', HEAD, []],
    ['nothing', '', []],
    [
      'IPv4',
      `${HEAD}   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 90210 1 0000000000000000 100 0 0 10 0\n`,
      [[8000, '90210', 1000]],
    ],
    [
      'IPv6',
      `${HEAD}   0: 00000000000000000000000000000000:FFFF 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7 1 0 100 0 0 10 0\n`,
      [[65_535, '7', 0]],
    ],
    [
      'connections, of whatever state, are none',
      ['01', '06', '08', '0C']
        .map(
          (state) =>
            `  12: 0100007F:1F40 0100007F:1F41 ${state} 00000000:00000000 00:00000000 00000000     0        0 5 1\n`,
        )
        .join(''),
      [],
    ],
    ['a row cut short', `${HEAD}   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000`, []],
  ];
for (const [what, text, found] of ROWS) {
  test(`rows: ${what}`, () =>
    assert.deepEqual(
      parseListeners(text),
      found.map(([port, inode, uid]) => ({ port, inode, uid })),
    ));
}

function listen(t: TestContext, host = '127.0.0.1'): Promise<Server & { readonly port: number }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port: 0, backlog: 4096 }, () => {
      t.after(() => server.close());
      resolve(Object.assign(server, { port: (server.address() as AddressInfo).port }));
    });
  });
}

function listenersOn(port: number): Listener[] {
  return readListeners().filter((listener) => listener.port === port);
}

/** The only listener on a port. */
function listenerOn(port: number): Listener {
  const [listener, ...others] = listenersOn(port);
  assert(listener !== undefined && others.length === 0, `there is not one listener on ${port}`);
  return listener;
}

const withoutIpv6 = readFileSync('/proc/net/if_inet6', 'utf8').includes(' lo') ? false : 'there is no IPv6 here';

for (const [what, host, skip] of [
  ['IPv4', '127.0.0.1', false],
  ['IPv6', '::1', withoutIpv6],
  ['an IPv6 socket that takes IPv4', '::ffff:127.0.0.1', withoutIpv6],
] as const) {
  test(`a listener is seen while it listens: ${what}`, { skip }, async (t) => {
    const server = await listen(t, host);
    const { inode, ...seen } = listenerOn(server.port);
    assert.deepEqual(seen, { port: server.port, uid: process.geteuid?.() });
    assert.match(inode, /^[1-9]\d*$/);
    await new Promise((closed) => server.close(closed));
    assert.deepEqual(listenersOn(server.port), []);
  });
}

test('the same port on IPv4 and IPv6 is two listeners', { skip: withoutIpv6 }, async (t) => {
  const one = await listen(t);
  const other = createServer();
  await new Promise<void>((ready) => other.listen(one.port, '::1', ready));
  t.after(() => other.close());
  assert.equal(new Set(listenersOn(one.port).map(({ inode }) => inode)).size, 2);
});

test('hundreds of listeners are all seen', async (t) => {
  const servers = await Promise.all(Array.from({ length: 600 }, () => listen(t)));
  const seen = new Set<number>(readListeners().map(({ port }) => port));
  assert.deepEqual(
    servers.map(({ port }) => port).filter((port) => !seen.has(port)),
    [],
  );
});

test('listeners are seen before thousands of connections', async (t) => {
  const servers = await Promise.all(Array.from({ length: 8 }, () => listen(t)));
  const sockets: Socket[] = [];
  // A reset leaves nothing behind, not even TIME_WAIT.
  t.after(() => {
    for (const socket of sockets) socket.resetAndDestroy();
  });
  await Promise.all(
    servers.map(async (server) => {
      const accepted = new Promise<void>((all) => {
        let count = 0;
        server.on('connection', (socket) => {
          sockets.push(socket);
          count += 1;
          if (count === 200) all();
        });
      });
      for (let made = 0; made < 200; made += 1)
        sockets.push(connect(server.port, '127.0.0.1').on('error', () => undefined));
      await accepted;
    }),
  );
  assert.equal(sockets.length, 3200);
  for (const { port } of servers) assert.equal(listenersOn(port).length, 1);
});

test('a socket is held by the process that opened it, and by no other', async (t) => {
  const { port } = await listen(t);
  const other = await puppet(t);
  const listener = listenerOn(port);
  const held = [process.pid, other.pid].map((pid) => {
    const sight = readProcess(pidOf(pid));
    assert(sight !== undefined);
    return holds(sight, listener);
  });
  assert.deepEqual(held, [true, false]);
  assert.equal(holderOf(listener)?.pid, process.pid);
});

test('a process that has gone holds nothing, and a socket that has gone is held by nobody', async (t) => {
  const server = await listen(t);
  const child = await puppet(t);
  const sight = readProcess(child.pid);
  assert(sight !== undefined);
  child.stdin?.end();
  await new Promise((gone) => child.once('exit', gone));
  const listener = listenerOn(server.port);
  assert.equal(holds(sight, listener), false);
  await new Promise((closed) => server.close(closed));
  assert.equal(holderOf(listener), undefined);
});

test('an inherited socket is held by both, and one of them is named', async (t) => {
  const program = `
import os, socket, sys
server = socket.create_server(('127.0.0.1', 0))
child = os.fork()
if child:
    print('[%d, %d]' % (server.getsockname()[1], child), flush=True)
sys.stdin.read()
if child:
    os.waitpid(child, 0)
`;
  const parent = await begin(t, [PYTHON, '-c', program]);
  const [port, child] = (await nextOf(linesOf(parent))) as [number, number];
  const listener = listenerOn(port);
  const held = [parent.pid, pidOf(child)].map((pid) => {
    const sight = readProcess(pid);
    return sight !== undefined && holds(sight, listener);
  });
  assert.deepEqual(held, [true, true]);
  const holder = holderOf(listener);
  assert([parent.pid, child].includes(holder?.pid ?? 0));
  assert.match(holder?.name ?? '', /^python3/);
});

test('a Node process is named by its program, not by its thread', async (t) => {
  const script = `
    const server = (await import('node:net')).createServer().listen(0, '127.0.0.1', () => say(server.address().port));
    await told();
    server.close();`;
  const child = await begin(t, nodeRunning(script));
  const port = (await nextOf(linesOf(child))) as number;
  assert.deepEqual(holderOf(listenerOn(port)), { pid: child.pid, name: 'node' });
});

test('without rights: a socket counts as held if it has the same owner, and its holder is not named', {
  skip: unlessNobodyCan,
}, async (t) => {
  const { port } = await listen(t);
  const script = `
    const { createServer } = await import('node:net');
    const { readListeners, holds, holderOf } = await load('host/sockets');
    const { readProcess } = await load('host/proc');
    const server = createServer().listen(0, '127.0.0.1', () => {
      const all = readListeners();
      const roots = all.find((one) => one.port === given.port);
      const own = all.find((one) => one.port === server.address().port);
      const root = readProcess(given.pid);
      const self = readProcess(process.pid);
      say({
        uids: [roots.uid, own.uid],
        root: [holds(root, roots), holds(root, own)],
        self: [holds(self, roots), holds(self, own)],
        holders: [holderOf(roots) ?? null, holderOf(own).pid === process.pid],
      });
      server.close();
    });`;
  assert.deepEqual(inNode(script, { given: { port: portOf(port), pid: process.pid }, under: asNobody }), {
    uids: [0, NOBODY],
    root: [true, false],
    self: [false, true],
    holders: [null, true],
  });
});

test('root without CAP_SYS_PTRACE, as in a container: a socket counts as held if it has the same owner', {
  skip: unlessNobodyCan,
}, async (t) => {
  const serve = `
    const server = (await import('node:net')).createServer().listen(0, '127.0.0.1', () => say(server.address().port));
    await told();
    server.close();`;
  const child = await begin(t, [...asNobody, ...nodeRunning(serve)]);
  const port = (await nextOf(linesOf(child))) as number;
  const script = `
    const { readListeners, holds, holdsAny, holderOf } = await load('host/sockets');
    const { readProcess } = await load('host/proc');
    const listener = readListeners().find((one) => one.port === given.port);
    const [worker, self] = [given.pid, process.pid].map(readProcess);
    say([holds(worker, listener), holdsAny(worker), holds(self, listener), holderOf(listener) ?? null]);`;
  const given = { port: portOf(port), pid: child.pid };
  const under = ['setpriv', '--bounding-set=-sys_ptrace'];
  assert.deepEqual(inNode(script, { given, under }), [true, true, false, null]);
});

test('who holds a port has no line of his own in our messages, whatever he calls himself', async (t) => {
  const program = `
import ctypes, os, socket, sys
server = socket.create_server(('127.0.0.1', 0))
ctypes.CDLL(None).prctl(15, b'MainThread', 0, 0, 0)
print(server.getsockname()[1], flush=True)
sys.stdin.read()`;
  const named = `nginx (pid 1)\nall workers are running\n\u2028\x1b[31m${'x'.repeat(200)}`;
  const wrap = `import os, sys; os.execv(sys.argv[1], [sys.argv[2], '-Ic', sys.argv[3]])`;
  const child = await begin(t, [PYTHON, '-Ic', wrap, PYTHON, named, program]);
  const port = (await nextOf(linesOf(child))) as number;
  const { name } = holderOf(listenerOn(port)) ?? {};
  assert.equal(name, 'nginx (pid 1)?all workers are running???');
});
