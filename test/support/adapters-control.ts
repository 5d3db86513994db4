// Both ends of the control socket of a `run`, each a process of its own, and peers that keep to nothing.

import assert from 'node:assert/strict';
import { chownSync, mkdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileNameOf } from '../../src/host/runtime-directory.ts';
import { asNobody, begin, isRoot, linesOf, NOBODY, nextOf, nodeRunning, scratch } from './adapters.ts';

const NAME = '/etc/app.cfg';

/** Words on its stdin: `say N TEXT`, `done N EXIT`, `decline N`, `closed N`, `flood N` (N: the order's number), `close`. */
const SERVE = `
  const { control } = await load('host/control');
  const orders = [];
  const served = await control.serve(given.name, (order) => {
    orders.push(order);
    say({ order: order.action, options: [...order.options] });
  });
  say(served.ok ? 'serving' : served.error);
  for (let line = await told(); line !== undefined; line = await told()) {
    const [word, number, ...rest] = line.split(' ');
    if (word === 'say') orders[number].say(['info', rest.join(' ')]);
    if (word === 'done') orders[number].done({ exit: Number(rest[0]), hasLooked: rest[1] === 'looked' });
    if (word === 'decline') orders[number].decline();
    if (word === 'closed') void orders[number].closed.then(() => say({ closed: true }));
    if (word === 'flood') for (let line = 0; line < 2000; line += 1) orders[number].say(['debug', 'x'.repeat(100)]);
    if (word === 'close') break;
  }
  // What keeps this process alive from now on is the server's.
  process.stdin.destroy();
  served.value?.close();`;

const ASK = `
  const { control } = await load('host/control');
  const { promise, resolve } = Promise.withResolvers();
  const order = { action: given.action, options: new Map(given.options) };
  const answer = control.ask(given.name, order, given.most, (line) => say({ said: line }), promise, () => given.hearsSilence && say('silence'));
  void told().then((word) => word === 'interrupt' && resolve());
  say(await answer);
  process.exit(0);`;

/** A process at one end. */
export interface End {
  readonly pid: number;
  /** The next thing that it says. */
  next(): Promise<unknown>;
  tell(words: string): void;
  kill(signal?: NodeJS.Signals): void;
  /** Its exit status when it has ended by itself. */
  readonly ended: Promise<number | null>;
}

export interface Order {
  readonly action: string;
  readonly options?: readonly (readonly [string, string])[];
  /** Milliseconds that the answer may take. */
  readonly most?: number;
  /** Whether the caller says so when it hears nothing. */
  readonly hearsSilence?: boolean;
}

/** A place for control sockets of its own; as root it is an ordinary user`s, since root's one place is the whole machine's. */
export interface Line {
  readonly directory: string;
  /** Where the socket is. */
  readonly path: string;
  /** Listens; `setup` is what a shell does first. Resolves when it has begun, or with its first word when it could not. */
  serve(setup?: string): Promise<End>;
  ask(order: Order): Promise<End>;
  /** Somebody who has connected. */
  peer(): Promise<Peer>;
}

/** A connection in this very process. */
export interface Peer {
  readonly socket: Socket;
  /** All it has read when the other side has hung up. */
  readonly heard: Promise<string>;
}

export function controlLine(t: TestContext, env: NodeJS.ProcessEnv = {}): Line {
  const runtime = scratch(t);
  const directory = join(runtime, 'frontik-supervisor');
  mkdirSync(directory, { mode: 0o700 });
  if (isRoot) for (const path of [runtime, directory]) chownSync(path, NOBODY, NOBODY);
  const environment = { ...process.env, XDG_RUNTIME_DIR: runtime, ...env };
  const start = async (command: readonly string[]): Promise<End> => {
    const child = await begin(t, [...(isRoot ? asNobody : []), ...command], { env: environment });
    const lines = linesOf(child);
    return {
      pid: child.pid,
      next: () => nextOf(lines),
      tell: (words) => assert(child.stdin?.write(`${words}\n`)),
      kill: (signal = 'SIGKILL') => child.kill(signal),
      ended: new Promise((over) => child.once('exit', (status) => over(status))),
    };
  };
  const path = join(directory, fileNameOf(NAME, 'sock'));
  return {
    directory,
    path,
    serve: (setup = ':') =>
      start(['/bin/sh', '-c', `${setup}; exec "$@"`, 'sh', ...nodeRunning(SERVE, { name: NAME })]),
    ask: ({ options = [], most = 60_000, ...order }) =>
      start(nodeRunning(ASK, { name: NAME, options, most, ...order })),
    peer: () => peer(t, path),
  };
}

function peer(t: TestContext, path: string): Promise<Peer> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    t.after(() => socket.destroy());
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    const heard = new Promise<string>((over) => socket.once('close', () => over(text)));
    socket.once('error', reject);
    socket.once('connect', () => {
      // Being hung up on, even in the middle of a word, is what some of them are here for.
      socket.off('error', reject).on('error', () => undefined);
      resolve({ socket, heard });
    });
  });
}
