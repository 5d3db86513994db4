// Asks a worker whether it is ready. By hand over a socket: an HTTP client would follow redirects, obey proxy variables,
// and cost more than the rest of the command.

import type { Readiness } from '../core/application.ts';
import type { Port } from '../core/units.ts';
import type { HttpSight } from '../core/worker.ts';
import { codeOf } from './errno.ts';

/** For connecting, asking, and the whole head of the answer. */
const WITHIN = 1000;
const MOST_HEAD = 16_384;

/** How the worker on a port answers; never rejects. */
export function probe(port: Port, readiness: Readiness): Promise<HttpSight> {
  const { connect } = process.getBuiltinModule('node:net');
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    let head = '';
    const finish = (sight: HttpSight): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(sight);
    };
    const giveUp = (): void => finish(head === '' ? 'silent' : 'unready');
    // On a busy machine the answer may already wait in the socket when the time is over: it is read before we judge.
    const timer = setTimeout(() => setImmediate(giveUp), WITHIN);
    socket.setEncoding('latin1');
    socket.on('connect', () => {
      socket.write(`GET ${readiness.path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`);
    });
    socket.on('data', (part: string) => {
      head += part;
      if (head.includes('\r\n\r\n')) finish(isReady(head, readiness) ? 'ready' : 'unready');
      else if (head.length > MOST_HEAD) finish('unready');
    });
    socket.on('error', (error) => (codeOf(error) === 'ECONNREFUSED' ? finish('unasked') : giveUp()));
    socket.on('end', giveUp);
  });
}

/** Judges the head of an answer: 2xx, and a Server header that begins as it should. RFC 9112, sections 4 and 5. */
export function isReady(head: string, { servers }: Readiness): boolean {
  const [status = '', ...fields] = head.slice(0, head.indexOf('\r\n\r\n')).split('\r\n');
  if (!/^HTTP\/1\.[01] 2\d\d( |$)/.test(status)) return false;
  if (servers.length === 0) return true;
  return fields.some((field) => {
    const [, value] = /^server:[ \t]*(.*)$/i.exec(field) ?? [];
    return value !== undefined && servers.some((name) => value.startsWith(name));
  });
}
