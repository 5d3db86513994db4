import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CALL, CONFIG, command, LAUNCHER } from '../support/adapters-world.ts';

const TWO = { files: { [CONFIG]: 'start_port = 8000\nworkers_count = 2\n' } };
const GIVEN = [`--config=${CONFIG}`, '--app=pages'];

const NGINX = `# 2 workers of pages behind nginx, by \`frontik-supervisor export nginx\`.
# The block belongs into http { }, for example as a file in /etc/nginx/conf.d/.
upstream pages {
    # max_fails=0: a worker that is being replaced refuses connections for a moment, and a refused request is passed
    # to the next worker at once. By default the first refusal takes a worker out for 10 s; restarting all within that
    # time ends in "no live upstreams". The price: nginx does not take out a worker that hangs.
    server 127.0.0.1:8000 max_fails=0;
    server 127.0.0.1:8001 max_fails=0;
}

# What the location that passes requests on needs:
#
#     location / {
#         proxy_pass http://pages;
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
#     supervisor_before_stop = '/usr/local/sbin/pages-in-nginx out %(port)s'
#     supervisor_after_start = '/usr/local/sbin/pages-in-nginx in %(port)s'
#     supervisor_drain = 1
#
# where that is the script
#
#     #!/bin/sh -e
#     case $1 in out) mark=' down' ;; in) mark= ;; esac
#     sed -i "s/^\\( *server 127.0.0.1:$2 max_fails=0\\).*/\\1$mark;/" /etc/nginx/conf.d/pages.conf
#     nginx -s reload
#
# In frontik@.service no hook can write there before \`systemctl edit\` has added to [Service]
# ReadWritePaths=/etc/nginx/conf.d; then the workers can, too, as far as their user may.
#
# nginx then closes idle connections of clients, as with every reload; whoever sends on one just then has to send again.
`;

const HAPROXY = `# 2 workers of pages behind HAProxy 2.2 or later, by \`frontik-supervisor export haproxy\`.
# A frontend passes requests on by \`default_backend pages\`; timeouts are those of the defaults section.
backend pages
    mode http
    balance roundrobin

    # The question by which the supervisor tells a running worker. fall: one late answer takes nobody out. observe: as many
    # refused connections do, long before the checks would. downinter and rise: a new worker is back within 0.2 s, before
    # the next one is stopped; so --settle must not be 0.
    option httpchk GET /status/
    http-check expect status 200-299
    http-check expect fhdr name server value -m reg ^(TornadoServer|Frontik)
    timeout check 1s
    default-server inter 2s fastinter 500ms downinter 200ms fall 3 rise 1 observe layer4 error-limit 1

    # A request that was refused is tried on another worker at once: nothing was sent yet, so this holds for POST too.
    # Retries: 3 for each worker but one, more than a batch can refuse before it is out.
    retries 3
    option redispatch 1

    # A connection that waits to be accepted when a worker closes its socket is reset, after the request was sent. A GET
    # or HEAD is repeated then, anything else is not, as it may be done twice.
    retry-on conn-failure empty-response
    http-request disable-l7-retry unless METH_GET

    # One connection a request: on one that is kept alive a worker may just be closing.
    option http-server-close

    server 8000 127.0.0.1:8000 check
    server 8001 127.0.0.1:8001 check

# What is left: a POST on a connection that is reset so is answered with 502, or by closing the client's connection.
# Whoever cannot have that takes the worker out before it is stopped, through the runtime API ("stats socket
# /run/haproxy/admin.sock level admin"). In the configuration of the workers:
#
#     supervisor_before_stop = '/usr/local/sbin/pages-in-haproxy drain %(port)s'
#     supervisor_after_start = '/usr/local/sbin/pages-in-haproxy ready %(port)s'
#     supervisor_drain = 1
#
# where that is the script (HAProxy says something only if it refuses)
#
#     #!/bin/sh -e
#     said=$(echo "set server pages/$2 state $1" | socat -t 5 - UNIX-CONNECT:/run/haproxy/admin.sock)
#     [ -z "$said" ] || { echo "$said" >&2; exit 1; }
`;

test('nginx: the whole text, without a script, a lock or a look at a worker', async () => {
  const { exit, told, printed, locked } = await command([...GIVEN, 'export', 'nginx'], TWO);
  assert.deepEqual([exit, told, locked], [0, [], []]);
  assert.equal(printed, NGINX);
});

