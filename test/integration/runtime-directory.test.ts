import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { digest } from '../../src/host/runtime-directory.ts';
import { inNode, scratch, unlessNamespaces, unlessNobodyCan } from '../support/adapters.ts';

/** Where a file may be put; `fails` are places where that does not work, with what is thrown there. */
const USE = `
  const { inRuntimeDirectory, NotOwn } = await load('host/runtime-directory');
  const { statSync } = await import('node:fs');
  const tried = [];
  const use = (path, uid) => {
    tried.push(path);
    const how = given.fails[tried.length - 1];
    if (how === 'system') statSync('/no/such/file');
    if (how === 'not-own') throw new NotOwn(path);
    if (how === 'bug') throw new Error('bug');
    return uid;
  };
  try {
    say({ result: inRuntimeDirectory('a.sock', use), tried });
  } catch (error) {
    say({ thrown: error.message, tried });
  }`;

interface User {
  readonly uid: number;
  /** A directory of his own, such as pam_systemd makes. */
  readonly runtime: string;
  /** The directory under /tmp that is his. */
  readonly place: string;
  /** Where his file would be, in the order of preference. */
  readonly files: readonly [inRuntime: string, inTmp: string];
}

/** Somebody who is nobody else on this machine. */
function user(t: TestContext): User {
  const uid = randomInt(1_000_000, 2_000_000);
  const runtime = scratch(t);
  chownSync(runtime, uid, uid);
  const place = `/tmp/frontik-supervisor-${uid}`;
  assert.equal(existsSync(place), false);
  t.after(() => rmSync(place, { recursive: true, force: true }));
  return { uid, runtime, place, files: [join(runtime, 'frontik-supervisor/a.sock'), join(place, 'a.sock')] };
}

function used({ uid, runtime }: User, fails: readonly ('system' | 'not-own' | 'bug')[] = []): unknown {
  const under = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
  return inNode(USE, { given: { fails }, under, env: { PATH: process.env['PATH'], XDG_RUNTIME_DIR: runtime } });
}

suite('a place for what belongs to an application', { concurrency: 4, skip: unlessNobodyCan, timeout: 120_000 }, () => {
  test('is in the runtime directory, closed to others', (t) => {
    const one = user(t);
    assert.deepEqual(used(one), { result: { ok: true, value: one.uid }, tried: [one.files[0]] });
    const { mode, uid } = statSync(join(one.runtime, 'frontik-supervisor'));
    assert.deepEqual([mode & 0o777, uid, existsSync(one.place)], [0o700, one.uid, false]);
    assert.deepEqual(used(one), { result: { ok: true, value: one.uid }, tried: [one.files[0]] }, 'and is found again');
  });

  const SPOILT: readonly (readonly [what: string, spoil: (path: string) => void, isHis: boolean, mode: number])[] = [
    ['somebody else`s', mkdirSync, false, 0o700],
    ['open to his group', mkdirSync, true, 0o770],
    ['open to everybody', mkdirSync, true, 0o703],
    ['a file', (path) => writeFileSync(path, ''), true, 0o700],
  ];
  for (const [what, spoil, isHis, mode] of SPOILT) {
    test(`that is ${what} is left for the one under /tmp`, (t) => {
      const one = user(t);
      const path = join(one.runtime, 'frontik-supervisor');
      spoil(path);
      chmodSync(path, mode);
      if (isHis) chownSync(path, one.uid, one.uid);
      assert.deepEqual(used(one), { result: { ok: true, value: one.uid }, tried: [one.files[1]] });
    });
  }

  test('that is a symbolic link is left for the one under /tmp', (t) => {
    const one = user(t);
    const aside = join(one.runtime, 'aside');
    mkdirSync(aside);
    chownSync(aside, one.uid, one.uid);
    symlinkSync(aside, join(one.runtime, 'frontik-supervisor'));
    assert.deepEqual(used(one), { result: { ok: true, value: one.uid }, tried: [one.files[1]] });
  });

  test('where nothing can be put is left for the next one; told is what somebody else has put there, or the last obstacle', (t) => {
    const one = user(t);
    const tried = [...one.files];
    assert.deepEqual(used(one, ['system']), { result: { ok: true, value: one.uid }, tried });
    assert.deepEqual(used(one, ['not-own']), { result: { ok: true, value: one.uid }, tried });
    const told = (error: unknown): unknown => ({ result: { ok: false, error }, tried });
    assert.deepEqual(used(one, ['system', 'system']), told({ path: one.place, code: 'ENOENT' }));
    assert.deepEqual(used(one, ['not-own', 'system']), told({ path: one.files[0], code: 'EPERM' }));
    assert.deepEqual(used(one, ['system', 'not-own']), told({ path: one.files[1], code: 'EPERM' }));
  });

  test('is at home when another user has made the one under /tmp', { skip: unlessNamespaces }, (t) => {
    const one = user(t);
    mkdirSync(one.place, { mode: 0o700 });
    const passwd = join(one.runtime, 'passwd');
    writeFileSync(passwd, `web:x:${one.uid}:${one.uid}::${one.runtime}:/bin/sh\n`);
    const mounted = `mount --bind ${passwd} /etc/passwd && exec "$@"`;
    const as = [`--reuid=${one.uid}`, `--regid=${one.uid}`, '--clear-groups'];
    const under = ['unshare', '-m', '/bin/sh', '-c', mounted, 'sh', 'setpriv', ...as];
    const env = { PATH: process.env['PATH'] };
    const file = join(one.runtime, '.frontik-supervisor/a.sock');
    const expected = { result: { ok: true, value: one.uid }, tried: [file] };
    assert.deepEqual(inNode(USE, { given: { fails: [] }, under, env }), expected);
    assert.equal(statSync(join(file, '..')).mode & 0o777, 0o700);
  });

  test('is no reason to hide a bug', (t) => {
    const one = user(t);
    assert.deepEqual(used(one, ['bug']), { thrown: 'bug', tried: [one.files[0]] });
  });
});

test('a name is FNV-1a of the path, 64 bits', () => {
  // Test vectors of the algorithm's authors: draft-eastlake-fnv, appendix C; and bytes above 127 are bytes of UTF-8.
  const names = ['', 'a', 'foobar', 'ы'].map(digest);
  assert.deepEqual(names, ['cbf29ce484222325', 'af63dc4c8601ec8c', '85944171f73967e8', fnv([0xd1, 0x8b])]);
});

/** The algorithm as its authors wrote it down. */
function fnv(bytes: readonly number[]): string {
  const hash = bytes.reduce(
    (value, byte) => ((value ^ BigInt(byte)) * 1_099_511_628_211n) % 2n ** 64n,
    14_695_981_039_346_656_037n,
  );
  return hash.toString(16).padStart(16, '0');
}
