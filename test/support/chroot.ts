import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isWanted, nextCgroup, removeCgroup, rootOf, type Variant, whyNoMachine } from './boot-roots.ts';
import { environment, type Outcome, Running, until } from './e2e-command.ts';
import { type Identity, look, signal } from './e2e-processes.ts';

const LIMIT = 120_000;
/** Characters of one command's stdout that a transcript keeps. */
const MOST = 4000;

/** A Debian system in which nothing was booted: no init runs, as in a chroot where an image is built. */
export class Chroot {
  /** Its first process, which does nothing, as this machine numbers it. */
  readonly #first: Identity;
  readonly #cgroup: string;
  readonly #over: Promise<void>;
  #transcript = '';

  private constructor(first: Identity, cgroup: string, over: Promise<void>) {
    this.#first = first;
    this.#cgroup = cgroup;
    this.#over = over;
  }

  /** Opens a copy-on-write view of the root, with processes, network and mounts of its own. */
  static async open(variant: Variant): Promise<Chroot> {
    const root = rootOf(variant);
    assert('path' in root);
    const cgroup = await nextCgroup();
    // The line that would boot it never comes.
    const words = ['--pdeathsig', 'KILL', join(import.meta.dirname, 'boot-machine'), root.path, cgroup];
    const child = spawn('/usr/bin/setpriv', words, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...environment } });
    const over = new Promise<void>((done) => {
      child.once('error', () => done());
      child.once('close', () => done());
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    }
    try {
      await until(() => assert.equal(said, 'prepared\n'));
      const first = look(Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')));
      assert(first !== undefined);
      return new Chroot(first, cgroup, over);
    } catch (error) {
      child.kill('SIGKILL');
      await over;
      await removeCgroup(cgroup);
      throw error;
    }
  }

  /** The path by which this machine reaches a file of that one. */
  path(name: string): string {
    return join(`/proc/${this.#first.pid}/root`, name);
  }

  write(name: string, content: string, mode = 0o644): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), content, { mode });
  }

  /** Puts a file of this machine there. */
  bring(file: string, name: string): void {
    copyFileSync(file, this.path(name));
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  has(name: string): boolean {
    return existsSync(this.path(name));
  }

  /** What root's shell says in there. */
  async run(text: string): Promise<Outcome> {
    const variables = Object.entries({
      ...environment,
      HOME: '/root',
      TERM: 'dumb',
      DEBIAN_FRONTEND: 'noninteractive',
    });
    const inside = ['/usr/bin/env', '-i', ...variables.map((one) => one.join('=')), '/bin/sh', '-c', text];
    const spaces = ['-m', '-u', '-i', '-n', '-p', '--'];
    const under = ['/usr/bin/nsenter', '-t', String(this.#first.pid), ...spaces];
    const outcome = await new Running(inside, { under, limit: LIMIT }).outcome;
    this.#transcript += `# ${text}\n${outcome.stdout.slice(0, MOST)}${outcome.stderr}exit ${outcome.code}\n`;
    return outcome;
  }

  /** The same, and it must succeed; its stdout. */
  async ok(text: string): Promise<string> {
    const outcome = await this.run(text);
    assert.equal(outcome.code, 0, `${text}\n${outcome.stdout}${outcome.stderr}`);
    return outcome.stdout;
  }

  get transcript(): string {
    return this.#transcript;
  }

  /** Ends all of it; what was changed is gone. */
  async close(): Promise<void> {
    signal(this.#first, 'SIGKILL');
    await this.#over;
    await removeCgroup(this.#cgroup);
  }
}

/** A test in a chroot, where one can be had; elsewhere it says why not. */
export function chrooted(
  name: string,
  variant: Variant,
  body: (chroot: Chroot, t: TestContext) => Promise<void>,
): void {
  if (!isWanted(variant)) return;
  test(`${variant}, not booted: ${name}`, async (t) => {
    const lacking = whyNoMachine(variant);
    if (lacking !== undefined) {
      t.skip(lacking);
      return;
    }
    const chroot = await Chroot.open(variant);
    try {
      await body(chroot, t);
    } catch (error) {
      t.diagnostic(chroot.transcript);
      throw error;
    } finally {
      await chroot.close();
    }
  });
}
