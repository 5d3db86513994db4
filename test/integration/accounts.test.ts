import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { accounts } from '../../src/host/accounts.ts';
import { inNode, scratch, unlessNamespaces } from '../support/adapters.ts';
import { inPlaceOfSystems } from '../support/namespaces.ts';

/** What id(1) knows of Debian's user without rights and of root. */
function number(option: '-u' | '-g', user: string): number {
  return Number(execFileSync('id', [option, user], { encoding: 'utf8' }));
}

const nobody = { user: 'nobody', uid: number('-u', 'nobody'), gid: number('-g', 'nobody') };
const root = { user: 'root', uid: 0, gid: 0 };

const FOUND: readonly (readonly [user: string | undefined, group: string | undefined, found: object])[] = [
  ['nobody', undefined, nobody],
  [String(nobody.uid), undefined, nobody],
  ['root', undefined, root],
  ['nobody', 'root', { ...nobody, gid: 0 }],
  ['nobody', '0', { ...nobody, gid: 0 }],
  [undefined, String(nobody.gid), { ...root, gid: nobody.gid }],
];
for (const [user, group, found] of FOUND) {
  test(`user ${user}, group ${group}`, () => assert.deepEqual(accounts.find(user, group), { ok: true, value: found }));
}

const LOST: readonly (readonly [user: string | undefined, group: string | undefined, error: string])[] = [
  ['no-such-user', undefined, 'there is no user no-such-user'],
  ['4242424', undefined, 'there is no user 4242424'],
  ['-1', undefined, 'there is no user -1'],
  ['--help', undefined, 'there is no user --help'],
  ['', undefined, 'there is no user '],
  ['root:x', undefined, 'there is no user root:x'],
  ['nobody', 'no-such-group', 'there is no group no-such-group'],
  ['nobody', '-s', 'there is no group -s'],
  [undefined, 'no-such-group', 'there is no group no-such-group'],
];
for (const [user, group, error] of LOST) {
  test(error, () => assert.deepEqual(accounts.find(user, group), { ok: false, error }));
}

test('the name of a user, or its number', () => {
  assert.deepEqual(
    [0, nobody.uid, 4_242_424].map((uid) => accounts.nameOf(uid)),
    ['root', 'nobody', 'user 4242424'],
  );
});

test('a directory service is asked once in a while for the same, also when it has not answered', {
  skip: unlessNamespaces,
}, (t) => {
  const directory = scratch(t);
  const bin = scratch(t);
  const log = join(directory, 'log');
  const getent = `#!/bin/sh\necho "$*" >>${log}\n[ "$2" = ldap ] && echo ldap:x:5000:5001::/:/bin/sh\nexit 0\n`;
  writeFileSync(join(bin, 'getent'), getent, { mode: 0o755 });
  const script = `
    const { accounts } = await load('host/accounts');
    const find = () => ['ldap', 'nobody-knows'].map((user) => accounts.find(user, undefined).ok);
    const found = [find(), find()];
    const { uptime } = process;
    process.uptime = () => uptime() + 61;
    say([...found, find()]);`;
  const found = inNode(script, { under: inPlaceOfSystems(bin), env: { PATH: `${bin}:/usr/bin:/bin` } });
  assert.deepEqual(found, [
    [true, false],
    [true, false],
    [true, false],
  ]);
  const once = 'passwd ldap\npasswd nobody-knows\n';
  assert.equal(readFileSync(log, 'utf8'), once + once);
});
