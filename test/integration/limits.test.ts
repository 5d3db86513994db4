import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { asNobody, inNode, unlessNobodyCan, unlessRoot } from '../support/adapters.ts';

const kernelMost = Number(readFileSync('/proc/sys/fs/nr_open', 'utf8'));
/** Whether a process of ours can really raise its hard limit. */
const mayRaise = spawnSync('/bin/sh', ['-c', 'ulimit -n 3000 && ulimit -n 3001 2>&-']).status === 0;
const SCRIPT = "say((await load('host/limits')).readOpenFileLimits());";

/** What a process finds whose limits were set so. */
function limits(words: string, under: readonly string[] = []): unknown {
  return inNode(SCRIPT, { under: ['/bin/sh', '-c', `${words} && exec "$@"`, 'sh', ...under] });
}

test('the hard limit is found, whatever the soft one is, and whether it can be raised', () => {
  assert.deepEqual(limits('ulimit -n 3000 && ulimit -S -n 100'), { hard: 3000, kernelMost, mayRaise });
});

test('nobody may not raise it', { skip: unlessNobodyCan }, () => {
  assert.deepEqual(limits('ulimit -n 3000', asNobody), { hard: 3000, kernelMost, mayRaise: false });
});

test('root without that one capability may not raise it', { skip: unlessRoot }, () => {
  const under = ['setpriv', '--bounding-set=-sys_resource', '--inh-caps=-sys_resource'];
  assert.deepEqual(limits('ulimit -n 2048', under), { hard: 2048, kernelMost, mayRaise: false });
});
