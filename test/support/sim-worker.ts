// What a worker does with its life, told as data: a script. Times are milliseconds since its launch; `never` is never.

import type { Answer, Kernel, SimProcess, Truth } from './sim-kernel.ts';

type Moment = number | 'never';

/** What a worker starts beside itself, once it listens. All have its marker. */
export type Offspring =
  /** Another program in its session, which lives on without it. */
  | { readonly kind: 'helper'; readonly sigterm: 'obeyed' | 'ignored' }
  /** A forked child with its command line and its socket, which goes with it or outlives it. */
  | { readonly kind: 'fork'; readonly outlives: boolean }
  /** A daemon of its own, in a session of its own: nobody's business. */
  | { readonly kind: 'daemon' };

export interface Script {
  /** When it forks into the background. */
  readonly daemonizes: Moment;
  /** How long its starter stays after that. */
  readonly lingers: Moment;
  readonly writesPidfile: Moment;
  readonly losesPidfile: Moment;
  readonly listens: Moment;
  readonly ready: Moment;
  /** What is heard of it before it is ready: a refusal, or nothing until then, as of one whose loop does not run yet. */
  readonly whileBooting: 'unready' | 'silent';
  /** How it answers when it is ready. */
  readonly answer: Answer;
  readonly dies: Moment;
  readonly words: readonly string[];
  /** How long it takes to obey a SIGTERM. */
  readonly sigterm: Moment;
  /** When its socket closes on SIGTERM. */
  readonly hangsUp: 'at once' | 'at the end';
  readonly removesPidfile: boolean;
  /** How long a SIGKILL takes; a process in an uninterruptible sleep never dies. */
  readonly sigkill: Moment;
  /** How many times somebody else starts it again, and how long that takes; 0 is before its death is seen. */
  readonly respawns: number;
  readonly respawnsAfter: number;
  readonly offspring: readonly Offspring[];
  /** When it wipes its command line and its environment. */
  readonly renames: Moment;
  /** What it does when its port is taken. */
  readonly onTaken: 'dies' | 'stays';
}

/** A well-behaved daemon that is ready in 300 ms. */
export const GOOD: Script = {
  daemonizes: 100,
  lingers: 0,
  writesPidfile: 110,
  losesPidfile: 'never',
  listens: 250,
  ready: 300,
  whileBooting: 'unready',
  answer: { sight: 'ready', after: 2 },
  dies: 'never',
  words: [],
  sigterm: 20,
  hangsUp: 'at the end',
  removesPidfile: false,
  sigkill: 1,
  respawns: 0,
  respawnsAfter: 0,
  offspring: [],
  renames: 'never',
  onTaken: 'dies',
};

/** What a worker is started with. */
export interface Birth {
  readonly port: number;
  readonly argv: readonly string[];
  readonly marker: string | undefined;
  readonly pidfile: string | undefined;
  readonly parent: number;
  readonly uid: number;
  readonly cwd: string;
}

/** How many workers were born on each port of a kernel; it makes their names. */
const births = new WeakMap<Kernel, Map<number, number>>();

function countBirth(kernel: Kernel, port: number): string {
  const counts = births.get(kernel) ?? new Map<number, number>();
  const count = (counts.get(port) ?? 0) + 1;
  births.set(kernel, counts.set(port, count));
  return count === 1 ? String(port) : `${port} (${count})`;
}

/** Starts a worker that follows the script, and returns the process that was started. */
export function bear(kernel: Kernel, birth: Birth, script: Script): SimProcess {
  const name = countBirth(kernel, birth.port);
  const fields = {
    argv: birth.argv,
    marker: birth.marker,
    cwd: birth.cwd,
    uids: [birth.uid, birth.uid] as const,
    name: 'frontik',
  };
  const truth = (word: string): Truth => ({ label: `${word} ${name}`, ours: true, role: 'worker', port: birth.port });
  const isDaemon = script.daemonizes !== 'never';
  const starter = kernel.spawn({ ...fields, parent: birth.parent, truth: truth(isDaemon ? 'starter' : 'worker') });
  starter.onSignal = () => kernel.end(starter, 'was killed by SIGTERM');
  if (script.daemonizes === 'never') {
    live(kernel, starter, birth, script, 0);
    return starter;
  }
  if (script.dies !== 'never' && script.dies <= script.daemonizes) {
    kernel.in(script.dies, () => kernel.end(starter, 'exited with status 1'));
    return starter;
  }
  const forkedAt = script.daemonizes;
  kernel.in(forkedAt, () => {
    if (starter.state !== 'alive') return;
    // A daemon forks twice: its session is that of a process that is gone.
    const daemon = kernel.spawn({ ...fields, session: kernel.skipPid(), truth: truth('worker'), cwd: '/' });
    live(kernel, daemon, birth, script, forkedAt);
    if (script.lingers !== 'never') kernel.in(script.lingers, () => kernel.end(starter, 'exited with status 0'));
  });
  return starter;
}

