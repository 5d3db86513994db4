import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { environment } from './e2e-command.ts';

/** The proxies that a test can put in front of workers. */
export type ProxyName = 'nginx' | 'haproxy';

/** Where Debian or the PATH of the tests has the program; undefined when it is not installed. */
export function findProgram(name: string): string | undefined {
  return (environment['PATH'] ?? '')
    .split(':')
    .map((directory) => join(directory, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch (error) {
        if (error instanceof Error && 'code' in error) return false;
        throw error;
      }
    });
}

/** Why a test cannot run here; undefined when it can. */
export function whyNotBehind(...names: readonly ProxyName[]): string | undefined {
  const missing = names.filter((name) => findProgram(name) === undefined);
  if (missing.length === 0) return undefined;
  return `${missing.join(' and ')} not installed: as root run scripts/install-packages proxies`;
}

/** A whole configuration around what `export` printed, in a directory that the proxy may fill. */
export interface Surroundings {
  readonly directory: string;
  /** Where the proxy listens, on 127.0.0.1. */
  readonly port: number;
  /** What `export` printed. */
  readonly exported: string;
}

/** The words of nginx with its configuration written down; it stays in the foreground. */
export function nginxCommand({ directory, port, exported }: Surroundings): readonly string[] {
  mkdirSync(directory, { recursive: true });
  const file = (name: string): string => join(directory, name);
  writeFileSync(file('workers.conf'), exported);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const text = `
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 2;
pid ${file('nginx.pid')};
error_log ${file('nginx.log')};
events { worker_connections 4096; }
http {
    access_log off;
    ${temporary.map((name) => `${name}_temp_path ${file(name)};`).join('\n    ')}
    include ${file('workers.conf')};
    server {
        listen 127.0.0.1:${port} backlog=4096;
${uncommented(exported)}
    }
}
`;
  writeFileSync(file('nginx.conf'), text);
  return nginxWords(directory);
}

/** The words that tell the nginx of that directory something. */
export function nginxSignal(directory: string, signal: 'reload' | 'quit'): readonly string[] {
  return [...nginxWords(directory), '-s', signal];
}

function nginxWords(directory: string): readonly string[] {
  const [log, configuration] = ['nginx.log', 'nginx.conf'].map((name) => join(directory, name));
  return [findProgram('nginx') ?? 'nginx', '-p', directory, '-e', log ?? '', '-c', configuration ?? ''];
}

/** The location that `export nginx` prints as a comment. */
function uncommented(exported: string): string {
  const [, location] = /^#\n(# {5}location \/ \{\n(?:# {5,}.*\n)+?# {5}\}\n)/m.exec(exported) ?? [];
  if (location === undefined) throw new Error(`no location in:\n${exported}`);
  return location.replaceAll(/^# ?/gm, '    ');
}

/** The words of HAProxy with its configuration written down; it stays in the foreground. */
export function haproxyCommand({ directory, port, exported }: Surroundings): readonly string[] {
  mkdirSync(directory, { recursive: true });
  const file = (name: string): string => join(directory, name);
  const [, backend] = /^backend (\S+)$/m.exec(exported) ?? [];
  if (backend === undefined) throw new Error(`no backend in:\n${exported}`);
  writeFileSync(file('workers.cfg'), exported);
  // The timeouts are those that Debian's package comes with.
  const text = `
global
    maxconn 2000
    stats socket ${haproxySocket(directory)} mode 600 level admin
defaults
    mode http
    timeout connect 5000
    timeout client 50000
    timeout server 50000
frontend front
    bind 127.0.0.1:${port} backlog 4096
    default_backend ${backend}
`;
  writeFileSync(file('front.cfg'), text);
  return [findProgram('haproxy') ?? 'haproxy', '-db', '-f', file('front.cfg'), '-f', file('workers.cfg')];
}

/** HAProxy's runtime API. */
export function haproxySocket(directory: string): string {
  return join(directory, 'admin.sock');
}
