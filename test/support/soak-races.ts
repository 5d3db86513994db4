import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { Switches } from './e2e.ts';
import { type Application, Violation } from './soak-application.ts';
import type { Choices } from './soak-choices.ts';
import type { Command, Verb } from './soak-command.ts';
import { COMMANDS_A_ROUND, type Figures } from './soak-figures.ts';

/** Within so many ms all commands of a round begin; the first of them are far from done by then. */
const SPREAD = 500;

/** A command alone, with workers that need less than two seconds to come and to go. */
export const ALONE = 30_000;
/** A command behind nineteen others. */
export const QUEUED = 150_000;
/** `status` waits for nobody; on a machine with twenty commands at once it still needs its own work done. */
const STATUS = 10_000;
/** The same beside one command only. */
const STATUS_BESIDE_ONE = 2000;

/** Small random times to come and to go. */
function randomSwitches(choices: Choices, lingering: number): Switches {
  return {
    sleep_start: choices.seconds(0.05),
    sleep_daemonized: choices.seconds(0.05),
    sleep_bind: choices.seconds(0.1),
    stop_timeout: choices.seconds(lingering),
  };
}

/** How each worker behaves: by port, the given one ignoring SIGTERM, and the others going away within so many seconds. */
export function behaviour(
  application: Application,
  choices: Choices,
  deaf: number | undefined,
  lingering = 0.1,
): Readonly<Record<string, Switches>> {
  const switches = application.ports.map((port) => {
    const own = randomSwitches(choices, lingering);
    return [String(port), port === deaf ? { ...own, ignore_sigterm: true } : own] as const;
  });
  return Object.fromEntries(switches);
}

/** Twenty commands at once, and one that only looks; afterwards one more, alone. */
async function race(application: Application, choices: Choices, figures: Figures): Promise<void> {
  application.forget();
  const deaf = choices.oneIn(4) ? application.ports[choices.below(2)] : undefined;
  application.behave(behaviour(application, choices, deaf));
  const verbs = [...Array.from({ length: COMMANDS_A_ROUND }, () => randomVerb(choices)), 'status'] as const;
  const commands: Command[] = [];
  for (const verb of verbs) {
    commands.push(application.prepare(verb, QUEUED));
    // The other applications' turn.
    await setImmediate();
  }
  const moves = Array.from({ length: choices.below(3) }, () => ({
    at: choices.below(500),
    count: choices.oneOf(2, 1, 1, 3),
  }));
  const hearingAt = 300 + choices.below(1500);
  const released = commands.map(async (command) => {
    await sleep(choices.below(SPREAD));
    command.release();
  });
  const moved = moves.map(async ({ at, count }) => {
    await sleep(at);
    application.configure(count);
  });
  const calmed = sleep(hearingAt).then(() => application.behave(behaviour(application, choices, undefined)));
  await Promise.all(released);
  const endings = await Promise.all(commands.map((command) => command.ending));
  await Promise.all([...moved, calmed]);
  for (const [index, command] of commands.entries()) {
    const ending = endings[index];
    if (ending === undefined) {
      continue;
    }
    figures.noteCommand(command.verb, ending);
    judge(command, ending.isHung, ending.code, ending.took);
  }
  await application.check([], application.ports);
  await lastWord(application, choices.oneOf<Verb>('start', 'stop', 'start', 'stop', 'restart'), figures);
}

function randomVerb(choices: Choices): Verb {
  const kind = choices.oneOf('start', 'start', 'start', 'stop', 'stop', 'stop', 'both');
  return kind === 'both' ? choices.oneOf<Verb>('restart', 'restart', 'force-reload', 'try-restart') : kind;
}

/** Whatever comes before it: start, stop and restart succeed, and status finds out. */
function judge(command: Command, isHung: boolean, code: number | null, took: number): void {
  const { verb } = command;
  if (isHung) {
    throw new Violation(`${verb} (pid ${command.pid}) did not end`);
  }
  const isRight = verb === 'status' ? code === 0 || code === 1 || code === 3 : code === 0;
  if (!isRight) {
    throw new Violation(`${verb} (pid ${command.pid}) ended with ${code}`);
  }
  if (verb === 'status' && took > STATUS) {
    throw new Violation(`status (pid ${command.pid}) took ${Math.round(took)} ms`);
  }
}

/** A command alone: everything it says follows from what is there before it. */
async function lastWord(application: Application, verb: Verb, figures: Figures): Promise<void> {
  const before = [...(await application.workers()).keys()];
  const command = application.begin(verb, ALONE);
  const ending = await command.ending;
  figures.noteCommand(verb, ending);
  judge(command, ending.isHung, ending.code, ending.took);
  const expected = words(verb, before, application.configured);
  // On a busy machine a worker may outlive its grace, and is then told a second time.
  const said = command.lines.filter((line, index, all) => !line.startsWith('stopping') || all.indexOf(line) === index);
  if (said.join('\n') !== expected.join('\n')) {
    throw new Violation(`${verb} (pid ${command.pid}) should have said:\n    ${expected.join('\n    ')}`);
  }
  await checkAfter(application, verb);
}

/** What a command says that finds workers on these ports. */
function words(verb: Verb, before: readonly number[], configured: readonly number[]): readonly string[] {
  const stopping =
    before.length === 0
      ? []
      : ['some of the workers are running, trying to kill', ...before.map((port) => `stopping worker ${port}`)];
  const isStale = before.some((port) => !configured.includes(port));
  switch (verb) {
    case 'start':
      return [
        ...configured.map((port) =>
          before.includes(port) ? `another worker already started on ${port}` : `start worker ${port}`,
        ),
        ...(isStale ? ['some stale workers are running!'] : []),
        'all workers are running',
      ];
    case 'stop':
      return [...stopping, 'all workers are stopped'];
    default:
      return [...stopping, ...configured.map((port) => `start worker ${port}`), 'all workers are running'];
  }
}

/** The state that a command, alone, leaves: `start` lets stale workers live, the others do not. */
export async function checkAfter(application: Application, verb: Verb): Promise<void> {
  const { configured, ports } = application;
  await application.check(verb === 'stop' ? [] : configured, verb === 'start' ? ports : []);
}

/** While a start holds the lock for seconds, each status ends long before it. */
async function statusBeside(application: Application, choices: Choices, figures: Figures): Promise<void> {
  application.forget();
  application.behave({});
  await lastWord(application, 'stop', figures);
  const slow = application.configured[choices.below(application.configured.length)];
  application.behave({ [String(slow)]: { sleep_bind: 4 } });
  const holder = application.begin('start', ALONE);
  await holder.hasSaid('start worker');
  for (let each = 0; each < 3; each += 1) {
    const command = application.begin('status', ALONE);
    const { code, took, isHung } = await command.ending;
    figures.noteStatusBeside(took);
    if (isHung || holder.isOver || took > STATUS_BESIDE_ONE) {
      throw new Violation(`status (pid ${command.pid}) took ${Math.round(took)} ms while start held the lock`);
    }
    if (code !== 1 && code !== 3) {
      throw new Violation(`status (pid ${command.pid}) ended with ${code} while a worker was starting`);
    }
  }
  const ending = await holder.ending;
  figures.noteCommand('start', ending);
  judge(holder, ending.isHung, ending.code, ending.took);
  await checkAfter(application, 'start');
}

/** A race; now and then `status` is looked at first. */
export async function raceOrProbe(application: Application, choices: Choices, figures: Figures): Promise<true> {
  if (choices.oneIn(10)) {
    await statusBeside(application, choices, figures);
  }
  await race(application, choices, figures);
  figures.noteRound();
  return true;
}