/** The worker proper, from `since` on. */
function live(kernel: Kernel, worker: SimProcess, birth: Birth, script: Script, since: number): void {
  const at = (moment: Moment, run: () => void): void => {
    if (moment === 'never') return;
    kernel.in(moment - since, () => {
      if (worker.state === 'alive' && !isLeaving) run();
    });
  };
  const { pidfile } = birth;
  const pid = worker.id.pid;
  // What has been told to go boots no further.
  let isLeaving = false;
  worker.onSignal = (signal) => {
    isLeaving ||= script.sigterm !== 'never';
    leave(kernel, worker, birth, script, signal);
  };
  const readyAt = script.ready === 'never' ? Number.POSITIVE_INFINITY : kernel.now - since + script.ready;
  worker.answer = () =>
    script.whileBooting === 'unready'
      ? { sight: 'unready', after: 1 }
      : { ...script.answer, after: readyAt - kernel.now + script.answer.after };
  at(script.dies, () => die(kernel, worker, birth, script, 'exited with status 1'));
  at(script.writesPidfile, () => {
    if (pidfile !== undefined) kernel.write(pidfile, { pid }, birth.uid);
  });
  at(script.losesPidfile, () => {
    if (pidfile !== undefined) kernel.files.delete(pidfile);
  });
  at(script.listens, () => {
    if (kernel.listen(birth.port, worker)) beget(kernel, worker, birth, script);
    else if (script.onTaken === 'dies') die(kernel, worker, birth, script, 'exited with status 1');
  });
  at(script.ready, () => {
    worker.answer = () => script.answer;
  });
  at(script.renames, () => {
    worker.argv = ['frontik: worker'];
    worker.marker = undefined;
  });
}

function leave(kernel: Kernel, worker: SimProcess, birth: Birth, script: Script, signal: 'SIGTERM' | 'SIGKILL'): void {
  const wait = signal === 'SIGTERM' ? script.sigterm : script.sigkill;
  if (wait === 'never') return;
  if (signal === 'SIGTERM' && script.hangsUp === 'at once') kernel.hangUp(worker);
  kernel.in(wait, () => {
    const { pidfile } = birth;
    if (worker.state !== 'alive') return;
    if (signal === 'SIGTERM' && script.removesPidfile && pidfile !== undefined) kernel.files.delete(pidfile);
    die(kernel, worker, birth, script, `was killed by ${signal}`);
  });
}

function die(kernel: Kernel, worker: SimProcess, birth: Birth, script: Script, how: string): void {
  const followers = [...kernel.processes.values()].filter(
    (process) => process.parent === worker.id.pid && process.truth.label.startsWith('follower'),
  );
  kernel.end(worker, how);
  for (const follower of followers) kernel.end(follower, 'exited with status 0');
  if (script.respawns === 0) return;
  const next = { ...script, respawns: script.respawns - 1 };
  const respawn = (): void => void bear(kernel, { ...birth, parent: 1 }, next);
  if (script.respawnsAfter === 0) respawn();
  else kernel.in(script.respawnsAfter, respawn);
}

function beget(kernel: Kernel, worker: SimProcess, birth: Birth, script: Script): void {
  for (const child of script.offspring) {
    const family = { parent: worker.id.pid, session: worker.session, marker: worker.marker, uids: worker.uids };
    const truth = (word: string): Truth => ({
      label: `${word} of ${birth.port}`,
      ours: true,
      role: 'child',
      port: birth.port,
    });
    switch (child.kind) {
      case 'helper': {
        const helper = kernel.spawn({ ...family, argv: ['/usr/bin/convert', 'a.png'], truth: truth('helper') });
        helper.onSignal = (signal) => {
          if (signal === 'SIGKILL' || child.sigterm === 'obeyed') kernel.end(helper, `was killed by ${signal}`);
        };
        break;
      }
      case 'fork': {
        const label = truth(child.outlives ? 'fork' : 'follower');
        const fork = kernel.spawn({ ...family, argv: worker.argv, truth: label, cwd: worker.cwd });
        fork.answer = () => worker.answer();
        kernel.share(worker, fork);
        break;
      }
      case 'daemon': {
        const stranger: Truth = { label: 'daemon', ours: false, role: 'stranger', port: undefined };
        kernel.spawn({ argv: ['/usr/sbin/daemon'], marker: worker.marker, uids: worker.uids, truth: stranger });
        break;
      }
      default:
        child satisfies never;
    }
  }
}
