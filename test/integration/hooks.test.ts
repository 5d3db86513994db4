import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import {
  asNobody,
  begin,
  endWith,
  linesOf,
  nextOf,
  nodeRunning,
  PYTHON,
  type ScriptOptions,
  scratch,
  unlessNobodyCan,
} from '../support/adapters.ts';
import { until } from '../support/e2e-command.ts';
import { isAlive } from '../support/e2e-processes.ts';

const RUN = `const { hooks } = await load('host/hooks'); say(await hooks.run(given.hook, given.within));`;

const OK = { ok: true };

function failed(how: string, ...words: readonly string[]): unknown {
  return { ok: false, error: { how, words } };
}

/** How a hook ends; nothing of it keeps the process that ran it from ending. */
async function ran(
  t: TestContext,
  hook: readonly string[],
  { within = 20_000, under = [], ...options }: Omit<ScriptOptions, 'given'> & { readonly within?: number } = {},
): Promise<unknown> {
  const child = await begin(t, [...under, ...nodeRunning(RUN, { hook, within })], options);
  const gone = new Promise((over) => child.once('exit', over));
  const result = await nextOf(linesOf(child));
  await gone;
  return result;
}

const python = (code: string, ...words: readonly string[]): string[] => [PYTHON, '-Ic', code, ...words];
const shell = (code: string, ...words: readonly string[]): string[] => ['/bin/sh', '-c', code, 'sh', ...words];

