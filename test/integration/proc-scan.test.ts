import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { listPids, MARKER, readProcess, readProcLink, readStat, scanProcesses } from '../../src/host/proc.ts';
import {
  asNobody,
  begin,
  inNode,
  isRoot,
  linesOf,
  NOBODY,
  nextOf,
  nodeRunning,
  PYTHON,
  pidOf,
  puppet,
  scratch,
  unlessNamespaces,
  unlessNobodyCan,
} from '../support/adapters.ts';
import { look } from '../support/e2e-processes.ts';

const uid = process.geteuid?.() ?? 0;
const marked = { [MARKER]: '/etc/app.cfg:8000' };

/** Which of these processes a pass over /proc finds. */
function found(pids: readonly number[]): boolean[] {
  const seen = new Set<number>(scanProcesses(uid).map(({ id }) => id.pid));
  return pids.map((pid) => seen.has(pid));
}

test('a pass finds what has our marker or an argument --port=, and nothing else', async (t) => {
  const puppets = await Promise.all([
    puppet(t, { env: marked }),
    puppet(t, { args: ['--port=8000'], env: {} }),
    puppet(t, { args: ['--port=8000'], env: marked }),
    puppet(t, { args: ['--port', '8000', '--config=/etc/app.cfg'], env: { [`${MARKER}S`]: 'x' } }),
    puppet(t, { env: {} }),
  ]);
  assert.deepEqual(found(puppets.map(({ pid }) => pid)), [true, true, true, false, false]);
});

test('a pass shows a process as a look at it alone does', async (t) => {
  const child = await puppet(t, { args: ['--port=8000', '--config=app.cfg'], env: marked });
  const seen = scanProcesses(uid).filter(({ id }) => id.pid === child.pid);
  assert.deepEqual(seen, [readProcess(child.pid)]);
});

test('what comes and goes during a pass does no harm', async (t) => {
  const churn = await begin(t, ['/bin/sh', '-c', 'while :; do /bin/true --port=8000; done']);
  const steady = await puppet(t, { args: ['--port=8000'] });
  for (let pass = 0; pass < 50; pass += 1) assert.deepEqual(found([steady.pid]), [true]);
  assert.equal(churn.exitCode, null);
});

test('a daemon is found whose parent ended, not yet collected, after the list was read', async (t) => {
  const gate = join(scratch(t), 'gate');
  execFileSync('mkfifo', [gate]);
  const program = 'import os, sys; open(sys.argv[1]).read(); os.fork() and os._exit(0); sys.stdin.read()';
  const parent = await begin(t, [PYTHON, '-c', program, gate, '--port=8000'], { env: marked });
  let hasForked = false;
  function list(): string[] {
    const pids = listPids();
    if (!hasForked) {
      writeFileSync(gate, 'now');
      // Nobody collects it meanwhile: that would be this process, which is in this loop.
      const deadline = performance.now() + 10_000;
      while (readStat(parent.pid)?.state !== 'Z') assert(performance.now() < deadline, 'it does not end');
      hasForked = true;
    }
    return pids;
  }
  const daemons = scanProcesses(uid, list).filter(({ argv }) => argv.includes(gate));
  assert.deepEqual(
    daemons.map(({ id }) => id.pid === parent.pid),
    [false],
  );
});

test('a process in a directory too deep for a path hides nothing else', async (t) => {
  const deep = `
import os, shutil, sys
for _ in range(20):
    os.mkdir('d' * 250)
    os.chdir('d' * 250)
open('e' * 250, 'w')
kept = open('e' * 250)
print('"deep"', flush=True)
sys.stdin.read()`;
  const words = [PYTHON, '-c', deep, '--port=8000', '--config=x'];
  const child = await begin(t, words, { cwd: scratch(t), env: marked });
  assert.equal(await nextOf(linesOf(child)), 'deep');
  const steady = await puppet(t, { args: ['--port=8000'] });
  assert.deepEqual(found([steady.pid]), [true]);
  assert.equal(readProcess(child.pid)?.cwd, undefined);
  assert.deepEqual(
    [3, 4].map((fd) => readProcLink(`/proc/${child.pid}/fd/${fd}`)),
    [undefined, undefined],
  );
});

/** Has the kernel show `size` bytes that begin with `text` as the command line or environment of this process: prctl(2). */
const BOASTER = `
import ctypes, json, mmap, struct, sys
which, size, text = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode()
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = libc.sbrk.restype = ctypes.c_void_p
NORESERVE = 0x4000
place = libc.mmap(None, ctypes.c_size_t(size), mmap.PROT_READ | mmap.PROT_WRITE,
    mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NORESERVE, -1, ctypes.c_long(0))
ctypes.memmove(place, text, len(text))
fields = [0, 0, 0] + open('/proc/self/stat').read().rsplit(')', 1)[1].split()
code, stack, data, words = fields[26:28], fields[28], fields[45:48], fields[48:52]
words[slice(0, 2) if which == 'cmdline' else slice(2, 4)] = [place, place + size]
numbers = code + data[:2] + [data[2], libc.sbrk(0), stack] + words
prctl_mm_map = struct.pack('=12QII', *map(int, numbers), 0, 0, 2 ** 32 - 1)
PR_SET_MM, PR_SET_MM_MAP = 35, 14
said = libc.prctl(PR_SET_MM, PR_SET_MM_MAP, prctl_mm_map, ctypes.c_ulong(len(prctl_mm_map)), ctypes.c_ulong(0))
print(json.dumps(said), flush=True)
sys.stdin.read()`;

