// The action `uninstall`: takes back what `install` has done for a name, and nothing else.

import { defaultsPath, scriptPath } from '../config/drop-in.ts';
import { readShellForm } from '../config/quoting.ts';
import { isAnyAlive } from '../engine/commands.ts';
import type { Lock } from '../host/host.ts';
import { explain, takeLock } from './application-lock.ts';
import { FAILED, NOT_PERMITTED, OK, STATUS_NOT_RUNNING, signalVerdict } from './exit-status.ts';
import { findScript, planRemoval } from './footprint.ts';
import { findMisplaced, refusesUser } from './install.ts';
import { parse } from './parse.ts';
import { prepare, tellTroubles, troubleVerdict } from './preparation.ts';
import { type Launch, readLaunch, type Trouble } from './sources.ts';
import { describeSteps, takeSteps } from './steps.ts';
import type { World } from './world.ts';

/** Removes the init script and what belongs to it, unless workers of it are alive. The result is the exit status. */
export async function uninstall(launch: Launch, world: World): Promise<number> {
  const { host, interruption, tell } = world;
  const { installation } = host;
  const isDry = launch.flags.has('dry_run');
  if (!isDry && refusesUser('uninstall', host, tell)) return NOT_PERMITTED;
  const troubles = [...launch.troubles, ...findMisplaced(launch), ...findOptions(launch)];
  tellTroubles(troubles, tell);
  const { name } = launch;
  if (troubles.length > 0 || name === undefined) return troubleVerdict(troubles);
  const script = findScript(name, installation);
  if (script === 'foreign') {
    tell({ kind: 'problem', source: scriptPath(name), text: 'install has not written it: nothing was done' });
    return FAILED;
  }
  if (planRemoval(name, installation).length === 0) {
    tell({ kind: 'not-installed', name });
    return OK;
  }
  const freed = script === undefined ? { lock: undefined } : await free(name, script.text, isDry, world);
  if ('exit' in freed) return freed.exit;
  try {
    if (interruption.signal !== undefined) return signalVerdict(interruption.signal);
    const steps = planRemoval(name, installation);
    if (isDry) world.print(describeSteps(steps));
    return isDry || (await takeSteps(steps, installation, tell)) ? OK : FAILED;
  } finally {
    freed.lock?.release();
  }
}

/** What is to go is said by the script. */
function findOptions({ commandLine }: Launch): Trouble[] {
  return [...commandLine.values()].map(({ source }) => {
    return { origin: 'command-line', source, text: 'does not belong to the action uninstall' };
  });
}

/** Makes sure that no worker is alive, and that none is started meanwhile; or the exit status of why not. */
async function free(
  name: string,
  script: string,
  isDry: boolean,
  world: World,
): Promise<{ readonly lock: Lock | undefined } | { readonly exit: number }> {
  const { host, interruption, tell } = world;
  const path = scriptPath(name);
  const isShell = script.startsWith('#!/bin/sh\n');
  const said = isShell ? readShellForm(script) : [path];
  const words = [...(said ?? []), 'stop'];
  const line = parse(words);
  if (said === undefined || line.kind !== 'request') {
    const text =
      'its line that begins with exec does not tell whose workers these are: put it right, or remove it by hand';
    tell({ kind: 'problem', source: path, text });
    return { exit: FAILED };
  }
  const prepared = await prepare('stop', await readLaunch(words, line, undefined, host, interruption.arrived), world);
  if (prepared.kind === 'refused') return { exit: prepared.exit };
  const { application } = prepared;
  const taken = isDry ? undefined : await takeLock('uninstall', 'stop', application, world);
  if (taken !== undefined && taken.kind !== 'held' && taken.kind !== 'resident') {
    return { exit: await explain(taken, application, world) };
  }
  const isUsed = taken?.kind === 'resident' || isAnyAlive({ application, host, tell, interruption });
  if (isUsed) {
    tell({ kind: 'problem', source: name, text: `its workers are alive: stop them first, by ${path} stop` });
  } else if (!isShell || (await isStopped(name, world))) {
    return { lock: taken?.lock };
  }
  if (taken?.kind === 'held') taken.lock.release();
  return { exit: FAILED };
}

/**
 * Whether the script finds no worker either, where an administrator has given it options, which only a shell can read: by them
 * it may have another configuration, or other pidfiles. Tells it if not.
 */
async function isStopped(name: string, { host: { installation }, tell }: World): Promise<boolean> {
  const [script, defaults] = [scriptPath(name), defaultsPath(name)];
  if (installation.look(defaults).kind === 'free') return true;
  const asked = await installation.run(['sh', '-c', `sh "$0" status; [ $? -eq ${STATUS_NOT_RUNNING} ]`, script]);
  if (asked.ok) return true;
  const text = `does not say that all workers are stopped: by ${script} stop they are, unless ${defaults} is to be put right`;
  for (const each of [text, ...asked.error.words.map((word) => `| ${word}`)]) {
    tell({ kind: 'problem', source: `${script} status`, text: each });
  }
  return false;
}