suite('a hook', { concurrency: 4 }, () => {
  test('gets its words as they are, and no shell sees them', async (t) => {
    const words = ['', ' ', '$HOME', '`id`', '"', "'", '\\', '*', '-n', '--', 'a\nb', 'за мок', ';exit 0', '>x'];
    const code =
      "import json, sys; print(json.dumps(sys.argv[1:], ensure_ascii=False, separators=(',', ':'))); sys.exit(1)";
    assert.deepEqual(await ran(t, python(code, ...words)), failed('exited with status 1', JSON.stringify(words)));
  });

  const ENDS: readonly (readonly [code: string, result: unknown])[] = [
    ['exit 0', OK],
    ['echo whatever; echo else >&2', OK],
    ['exit 3', failed('exited with status 3')],
    ['exit 255', failed('exited with status 255')],
    ['ulimit -c 0; kill -SEGV $$', failed('was killed by SIGSEGV')],
    ['kill -KILL $$', failed('was killed by SIGKILL')],
    ['echo out; echo err >&2; exit 1', failed('exited with status 1', 'out', 'err')],
    ['printf "a\\n\\n \\nno newline"; exit 1', failed('exited with status 1', 'a', 'no newline')],
  ];
  for (const [code, result] of ENDS)
    test(`ends: ${code}`, async (t) => assert.deepEqual(await ran(t, shell(code)), result));

  test('that cannot be started says why', async (t) => {
    const directory = scratch(t);
    writeFileSync(join(directory, 'closed'), '#!/bin/sh\n', { mode: 0o644 });
    writeFileSync(join(directory, 'lost'), '#!/no/such/interpreter\n');
    chmodSync(join(directory, 'lost'), 0o755);
    mkdirSync(join(directory, 'folder'));
    const found: unknown[] = [];
    for (const program of ['no-such-program', '/no/such/program', 'closed', 'lost', 'folder'])
      found.push(await ran(t, [program.includes('no') ? program : join(directory, program)]));
    const refused = (code: string): unknown => failed(`could not be started: ${code}`);
    assert.deepEqual(found, ['ENOENT', 'ENOENT', 'EACCES', 'ENOENT', 'EACCES'].map(refused));
  });

  test('that takes too long is killed, with all that is in its process group', async (t) => {
    const file = join(scratch(t), 'pids');
    const code = `trap '' TERM INT HUP; sleep 1000 & echo $$ $! >"$1"; echo working; wait`;
    const result = ran(t, shell(code, file), { within: 2000 });
    const [leader, child] = await until(() => {
      const pids = readFileSync(file, 'utf8').trim().split(' ').map(Number);
      assert.equal(pids.length, 2);
      return pids;
    });
    const ids = [leader, child].map((pid) => endWith(t, pid ?? 0));
    assert.deepEqual(await result, failed('did not finish within 2 s', 'working'));
    for (const id of ids) await until(() => assert(id !== undefined && !isAlive(id)), 5000);
  });

  test('that has become root, and so cannot be killed, is not waited for', { skip: unlessNobodyCan }, async (t) => {
    const directory = scratch(t);
    const [become, file] = [join(directory, 'setpriv'), join(directory, 'pid')];
    copyFileSync('/usr/bin/setpriv', become);
    chmodSync(become, 0o4755);
    const root = [become, '--reuid=0', '--regid=0', '--clear-groups', '/bin/sh', '-c', 'echo $$ >"$1"; exec sleep 20'];
    const before = performance.now();
    const result = await ran(t, [...root, 'sh', file], { within: 1000, under: asNobody });
    const [took, id] = [performance.now() - before, endWith(t, Number(readFileSync(file, 'utf8')))];
    assert.deepEqual(result, failed('did not finish within 1 s'));
    assert(id !== undefined && isAlive(id), 'it could be killed here');
    assert(took < 15_000, `${took} ms`);
  });

  test('is not waited for any longer when it leaves something in the background that holds its output', async (t) => {
    const file = join(scratch(t), 'pid');
    const before = performance.now();
    assert.deepEqual(await ran(t, shell('sleep 1000 & echo $! >"$1"; echo begun', file)), OK);
    const id = endWith(t, Number(readFileSync(file, 'utf8')));
    assert(performance.now() - before < 15_000);
    assert(id !== undefined && isAlive(id), 'what it leaves behind is its own matter');
  });

  test('shows the last ten lines of what it wrote, even of much and of the very last moment', async (t) => {
    const code = 'i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; exit 1';
    const last = Array.from({ length: 10 }, (_, index) => `line ${19_990 + index}`);
    for (let round = 0; round < 5; round += 1)
      assert.deepEqual(await ran(t, shell(code)), failed('exited with status 1', ...last));
  });

  test('is heard a moment longer than it lives: its last words may still be on the way', async (t) => {
    const code = '(sleep 0.05; echo last words) & exit 1';
    assert.deepEqual(await ran(t, shell(code)), failed('exited with status 1', 'last words'));
  });

  test('may write what is no text, and a line without end', async (t) => {
    const code = "import os; os.write(1, b'\\xff\\x00\\n' + b'x' * 200000 + b'end\\n'); os._exit(1)";
    const { error } = (await ran(t, python(code))) as { error: { how: string; words: string[] } };
    assert.equal(error.how, 'exited with status 1');
    assert(error.words.length === 1 && error.words[0]?.endsWith('xend') === true);
    assert(error.words[0].length <= 16_384);
  });

  const SELF = `
import json, os, sys
print(json.dumps({
  'fds': sorted(int(fd) for fd in os.listdir('/proc/self/fd') if os.path.lexists('/proc/self/fd/' + fd)),
  'stdin': os.readlink('/proc/self/fd/0'), 'leads': os.getsid(0) == os.getpid() == os.getpgid(0),
  'cwd': os.getcwd(), 'environment': dict(os.environ)}))
sys.exit(1)`;
  test('has /dev/null as stdin, our directory and environment, a session of its own, and no descriptor of ours', async (t) => {
    const leak = `
import os, sys
fd = os.open('/etc/passwd', os.O_RDONLY)
for number in (5, 15, 30, 100, 200):
    os.dup2(fd, number, inheritable=True)
os.execvp(sys.argv[1], sys.argv[1:])`;
    const cwd = scratch(t);
    const environment = { PATH: '/usr/bin:/bin', A: '1', LINES_OF: 'a\nb', LC_CTYPE: 'C.UTF-8' };
    const result = await ran(t, python(SELF), { under: [PYTHON, '-c', leak], cwd, env: environment });
    const { words } = (result as { error: { words: string[] } }).error;
    assert.deepEqual(JSON.parse(words.join('')), {
      fds: [0, 1, 2],
      stdin: '/dev/null',
      leads: true,
      cwd,
      environment,
    });
  });

  test('leaves nothing behind in the one who ran it', async (t) => {
    const script = `
      const { hooks } = await load('host/hooks');
      const { readdirSync } = await import('node:fs');
      const count = () => readdirSync('/proc/self/fd').length;
      await hooks.run(['true'], 9000);
      const before = count();
      for (let round = 0; round < 40; round += 1) await hooks.run(given.hooks[round % given.hooks.length], 9000);
      await new Promise((resolve) => setTimeout(resolve, 100));
      say([before, count()]);`;
    const hooks = [['true'], ['false'], ['/no/such'], shell('echo x; exit 1'), shell('sleep 2 &')];
    const child = await begin(t, nodeRunning(script, { hooks }));
    const [before, after] = (await nextOf(linesOf(child))) as [number, number];
    assert.equal(after, before);
  });
});
