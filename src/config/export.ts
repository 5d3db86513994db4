// Settings → what a proxy in front of the workers needs, so that a rolling restart loses no request. Pure.
//
// What each directive does was looked up in the proxies' own manuals and tried by test/rolling.

import { portsOf } from './fleet.ts';
import type { Settings } from './settings.ts';

/** The proxies that there is a text for. */
export const PROXIES = ['nginx', 'haproxy'] as const;
export type ProxyName = (typeof PROXIES)[number];

/** Whether a word names a proxy. */
export function isProxy(word: string | undefined): word is ProxyName {
  return PROXIES.some((proxy) => proxy === word);
}

/** The part of that proxy's configuration that concerns the workers, with the reasons as comments. */
export function exportFor(proxy: ProxyName, settings: Settings): string {
  const texts = { nginx, haproxy };
  return texts[proxy](nameOf(settings), portsOf(settings), settings);
}

/** The application's name, else that of its configuration, in letters that both proxies take in a name. */
function nameOf({ app, config }: Settings): string {
  const base = config.slice(config.lastIndexOf('/') + 1).replace(/(?<=.)\.[^.]*$/, '');
  const safe = (text: string): string => text.replaceAll(/[^A-Za-z0-9_]+/g, '-').replaceAll(/^-+|-+$/g, '');
  return safe(app ?? '') || safe(base) || 'workers';
}

function nginx(name: string, ports: readonly number[]): string {
  return `# ${workers(ports)} of ${name} behind nginx, by \`frontik-supervisor export nginx\`.
# The block belongs into http { }, for example as a file in /etc/nginx/conf.d/.
upstream ${name} {
    # max_fails=0: a worker that is being replaced refuses connections for a moment, and a refused request is passed
    # to the next worker at once. By default the first refusal takes a worker out for 10 s; restarting all within that
    # time ends in "no live upstreams". The price: nginx does not take out a worker that hangs.
${ports.map((port) => `    server 127.0.0.1:${port} max_fails=0;`).join('\n')}
}

# What the location that passes requests on needs:
#
#     location / {
#         proxy_pass http://${name};
#         proxy_set_header Host $host;
#         # One connection a request, as was the default until nginx 1.29.7: on one that is kept alive a worker may just
#         # be closing, and a POST that is sent then is lost.
#         proxy_set_header Connection close;
#         # As is the default. A POST is passed on only while nothing of it has been sent, that is when it was refused.
#         # With non_idempotent it would be repeated after it was sent, so that it may be done twice.
#         proxy_next_upstream error timeout;
#     }
#
# What is left: a connection that waits to be accepted when a worker closes its socket is reset. Then a GET is repeated,
# a POST answered with 502. Whoever cannot have that takes the worker out before it is stopped. In the configuration of
# the workers:
#
#     supervisor_before_stop = '/usr/local/sbin/${name}-in-nginx out %(port)s'
#     supervisor_after_start = '/usr/local/sbin/${name}-in-nginx in %(port)s'
#     supervisor_drain = 1
#
# where that is the script
#
#     #!/bin/sh -e
#     case $1 in out) mark=' down' ;; in) mark= ;; esac
#     sed -i "s/^\\( *server 127.0.0.1:$2 max_fails=0\\).*/\\1$mark;/" /etc/nginx/conf.d/${name}.conf
#     nginx -s reload
#
# In frontik@.service no hook can write there before \`systemctl edit\` has added to [Service]
# ReadWritePaths=/etc/nginx/conf.d; then the workers can, too, as far as their user may.
#
# nginx then closes idle connections of clients, as with every reload; whoever sends on one just then has to send again.
`;
}

/** Failures in a row that take a worker out. */
const FALL = 3;

function haproxy(name: string, ports: readonly number[], { statusPath, statusServers }: Settings): string {
  const servers = statusServers.map((prefix) => prefix.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)).join('|');
  const expected = servers === '' ? [] : [`http-check expect fhdr name server value -m reg ${word(`^(${servers})`)}`];
  return `# ${workers(ports)} of ${name} behind HAProxy 2.2 or later, by \`frontik-supervisor export haproxy\`.
# A frontend passes requests on by \`default_backend ${name}\`; timeouts are those of the defaults section.
backend ${name}
    mode http
    balance roundrobin

    # The question by which the supervisor tells a running worker. fall: one late answer takes nobody out. observe: as many
    # refused connections do, long before the checks would. downinter and rise: a new worker is back within 0.2 s, before
    # the next one is stopped; so --settle must not be 0.
    option httpchk GET ${word(statusPath)}
    ${['http-check expect status 200-299', ...expected].join('\n    ')}
    timeout check 1s
    default-server inter 2s fastinter 500ms downinter 200ms fall ${FALL} rise 1 observe layer4 error-limit 1

    # A request that was refused is tried on another worker at once: nothing was sent yet, so this holds for POST too.
    # Retries: ${FALL} for each worker but one, more than a batch can refuse before it is out.
    retries ${FALL * Math.max(1, ports.length - 1)}
    option redispatch 1

    # A connection that waits to be accepted when a worker closes its socket is reset, after the request was sent. A GET
    # or HEAD is repeated then, anything else is not, as it may be done twice.
    retry-on conn-failure empty-response
    http-request disable-l7-retry unless METH_GET

    # One connection a request: on one that is kept alive a worker may just be closing.
    option http-server-close

${ports.map((port) => `    server ${port} 127.0.0.1:${port} check`).join('\n')}

# What is left: a POST on a connection that is reset so is answered with 502, or by closing the client's connection.
# Whoever cannot have that takes the worker out before it is stopped, through the runtime API ("stats socket
# /run/haproxy/admin.sock level admin"). In the configuration of the workers:
#
#     supervisor_before_stop = '/usr/local/sbin/${name}-in-haproxy drain %(port)s'
#     supervisor_after_start = '/usr/local/sbin/${name}-in-haproxy ready %(port)s'
#     supervisor_drain = 1
#
# where that is the script (HAProxy says something only if it refuses)
#
#     #!/bin/sh -e
#     said=$(echo "set server ${name}/$2 state $1" | socat -t 5 - UNIX-CONNECT:/run/haproxy/admin.sock)
#     [ -z "$said" ] || { echo "$said" >&2; exit 1; }
`;
}

function workers(ports: readonly number[]): string {
  return ports.length === 1 ? '1 worker' : `${ports.length} workers`;
}

/** A word of an HAProxy configuration, unquoted (manual, 2.2 "Quoting and escaping"): what could end it is escaped. */
function word(text: string): string {
  return [...new TextEncoder().encode(text)]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      if (char === '\\') return String.raw`\\`;
      return /[!-~]/.test(char) && !/["'#]/.test(char) ? char : `\\x${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}