test('HAProxy: the whole text', async () => {
  const { exit, told, printed, locked } = await command(['export', ...GIVEN, 'haproxy'], TWO);
  assert.deepEqual([exit, told, locked], [0, [], []]);
  assert.equal(printed, HAPROXY);
});

test('a launcher exports too', async () => {
  const files = { ...TWO.files, [LAUNCHER]: CALL.replace('config=', "app='pages', config=") };
  const { exit, printed } = await command([LAUNCHER, 'export', 'nginx'], { files });
  assert.deepEqual([exit, printed], [0, NGINX]);
});

async function haproxy(...words: readonly string[]): Promise<string> {
  const { exit, told, printed } = await command([`--config=${CONFIG}`, ...words, 'export', 'haproxy'], TWO);
  assert.deepEqual([exit, told], [0, []]);
  return printed;
}

const NAMES: readonly (readonly [app: string, config: string, name: string])[] = [
  ['my_pages', '/etc/a.cfg', 'my_pages'],
  ['a b;{}$c', '/etc/a.cfg', 'a-b-c'],
  ['', '/etc/app/frontik.cfg', 'frontik'],
  ['', 'x.y.cfg', 'x-y'],
  ['', '/etc/.cfg', 'cfg'],
  ['\u043f', '/etc/frontik', 'frontik'],
  ['', '/etc/\u043f.cfg', 'workers'],
];
for (const [app, config, wanted] of NAMES) {
  test(`the name of app ${JSON.stringify(app)} with ${config}`, async () => {
    const files = { [config]: '' };
    const { printed } = await command([`--config=${config}`, `--app=${app}`, 'export', 'haproxy'], { files });
    assert.equal(/^backend (.*)$/m.exec(printed)?.[1], wanted);
  });
}

test('what readiness asks for, as words of HAProxy', async () => {
  const quiet = await haproxy('--status_server=');
  assert.match(quiet, /expect status 200-299\n {4}timeout check/);
  const odd = await haproxy('--status_path=/a#b"\'\\%20', `--status_server=A b,C+ ("'#`);
  assert.match(odd, /^ {4}option httpchk GET \/a\\x23b\\x22\\x27\\\\%20$/m);
  assert.match(odd, /-m reg \^\(A\\x20b\|C\\\\\+\\x20\\\\\(\\x22\\x27\\x23\)$/m);
});

test('more retries than a batch can refuse', async () => {
  assert.match(await haproxy('--workers_count=16'), /^ {4}retries 45$/m);
  assert.match(await haproxy('--workers_count=1'), /^# 1 worker of [\s\S]* {4}retries 3$/m);
});

const REFUSED: readonly (readonly [words: string, exit: number, told: readonly string[]])[] = [
  [`--config=${CONFIG} export`, 2, ['error: export: needs nginx or haproxy']],
  [`--config=${CONFIG} export apache`, 2, ['error: apache: must be nginx or haproxy']],
  [`--config=${CONFIG} export nginx now`, 2, ['error: now: unexpected word after the action export']],
  [`--config=${CONFIG} --json export nginx`, 2, ['error: --json: belongs to the action check']],
  ['export nginx', 2, ['error: --config: is required: give it on the command line or in a launcher']],
  ['--config=/none export nginx', 6, ['error: /none: this configuration file does not exist']],
  ['--config=/wrong export nginx', 6, ["error: /wrong:1:14: start_port must be an int, got str 'x'"]],
];
for (const [words, exit, told] of REFUSED) {
  test(`refused with nothing printed: ${words}`, async () => {
    const files = { ...TWO.files, '/wrong': "start_port = 'x'\n" };
    const ended = await command(words.split(' '), { files });
    assert.deepEqual([ended.exit, ended.told, ended.printed], [exit, told, '']);
  });
}

test('interrupted: nothing is printed, and the signal is in the exit status', async () => {
  const { exit, printed } = await command([...GIVEN, 'export', 'nginx'], { ...TWO, signal: 'SIGTERM' });
  assert.deepEqual([exit, printed], [143, '']);
});

test('only export has a word behind it', async () => {
  const { exit, told } = await command([...GIVEN, '--script=/s', 'status', 'nginx'], TWO);
  assert.deepEqual([exit, told], [4, ['error: nginx: unexpected word after the action status']]);
});
