import { setTimeout as sleep } from 'node:timers/promises';
import { type Application, Violation } from './soak-application.ts';
import type { Choices } from './soak-choices.ts';
import type { Blow, Command, Ending, Verb } from './soak-command.ts';
import type { Figures } from './soak-figures.ts';
import { ALONE, behaviour, checkAfter, QUEUED } from './soak-races.ts';

const BLOWS: readonly [Blow, ...Blow[]] = [
  'SIGKILL',
  'SIGKILL',
  'SIGTERM',
  'SIGINT',
  'SIGHUP',
  'SIGPIPE',
  'closed stderr',
];

/** Numbers of the signals that a command answers by its exit status. */
const NUMBERS: Readonly<Partial<Record<Blow, number>>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/** Seconds that a worker may take to go: whom a killed command told to go is then still there for the next one. */
const LINGERING = 0.8;
/** What a signal leaves to be done: one survey, which waits a second for the slowest answer. */
const LETTING_GO = 10_000;
/** The next command's own work: its workers need less than three seconds to go, and as long to come. */
const CONVERGES = 15_000;

/** How many commands may end by themselves before one is hit, until that is left to another trial. */
const MOST_VICTIMS = 3;

/** A command that dies at a random moment, alone or among others, and the next one. False when all were too fast. */
export async function death(application: Application, choices: Choices, figures: Figures): Promise<boolean> {
  application.forget();
  const deaf = choices.oneIn(12) ? application.ports[choices.below(2)] : undefined;
  application.behave(behaviour(application, choices, deaf, LINGERING));
  if (choices.oneIn(8)) {
    application.configure(choices.oneOf(2, 1, 1, 3));
  }
  let hasDied = false;
  for (let victims = 0; victims < MOST_VICTIMS && !hasDied; victims += 1) {
    hasDied = await strikeOne(application, choices, figures);
  }
  await converge(application, choices, figures);
  return hasDied;
}

/** Returns false when the command ended before the blow, or without notice of it. */
async function strikeOne(application: Application, choices: Choices, figures: Figures): Promise<boolean> {
  const isRunning = (await application.workers()).size > 0;
  const verb = isRunning
    ? choices.oneOf<Verb>('stop', 'restart', 'stop', 'restart', 'start')
    : choices.oneOf<Verb>('start', 'restart', 'start', 'restart', 'stop');
  const blow = choices.oneOf(...BLOWS);
  const isCrowded = choices.oneIn(4);
  const moment = 0.9 * choices.fraction() * figures.usual(verb, isRunning) * (isCrowded ? 2 : 1);
  const others = isCrowded ? beginOthers(application, choices) : [];
  const victim = application.begin(verb, isCrowded ? QUEUED : ALONE);
  // On a busy machine the call that starts it takes a part of its life.
  const wait = moment - (performance.now() - victim.began);
  await (wait <= 0 ? undefined : Promise.race([sleep(wait), victim.ending]));
  const struckAt = performance.now();
  const { said } = victim;
  const wasThere = victim.strike(blow);
  const ending = await victim.ending;
  const lettingGo = performance.now() - struckAt;
  const isHarmless = blow === 'SIGPIPE' || blow === 'closed stderr';
  const wasHit = wasThere && (isHarmless || ending.code !== 0);
  figures.noteDeath(wasHit ? blow : 'too late', verb, said, lettingGo);
  if (!isCrowded && (isHarmless || !wasHit)) {
    figures.noteUsual(verb, isRunning, ending.took);
  }
  const beside = await Promise.all(others);
  if (wasThere) {
    judgeVictim(victim, blow, ending, lettingGo);
  } else {
    judgeUnharmed(victim, ending);
  }
  await judgeOthers(beside, figures);
  return wasHit;
}

/** Commands that hold the lock or wait for it beside the one that dies. */
function beginOthers(application: Application, choices: Choices): readonly Promise<Command>[] {
  return Array.from({ length: 1 + choices.below(2) }, async () => {
    const verb = choices.oneOf<Verb>('start', 'stop', 'restart');
    await sleep(choices.below(200));
    return application.begin(verb, QUEUED);
  });
}

async function judgeOthers(others: readonly Command[], figures: Figures): Promise<void> {
  for (const other of others) {
    const ending = await other.ending;
    figures.noteCommand(other.verb, ending);
    if (ending.isHung || ending.code !== 0) {
      throw new Violation(`${other.verb} (pid ${other.pid}), beside one that died, ended with ${tellCode(ending)}`);
    }
  }
}

/** It died of the signal, said so by its exit status, or, where the signal does it no harm, did its work. */
function judgeVictim(victim: Command, blow: Blow, ending: Ending, after: number): void {
  const number = NUMBERS[blow];
  const isRight = ending.code === 0 || ending.signal === blow || (number !== undefined && ending.code === 128 + number);
  if (ending.isHung || !isRight) {
    throw new Violation(`${victim.verb} (pid ${victim.pid}), after ${blow}, ended with ${tellCode(ending)}`);
  }
  if (number !== undefined && after > LETTING_GO) {
    throw new Violation(`${victim.verb} (pid ${victim.pid}) went on for ${Math.round(after)} ms after ${blow}`);
  }
}

function judgeUnharmed(command: Command, ending: Ending): void {
  if (ending.isHung || ending.code !== 0) {
    throw new Violation(`${command.verb} (pid ${command.pid}), which nobody hit, ended with ${tellCode(ending)}`);
  }
}

function tellCode({ code, signal, isHung }: Ending): string {
  return isHung ? 'nothing: it hung' : String(code ?? signal);
}

/** The next command does its work, and is held up by nobody who is no more. */
async function converge(application: Application, choices: Choices, figures: Figures): Promise<void> {
  const verb = choices.oneOf<Verb>('start', 'start', 'stop', 'restart');
  await sleep(choices.oneIn(2) ? 0 : choices.below(150));
  const command = application.begin(verb, ALONE);
  const ending = await command.ending;
  figures.noteCommand(verb, ending);
  figures.noteConverged(ending.took);
  const lastLine = verb === 'stop' ? 'all workers are stopped' : 'all workers are running';
  if (ending.isHung || ending.code !== 0 || command.lines.at(-1) !== lastLine) {
    throw new Violation(`the next command, ${verb} (pid ${command.pid}), ended with ${tellCode(ending)}`);
  }
  if (command.said.includes('waiting for another command')) {
    throw new Violation(`the next command, ${verb} (pid ${command.pid}), was held up by a dead one`);
  }
  if (ending.took > CONVERGES) {
    throw new Violation(`the next command, ${verb} (pid ${command.pid}), took ${Math.round(ending.took)} ms`);
  }
  await checkAfter(application, verb);
}
