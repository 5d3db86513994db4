import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { suite, test } from 'node:test';
import { PYTHON, unlessRoot } from '../support/adapters.ts';
import { controlLine, type End, type Line } from '../support/adapters-control.ts';

const DONE = { kind: 'done', result: { exit: 0, hasLooked: false } };

async function serving(line: Line, setup?: string): Promise<End> {
  const server = await line.serve(setup);
  assert.equal(await server.next(), 'serving');
  return server;
}

suite('the control socket', { concurrency: 4, timeout: 180_000 }, () => {
  test('an order arrives with its options, lines come back as they are said, and its end with the exit status', async (t) => {
    const line = controlLine(t);
    const server = await serving(line);
    const options = [
      ['script', '/a b'],
      ['config', 'за\nмок'],
    ] as const;
    const caller = await line.ask({ action: 'restart', options });
    assert.deepEqual(await server.next(), { order: 'restart', options });
    server.tell('say 0 one "two" $three');
    assert.deepEqual(await caller.next(), { said: ['info', 'one "two" $three'] });
    server.tell('say 0 четыре');
    assert.deepEqual(await caller.next(), { said: ['info', 'четыре'] });
    server.tell('done 0 6 looked');
    assert.deepEqual(await caller.next(), { kind: 'done', result: { exit: 6, hasLooked: true } });
  });

  test('several callers are heard in the order in which they come, and each gets its own answer', async (t) => {
    const line = controlLine(t);
    const server = await serving(line);
    const callers: End[] = [];
    for (const action of ['stop', 'start', 'reload']) {
      callers.push(await line.ask({ action }));
      assert.deepEqual(await server.next(), { order: action, options: [] });
    }
    for (const number of [2, 0, 1]) {
      server.tell(`say ${number} for ${number}`);
      server.tell(`done ${number} ${number}`);
    }
    for (const [number, caller] of callers.entries()) {
      assert.deepEqual(await caller.next(), { said: ['info', `for ${number}`] });
      assert.deepEqual(await caller.next(), { kind: 'done', result: { exit: number, hasLooked: false } });
    }
  });

  test('nobody is there: absent; and so it is after a server has closed, or was killed', async (t) => {
    const line = controlLine(t);
    const ask = async (): Promise<unknown> => (await line.ask({ action: 'stop' })).next();
    assert.deepEqual(await ask(), { kind: 'absent' });
    const first = await serving(line);
    first.tell('close');
    assert.equal(await first.ended, 0);
    assert.equal(existsSync(line.path), false, 'the file goes with the server');
    assert.deepEqual(await ask(), { kind: 'absent' });
    const second = await serving(line);
    second.kill();
    await second.ended;
    assert.equal(existsSync(line.path), true);
    assert.deepEqual(await ask(), { kind: 'absent' });
  });

  test('a socket that a killed server has left is replaced', async (t) => {
    const line = controlLine(t);
    const killed = await serving(line);
    killed.kill();
    await killed.ended;
    const server = await serving(line);
    const caller = await line.ask({ action: 'start' });
    assert.deepEqual(await server.next(), { order: 'start', options: [] });
    server.tell('done 0 0');
    assert.deepEqual(await caller.next(), DONE);
  });

  test('a server that says nothing for a second is told of', async (t) => {
    const line = controlLine(t);
    const server = await serving(line);
    const caller = await line.ask({ action: 'start', hearsSilence: true });
    await server.next();
    assert.equal(await caller.next(), 'silence');
    server.tell('done 0 0');
    assert.deepEqual(await caller.next(), DONE);
  });

  test('an order may take longer than any timer', async (t) => {
    const line = controlLine(t);
    const server = await serving(line);
    const caller = await line.ask({ action: 'reload', most: 3_000_000_000 });
    await server.next();
    server.tell('done 0 0');
    assert.deepEqual(await caller.next(), DONE);
  });

  test('a server that declines an order is as if it were not there', async (t) => {
    const line = controlLine(t);
    const server = await serving(line);
    const caller = await line.ask({ action: 'start' });
    await server.next();
    server.tell('decline 0');
    assert.deepEqual(await caller.next(), { kind: 'absent' });
  });

  test('a server knows when a caller that has its answer has hung up', async (t) => {
    const line = controlLine(t);
    const server = await serving(line);
    const caller = await line.ask({ action: 'start' });
    await server.next();
    server.tell('done 0 0');
    assert.deepEqual(await caller.next(), DONE);
    server.tell('closed 0');
    assert.deepEqual(await server.next(), { closed: true });
  });

  test('a server that dies in the middle is lost, and one that takes too long is late', async (t) => {
    const line = controlLine(t);
    const server = await serving(line);
    const late = await line.ask({ action: 'start', most: 1000 });
    assert.deepEqual(await late.next(), { kind: 'late' });
    const waiting = await line.ask({ action: 'stop' });
    for (const order of ['start', 'stop']) assert.deepEqual(await server.next(), { order, options: [] });
    server.kill();
    assert.deepEqual(await waiting.next(), { kind: 'lost' });
  });

  test('a caller that is interrupted goes, and one that is killed is not missed', async (t) => {
    const line = controlLine(t);
    const server = await serving(line);
    const [one, two] = [await line.ask({ action: 'start' }), await line.ask({ action: 'stop' })];
    await server.next();
    await server.next();
    one.tell('interrupt');
    assert.deepEqual(await one.next(), { kind: 'interrupted' });
    two.kill();
    await two.ended;
    for (const number of [0, 1]) {
      server.tell(`say ${number} to nobody`);
      server.tell(`done ${number} 0`);
    }
    const three = await line.ask({ action: 'reload' });
    assert.deepEqual(await server.next(), { order: 'reload', options: [] });
    server.tell('done 2 0');
    assert.deepEqual(await three.next(), DONE);
  });

  test('a caller that does not read holds up nobody', async (t) => {
    const line = controlLine(t);
    const server = await serving(line);
    const stopped = await line.ask({ action: 'start' });
    await server.next();
    stopped.kill('SIGSTOP');
    server.tell('flood 0');
    const caller = await line.ask({ action: 'stop' });
    assert.deepEqual(await server.next(), { order: 'stop', options: [] });
    server.tell('done 1 0');
    assert.deepEqual(await caller.next(), DONE);
  });

  const JUNK: readonly (readonly [what: string, text: string])[] = [
    ['a line that is no JSON', 'stop\n'],
    ['an empty line', '\n'],
    ['a number', '1\n'],
    ['null', 'null\n'],
    ['a list', '[]\n'],
    ['a request of HTTP', 'GET / HTTP/1.0\r\n\r\n'],
    ['an unknown kind', '{"kind":"other"}\n'],
    ['an order without an action', '{"kind":"order","options":[]}\n'],
    ['an order whose action is no text', '{"kind":"order","action":1,"options":[]}\n'],
    ['an order without options', '{"kind":"order","action":"stop"}\n'],
    ['an order with odd options', '{"kind":"order","action":"stop","options":[["a"]]}\n'],
    ['an order behind junk', 'junk\n{"kind":"order","action":"stop","options":[]}\n'],
    ['bytes', '\u0000\u0001\ufffd\n'],
    ['2 MB without an end', 'x'.repeat(2_097_152)],
    ['2 MB and then an order', `${'x'.repeat(2_097_152)}\n{"kind":"order","action":"stop","options":[]}\n`],
    ['an order of 2 MB', `{"kind":"order","action":"${'x'.repeat(2_097_152)}","options":[]}\n`],
  ];
  test('whoever sends junk is hung up on, and no order comes of it', async (t) => {
    const line = controlLine(t);
    const server = await serving(line);
    for (const [what, text] of JUNK) {
      const { socket, heard } = await line.peer();
      socket.write(text);
      assert.equal(await heard, '', what);
    }
    const caller = await line.ask({ action: 'reload' });
    assert.deepEqual(await server.next(), { order: 'reload', options: [] }, 'the first order of all');
    server.tell('done 0 0');
    assert.deepEqual(await caller.next(), DONE);
  });

  test('whoever hangs up at once, or in the middle of a line, gives no order', async (t) => {
    const line = controlLine(t);
    const server = await serving(line);
    const order = '{"kind":"order","action":"stop","options":[]}';
    for (const text of ['', '{', order]) {
      for (const hangUp of ['end', 'destroy', 'resetAndDestroy'] as const) {
        const { socket } = await line.peer();
        if (text !== '') await new Promise((written) => socket.write(text, written));
        if (hangUp === 'resetAndDestroy') socket.destroySoon();
        else socket[hangUp]();
      }
    }
    const caller = await line.ask({ action: 'reload' });
    assert.deepEqual(await server.next(), { order: 'reload', options: [] });
    server.tell('done 0 0');
    assert.deepEqual(await caller.next(), DONE);
  });

  test('an order may come in pieces', async (t) => {
    const line = controlLine(t);
    const server = await serving(line);
    const { socket, heard } = await line.peer();
    const bytes = Buffer.from('{"kind":"order","action":"старт","options":[]}\n');
    for (const byte of bytes) await new Promise((written) => socket.write(Buffer.from([byte]), written));
    assert.deepEqual(await server.next(), { order: 'старт', options: [] });
    const answered = new Promise<void>((over) => {
      socket.on('data', (part) => String(part).includes('"done"') && over());
    });
    server.tell('done 0 3');
    await answered;
    // Whoever has asked hangs up when he has looked.
    socket.end();
    const done = '{"kind":"done","result":{"exit":3,"hasLooked":false}}';
    assert.equal(await heard, `{"kind":"heard"}\n${done}\n`);
  });

  test('a server that is told to close ends, although somebody keeps a connection open', async (t) => {
    const line = controlLine(t);
    const server = await serving(line);
    await line.peer();
    server.tell('close');
    const ended = await Promise.race([server.ended, new Promise((late) => setTimeout(late, 10_000, 'it lives on'))]);
    assert.equal(ended, 0);
  });

  const ANSWERS: readonly (readonly [what: string, text: string, answer: unknown])[] = [
    ['junk', 'no\n', { kind: 'lost' }],
    ['nothing', '', { kind: 'absent' }],
    ['that it has heard', '{"kind":"heard"}\n', { kind: 'lost' }],
    ['half a line', '{"kind":"done","result":{"exit":0', { kind: 'lost' }],
    ['an end without a status', '{"kind":"done","result":{}}\n', { kind: 'lost' }],
    ['a line without an end', 'x'.repeat(2_097_152), { kind: 'lost' }],
    ['a line of no level', '{"kind":"said","line":["loud","x"]}\n', { kind: 'lost' }],
    ['an order', '{"kind":"order","action":"stop","options":[]}\n{"kind":"done","result":{"exit":0}}\n', DONE],
  ];
  for (const [what, text, answer] of ANSWERS) {
    test(`a server that answers with ${what}`, async (t) => {
      const line = controlLine(t);
      const server = createServer((socket) => socket.on('error', () => undefined).once('data', () => socket.end(text)));
      t.after(() => server.close());
      await new Promise<void>((ready) => server.listen({ path: line.path, writableAll: true }, ready));
      assert.deepEqual(await (await line.ask({ action: 'stop' })).next(), answer);
    });
  }

  for (const mask of ['000', '022', '777']) {
    test(`with umask ${mask} the socket is open to its user only`, async (t) => {
      const line = controlLine(t);
      const server = await serving(line, `umask ${mask}`);
      const stat = lstatSync(line.path);
      assert.deepEqual([stat.isSocket(), stat.mode & 0o777, stat.uid], [true, 0o600, lstatSync(line.directory).uid]);
      const umask = /^Umask:\s+(\d+)/m.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1];
      assert.equal(umask, `0${mask}`, 'and its own umask is what it was');
    });
  }

  test('another user cannot connect, not even where the directory lets him in', { skip: unlessRoot }, async (t) => {
    const line = controlLine(t);
    await serving(line);
    const code = `
import socket, sys
try:
    socket.socket(socket.AF_UNIX).connect(sys.argv[1])
except PermissionError:
    sys.exit(13)`;
    // A user that nobody is: neither the owner nor of his group.
    const other = ['--reuid=1234567', '--regid=1234567', '--clear-groups', PYTHON, '-Ic', code, line.path];
    assert.equal(spawnSync('setpriv', other).status, 13);
    spawnSync('chmod', ['755', line.directory]);
    assert.equal(spawnSync('setpriv', other).status, 13);
    const owner = lstatSync(line.path).uid;
    const same = [`--reuid=${owner}`, `--regid=${owner}`, '--clear-groups', PYTHON, '-Ic', code, line.path];
    assert.equal(spawnSync('setpriv', same).status, 0);
  });

  const PLACES: readonly (readonly [what: string, make: (path: string, aside: string) => void])[] = [
    ['a file', (path) => writeFileSync(path, 'x')],
    ['a symbolic link', (path, aside) => symlinkSync(aside, path)],
    ['a link to nowhere', (path) => symlinkSync('/no/such/place', path)],
    ['a fifo', (path) => assert.equal(spawnSync('mkfifo', [path]).status, 0)],
  ];
  for (const [what, make] of PLACES) {
    test(`${what} in the socket's place gives way, and nothing else is touched`, async (t) => {
      const line = controlLine(t);
      const aside = join(line.directory, 'aside');
      writeFileSync(aside, 'precious');
      make(line.path, aside);
      await serving(line);
      assert.equal(lstatSync(line.path).isSocket(), true);
      assert.equal(readFileSync(aside, 'utf8'), 'precious');
    });
  }

  test('a directory in the socket`s place is told of: nobody listens where nobody asks', async (t) => {
    const line = controlLine(t);
    mkdirSync(join(line.path, 'precious'), { recursive: true });
    // The next place that could be had, if it is not told of.
    const next = `/tmp/frontik-supervisor-${lstatSync(line.directory).uid}/${basename(line.path)}`;
    t.after(() => rmSync(next, { force: true }));
    const { path, code } = Object(await (await line.serve()).next()) as { path: string; code: string };
    assert.match(code ?? '', /^(EISDIR|EPERM|EADDRINUSE)$/);
    assert.equal(path.startsWith(line.directory), true);
    assert.equal(existsSync(join(line.path, 'precious')), true);
  });

  test('a place whose name is too long for a socket is told of', async (t) => {
    const line = controlLine(t);
    const runtime = join(line.directory, 'x'.repeat(120));
    mkdirSync(runtime);
    spawnSync('chown', [`--reference=${line.directory}`, runtime]);
    const server = await controlLine(t, { XDG_RUNTIME_DIR: runtime }).serve();
    const path = join(runtime, 'frontik-supervisor', basename(line.path));
    assert.deepEqual(await server.next(), { path, code: 'EINVAL' });
  });
});
