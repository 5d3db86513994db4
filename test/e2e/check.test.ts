import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { test } from 'node:test';
import { binary, onStage, type Stage, whyNotAnotherUser } from '../support/e2e.ts';

/** What check printed, with the columns closed up so that the length of paths does not matter. */
function closed(stage: Stage, outcome: Parameters<Stage['tell']>[0]): string {
  return stage.tell(outcome).replaceAll(/ {2,}/g, '  ');
}

test(
  'check prints all settings with their sources, and touches nothing',
  onStage({ workers: 2 }, async (stage) => {
    rmdirSync(stage.path('run'));
    rmdirSync(stage.path('log'));
    const before = readdirSync(stage.dir).toSorted();
    const outcome = await stage.run('check --app=pages --start-timeout=9');
    assert.equal(outcome.stderr, '');
    assert.equal(
      closed(stage, outcome),
      [
        'script  DIR/worker  --script',
        'config  DIR/app.cfg  --config',
        'app  pages  --app',
        'workers_count  2  DIR/app.cfg:2',
        'start_port  P0  DIR/app.cfg:1',
        'pidfile_template  DIR/run/app.%(port)s.pid  DIR/app.cfg:3',
        'logfile_template  DIR/log/app.%(port)s.log  DIR/app.cfg:4',
        'supervisor_sigterm_timeout  4  default',
        'nofile_soft_limit  4096  default',
        'with_coverage  false  default',
        'supervisor_start_timeout  9  --supervisor_start_timeout',
        'supervisor_partial_status  1  default',
        'supervisor_status_path  /status/  default',
        'supervisor_status_server  TornadoServer,Frontik  default',
        'supervisor_python  -  default',
        'supervisor_user  -  default',
        'supervisor_group  -  default',
        'supervisor_batch  1  default',
        'supervisor_settle  1  default',
        'supervisor_drain  0  default',
        'supervisor_before_stop  -  default',
        'supervisor_after_start  -  default',
        'supervisor_hook_timeout  10  default',
        'supervisor_start_retries  5  default',
        'supervisor_hang_timeout  30  default',
        'ports  P0..P1',
        'command  DIR/worker --config=DIR/app.cfg --port=P0 --pidfile=DIR/run/app.P0.pid --app=pages --logfile=DIR/log/app.P0.log',
        'python  none',
        'exit 0',
      ].join('\n'),
    );
    assert.deepEqual(readdirSync(stage.dir).toSorted(), before);
    stage.assertNobody();
  }),
);

test(
  'the command that check prints is the one that starts a worker',
  onStage({ workers: 1, switches: { daemonize: false } }, async (stage) => {
    const { stdout } = await stage.run("check --app=it's");
    const command = /^command +(.*)$/m.exec(stdout)?.[1] ?? '';
    assert.match(command, /^\S+\/worker --config=/);
    await stage.started("start --app=it's");
    const words = await stage.program(['/bin/sh', '-c', `printf '%s\\n' ${command}`]).outcome;
    const { argv } = await stage.born(0);
    // Its first word is the interpreter that its first line names.
    assert.deepEqual(words.stdout.trimEnd().split('\n'), argv.slice(1));
  }),
);

test(
  'check tells of every problem on stderr, with exit 6',
  onStage({ workers: 2 }, async (stage) => {
    stage.configure({ workers_count: null }, "workers_count = 'four'\nnofile_soft_limit: 7\n");
    const outcome = await stage.call([`--config=${stage.config}`, '--nonsense', 'check']).outcome;
    assert.match(outcome.stdout, /^workers_count +\? +\S+\/app\.cfg:5$/m);
    assert.equal(
      stage.tell({ ...outcome, stdout: '' }),
      [
        '[T] DIR/app.cfg:6:1: "nofile_soft_limit: ..." sets nothing in Python; write "nofile_soft_limit = ..."',
        '[T] --nonsense: unknown option',
        "[T] DIR/app.cfg:5:17: workers_count must be an int, got str 'four'",
        '[T] --script: is required: give it on the command line or in a launcher',
        'exit 6',
      ].join('\n'),
    );
  }),
);