test('arguments and environments without an end cost next to nothing, and hide nobody', async (t) => {
  const size = String(700 << 20);
  const boasts = [
    ['cmdline', size, 'x'],
    ['cmdline', size, '--port=8000'],
    ['environ', size, 'x=1'],
    ['environ', size, `${MARKER}=x`],
  ];
  for (const words of boasts) {
    const who = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
    const child = await begin(t, [PYTHON, '-Ic', BOASTER, ...words], { cwd: '/', ...who });
    if ((await nextOf(linesOf(child))) !== 0) return t.skip('the kernel refuses PR_SET_MM_MAP');
  }
  const steady = await puppet(t, { args: ['--port=8000'] });
  const script = `
    const { scanProcesses } = await load('host/proc');
    const before = process.resourceUsage().maxRSS;
    const hasFound = scanProcesses(process.geteuid()).some(({ id }) => id.pid === given);
    say({ hasFound, isLean: process.resourceUsage().maxRSS - before < 65_536 });`;
  assert.deepEqual(inNode(script, { given: steady.pid }), { hasFound: true, isLean: true });
  return undefined;
});

test('a pass leaves no descriptor open', async (t) => {
  await puppet(t, { args: ['--port=8000'] });
  const before = readdirSync('/proc/self/fd').length;
  for (let pass = 0; pass < 5; pass += 1) scanProcesses(uid);
  assert.equal(readdirSync('/proc/self/fd').length, before);
});

test('without rights: the own processes by marker, those of others by their command line', {
  skip: unlessNobodyCan,
}, async (t) => {
  const own = { uid: NOBODY, gid: NOBODY };
  const puppets = await Promise.all([
    puppet(t, { env: marked }),
    puppet(t, { args: ['--port=8000'], env: marked }),
    puppet(t, { env: marked, ...own }),
    puppet(t, { args: ['--port=8000'], env: marked, ...own }),
    puppet(t, { env: {}, ...own }),
  ]);
  const given = puppets.map(({ pid }) => pid);
  const script = `
    const seen = new Map((await load('host/proc')).scanProcesses(${NOBODY}).map((one) => [one.id.pid, one]));
    say(given.map((pid) => seen.has(pid) ? { marker: seen.get(pid).marker ?? 'hidden', uids: seen.get(pid).uids } : 'not found'));`;
  assert.deepEqual(inNode(script, { given, under: asNobody }), [
    'not found',
    { marker: 'hidden', uids: [0, 0] },
    { marker: '/etc/app.cfg:8000', uids: [NOBODY, NOBODY] },
    { marker: '/etc/app.cfg:8000', uids: [NOBODY, NOBODY] },
    'not found',
  ]);
});

test('a worker in a pid namespace is seen inside and not from outside', { skip: unlessNamespaces }, async (t) => {
  const script = `
    const { spawn } = await import('node:child_process');
    const { scanProcesses } = await load('host/proc');
    const child = spawn('/bin/sh', ['-c', 'read line', 'sh', '--port=8000'], { stdio: ['pipe', 'ignore', 'ignore'] });
    child.once('spawn', () => say(scanProcesses(0).map(({ argv }) => argv.at(-1))));
    await told();
    child.kill();`;
  const outside = await begin(t, ['unshare', '-pf', '--mount-proc', '--kill-child', ...nodeRunning(script)]);
  assert.deepEqual(await nextOf(linesOf(outside)), ['--port=8000']);
  const inside = descendants(outside.pid);
  const worker = inside.filter((pid) => look(pid)?.argv.at(-1) === '--port=8000');
  assert.deepEqual({ workers: worker.length, processes: inside.length }, { workers: 1, processes: 2 });
  assert.deepEqual(found(inside), [false, false]);
  assert.deepEqual(
    inside.map((pid) => readProcess(pidOf(pid))),
    [undefined, undefined],
  );
});

test('the /proc of another pid namespace is an error: its numbers are strangers here', {
  skip: unlessNamespaces,
}, () => {
  const script = `
    const { scanProcesses } = await load('host/proc');
    try { say(scanProcesses(0).length); } catch (error) { say(error.code); }`;
  assert.equal(inNode(script, { under: ['unshare', '-pf', '--kill-child'] }), 'EXDEV');
});

function descendants(parent: number): number[] {
  const pids = readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid));
  const children = pids.filter((pid) => look(pid)?.parent === parent);
  return children.flatMap((pid) => [pid, ...descendants(pid)]);
}
