import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asNobody, inNode, unlessNobodyCan } from '../support/adapters.ts';
import { spec } from '../support/adapters-launch.ts';

const refused = (code: string) => ({ ok: false, error: { kind: 'launch-refused', program: 'true', code } });
const given = spec({ argv: ['true'] });

test('more arguments than the kernel takes', () => {
  const script = `
    const { launch } = await load('host/launch');
    say(await launch({ ...given, argv: ['true', ...Array(70).fill('x'.repeat(100_000))] }));`;
  assert.deepEqual(inNode(script, { given }), refused('E2BIG'));
});

test('no process more is allowed', { skip: unlessNobodyCan }, () => {
  const script = `
    const { launch } = await load('host/launch');
    (await import('node:child_process')).execFileSync('prlimit', ['--pid', String(process.pid), '--nproc=1']);
    say(await launch(given));`;
  assert.deepEqual(inNode(script, { given, under: asNobody }), refused('EAGAIN'));
});

for (const left of [0, 1, 2]) {
  test(`no more than ${left} descriptors are left`, () => {
    const script = `
      const { openSync, closeSync } = await import('node:fs');
      const { launch } = await load('host/launch');
      process.getBuiltinModule('node:child_process');
      const open = [];
      while (open !== undefined) {
        try { open.push(openSync('/dev/null')); } catch (error) { if (error.code === 'EMFILE') break; throw error; }
      }
      for (const fd of open.splice(0, ${left})) closeSync(fd);
      const result = await launch(given);
      for (const fd of open) closeSync(fd);
      say(result.ok ? 'launched' : result);`;
    const under = ['/bin/sh', '-c', 'ulimit -n 200 && exec "$@"', 'sh'];
    assert.deepEqual(inNode(script, { given, under }), refused('EMFILE'));
  });
}
