// What `install` leaves on a system, and in which steps it comes and goes. Only what carries our mark is ever touched.

import { type DropIn, isOurs, scriptPath } from '../config/drop-in.ts';
import { unitName, writeUnit } from '../config/native-unit.ts';
import type { Installation } from '../host/host.ts';
import type { Former, Step, Words } from './steps.ts';

/** A file that install has written. */
type Written = Former & { readonly kind: 'file' };

/** Where systemd looks for generators, and in which order: systemd.generator(7). */
const GENERATORS = ['/run/systemd', '/etc/systemd', '/usr/local/lib/systemd', '/usr/lib/systemd', '/lib/systemd'].map(
  (directory) => `${directory}/system-generators/frontik-supervisor-generator`,
);

/** Where units of others are: systemd.unit(5). */
const OTHER_UNITS = ['/run', '/usr/local/lib', '/usr/lib', '/lib'].map((directory) => `${directory}/systemd/system`);

/** systemd itself, also on a system that is being made and has not been booted. */
const SYSTEMD = ['/usr/lib/systemd/systemd', '/lib/systemd/systemd'];

/** The steps of an installation; or the file that is in its way. */
export function planInstallation(
  { name, binary }: DropIn,
  text: string,
  installation: Installation,
): readonly Step[] | { readonly taken: string } {
  const { script, unit, link, others } = pathsOf(name);
  const [oldScript, oldUnit] = [script, unit].map((path) => findOurs(path, installation));
  if (oldScript === 'foreign') return { taken: script };
  if (oldUnit === 'foreign') return { taken: unit };
  const other = others.find((path) => isThere(path, installation));
  if (other !== undefined) return { taken: other };
  const steps: Step[] = [{ do: 'write', path: script, text, mode: 0o755, former: oldScript }];
  if (oldUnit !== undefined || needsUnit(binary, installation)) {
    steps.push({ do: 'write', path: unit, text: writeUnit(name, binary), mode: 0o644, former: oldUnit });
    // Once, as update-rc.d does: who has disabled it since will have had a reason.
    if (oldUnit === undefined && !isThere(link, installation)) steps.push({ do: 'link', path: link, target: unit });
  }
  const undo = oldScript === undefined ? unregistering(name) : undefined;
  steps.push({ do: 'run', words: registering(name), undo });
  return [...steps, ...reload(installation)];
}

/** An init script as it is, as far as `install` is concerned. */
export function findScript(name: string, installation: Installation): Written | 'foreign' | undefined {
  return findOurs(scriptPath(name), installation);
}

/** The steps that take an installation back; none if there is nothing of it. */
export function planRemoval(name: string, installation: Installation): readonly Step[] {
  const { script, unit, link } = pathsOf(name);
  const removals: Step[] = [script, unit].flatMap((path): Step[] => {
    const former = findOurs(path, installation);
    return typeof former === 'object' ? [{ do: 'remove', path, former }] : [];
  });
  const place = installation.look(link);
  const isUnitOurs = removals.some((step) => step.do === 'remove' && step.path === unit);
  // Somebody may have removed the unit by hand.
  const isDangling = place.kind === 'link' && place.target === unit && !isThere(unit, installation);
  if (place.kind === 'link' && (isUnitOurs || isDangling)) removals.push({ do: 'remove', path: link, former: place });
  if (removals.length === 0) return [];
  const isRegistered = removals.some((step) => step.do === 'remove' && step.path === script);
  // Last, without a script, as every postrm does: only then insserv gives the links of all others their former numbers.
  const unregister: Step = {
    do: 'run',
    words: unregistering(name),
    undo: isRegistered ? registering(name) : undefined,
  };
  return [...removals, unregister, ...reload(installation)];
}

function registering(name: string): Words {
  return ['update-rc.d', name, 'defaults'];
}

/** Where the script could not be removed, `-f` takes its links away all the same. */
function unregistering(name: string): Words {
  return ['update-rc.d', '-f', name, 'remove'];
}

interface Paths {
  readonly script: string;
  readonly unit: string;
  /** What enables the unit, as `systemctl enable` makes it. */
  readonly link: string;
  /** Units that ours would hide, or that would keep the generator from making one. */
  readonly others: readonly string[];
}

function pathsOf(name: string): Paths {
  const file = unitName(name);
  return {
    script: scriptPath(name),
    unit: `/etc/systemd/system/${file}`,
    link: `/etc/systemd/system/multi-user.target.wants/${file}`,
    others: OTHER_UNITS.map((directory) => `${directory}/${file}`),
  };
}

function findOurs(path: string, installation: Installation): Written | 'foreign' | undefined {
  const place = installation.look(path);
  if (place.kind === 'free') return undefined;
  return place.kind === 'file' && isOurs(place.text) ? place : 'foreign';
}

function isThere(path: string, installation: Installation): boolean {
  return installation.look(path).kind !== 'free';
}

/** Whether nothing else gives systemd a unit. Where our generator is, it makes one, if it knows the program by its name. */
function needsUnit(binary: string, installation: Installation): boolean {
  if (!(isBooted(installation) || SYSTEMD.some((path) => isThere(path, installation)))) return false;
  const generator = GENERATORS.map((path) => installation.look(path)).find(({ kind }) => kind !== 'free');
  const isMasked = generator?.kind === 'link' && generator.target === '/dev/null';
  return generator === undefined || isMasked || !binary.endsWith('/frontik-supervisor');
}

/** sd_booted(3). */
function isBooted(installation: Installation): boolean {
  return installation.look('/run/systemd/system').kind === 'directory';
}

function reload(installation: Installation): Step[] {
  return isBooted(installation) ? [{ do: 'run', words: ['systemctl', 'daemon-reload'], undo: undefined }] : [];
}
