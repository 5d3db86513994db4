// systemctl as a program that may fail, hang or be missing.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { endWith, inNode, scratch, unlessNamespaces } from '../support/adapters.ts';
import { until } from '../support/e2e-command.ts';
import { isAlive } from '../support/e2e-processes.ts';
import { inPlaceOfSystems } from '../support/namespaces.ts';

/** Has a unit started by a systemctl whose shell does `body`; it is given so long, and interrupted after so long. */
function pursued(
  directory: string,
  body: string,
  { most = 20_000, interrupted = 60_000 } = {},
): { readonly result: unknown; readonly took: number } {
  writeFileSync(join(directory, 'systemctl'), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  const script = `
    const { serviceManager } = await load('host/service-manager');
    const interrupted = new Promise((resolve) => setTimeout(resolve, given.interrupted).unref());
    say(await serviceManager.pursue('start', 'app.service', given.most, interrupted));`;
  const before = performance.now();
  const env = { PATH: `${directory}:/usr/bin:/bin`, DIR: directory };
  return {
    result: inNode(script, { under: inPlaceOfSystems(directory), env, given: { most, interrupted } }),
    took: performance.now() - before,
  };
}

/** What it left in `file` is gone. */
async function assertEnded(t: TestContext, file: string): Promise<void> {
  const id = endWith(t, Number(readFileSync(file, 'utf8')));
  await until(() => assert(id === undefined || !isAlive(id)), 5000);
}

suite('systemctl', { concurrency: 4, skip: unlessNamespaces }, () => {
  const ENDS: readonly (readonly [body: string, result: object])[] = [
    ['exit 0', { ok: true }],
    ['[ "$*" = "--no-ask-password start app.service" ]', { ok: true }],
    ['echo Job failed. >&2; echo See the journal. >&2; exit 1', { ok: false, error: 'Job failed.' }],
    ['exit 4', { ok: false, error: 'exited with status 4' }],
    ['kill -KILL $$', { ok: false, error: 'was killed by SIGKILL' }],
  ];
  for (const [body, result] of ENDS) test(body, (t) => assert.deepEqual(pursued(scratch(t), body).result, result));

  test('that is not installed', (t) => {
    const directory = scratch(t);
    writeFileSync(join(directory, 'systemctl'), '');
    const script = `
      const { serviceManager } = await load('host/service-manager');
      say(await serviceManager.pursue('stop', 'app.service', 9000, new Promise(() => undefined)));`;
    const told = inNode(script, { under: inPlaceOfSystems(directory), env: { PATH: '/no/such/directory' } });
    assert.deepEqual(told, { ok: false, error: 'could not be started: ENOENT' });
  });

  const HANG = 'echo $$ >"$DIR/pid"; exec sleep 25';
  test('that waits for a job that does not come is not waited for any longer than is said', async (t) => {
    const directory = scratch(t);
    const { result, took } = pursued(directory, HANG, { most: 1000 });
    assert.deepEqual(result, { ok: false, error: 'did not finish within 1 s' });
    assert(took < 15_000, `${took} ms`);
    await assertEnded(t, join(directory, 'pid'));
  });

  test('is not waited for after an interruption', async (t) => {
    const directory = scratch(t);
    const { result, took } = pursued(directory, HANG, { interrupted: 1000 });
    assert.deepEqual(result, { ok: false, error: 'was killed by SIGKILL' });
    assert(took < 15_000, `${took} ms`);
    await assertEnded(t, join(directory, 'pid'));
  });
});
