// The control socket of a `run`: other commands on its application ask it for what they would otherwise do themselves. Lines
// of JSON; whoever may connect is its own user, or root.

import { unlinkSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import type { Level } from '../core/event.ts';
import { LONGEST_TIMER, type Millis } from '../core/units.ts';
import { codeOf, orElse } from './errno.ts';
import type { Control, Obstacle, Order, OrderAnswer, OrderResult, Result, Said } from './host.ts';
import { fileNameOf, inRuntimeDirectory } from './runtime-directory.ts';

export const control: Control = { serve, ask };

/** No line is longer; whoever sends more is none of ours. */
const LONGEST_LINE = 1_048_576;
/** When to tell that nobody answers. */
const PATIENT = 1000;

/** What is said on the socket: the order, that it was heard, lines for people, the end. */
type Message =
  | { readonly kind: 'order'; readonly action: string; readonly options: readonly (readonly [string, string])[] }
  | { readonly kind: 'heard' }
  | { readonly kind: 'said'; readonly line: Said }
  | { readonly kind: 'done'; readonly result: OrderResult }
  | { readonly kind: 'declined' };

async function serve(name: string, take: (order: Order) => void): Promise<Result<{ close(): void }, Obstacle>> {
  const { createServer } = process.getBuiltinModule('node:net');
  const place = socketPath(name);
  if (!place.ok) return place;
  const path = place.value;
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    listen(socket, take);
  });
  const trouble = removeStale(path) ?? (await bind(server, path));
  if (trouble !== undefined) return { ok: false, error: { path, code: trouble } };
  // What goes wrong with one connection is the matter of whoever connects.
  server.on('error', () => undefined);
  return {
    ok: true,
    value: {
      close: () => {
        server.close();
        // Whoever still holds one has been answered, or has never asked.
        for (const socket of open) socket.destroy();
      },
    },
  };
}

/** Left behind by a `run` that was killed: we have the lock, so nobody listens there. */
function removeStale(path: string): string | undefined {
  return orElse<string | undefined>(
    () => {
      unlinkSync(path);
      return undefined;
    },
    (code) => (code === 'ENOENT' ? undefined : code),
  );
}

/** Connecting takes the right to write: unix(7), "Pathname socket ownership and permissions". */
function bind(server: Server, path: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    server.once('listening', () => resolve(undefined));
    server.once('error', (error) => {
      const code = codeOf(error);
      if (code === undefined) reject(error);
      else resolve(code);
    });
    const before = process.umask(0o177);
    try {
      server.listen(path);
    } finally {
      process.umask(before);
    }
  });
}

function listen(socket: Socket, take: (order: Order) => void): void {
  const send = (message: Message): void => {
    // Whoever has asked may have gone meanwhile: what he wanted is done all the same.
    if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
  };
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  socket.on('close', () => resolve());
  socket.on('error', () => undefined);
  readLines(socket, (message) => {
    if (message.kind !== 'order') return;
    // Before anything comes of it: whoever has not read this may do it himself when we hang up.
    send({ kind: 'heard' });
    take({
      action: message.action,
      options: new Map(message.options),
      say: (line) => send({ kind: 'said', line }),
      done: (result) => send({ kind: 'done', result }),
      decline: () => send({ kind: 'declined' }),
      closed,
    });
  });
}

function ask(
  name: string,
  { action, options }: Pick<Order, 'action' | 'options'>,
  most: Millis,
  hear: (line: Said) => void,
  interrupted: Promise<void>,
  onSilence: () => void,
): Promise<OrderAnswer> {
  const { connect } = process.getBuiltinModule('node:net');
  const place = socketPath(name);
  if (!place.ok) return Promise.resolve({ kind: 'absent' });
  return new Promise((resolve) => {
    const socket = connect(place.value);
    let isHeard = false;
    const hangUp = (): void => {
      socket.destroy();
    };
    const silence = setTimeout(onSilence, PATIENT);
    const finish = (answer: OrderAnswer): void => {
      clearTimeout(timer);
      clearTimeout(silence);
      if (answer.kind !== 'done') hangUp();
      resolve(answer);
    };
    const timer = setTimeout(() => finish({ kind: 'late' }), Math.min(most, LONGEST_TIMER));
    void interrupted.then(() => finish({ kind: 'interrupted' }));
    socket.on('error', () => undefined);
    socket.on('connect', () => {
      socket.write(`${JSON.stringify({ kind: 'order', action, options: [...options] } satisfies Message)}\n`);
    });
    socket.once('data', () => {
      isHeard = true;
    });
    socket.on('close', () => finish({ kind: isHeard ? 'lost' : 'absent' }));
    readLines(socket, (message) => {
      // It may be busy with something else.
      if (message.kind === 'heard') return;
      clearTimeout(silence);
      if (message.kind === 'said') hear(message.line);
      if (message.kind === 'done') finish({ kind: 'done', result: message.result, release: hangUp });
      if (message.kind === 'declined') finish({ kind: 'absent' });
    });
  });
}

/** The same place for whoever serves and whoever asks, whether it can be had or not. */
function socketPath(name: string): Result<string, Obstacle> {
  return inRuntimeDirectory(fileNameOf(name, 'sock'), (path) => path);
}

/** Hands on each whole line; a peer that does not keep to the form is hung up on. */
function readLines(socket: Socket, take: (message: Message) => void): void {
  let text = '';
  socket.setEncoding('utf8');
  socket.on('data', (part: string) => {
    text += part;
    if (text.length > LONGEST_LINE) {
      socket.destroy();
      return;
    }
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      const message = parseMessage(line);
      if (socket.destroyed) return;
      if (message === undefined) socket.destroy();
      else take(message);
    }
  });
}

function isLevel(value: unknown): value is Level {
  return value === 'debug' || value === 'info' || value === 'warning' || value === 'error';
}

function parseMessage(line: string): Message | undefined {
  const value = parseJson(line);
  switch (value?.['kind']) {
    case 'order': {
      const { action, options } = value;
      if (typeof action !== 'string' || !isList(options) || !options.every(isPair)) return undefined;
      return { kind: 'order', action, options };
    }
    case 'said': {
      const [level, text]: readonly unknown[] = isList(value['line']) ? value['line'] : [];
      return isLevel(level) && typeof text === 'string' ? { kind: 'said', line: [level, text] } : undefined;
    }
    case 'done': {
      const { exit, hasLooked } = isRecord(value['result']) ? value['result'] : {};
      return Number.isInteger(exit)
        ? { kind: 'done', result: { exit: Number(exit), hasLooked: hasLooked === true } }
        : undefined;
    }
    case 'heard':
    case 'declined':
      return { kind: value['kind'] };
    default:
      return undefined;
  }
}

function parseJson(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isPair(value: unknown): value is readonly [string, string] {
  return isList(value) && value.length === 2 && value.every((each) => typeof each === 'string');
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
