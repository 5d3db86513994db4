// What a launcher does to itself holds for us and all that we start; it is taken back while the launcher is read again, and
// for nobody else.

import type { Host, Python } from '../host/host.ts';
import type { ReadAgain } from './act.ts';
import type { Launch } from './sources.ts';

/** Reads what launcher and command line say, by this machine. */
export type ReadBy = (host: Host, interrupted: Promise<void>) => Promise<Launch>;

/** A launch that may be read again. */
export interface Rereading {
  readonly launch: Launch;
  /** The machine to read the rest by, a configuration. */
  readonly host: Host;
  readonly readAgain: ReadAgain;
}

/** Reads a launch, and then again whenever that is wanted. */
export async function beginReading(read: ReadBy, real: Host, interrupted: Promise<void>): Promise<Rereading> {
  const launch = await read(real, interrupted);
  let current = launch;
  let isAgain = false;
  let next: Launch | undefined;
  const putBack = (): void => {
    next?.undo();
    current.redo();
  };
  // A Python takes seconds, and has been given all that it is to see when it was started. A worker that dies meanwhile is
  // started as those before it: what is being read may be refused.
  const evaluate: Python['evaluate'] = async (question, interruptedThen) => {
    const answer = real.python.evaluate(question, interruptedThen);
    if (!isAgain) return answer;
    putBack();
    try {
      return await answer;
    } finally {
      current.undo();
      next?.redo();
    }
  };
  const host = { ...real, python: { evaluate } };
  const refuse = (): void => {
    putBack();
    isAgain = false;
    next = undefined;
  };
  const readAgain: ReadAgain = async (interruptedThen) => {
    isAgain = true;
    current.undo();
    try {
      next = await read(host, interruptedThen);
    } catch (error) {
      refuse();
      throw error;
    }
    const accepted = next;
    const accept = (): void => {
      current = accepted;
      isAgain = false;
      next = undefined;
    };
    return { launch: accepted, accept, refuse };
  };
  return { launch, host, readAgain };
}
