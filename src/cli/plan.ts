// All that was given, put together: what a command has to go by before it touches anything.

import type { Given, Layer, Origin, Problem } from '../config/given.ts';
import { OPTIONS, type Option, type OptionName } from '../config/options.ts';
import { type Required, type Settings, settle } from '../config/settings.ts';
import type { Account } from '../core/worker.ts';
import type { Host } from '../host/host.ts';
import { isPath } from './interpreter.ts';
import { findAccount } from './preflight.ts';
import { type Launch, readConfigSource, type Trouble } from './sources.ts';

/** All that was given, put together. */
export interface Plan {
  /** Undefined when anything is wrong. */
  readonly settings: Settings | undefined;
  /** When only the configuration is wrong: what launcher and command line say, and what it says itself of the end of workers. */
  readonly withoutConfig: Settings | undefined;
  readonly isDaemonized: boolean;
  readonly account: Account | undefined;
  /** The working directory; `/` when it is gone and nothing needs it. */
  readonly directory: string;
  /** What gave values, later wins. Of a file that nobody understands each option that it may set is a value that is none. */
  readonly layers: readonly Layer[];
  /** The Pythons that were asked what a file means. */
  readonly pythons: readonly string[];
  readonly troubles: readonly Trouble[];
  readonly cautions: readonly Problem[];
}

/** Reads the configuration and puts all layers together. `needed` are the options that the action cannot do without. */
export async function gather(launch: Launch, needed: Required, host: Host, interrupted: Promise<void>): Promise<Plan> {
  // What a launcher that cannot be read would have said is not missing.
  const required = launch.troubles.some(({ origin }) => origin === 'launcher') ? [] : needed;
  const given: readonly Layer[] = [launch.launcher, launch.commandLine];
  const path = configPath(launch);
  const file = path === undefined ? undefined : await readConfigSource(path, launch, host, interrupted);
  const layers = file === undefined ? given : [file.layer, ...given];
  const settled = settle(layers, required);
  const directory = host.files.cwd();
  const alone = settled.ok ? settled : settle([keepForStop(file?.layer), ...given], required);
  const found = alone.ok ? findAccount(alone.settings, host) : { account: undefined };
  const troubles = [
    ...launch.troubles,
    ...(file?.troubles ?? []),
    ...(settled.ok ? directoryTroubles(settled.settings, directory) : settled.problems),
    ...(settled.ok && 'problem' in found ? [found.problem] : []),
  ];
  return {
    settings: settled.ok && troubles.length === 0 ? settled.settings : undefined,
    withoutConfig: alone.ok && troubles.every(({ origin }) => origin === 'config') ? alone.settings : undefined,
    isDaemonized: file?.isDaemonized ?? false,
    account: 'account' in found ? found.account : undefined,
    directory: directory ?? '/',
    layers: concealUnknown(layers, launch, file?.isKnown === false ? path : undefined),
    pythons: [...new Set([launch.python, file?.python].filter((python) => python !== undefined))],
    troubles,
    cautions: [...launch.cautions, ...(file?.cautions ?? []), ...settled.cautions],
  };
}

/** How workers are stopped, and whose they are. */
const FOR_STOP: ReadonlySet<OptionName> = new Set([
  'supervisor_sigterm_timeout',
  'supervisor_user',
  'supervisor_group',
]);

/** What `stop` needs of a configuration that is wrong elsewhere, as far as that is right. */
function keepForStop(layer: Layer = new Map()): Layer {
  return new Map([...layer].filter((entry) => FOR_STOP.has(entry[0]) && settle([new Map([entry])], []).ok));
}

/** All layers, with those between them that nobody understands. */
function concealUnknown(layers: readonly Layer[], { unknown }: Launch, config: string | undefined): readonly Layer[] {
  return [
    ...(config === undefined ? [] : [conceal(config, 'config')]),
    ...layers.slice(0, -2),
    ...(unknown === undefined ? [] : [conceal(unknown, 'launcher')]),
    ...layers.slice(-2),
  ];
}

/** What a file may say of which nothing is known. */
function conceal(source: string, origin: Origin): Layer {
  const isHidden = ({ inConfig }: Option): boolean => origin === 'launcher' || inConfig;
  const given: Given = { value: { kind: 'object', type: 'unknown', repr: '' }, origin, source };
  return new Map(OPTIONS.filter(isHidden).map(({ name }): [OptionName, Given] => [name, given]));
}

function configPath({ launcher, commandLine }: Launch): string | undefined {
  const value = (commandLine.get('config') ?? launcher.get('config'))?.value;
  if (value?.kind !== 'text' && value?.kind !== 'str') return undefined;
  // The settings tell what is wrong with it.
  return isPath(value.value) ? value.value : undefined;
}

/** Without a working directory no relative path means anything. */
function directoryTroubles(settings: Settings, directory: string | undefined): Trouble[] {
  const paths = [settings.config, settings.pidfileTemplate?.text, settings.logfileTemplate?.text];
  const relative = paths.find((path) => path !== undefined && !path.startsWith('/'));
  if (directory !== undefined || relative === undefined) return [];
  return [
    { origin: 'command-line', source: relative, text: 'is relative to a working directory that no longer exists' },
  ];
}
