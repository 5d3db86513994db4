import assert from 'node:assert/strict';
import { test } from 'node:test';
import { application, type LaunchPlan, NO_LAUNCH, unreadableApplication } from '../../src/config/fleet.ts';
import type { Layer } from '../../src/config/given.ts';
import type { Settings } from '../../src/config/settings.ts';
import { portOf } from '../support/adapters.ts';
import { commandLine, problemsOf, settleWith, text } from '../support/adapters-settings.ts';

const PLAN: LaunchPlan = {
  command: ['python3', '/usr/bin/frontik', '-v'],
  openFiles: { soft: 4096, raiseHard: false },
  account: { user: 'app', uid: 1000, gid: 1001 },
  firstWords: 'kept',
};

function settingsOf(...layers: readonly Layer[]): Settings {
  const settled = settleWith(...layers);
  assert(settled.ok, problemsOf(settled).join('\n'));
  return settled.settings;
}

test('everything is set: a worker in full', () => {
  const settings = settingsOf(
    commandLine({
      app: text('pages'),
      workers_count: text('1'),
      pidfile_template: text('/run/app.%(port)s.pid'),
      logfile_template: text('/var/log/app.%(port)s.log'),
    }),
  );
  const { specs } = application(settings, '/srv', PLAN);
  assert.deepEqual(specs, [
    {
      port: 8000,
      argv: [
        'python3',
        '/usr/bin/frontik',
        '-v',
        '--config=/etc/app.cfg',
        '--port=8000',
        '--pidfile=/run/app.8000.pid',
        '--app=pages',
        '--logfile=/var/log/app.8000.log',
      ],
      marker: '/etc/app.cfg:8000',
      pidfile: '/run/app.8000.pid',
      logfile: '/var/log/app.8000.log',
      firstWords: 'kept',
      openFiles: { soft: 4096, raiseHard: false },
      account: { user: 'app', uid: 1000, gid: 1001 },
    },
  ]);
});

test('what is not set is not passed', () => {
  const [spec] = application(settingsOf(), '/srv', PLAN).specs;
  assert.deepEqual(spec?.argv, [...PLAN.command, '--config=/etc/app.cfg', '--port=8000']);
  assert.deepEqual([spec?.pidfile, spec?.logfile], [undefined, undefined]);
});

test('relative templates are made absolute, the configuration stays as it is written', () => {
  const settings = settingsOf(
    commandLine({
      config: text('../etc/app.cfg'),
      pidfile_template: text('run/%(port)s.pid'),
      logfile_template: text('./%(port)s.log'),
    }),
  );
  const made = application(settings, '/srv/app', PLAN);
  assert.deepEqual(made.specs[0]?.argv.slice(3), [
    '--config=../etc/app.cfg',
    '--port=8000',
    '--pidfile=/srv/app/run/8000.pid',
    '--logfile=/srv/app/8000.log',
  ]);
  assert.deepEqual(
    [made.config, made.configPath, made.specs[0]?.marker, made.pidfilesOf(portOf(8000))],
    ['../etc/app.cfg', '/srv/etc/app.cfg', '/srv/etc/app.cfg:8000', ['/srv/app/run/8000.pid', 'run/8000.pid']],
  );
});

test('one worker a port, from the first one on', () => {
  const ports = (first: string, count: string): number[] =>
    application(settingsOf(commandLine({ start_port: text(first), workers_count: text(count) })), '/', PLAN).specs.map(
      ({ port }) => port,
    );
  assert.deepEqual(ports('8000', '4'), [8000, 8001, 8002, 8003]);
  assert.deepEqual(ports('65535', '1'), [65_535]);
  assert.equal(ports('1', '65535').length, 65_535);
});

test('what a worker on another port would be', () => {
  const made = application(settingsOf(commandLine({ pidfile_template: text('/run/%(port)s.pid') })), '/', PLAN);
  const { argv, pidfile } = made.specOf(portOf(9000));
  assert.deepEqual(
    [argv.slice(3), pidfile],
    [['--config=/etc/app.cfg', '--port=9000', '--pidfile=/run/9000.pid'], '/run/9000.pid'],
  );
  assert.deepEqual(made.pidfilesOf(portOf(9000)), ['/run/9000.pid']);
});

test('without a template no pidfile has a name', () => {
  assert.deepEqual(application(settingsOf(), '/', PLAN).pidfilesOf(portOf(8000)), []);
});

test('readiness, patience and the workers` user are those of the settings', () => {
  const given = { supervisor_sigterm_timeout: text('3'), supervisor_start_timeout: text('7') };
  const { readiness, patience, workerUid, anyTemplate } = application(settingsOf(commandLine(given)), '/', PLAN);
  assert.deepEqual(
    { readiness, patience, workerUid, anyTemplate },
    {
      readiness: { path: '/status/', servers: ['TornadoServer', 'Frontik'] },
      patience: { startWithin: 7000, termGrace: 3000, killGrace: 5000 },
      workerUid: 1000,
      anyTemplate: false,
    },
  );
});

test('a configuration that cannot be read: no worker is configured, each of them is ours, none has a pidfile', () => {
  const settings = settingsOf(
    commandLine({
      config: text('app.cfg'),
      pidfile_template: text('/run/%(port)s.pid'),
      logfile_template: text('%(port)s'),
    }),
  );
  const made = unreadableApplication('/srv', settings, undefined);
  const { pidfile, logfile, marker } = made.specOf(portOf(8000));
  assert.deepEqual(
    [
      made.specs,
      made.anyTemplate,
      made.config,
      made.configPath,
      made.pidfilesOf(portOf(8000)),
      pidfile,
      logfile,
      marker,
    ],
    [[], true, 'app.cfg', '/srv/app.cfg', [], undefined, undefined, '/srv/app.cfg:8000'],
  );
});

test('what starts nothing has no command', () => {
  const [spec] = application(settingsOf(), '/', NO_LAUNCH).specs;
  assert.deepEqual([spec?.argv[0], spec?.account, spec?.firstWords], ['', undefined, 'dropped']);
});

test('a batch is never all workers, and never none', () => {
  const batches = [
    ['1', 4, 1],
    ['3', 4, 3],
    ['4', 4, 3],
    ['99', 4, 3],
    ['1', 1, 1],
    ['50%', 1, 1],
    ['25%', 4, 1],
    ['50%', 5, 2],
    ['1%', 8, 1],
    ['99%', 2, 1],
  ] as const;
  for (const [batch, workers, expected] of batches) {
    const settings = settingsOf(
      commandLine({ supervisor_batch: text(batch), workers_count: text(String(workers)), start_port: text('1500') }),
    );
    assert.equal(application(settings, '/srv', PLAN).rolling.batch, expected, `${batch} of ${workers}`);
  }
});

test('hooks are split on whitespace, and the port is put in', () => {
  const given = {
    supervisor_before_stop: text(' /usr/bin/leave  --port %(port)s '),
    supervisor_after_start: text('in'),
  };
  const { rolling } = application(settingsOf(commandLine(given)), '/srv', PLAN);
  assert.deepEqual(
    [rolling.beforeStop(portOf(8001)), rolling.afterStart(portOf(8001))],
    [['/usr/bin/leave', '--port', '8001'], ['in']],
  );
  const none = application(settingsOf(), '/srv', PLAN).rolling;
  assert.deepEqual([none.beforeStop(portOf(8001)), none.afterStart(portOf(8001))], [undefined, undefined]);
});
