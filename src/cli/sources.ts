// Where settings come from: the command line, the launcher with its first line, the configuration file. Reads the files,
// and gathers every problem with its place.

import { readConfig } from '../config/config-file.ts';
import { type Generation, readLauncher } from '../config/launcher.ts';
import { isConfigOption, type OptionName, optionNamed } from '../config/options.ts';
import type { Surroundings } from '../config/python-surroundings.ts';
import type { Assigned, Place, Unread } from '../config/python-value.ts';
import type { Given, Layer, Origin, Problem } from '../config/settings.ts';
import type { Host, Obstacle } from '../host/host.ts';
import { NOT_INSTALLED, NOT_PERMITTED } from './exit-status.ts';
import { type CommandLine, parse, parseOptions } from './parse.ts';

/** A problem, and the exit code it asks for where that is not its origin's. */
export interface Trouble extends Problem {
  readonly exit?: number;
}

/** What launcher and command line say. */
export interface Launch {
  readonly action: string | undefined;
  readonly launcher: Layer;
  readonly commandLine: Layer;
  readonly generation: Generation;
  readonly troubles: readonly Trouble[];
  readonly cautions: readonly Problem[];
}

/** What a configuration file says. */
export interface ConfigSource {
  readonly layer: Layer;
  readonly isDaemonized: boolean;
  readonly troubles: readonly Trouble[];
  readonly cautions: readonly Problem[];
}

type Request = CommandLine & { kind: 'request' };

/** Reads the launcher, if the command line names one. */
export function readLaunch(argv: readonly string[], line: Request, host: Host): Launch {
  const plain: Launch = {
    action: line.action,
    launcher: new Map(),
    commandLine: textLayer(line.given, 'command-line'),
    generation: 'frontik',
    troubles: line.problems.map((problem) => ({ ...problem, origin: 'command-line' })),
    cautions: [],
  };
  if (line.launcher === undefined) return plain;
  const path = line.launcher;
  const file = host.files.read(path);
  if (!file.ok) return { ...plain, troubles: [...plain.troubles, unreadable(path, file.error, 'launcher')] };
  const { words, isInArgv } = shebangOptions(file.value, argv);
  // The kernel hands all that stands behind the interpreter over as one word; it is read as the launcher's, by word.
  const own = isInArgv ? parse(argv.slice(1)) : line;
  const first = parseOptions(words);
  const call = readLauncher(file.value, (name) => optionNamed(name) !== undefined, surroundings(path, host));
  const troubles: Trouble[] = [
    ...(own.kind === 'request' ? own.problems : []).map((problem): Trouble => ({ ...problem, origin: 'command-line' })),
    ...first.problems.map(
      ({ source, text }): Trouble => ({ origin: 'launcher', source: `${path}:1`, text: `${source}: ${text}` }),
    ),
    ...(call.kind === 'read' ? [] : [unread(path, call, 'launcher')]),
  ];
  const called = call.kind === 'read' ? call.call : undefined;
  return {
    action: own.kind === 'request' ? own.action : line.action,
    launcher: new Map([
      ...fileLayer([...(called?.arguments.values() ?? [])], path, 'launcher'),
      // The kernel makes a command line of it, so it wins over the call.
      ...textLayer(first.given, 'launcher', `${path}:1`),
    ]),
    commandLine: own.kind === 'request' ? textLayer(own.given, 'command-line') : plain.commandLine,
    generation: called?.generation ?? 'frontik',
    troubles,
    cautions:
      call.kind === 'read' ? call.warnings.map((warning) => caution(path, warning.at, warning.text, 'launcher')) : [],
  };
}

