import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event, Expectation, Survey } from '../../src/core/event.ts';
import type { Failure } from '../../src/core/failure.ts';
import type { Notice } from '../../src/core/journey.ts';
import { millis, type Pid, type Port } from '../../src/core/units.ts';
import type { Standing } from '../../src/core/worker.ts';
import { type Line, lines } from '../../src/report/wording.ts';

const port = 8001 as Port;
const id = { pid: 412 as Pid, startTicks: 7 };
const nginx = { pid: 99, name: 'nginx' };

const notice = (notice: Notice, lastWords: readonly string[] = []): Event => ({
  kind: 'notice',
  port,
  notice,
  lastWords,
});
const notStarted = (failure: Failure, lastWords?: readonly string[]): Event =>
  notice({ kind: 'failed-to-start', failure }, lastWords);

const EVENTS: readonly (readonly [event: Event, ...told: Line[]])[] = [
  [notice({ kind: 'launching' }), ['debug', 'start worker 8001']],
  [notice({ kind: 'already-started' }), ['warning', 'another worker already started on 8001']],
  [notice({ kind: 'waiting' }), ['info', 'waiting for worker on port 8001 to start']],
  [notice({ kind: 'stopping' }), ['debug', 'stopping worker 8001']],
  [{ kind: 'killing' }, ['warning', 'some of the workers are running, trying to kill']],
  [{ kind: 'stop-failed' }, ['warning', 'failed to stop workers']],
  [
    notStarted({ kind: 'did-not-stay', within: millis(1000) }, ['Killed']),
    ['error', 'worker on port 8001 failed to start'],
    ['error', 'worker on port 8001: it was ready, and went away within 1 s'],
    ['error', 'worker on port 8001: | Killed'],
  ],
  [
    {
      kind: 'hook-failed',
      port,
      hook: 'before_stop',
      program: '/usr/bin/leave',
      how: 'exited with status 3',
      words: ['no'],
    },
    ['error', 'worker on port 8001: hook before_stop: /usr/bin/leave exited with status 3'],
    ['error', 'worker on port 8001: hook before_stop: | no'],
  ],
  [{ kind: 'out-of-rotation', ports: [port] }, ['error', '8001 is out of rotation until the next reload']],
  [{ kind: 'nothing-to-reload' }, ['error', 'no worker is alive, so there is nothing to reload: run start']],
  [
    { kind: 'roll-stopped', renewed: [8000 as Port, 8002 as Port], down: [port], old: [8003 as Port] },
    ['error', 'reload has stopped: 8000, 8002 are new; 8001 is not running; 8003 is old'],
  ],
  [
    { kind: 'roll-stopped', renewed: [], down: [], old: [8000 as Port, port] },
    ['error', 'reload has stopped: 8000, 8001 are old'],
  ],
  [
    notice({ kind: 'failed-to-stop', failure: { kind: 'survived-sigkill', id } }),
    ['warning', 'failed to stop worker on port 8001'],
    ['warning', 'worker on port 8001: process 412 survived SIGKILL'],
  ],
  [
    notice({ kind: 'failed-to-stop', failure: { kind: 'keeps-coming-back', times: 4 } }),
    ['warning', 'failed to stop worker on port 8001'],
    ['warning', 'worker on port 8001: it was stopped 4 times and came back each time: something else starts it'],
  ],
  [
    notStarted({ kind: 'died-while-starting', how: 'exited with status 1' }, ['Traceback:', '  ImportError: app']),
    ['error', 'worker on port 8001 failed to start'],
    ['error', 'worker on port 8001: it exited with status 1 before it was ready'],
    ['error', 'worker on port 8001: | Traceback:'],
    ['error', 'worker on port 8001: |   ImportError: app'],
  ],
  [
    notStarted({ kind: 'launch-refused', program: '/bin/sh', code: 'EAGAIN' }),
    ['error', 'worker on port 8001 failed to start'],
    ['error', 'worker on port 8001: /bin/sh could not be started: EAGAIN'],
  ],
  [
    notStarted({ kind: 'not-ready-in-time', waited: millis(60_000), id, http: 'unasked' }),
    ['error', 'worker on port 8001 failed to start'],
    ['error', 'worker on port 8001: it was not ready within 60 s (pid 412): it does not listen on its port'],
  ],
  [
    notStarted({ kind: 'not-ready-in-time', waited: millis(2500), id, http: 'silent' }),
    ['error', 'worker on port 8001 failed to start'],
    ['error', 'worker on port 8001: it was not ready within 2.5 s (pid 412): it gives no answer within 1 s'],
  ],
  [
    notStarted({ kind: 'not-ready-in-time', waited: millis(1000), id, http: 'unready' }),
    ['error', 'worker on port 8001 failed to start'],
    ['error', 'worker on port 8001: it was not ready within 1 s (pid 412): its answer is not that of a ready worker'],
  ],
  [
    notStarted({ kind: 'not-ready-in-time', waited: millis(1000), id, http: { unaskable: 'EMFILE' } }),
    ['error', 'worker on port 8001 failed to start'],
    ['error', 'worker on port 8001: it was not ready within 1 s (pid 412): it could not be asked: EMFILE'],
  ],
  [
    notStarted({ kind: 'not-permitted', id }),
    ['error', 'worker on port 8001 failed to start'],
    ['error', 'worker on port 8001: no permission to signal process 412: run this as its owner or as root'],
  ],
  [
    notStarted({ kind: 'survived-sigkill', id }),
    ['error', 'worker on port 8001 failed to start'],
    ['error', 'worker on port 8001: process 412 survived SIGKILL'],
  ],
  [notStarted({ kind: 'port-held', holder: nginx }), ['error', 'port 8001 is held by nginx (pid 99)']],
  [
    notStarted({ kind: 'port-held', holder: undefined }),
    ['error', 'port 8001 is held by a process that cannot be seen from here'],
  ],
  [notStarted({ kind: 'alive-not-ready', id }), ['error', 'worker on port 8001 is alive (pid 412) but not ready']],
  [
    { kind: 'soft-limit-lowered', limit: 1024, cause: 'capability' },
    ['warning', "We don't have CAP_SYS_RESOURCE, therefore soft NOFILE limit will be set to 1024"],
  ],
  [
    { kind: 'soft-limit-lowered', limit: 1_048_576, cause: 'kernel' },
    ['warning', "The kernel's fs.nr_open is 1048576, therefore soft NOFILE limit will be set to 1048576"],
  ],
  [
    { kind: 'look-alike', port, pid: 412, user: 'mallory' },
    ['warning', 'process 412 of mallory looks like the worker on port 8001 and is ignored'],
  ],
  [
    { kind: 'forbidden', port, pid: 412, user: 'app' },
    ['error', 'the worker on port 8001 (pid 412) belongs to app: run this as app or root'],
  ],
  [
    { kind: 'python-chosen', script: '/srv/run', why: 'is not executable' },
    ['warning', '/srv/run is not executable, so python3 runs it: --supervisor_python says which Python it should be'],
  ],
  [
    { kind: 'log-unusable', port, path: '/var/log/a.log', why: 'is a symbolic link' },
    ['warning', 'worker on port 8001: its output is not kept: /var/log/a.log is a symbolic link'],
  ],
  [
    { kind: 'pidfile-stuck', path: '/run/a.pid', code: 'EACCES' },
    ['warning', 'pidfile /run/a.pid cannot be put right: EACCES'],
  ],
  [
    { kind: 'waiting-for-lock', holder: 'start, pid 7' },
    ['info', 'waiting for another command on this application (start, pid 7) to finish'],
  ],
  [
    { kind: 'waiting-for-lock', holder: undefined },
    ['info', 'waiting for another command on this application to finish'],
  ],
  [
    { kind: 'lock-timed-out', holder: 'stop, pid 7' },
    ['error', 'another command on this application (stop, pid 7) did not finish in time: nothing was done'],
  ],
  [
    { kind: 'more-look-alikes', count: 3 },
    ['warning', '3 more processes of other users look like workers and are ignored'],
  ],
  [
    { kind: 'foreign-run', pid: 7, user: 'web' },
    [
      'warning',
      'a run of web (pid 7) looks after these workers, too, and brings back what is stopped: run this as web, or end that run',
    ],
  ],
  [{ kind: 'left-stopped', ports: [port, 8002 as Port] }, ['error', 'ports 8001, 8002 are stopped: run start']],
  [
    { kind: 'no-such-action', action: undefined },
    ['error', 'missing action: please use `start`, `stop`, `restart` or `status`'],
  ],
  [
    { kind: 'no-such-action', action: 'strat' },
    ['error', 'incorrect action: please use `start`, `stop`, `restart` or `status`'],
  ],
  [{ kind: 'problem', source: 'app.cfg:3:5', text: 'x must be an int' }, ['error', 'app.cfg:3:5: x must be an int']],
  [{ kind: 'caution', source: '--app', text: 'is odd' }, ['warning', '--app: is odd']],
];
for (const [event, ...told] of EVENTS) {
  test(told[0]?.[1] ?? event.kind, () => assert.deepEqual(lines(event), told));
}

