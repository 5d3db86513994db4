// What must hold after every command, whatever the machine did meanwhile.

import assert from 'node:assert/strict';
import { summarize } from '../../src/core/event.ts';
import { longestCommand, longestReload } from '../../src/core/patience.ts';
import type { Ended, Sim, Verb } from './sim.ts';
import type { SimProcess } from './sim-kernel.ts';

/** Checks all that can be said of a command without knowing how it was disturbed. */
export function checkInvariants(sim: Sim, verb: Verb, ended: Ended): void {
  const { patience, rolling, specs } = sim.application;
  const isReload = verb === 'reload';
  const most = isReload ? longestReload(patience, rolling, specs.length) : longestCommand(patience, specs.length);
  assert.deepEqual(sim.kernel.crimes, []);
  assert.ok(ended.took <= most, `${verb} took ${ended.took} ms`);
  checkKills(sim);
  if (verb === 'status') assert.deepEqual(ended.lines.filter(isDeed), []);
  if (verb === 'stop')
    assert.deepEqual(
      ended.lines.filter((line) => line.includes(' launch ')),
      [],
    );
}

/** Whether a line of the journal is something done to the machine. */
export function isDeed(line: string): boolean {
  return /^\S+ (SIG|launch |remove |write )/.test(line);
}

/** SIGKILL only after SIGTERM and the whole grace, to that very process. */
function checkKills({ kernel, application }: Sim): void {
  for (const { at, signal, process } of kernel.signals) {
    if (signal !== 'SIGKILL') continue;
    const terms = kernel.signals.filter((sent) => sent.process === process && sent.signal === 'SIGTERM');
    const isDue = terms.some((sent) => sent.at + application.patience.termGrace <= at);
    assert.ok(isDue, `SIGKILL at ${at} to ${process.truth.label}, without SIGTERM and its grace`);
  }
}

/** The workers and starters of the application that live, on any port. */
export function survivors(sim: Sim): string[] {
  return sim.kernel.living().flatMap(({ truth }) => (truth.ours && truth.role === 'worker' ? [truth.label] : []));
}

/** A stop that says stopped leaves nothing; one that does not say so has left something. */
export function checkStop(sim: Sim, { outcome }: Ended): void {
  if (outcome === 'killed') return;
  const { survey, failures } = outcome;
  const isEmpty = survey !== undefined && summarize(survey) === 'all-stopped' && survey.stale.length === 0;
  const says = failures.length === 0 && isEmpty ? 'stopped' : 'failed';
  const left = survivors(sim);
  assert.equal(says, left.length === 0 ? 'stopped' : 'failed', `${says}, but there is: ${left.join(', ')}`);
}

/** What a survey says is running does run: the port answers, and a worker of ours has it. */
export function checkSurvey(sim: Sim, ended: Ended): void {
  if (ended.outcome === 'killed' || ended.outcome.survey === undefined) return;
  for (const { port, standing } of ended.outcome.survey.workers) {
    const holders = sim.kernel.sockets.flatMap((socket) => (socket.port === port ? [...socket.holders] : []));
    const isOurs = holders.some(({ truth }) => truth.ours && truth.port === port);
    // One look takes up to a second, when another worker is silent, and a worker may come or go meanwhile.
    const { scannedAt } = sim.kernel;
    const isJustGone = sim.kernel.deaths.some(({ at, process }) => process.truth.port === port && at >= scannedAt);
    if (standing.kind === 'running') assert.ok(isOurs || isJustGone, `${port} is said to run`);
    const isMissed = ({ id, truth }: SimProcess): boolean =>
      truth.role === 'worker' && truth.port === port && truth.ours && id.startTicks < sim.kernel.ticksAt(scannedAt);
    if (standing.kind === 'down') assert.deepEqual(sim.kernel.living().filter(isMissed), []);
  }
}
