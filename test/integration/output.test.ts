// Lines of a program that stays, to a stderr that nobody reads.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { begin, linesOf, nextOf, nodeRunning, PYTHON } from '../support/adapters.ts';

/** Gives a program a stderr that nobody reads before it has ended; what came of it. */
const UNREAD = `
import fcntl, json, os, pty, select, socket, subprocess, sys, time
kind = sys.argv[1]
if kind == 'a pipe':
    ours, fd = os.pipe()
elif kind == 'a terminal':
    ours, fd = pty.openpty()
elif kind == 'a unix socket':
    ours, fd = [end.detach() for end in socket.socketpair()]
else:
    server = socket.create_server(('127.0.0.1', 0))
    fd = socket.create_connection(server.getsockname()).detach()
    ours = server.accept()[0].detach()
begun = time.monotonic()
program = subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE, stderr=fd, text=True)
try:
    said = program.communicate(timeout=20)[0].strip()
except subprocess.TimeoutExpired:
    program.kill()
    said = 'it is still being held up'
took = time.monotonic() - begun
blocks = os.get_blocking(fd)
text = b''
while select.select([ours], [], [], 0)[0]:
    text += os.read(ours, 65536)
print(json.dumps({'said': said, 'took': took, 'blocks': blocks, 'text': text.decode().replace('\\r\\n', '\\n')}))`;

const WRITE = `
  const { openPatientWriter } = await load('host/output');
  const { readFileSync } = await import('node:fs');
  const write = openPatientWriter(2);
  write('first\\n');
  for (let line = 0; line < given; line += 1) write('x'.repeat(10_000) + '\\n');
  const flags = Number.parseInt(/^flags:\\s+([0-7]+)/m.exec(readFileSync('/proc/self/fdinfo/2', 'utf8'))[1], 8);
  say((flags & 0o4000) === 0 ? 'it blocks' : 'it does not block');`;

interface Unread {
  readonly said: string;
  readonly took: number;
  readonly blocks: boolean;
  readonly text: string;
}

suite('a stderr that nobody reads', { concurrency: 2 }, () => {
  for (const [kind, flags] of [
    ['a pipe', 'it blocks'],
    ['a terminal', 'it blocks'],
    ['a unix socket', 'it does not block'],
    ['a TCP socket', 'it does not block'],
  ]) {
    // More than any of them takes: 10 MB.
    for (const lines of [0, 1000]) {
      test(`${kind}, and ${lines} lines`, async (t) => {
        const child = await begin(t, [PYTHON, '-Ic', UNREAD, kind ?? '', ...nodeRunning(WRITE, lines)]);
        const { said, took, blocks, text } = (await nextOf(linesOf(child))) as Unread;
        assert.equal(said, JSON.stringify(flags), `after ${took} s`);
        assert(blocks, 'whoever shares it finds it as it was');
        assert.equal(text.slice(0, 6), 'first\n', 'what was written is delivered, also when its writer has ended');
        assert(lines > 0 || text.length === 6);
      });
    }
  }
});