const running: Standing = { kind: 'running', id };
const alive: Standing = { kind: 'alive', id };
const unaskable: Standing = { kind: 'unaskable', id, code: 'EADDRNOTAVAIL' };
const down: Standing = { kind: 'down' };
const RUNNING = 'all workers are running';
const SOME = 'some workers are running!';
const STOPPED = 'all workers are stopped';
const STALE: Line = ['warning', 'some stale workers are running!'];
const UNASKABLE: Line = [
  'error',
  'worker on port 8001 is alive (pid 412), but this machine cannot ask whether it is ready: EADDRNOTAVAIL',
];
const unready = (port: number): Line => ['warning', `worker on port ${port} is alive (pid 412) but not ready`];

const SURVEYS: readonly (readonly [standings: readonly Standing[], expected: Expectation, ...told: Line[]])[] = [
  [[running, running], 'nothing', ['info', RUNNING]],
  [[running, running], 'started', ['info', RUNNING]],
  [[running, running], 'stopped', ['error', RUNNING]],
  [[running, down], 'nothing', ['warning', SOME]],
  [[running, down], 'started', ['warning', SOME]],
  [[running, down], 'stopped', ['warning', SOME]],
  [[down, down], 'nothing', ['info', STOPPED]],
  [[down, down], 'started', ['error', STOPPED]],
  [[down, down], 'stopped', ['info', STOPPED]],
  [[alive, down], 'nothing', unready(8000), ['warning', SOME]],
  [[alive, alive], 'started', unready(8000), unready(8001), ['warning', SOME]],
  [[running, alive], 'nothing', unready(8001), ['warning', SOME]],
  [[running, unaskable], 'nothing', UNASKABLE, ['warning', SOME]],
];
for (const [standings, expected, ...told] of SURVEYS) {
  test(`${standings.map(({ kind }) => kind).join(', ')}; expected: ${expected}`, () => {
    const workers = standings.map((standing, index) => ({ port: (8000 + index) as Port, standing }));
    const event = (survey: Survey, ports: readonly number[] = []): Event => ({
      kind: 'surveyed',
      survey,
      expected,
      told: new Set(ports as Port[]),
    });
    assert.deepEqual(lines(event({ workers, stale: [] })), told);
    assert.deepEqual(lines(event({ workers, stale: [{ port: 9000 as Port, id }] })), [STALE, ...told]);
    // What has been told once is not told again.
    assert.deepEqual(lines(event({ workers, stale: [] }, [8000, 8001])), told.slice(-1));
  });
}
