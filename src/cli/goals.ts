// What the actions on workers want, and what they come to: the same for a command of its own and for one that a `run` carries out.

import type { Application } from '../core/application.ts';
import { longestCommand, longestReload } from '../core/patience.ts';
import type { Millis } from '../core/units.ts';
import { isAnyAlive, launch, type Outcome, reload, restart, type Situation, start, stop } from '../engine/commands.ts';
import { launchVerdict, OK, reloadVerdict, startVerdict, stopVerdict } from './exit-status.ts';

/** What is to be done with all workers of an application. */
export type Goal = 'start' | 'launch' | 'stop' | 'restart' | 'restart-if-alive' | 'reload';

const GOALS: ReadonlyMap<string, Goal> = new Map([
  ['start', 'start'],
  ['stop', 'stop'],
  ['restart', 'restart'],
  ['force-reload', 'restart'],
  ['try-restart', 'restart-if-alive'],
  ['condrestart', 'restart-if-alive'],
  ['reload', 'reload'],
]);

/** The goal of an action; undefined for other words. */
export function goalOf(action: string): Goal | undefined {
  return GOALS.get(action);
}

/** The goal of that very name, as one command tells it to another. */
export function goalNamed(name: string): Goal | undefined {
  return name === 'launch' || name === 'restart-if-alive' ? name : goalOf(name);
}

/** How long it may take at most. */
export function longest(goal: Goal, { patience, rolling, specs }: Application): Millis {
  return goal === 'reload' ? longestReload(patience, rolling, specs.length) : longestCommand(patience, specs.length);
}

/** Carries it out; the result is the exit status. */
export async function achieve(goal: Goal, situation: Situation): Promise<number> {
  switch (goal) {
    case 'start':
      return startVerdict(await start(situation));
    case 'launch':
      return launchVerdict(await launch(situation));
    case 'stop':
      return stopVerdict(await stop(situation));
    case 'restart':
      return startVerdict(await restart(situation));
    case 'reload':
      return reloadVerdict(await reload(situation));
    case 'restart-if-alive':
      return isAnyAlive(situation) ? startVerdict(await restart(situation)) : OK;
    default:
      return goal satisfies never;
  }
}

/** What a fresh look says of a goal that somebody else has pursued. */
export function judge(goal: Goal, outcome: Outcome): number {
  return goal === 'stop' ? stopVerdict(outcome) : goal === 'launch' ? launchVerdict(outcome) : startVerdict(outcome);
}