test(
  'check claims no values of a configuration that nobody may execute',
  onStage({ workers: 1 }, async (stage) => {
    stage.configure({ start_port: null }, "import json\nstart_port = json.loads('8000')\n");
    const outcome = await stage.run('check --no-python');
    assert.equal(outcome.code, 6);
    const seen = closed(stage, { ...outcome, stderr: '' }).split('\n');
    for (const row of ['start_port  ?  DIR/app.cfg', 'workers_count  ?  DIR/app.cfg', 'python  none', 'ports  -']) {
      assert.ok(seen.includes(row), `${row} is not in ${seen.join('\n')}`);
    }
    assert.ok(seen.includes('script  DIR/worker  --script'));
    assert.match(outcome.stderr, /app\.cfg:\d+:\d+: .* cannot be read without a Python; write a literal value\n$/);
  }),
);

test(
  'check finds what would hinder a start',
  onStage({ workers: 1 }, async (stage) => {
    stage.configure({ pidfile_template: `${stage.write('file', '')}/%(port)s.pid` });
    const outcome = await stage.call([`--config=${stage.config}`, `--script=${stage.path('nosuch')}`, 'check']).outcome;
    assert.equal(
      stage.tell({ ...outcome, stdout: '' }),
      [
        '[T] --script: DIR/nosuch is not installed',
        '[T] DIR/file: this is no directory: workers need it',
        'exit 6',
      ].join('\n'),
    );
  }),
);

test(
  'check prints JSON, and nothing else',
  onStage({ workers: 2 }, async (stage) => {
    stage.configure({ pidfile_template: null, logfile_template: null });
    const outcome = await stage.run('check --json --with_coverage=no');
    assert.deepEqual([outcome.code, outcome.stderr], [6, '']);
    const told = JSON.parse(outcome.stdout) as { options: { name: string; value: unknown; source: string }[] };
    const { options, ...rest } = told;
    assert.deepEqual(rest, {
      ok: false,
      ports: [],
      command: null,
      python: 'none',
      problems: [{ source: '--with_coverage', text: "must be true or false, got 'no'" }],
      cautions: [],
    });
    assert.deepEqual(
      options.filter(({ source }) => source !== 'default'),
      [
        { name: 'script', value: stage.script, source: '--script' },
        { name: 'config', value: stage.config, source: '--config' },
        { name: 'workers_count', value: 2, source: `${stage.config}:2` },
        { name: 'start_port', value: stage.port(0), source: `${stage.config}:1` },
        { name: 'with_coverage', value: null, source: '--with_coverage' },
      ],
    );
    const fine = JSON.parse((await stage.run('--json check')).stdout) as Record<string, unknown>;
    assert.deepEqual(
      [fine['ok'], fine['ports'], fine['command']],
      [true, [stage.port(0), stage.port(1)], [stage.script, `--config=${stage.config}`, `--port=${stage.port(0)}`]],
    );
  }),
);

test(
  'check works as the action of a launcher, while workers run, and does not wait for their lock',
  onStage({ workers: 1, switches: { sleep_bind: 600 } }, async (stage) => {
    const launcher = stage.write(
      'app',
      `#!${binary}\nfrom frontik.server.supervisor import supervisor\nsupervisor('${stage.script}', '${stage.config}')\n`,
      0o755,
    );
    const start = stage.begin('start');
    await start.said('start worker');
    const outcome = await stage.program([launcher, 'check']).outcome;
    assert.equal(start.isOver, false, 'check waited for the start');
    assert.match(outcome.stdout, new RegExp(`^script +\\S+/worker +${launcher}:3$`, 'm'));
    assert.deepEqual([outcome.code, outcome.stderr], [0, '']);
    start.kill('SIGTERM');
    assert.equal((await start.outcome).code, 143);
  }),
);

test(
  '--json with another action is refused',
  onStage({ workers: 1 }, async (stage) => {
    await stage.expect('start --json', '[T] --json: belongs to the action check\nexit 2');
    stage.assertNobody();
    assert.equal(existsSync(stage.pidfile(0)), false);
  }),
);

const why = whyNotAnotherUser();
test(
  'a user who may not write the directories learns so',
  { skip: why ?? false },
  onStage({ workers: 1 }, async (stage) => {
    const outcome = await stage.run('check', { uid: 65534, under: [] });
    assert.equal(outcome.code, 6, stage.tell(outcome));
    assert.match(stage.tell(outcome), /DIR\/run: no permission to write to this directory: workers need it/);
  }),
);
