import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Machine } from './boot.ts';
import { binary, fixture } from './e2e.ts';

const PACKAGE = resolve(import.meta.dirname, '../../build/deb');

/** Puts the product where its package puts it. */
export function installProduct(machine: Machine): void {
  machine.write('/usr/bin/frontik-supervisor', readFileSync(binary), 0o755);
  const generator = 'frontik-supervisor-generator';
  machine.write(
    `/usr/lib/systemd/system-generators/${generator}`,
    readFileSync(`${PACKAGE}/systemd/${generator}`),
    0o755,
  );
  machine.write('/usr/lib/systemd/system/frontik@.service', readFileSync(`${PACKAGE}/systemd/frontik@.service`));
  const user = '/usr/lib/sysusers.d/frontik-supervisor.conf';
  machine.write(user, readFileSync(`${PACKAGE}/root/${user}`));
}

/** An application of `workers` workers, in the files that an operator would write. */
export interface Application {
  readonly name: string;
  readonly workers: number;
  readonly firstPort: number;
}

function header(name: string): string {
  return `### BEGIN INIT INFO
# Provides:          ${name}
# Required-Start:    $remote_fs $network
# Required-Stop:     $remote_fs $network
# Should-Start:      database
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: workers of ${name}
### END INIT INFO
`;
}

/** A launcher that the kernel hands to the product; `options` stand on its first line. */
export function shebangLauncher(name: string, options = ''): string {
  const call = `supervisor(script='/usr/bin/${name}-worker', config='/etc/${name}/frontik.cfg')`;
  return `#!/usr/bin/frontik-supervisor${options}\n${header(name)}from frontik.server.supervisor import supervisor\n${call}\n`;
}

/** The launcher that a shell reads first, as the package ships it. */
export function shellLauncher(name: string): string {
  const text = readFileSync(`${PACKAGE}/root/usr/share/frontik-supervisor/init.d`, 'utf8');
  return text.replace(/^# Provides:.*$/m, `# Provides:          ${name}`);
}

/** Puts the application's files there: worker, configuration and launcher; nothing of it is registered. */
export function installApplication(machine: Machine, one: Application, launcher: string): void {
  machine.write(`/usr/bin/${one.name}-worker`, readFileSync(fixture), 0o755);
  machine.write(`/etc/init.d/${one.name}`, launcher, 0o755);
  const words = `SCRIPT=/usr/bin/${one.name}-worker CONFIG=/etc/${one.name}/frontik.cfg\n`;
  machine.write(`/etc/default/${one.name}`, words);
  configure(machine, one);
  machine.write('/etc/control.json', '{}');
}

/** Writes the application's configuration; `text` is added to it. */
export function configure(machine: Machine, one: Application, text = ''): void {
  const config = `
start_port = ${one.firstPort}
workers_count = ${one.workers}
pidfile_template = '/run/${one.name}/%(port)s.pid'
logfile_template = '/var/log/${one.name}/%(port)s.log'
daemonize = True
test_control = '/etc/control.json'
${text}`;
  machine.write(`/etc/${one.name}/frontik.cfg`, config);
  machine.write(`/var/log/${one.name}/.keep`, '');
}

/** What systemd knows of a unit: the values of these properties, in this order. */
export async function unitState(machine: Machine, unit: string, ...properties: readonly string[]): Promise<string> {
  const asked = properties.map((property) => `systemctl show '${unit}' --value -p ${property}`);
  return (await machine.begin(asked.join('; ')).outcome).stdout.trim().replaceAll('\n', ' ');
}

/** Who answers on each port of the application; `-` where nobody does. */
export async function whoAnswers(machine: Machine, one: Application): Promise<readonly string[]> {
  const ports = Array.from({ length: one.workers }, (_, index) => one.firstPort + index);
  const ask = `import http.client, json, sys
for port in sys.argv[1:]:
    try:
        link = http.client.HTTPConnection('127.0.0.1', int(port), timeout=5)
        link.request('GET', '/')
        print(json.loads(link.getresponse().read())['pid'])
    except OSError:
        print('-')
`;
  machine.write('/usr/local/lib/who-answers', ask);
  const { stdout } = await machine.begin(`python3 /usr/local/lib/who-answers ${ports.join(' ')}`).outcome;
  return stdout.trim().split('\n');
}

/** Every process of the application in there, by its words. */
export async function processesOf(machine: Machine, one: Application): Promise<readonly string[]> {
  const { stdout } = await machine.begin('ps -eo args=').outcome;
  return stdout.split('\n').filter((line) => line.includes(`${one.name}-worker`) || line.endsWith(' run'));
}
