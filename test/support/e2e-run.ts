// What tests of reload and run see from outside: who answers on which port meanwhile, and a run under way.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stage } from './e2e.ts';
import { type Outcome, type Running, type RunOptions, until } from './e2e-command.ts';
import type { Identity } from './e2e-processes.ts';

/** Longer than any test of a run takes. */
const RUN_LIMIT = 400_000;
/** What a run says may take a worker's boot and several rests, on a machine that has much else to do. */
const FACT_LIMIT = 90_000;

/** A run whose first start is over. */
export async function resident(stage: Stage, words = '', options: RunOptions = {}): Promise<Running> {
  const run = beginRun(stage, words, options);
  const over = run.outcome.then((outcome) => assert.fail(`it has ended: ${stage.tell(outcome)}`));
  over.catch(() => undefined);
  await Promise.race([hears(() => run.stderr, 'workers are running'), over]);
  return run;
}

export function beginRun(stage: Stage, words = '', options: RunOptions = {}): Running {
  return stage.begin(`run ${words}`.trim(), { limit: RUN_LIMIT, ...options });
}

/** Tells a run to go, and waits until it has. */
export async function ended(run: Running, signal: NodeJS.Signals = 'SIGTERM'): Promise<Outcome> {
  run.kill(signal);
  return run.outcome;
}

/** What a command says from now on. */
export function hearing(running: Running): () => string {
  const before = running.stderr.length;
  return () => running.stderr.slice(before);
}

/** Waits until somebody has said that, since `heard` began to listen. */
export function hears(heard: () => string, words: string | RegExp, limit: number = FACT_LIMIT): Promise<void> {
  const isSaid = (): boolean => (typeof words === 'string' ? heard().includes(words) : words.test(heard()));
  return until(() => assert(isSaid(), `it has not said ${String(words)} but: ${heard()}`), limit);
}

/** The workers that are there now, each by what tells it from any other process. */
export function workersOf(stage: Stage, ...indexes: readonly number[]): readonly Identity[] {
  return indexes.map((index) => {
    const { pid, started } = stage.worker(index);
    return { pid, started };
  });
}

export function pidsOf(stage: Stage, ...indexes: readonly number[]): readonly number[] {
  return workersOf(stage, ...indexes).map(({ pid }) => pid);
}

/** A file of a stage, by line, as far as it is there. */
export function linesIn(stage: Stage, name: string): readonly string[] {
  try {
    return readFileSync(stage.path(name), 'utf8').split('\n').slice(0, -1);
  } catch (error) {
    assert(error instanceof Error && 'code' in error && error.code === 'ENOENT', String(error));
    return [];
  }
}

/** A hook that writes a line to the file: its word, its port, who answers just then. Words for the option of that name. */
export function hookFor(stage: Stage, word: string): string {
  const script = stage.write(
    'hook',
    `#!/usr/bin/python3 -IS
import http.client, os, sys
def answers(port):
    try:
        asked = http.client.HTTPConnection('127.0.0.1', port, timeout=20)
        asked.request('GET', '/status/')
        return asked.getresponse().status == 200
    except OSError:
        return False
first, count, log, word, port = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:6]
who = ''.join(str(index) for index in range(count) if answers(first + index))
with open(log, 'a') as file:
    file.write('%s P%d %s\\n' % (word, int(port) - first, who))
`,
    0o755,
  );
  return `${script} ${stage.first} ${stage.workers} ${stage.path('hooks')} ${word} %(port)s`;
}

/** A hook that is a shell script; it gets its word and its port as arguments. */
export function hookScript(stage: Stage, name: string, body: string): string {
  return stage.write(name, `#!/bin/sh\nLOG=${stage.path('hooks')}\n${body}\n`, 0o755);
}

interface Answer {
  readonly from: number;
  readonly to: number;
  readonly isAnswered: boolean;
}

/** Asks all ports without pause until it is told to end. */
export class Poll {
  readonly #answers: readonly Answer[][];
  readonly #asking: Promise<unknown>;
  #isOver = false;

  constructor(stage: Stage, indexes: readonly number[]) {
    this.#answers = indexes.map(() => []);
    this.#asking = Promise.all(indexes.map((index, at) => this.#ask(stage, index, this.#answers[at] ?? [])));
  }

  async #ask(stage: Stage, index: number, answers: Answer[]): Promise<void> {
    while (!this.#isOver) {
      const from = performance.now();
      const isAnswered = await stage.facts(index).then(
        () => true,
        () => false,
      );
      answers.push({ from, to: performance.now(), isAnswered });
      await sleep(5);
    }
  }

  /**
   * Ends the asking. No two ports were certainly down at once, and each was down at some time: a port is certainly down from
   * the end of the first question in vain to the beginning of the last one in a row.
   */
  async neverTwoDown(): Promise<void> {
    this.#isOver = true;
    await this.#asking;
    const gaps = this.#answers.flatMap((answers, port) => gapsIn(answers).map((gap) => ({ ...gap, port })));
    for (const one of gaps) {
      const other = gaps.find(({ port, from, to }) => port !== one.port && from < one.to && to > one.from);
      assert.equal(other, undefined, `down at once: ${JSON.stringify([one, other])}`);
    }
  }
}

interface Gap {
  readonly from: number;
  readonly to: number;
}

function gapsIn(answers: readonly Answer[]): Gap[] {
  const gaps: Gap[] = [];
  let first: Answer | undefined;
  for (const answer of answers) {
    if (answer.isAnswered) first = undefined;
    else if (first === undefined) first = answer;
    else gaps.push({ from: first.to, to: answer.from });
  }
  return gaps;
}
