import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { Stage } from './e2e.ts';
import { environment, type Outcome, until } from './e2e-command.ts';
import { everyone, type Identity, look } from './e2e-processes.ts';

/** Why private namespaces cannot be made here; undefined when they can. */
export function whyNoNamespaces(): string | undefined {
  const words = ['--mount', '--pid', '--fork', '--mount-proc', '/bin/mount', '-t', 'tmpfs', 'none', '/mnt'];
  const { status, stderr } = spawnSync('/usr/bin/unshare', words, { env: { ...environment }, encoding: 'utf8' });
  return status === 0 ? undefined : `no private namespaces on this machine: ${stderr.trim()}`;
}

/**
 * The words in front of a command for which the system's programs are those of the same names in `directory`; what is not executable
 * there is as good as not installed. Where the system has no such program, PATH is to name the directory.
 */
export function inPlaceOfSystems(directory: string): readonly string[] {
  const script = `
( cd "$0"
  for name in *; do
    for place in /usr/sbin /usr/bin /sbin /bin; do [ ! -e $place/$name ] || /bin/mount --bind $name $place/$name; done
  done )
exec "$@"`;
  return ['/usr/bin/unshare', '--mount', '--propagation', 'private', '/bin/sh', '-ec', script, directory];
}

/** Ends what it adopts, and sleeps: the first process of a container. */
const INIT = 'import signal, time\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\ntime.sleep(600)';

/** Namespaces of their own, held open by a process of the stage and gone with it; nothing in them reaches the machine. */
export class Cell {
  /** The words in front of a command that is to run in there. */
  readonly under: readonly string[];
  readonly init: Identity;

  private constructor(init: Identity, entering: readonly string[]) {
    this.init = init;
    this.under = ['/usr/bin/nsenter', '-t', String(init.pid), ...entering, '--'];
  }

  /** A file system of its own; `setup` is what a shell does to it first. */
  static async withMounts(stage: Stage, setup: string): Promise<Cell> {
    const holder = await stage.stranger(within(`${setup}\nexec /bin/sleep 601`));
    await until(() => assert.deepEqual(look(holder.pid)?.argv, ['/bin/sleep', '601'], 'the mounts cannot be made'));
    return new Cell(holder, ['-m']);
  }

  /** A network of its own, on which only 127.0.0.1 is, and from it only `ports` connections can be made to each worker. */
  static async withPorts(stage: Stage, ports: number): Promise<Cell> {
    const range = `20000 ${20_000 + ports - 1}`;
    // SIOCSIFFLAGS with IFF_UP, netdevice(7): ip(8) may not be there.
    const up = `import fcntl, socket, struct\nfcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh22x", b"lo", 0x49))`;
    const setup = `/usr/bin/python3 -c '${up}'\necho ${range} >/proc/sys/net/ipv4/ip_local_port_range\nexec /bin/sleep 601`;
    const holder = await stage.stranger(['/usr/bin/unshare', '--net', '/bin/sh', '-c', `set -e\n${setup}`]);
    await until(() => assert.deepEqual(look(holder.pid)?.argv, ['/bin/sleep', '601'], 'the network cannot be made'));
    return new Cell(holder, ['-n']);
  }

  /** A container: processes and a file system of its own, on the network of this machine. */
  static async withProcesses(stage: Stage, setup = ':'): Promise<Cell> {
    const words = `/usr/bin/unshare --pid --fork --mount-proc --kill-child=SIGKILL /usr/bin/python3 -c "$INIT"`;
    const holder = await stage.stranger(within(`${setup}\nexec ${words}`), { env: { ...environment, INIT } });
    const init = await until(() => {
      const found = everyone().find((one) => one.parent === holder.pid && one.argv[2] === INIT);
      assert(found !== undefined, 'the container does not start');
      return found;
    });
    return new Cell(init, ['-m', '-p']);
  }

  /** What a shell says that runs in there. */
  shell(stage: Stage, text: string): Promise<Outcome> {
    return stage.program(['/bin/sh', '-c', text], { under: this.under }).outcome;
  }
}

function within(setup: string): readonly string[] {
  return ['/usr/bin/unshare', '--mount', '--propagation', 'private', '/bin/sh', '-c', `set -e\n${setup}`];
}
