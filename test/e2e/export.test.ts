import assert from 'node:assert/strict';
import { readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { onStage, type Stage } from '../support/e2e.ts';
import { haproxyCommand, nginxCommand, type ProxyName, whyNotBehind } from '../support/rolling-proxies.ts';

/** What `export` prints, with nothing else said. */
async function exported(stage: Stage, proxy: ProxyName, ...words: readonly string[]): Promise<string> {
  const outcome = await stage.call([`--config=${stage.config}`, ...words, 'export', proxy]).outcome;
  assert.deepEqual([outcome.code, outcome.stderr], [0, '']);
  return outcome.stdout;
}

/** Settings that the texts must hold together for. */
const SETTINGS: readonly (readonly [what: string, words: readonly string[]])[] = [
  ['the defaults', []],
  ['one worker', ['--workers_count=1', '--app=1']],
  ['200 workers', ['--workers_count=200', '--app=localhost']],
  ['a strange name', ['--app=a {b};\n# "c" \'d\' $e']],
  ['a strange question', ['--status_path=/a#b"\'\\%[x]$HOME', `--status_server=My "x" 'y' #1,(a|b)+$,\u043f`]],
  ['any server', ['--status_server=']],
];

test(
  'nginx takes what is exported',
  { skip: whyNotBehind('nginx') ?? false },
  onStage({ workers: 2 }, async (stage) => {
    for (const [what, words] of SETTINGS) {
      const directory = stage.path('nginx');
      const text = await exported(stage, 'nginx', ...words);
      const { code, stderr } = await stage.program([
        ...nginxCommand({ directory, port: stage.port(10), exported: text }),
        '-t',
      ]).outcome;
      assert.equal(code, 0, `${what}: ${stderr}${text}`);
      // Beyond an alert that nothing forbids, such as one about the user: not a word of complaint.
      assert.doesNotMatch(stderr, /\[(warn|error|crit|emerg)\]/, what);
    }
  }),
);

test(
  'HAProxy takes what is exported, without a warning',
  { skip: whyNotBehind('haproxy') ?? false },
  onStage({ workers: 2 }, async (stage) => {
    for (const [what, words] of SETTINGS) {
      const directory = stage.path('haproxy');
      const text = await exported(stage, 'haproxy', ...words);
      const command = haproxyCommand({ directory, port: stage.port(10), exported: text });
      const { code, stderr } = await stage.program([...command, '-c']).outcome;
      assert.deepEqual([code, stderr], [0, ''], `${what}: ${text}`);
    }
  }),
);

test(
  'export needs no script and no directory, touches nothing, and names the ports of the configuration',
  onStage({ workers: 2 }, async (stage) => {
    rmdirSync(stage.path('run'));
    rmdirSync(stage.path('log'));
    const before = readdirSync(stage.dir).toSorted();
    for (const proxy of ['nginx', 'haproxy'] as const) {
      const text = await exported(stage, proxy);
      assert.match(text, /^(upstream|backend) app\b/m);
      const ports = [...text.matchAll(/^ +server .*127\.0\.0\.1:(\d+) /gm)].map(([, port]) => Number(port));
      assert.deepEqual(ports, [stage.port(0), stage.port(1)]);
    }
    assert.deepEqual(readdirSync(stage.dir).toSorted(), before);
    stage.assertNobody();
  }),
);

test(
  'what is wrong with an export is told in one line',
  onStage({ workers: 1 }, async (stage) => {
    await stage.expect('export', '[T] export: needs nginx or haproxy\nexit 2');
    await stage.expect('export apache', '[T] apache: must be nginx or haproxy\nexit 2');
    const nowhere = await stage.call([`--config=${join(stage.dir, 'none.cfg')}`, 'export', 'nginx']).outcome;
    assert.equal(stage.tell(nowhere), '[T] DIR/none.cfg: this configuration file does not exist\nexit 6');
  }),
);
