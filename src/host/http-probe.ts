// Asks a worker whether it is ready. By hand over a connection: an HTTP client would follow redirects, obey proxy variables,
// and cost more than the rest of the command.

import type { Readiness } from '../core/application.ts';
import type { Port } from '../core/units.ts';
import type { HttpSight } from '../core/worker.ts';
import { converse } from './tcp.ts';

/** For connecting, asking, and the whole head of the answer. */
const WITHIN = 1000;
const MOST_HEAD = 16_384;
const END_OF_HEAD = '\r\n\r\n';

/** How the worker on a port answers; never rejects. */
export function probe(port: Port, readiness: Readiness): Promise<HttpSight> {
  const question = `GET ${readiness.path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`;
  return new Promise((resolve) => {
    let head = '';
    const finish = (sight: HttpSight): void => {
      clearTimeout(timer);
      close();
      resolve(sight);
    };
    const giveUp = (): void => finish(head === '' ? 'silent' : 'unready');
    const close = converse(port, question, {
      onText: (text) => {
        head += text;
        if (head.includes(END_OF_HEAD)) finish(isReady(head, readiness) ? 'ready' : 'unready');
        else if (head.length > MOST_HEAD) finish('unready');
      },
      onEnd: (why) => {
        if (why === 'over') giveUp();
        else finish(why === 'refused' ? 'unasked' : why);
      },
    });
    // On a busy machine the answer may already wait in the socket when the time is over: it is read before we judge.
    const timer = setTimeout(() => setImmediate(giveUp), WITHIN);
  });
}

/**
 * Holds a connection to a worker on which nothing is said: it ends with the worker, or when the worker has enough of it. The
 * result hangs up.
 */
export function attend(port: Port, onEnd: () => void): () => void {
  return converse(port, '', { onText: () => undefined, onEnd });
}

/** Judges the head of an answer: 2xx, and a Server header that begins as it should. RFC 9112, sections 4 and 5. */
export function isReady(head: string, { servers }: Readiness): boolean {
  const [status = '', ...fields] = head.slice(0, head.indexOf(END_OF_HEAD)).split('\r\n');
  if (!/^HTTP\/1\.[01] 2\d\d( |$)/.test(status)) return false;
  if (servers.length === 0) return true;
  return fields.some((field) => {
    const [, value] = /^server:[ \t]*(.*)$/i.exec(field) ?? [];
    return value !== undefined && servers.some((name) => value.startsWith(name));
  });
}
