import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isWanted, nextCgroup, removeCgroup, rootOf, type Variant, whyNoMachine } from './boot-roots.ts';
import { environment, type Outcome, Running, until } from './e2e-command.ts';
import { type Identity, isAlive, look, signal } from './e2e-processes.ts';

const BOOT_LIMIT = 60_000;
const COMMAND_LIMIT = 120_000;

const { FRONTIK_TRANSCRIPT: transcriptFile } = process.env;

/** What is done to a system before it boots: files are put there, commands are run as in a chroot. */
export type Preparation = (machine: Machine) => void | Promise<void>;

/** One booted Debian system. What it changes is gone with it, and it with us. */
export class Machine {
  readonly variant: Variant;
  /** Its first process, as this machine numbers it. */
  readonly init: Identity;
  readonly #cgroup: string;
  readonly #over: Promise<string>;
  #transcript = '';

  private constructor(variant: Variant, init: Identity, cgroup: string, over: Promise<string>) {
    this.variant = variant;
    this.init = init;
    this.#cgroup = cgroup;
    this.#over = over;
  }

  /** Boots the system after it was prepared; returns when the services of its run level are up. */
  static async boot(variant: Variant, prepare: Preparation): Promise<Machine> {
    const root = rootOf(variant);
    assert('path' in root);
    const cgroup = await nextCgroup();
    // The system ends when the thread that asked for it ends, whatever ends that.
    const words = ['--pdeathsig', 'KILL', join(import.meta.dirname, 'boot-machine'), root.path, cgroup];
    const child = spawn('/usr/bin/setpriv', words, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...environment } });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const over = new Promise<string>((done) => {
      child.once('error', (error) => done(String(error)));
      child.once('close', (code, name) => done(name ?? String(code)));
    });
    let machine: Machine | undefined;
    try {
      await until(() => assert.equal(said, 'prepared\n'), BOOT_LIMIT);
      const init = look(Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')));
      assert(init !== undefined);
      machine = new Machine(variant, init, cgroup, over);
      mkdirSync(join(cgroup, 'console'));
      await prepare(machine);
      child.stdin.end('boot\n');
      await machine.#isUp();
      return machine;
    } catch (error) {
      child.kill('SIGKILL');
      await over;
      await removeCgroup(cgroup);
      throw error;
    }
  }

  async #isUp(): Promise<void> {
    const question =
      this.variant === 'bookworm-sysvinit' ? 'test -e /run/booted' : 'systemctl is-system-running --wait';
    await until(async () => {
      assert(isAlive(this.init), 'its init has ended');
      const { code, stdout } = await this.#enter(question, BOOT_LIMIT).outcome;
      assert(code === 0 || stdout === 'degraded\n', `it does not come up: ${stdout}`);
    }, BOOT_LIMIT);
  }

  /** The path by which this machine reaches a file of that one. */
  path(name: string): string {
    return join(`/proc/${this.init.pid}/root`, name);
  }

  /** Puts a file there. */
  write(name: string, content: string | Uint8Array, mode = 0o644): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), content, { mode });
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  has(name: string): boolean {
    return existsSync(this.path(name));
  }

  #enter(text: string, limit: number): Running {
    const surroundings = [...Object.entries(environment), ['HOME', '/root'], ['TERM', 'dumb']].map((one) =>
      one.join('='),
    );
    const inside = ['/usr/bin/env', '-i', ...surroundings, '/bin/sh', '-c', text];
    // Into the cgroup first: a process whose cgroup is outside of the system's tree is known nowhere.
    // A session of its own: `kill 0` in there must not reach the test, whose process group it would otherwise be in.
    const step = `echo 0 >${this.#cgroup}/console/cgroup.procs && exec setsid --wait "$@"`;
    const under = [
      '/bin/sh',
      '-c',
      step,
      'sh',
      '/usr/bin/nsenter',
      '-t',
      String(this.init.pid),
      '-m',
      '-u',
      '-i',
      '-n',
    ];
    return new Running([...under, '-p', '-C', '--', ...inside], { limit });
  }

  /** A command under way in there, as root's shell says it; it does not appear in the transcript. */
  begin(text: string, limit: number = COMMAND_LIMIT): Running {
    return this.#enter(text, limit);
  }

  /** What root's shell says in there. */
  async run(text: string, limit: number = COMMAND_LIMIT): Promise<Outcome> {
    const outcome = await this.#enter(text, limit).outcome;
    this.note(`# ${text}\n${outcome.stdout}${outcome.stderr}exit ${outcome.code} after ${Math.round(outcome.took)} ms`);
    return outcome;
  }

  /** The same, and it must succeed; its stdout. */
  async ok(text: string, limit?: number): Promise<string> {
    const outcome = await this.run(text, limit);
    assert.equal(outcome.code, 0, `${text}\n${outcome.stdout}${outcome.stderr}`);
    return outcome.stdout;
  }

  /** Adds to the transcript. */
  note(text: string): void {
    this.#transcript += `${text}\n`;
  }

  get transcript(): string {
    return this.#transcript;
  }

  /** What the system's log says, of all or one unit. */
  async journal(unit?: string): Promise<string> {
    const words = unit === undefined ? '' : ` -u '${unit}'`;
    return (await this.#enter(`journalctl --no-pager -o short-monotonic${words}`, COMMAND_LIMIT).outcome).stdout;
  }

  /** Switches the system off as its operator would, and returns when its first process has ended. */
  async powerOff(): Promise<void> {
    await this.run(this.variant === 'bookworm-sysvinit' ? 'init 0' : 'systemctl --no-block poweroff');
    await until(() => assert(!isAlive(this.init), 'it does not switch off'), BOOT_LIMIT);
    await this.#over;
  }

  /** Ends all of it, in whatever state it is. */
  async close(): Promise<void> {
    signal(this.init, 'SIGKILL');
    await this.#over;
    await removeCgroup(this.#cgroup);
  }
}

/** A test on a booted system, where that can be had; elsewhere it says why not. Transcripts are added to FRONTIK_TRANSCRIPT. */
export function booted(
  name: string,
  variant: Variant,
  prepare: Preparation,
  body: (machine: Machine, t: TestContext) => Promise<void>,
): void {
  if (!isWanted(variant)) return;
  test(`${variant}: ${name}`, async (t) => {
    const lacking = whyNoMachine(variant);
    if (lacking !== undefined) {
      t.skip(lacking);
      return;
    }
    const machine = await Machine.boot(variant, prepare);
    try {
      await body(machine, t);
    } catch (error) {
      t.diagnostic(`${machine.transcript}\n${isAlive(machine.init) ? await machine.journal() : ''}`);
      throw error;
    } finally {
      await machine.close();
      if (transcriptFile !== undefined) {
        appendFileSync(transcriptFile, `===== ${variant}: ${name}\n${machine.transcript}\n`);
      }
    }
  });
}
