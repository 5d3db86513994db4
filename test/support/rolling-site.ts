import assert from 'node:assert/strict';
import { fetchPage, type Stage, type StageOptions } from './e2e.ts';
import { type Running, until } from './e2e-command.ts';
import { type Identity, isAlive } from './e2e-processes.ts';
import { Load } from './rolling-client.ts';
import { installHooks } from './rolling-hooks.ts';
import { haproxyCommand, nginxCommand, type ProxyName } from './rolling-proxies.ts';
import { describe, failures, type Tally, total } from './rolling-tally.ts';

export const FOUR: StageOptions = { workers: 4 };

export const PROXIES: readonly ProxyName[] = ['nginx', 'haproxy'];

/** What workers write every POST into. */
const LEDGER = 'ledger';

const LONGEST_WAIT = 300;
/** Ends the proxy and the load if the test does not. */
const LIMIT = 900;

export interface SiteOptions {
  /** Changes what was exported, for tests of what it is good for. */
  readonly adapt?: (exported: string) => string;
  /** Takes workers out of rotation before they are stopped, as `export` explains it. */
  readonly hooks?: true;
  /** Seconds that a worker, as a real Frontik, serves on after SIGTERM has made it close its socket. */
  readonly stopTimeout?: number;
}

/** How requests come in; what is left out is the usual. */
export interface Traffic {
  readonly rate: number;
  readonly posts: number;
  readonly keepAlive?: boolean;
}

/** The workers of a stage behind a proxy that is configured by `export`. */
export class Site {
  readonly stage: Stage;
  readonly directory: string;
  readonly port: number;
  readonly #proxy: Running;

  private constructor(stage: Stage, directory: string, port: number, proxy: Running) {
    this.stage = stage;
    this.directory = directory;
    this.port = port;
    this.#proxy = proxy;
  }

  /** Starts workers and proxy. */
  static async open(
    stage: Stage,
    proxy: ProxyName,
    { adapt, hooks, stopTimeout = 0.6 }: SiteOptions = {},
  ): Promise<Site> {
    const { code, stdout } = await stage.run(`export ${proxy}`);
    assert.equal(code, 0);
    const exported = adapt === undefined ? stdout : adapt(stdout);
    stage.write(LEDGER, '');
    stage.behave({ stop_timeout: stopTimeout, ledger: stage.path(LEDGER) });
    if (hooks === true) stage.configure(installHooks(stage, proxy, stdout));
    const directory = stage.path(proxy);
    const port = stage.port(20);
    const commands = { nginx: nginxCommand, haproxy: haproxyCommand };
    await stage.started();
    const argv = commands[proxy]({ directory, port, exported });
    const running = stage.program(argv, { limit: LIMIT * 1000 });
    await until(async () => assert.equal((await fetchPage(port, '/')).status, 200, running.stderr));
    return new Site(stage, directory, port, running);
  }

  /** Whatever happens while the load is on is in the tally. */
  async under({ rate, posts, keepAlive = true }: Traffic, happen: () => Promise<void>): Promise<Tally> {
    const plan = { port: this.port, rate, posts, keepAlive, longestWait: LONGEST_WAIT, limit: LIMIT };
    const load = await Load.begin(plan);
    try {
      await happen();
    } catch (error) {
      await load.end();
      throw error;
    }
    return load.end();
  }

  /** Carries out a command, and proves that it has replaced every worker by another process. */
  async replace(words: string): Promise<void> {
    const before = this.workers();
    const outcome = await this.stage.run(words);
    assert.equal(outcome.code, 0, this.stage.tell(outcome));
    const after = this.workers();
    for (const [index, old] of before.entries()) {
      assert.notEqual(after[index]?.pid, old.pid, `the worker on P${index} is the old one`);
      assert(!isAlive(old), `the old worker on P${index} is alive`);
    }
  }

  workers(): readonly Identity[] {
    return Array.from({ length: this.stage.workers }, (_, index) => {
      const { pid, started } = this.stage.worker(index);
      return { pid, started };
    });
  }

  /** What was answered was done exactly once; what failed, at most once. */
  assertDoneOnce({ outcomes, failedPosts }: Tally): void {
    const done = this.stage.read(this.stage.path(LEDGER)).split('\n').slice(0, -1);
    const once = new Set(done);
    assert.equal(once.size, done.length, 'a POST was done twice');
    const failed = failedPosts.filter((token) => once.has(token)).length;
    assert.equal(done.length - failed, outcomes['POST ok'] ?? 0, 'POSTs that were answered, and that were done');
  }

  /** Ends the proxy in order; its children go with it. */
  async close(): Promise<void> {
    this.#proxy.kill('SIGTERM');
    await this.#proxy.outcome;
  }
}

/** Nothing failed of at least so many requests. */
export function assertLossless(tally: Tally, least: number): void {
  assert.deepEqual(failures(tally.outcomes), {}, describe(tally));
  assert(total(tally.outcomes) >= least, `only ${describe(tally)}`);
}

/** What it takes, in ms. */
export async function timed(happen: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await happen();
  return Math.round(performance.now() - began);
}