/** Reads a configuration file as Tornado would, the options of the supervisor only. */
export function readConfigSource(path: string, generation: Generation, host: Host): ConfigSource {
  const nothing: ConfigSource = { layer: new Map(), isDaemonized: false, troubles: [], cautions: [] };
  const file = host.files.read(path);
  if (!file.ok) return { ...nothing, troubles: [unreadable(path, file.error, 'config')] };
  // The supervisors of tornado_util called the base port `port`.
  const optionOf = (name: string): string =>
    generation === 'tornado_util' ? ({ port: 'start_port', start_port: '' }[name] ?? name) : name;
  const isRead = (name: string): boolean => name === 'daemonize' || isConfigOption(optionOf(name));
  const read = readConfig(file.value, isRead, surroundings(path, host));
  if (read.kind !== 'read') return { ...nothing, troubles: [unread(path, read, 'config')] };
  const daemonize = read.assigned.get('daemonize')?.value;
  const assigned = [...read.assigned.values()].map((entry) => ({ ...entry, name: optionOf(entry.name) }));
  return {
    layer: fileLayer(
      assigned.filter((entry) => isConfigOption(entry.name)),
      path,
      'config',
    ),
    isDaemonized: daemonize?.kind === 'bool' && daemonize.value,
    troubles: [],
    cautions: read.warnings.map((warning) => caution(path, warning.at, warning.text, 'config')),
  };
}

function surroundings(path: string, { environment, files }: Host): Surroundings {
  return {
    environ: (name) => environment.get(name),
    path,
    directory: files.cwd(),
    realpath: (name) => files.target(name),
  };
}

/** The words behind the interpreter on a launcher's first line, and whether the kernel put them in front of our own. */
function shebangOptions(bytes: Uint8Array, argv: readonly string[]): { words: readonly string[]; isInArgv: boolean } {
  const line = new TextDecoder().decode(bytes.subarray(0, 256)).split(/\r?\n/, 1)[0] ?? '';
  const [, interpreter = '', rest = ''] = /^#![ \t]*(\S+)[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
  // Another interpreter's options are not ours: execve(2) passes what follows as one argument.
  if (!/(^|\/)frontik-supervisor[^/]*$/.test(interpreter) || rest === '') return { words: [], isInArgv: false };
  return { words: rest.split(/[ \t]+/), isInArgv: argv[0] === rest };
}

function textLayer(given: ReadonlyMap<string, string>, origin: Origin, place?: string): Layer {
  return new Map(
    [...given].flatMap(([name, value]): [OptionName, Given][] => {
      const option = optionNamed(name);
      return option === undefined
        ? []
        : [[option.name, { value: { kind: 'text', value }, origin, source: place ?? `--${option.name}` }]];
    }),
  );
}

function fileLayer(assigned: readonly Assigned[], path: string, origin: Origin): Layer {
  return new Map(
    assigned.flatMap(({ name, value, at }): [OptionName, Given][] => {
      const option = optionNamed(name);
      return option === undefined ? [] : [[option.name, { value, origin, source: place(path, at) }]];
    }),
  );
}

function place(path: string, { line, col }: Place): string {
  return `${path}:${line}:${col}`;
}

function caution(path: string, at: Place, text: string, origin: Origin): Problem {
  return { origin, source: place(path, at), text };
}

function unread(path: string, { kind, at, text }: Unread, origin: Origin): Trouble {
  const words = kind === 'invalid' ? text : `${text} cannot be read without a Python; write a literal value`;
  return { origin, source: place(path, at), text: words };
}

function unreadable(path: string, { code }: Obstacle, origin: Origin): Trouble {
  const what = origin === 'launcher' ? 'launcher' : 'configuration file';
  const trouble = { origin, source: path };
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return {
        ...trouble,
        text: `this ${what} does not exist`,
        ...(origin === 'launcher' ? { exit: NOT_INSTALLED } : {}),
      };
    case 'EACCES':
    case 'EPERM':
      return { ...trouble, text: `no permission to read this ${what}`, exit: NOT_PERMITTED };
    case 'EISDIR':
      return { ...trouble, text: `this ${what} is a directory` };
    default:
      return { ...trouble, text: `this ${what} cannot be read: ${code}` };
  }
}
