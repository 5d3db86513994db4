// Where settings come from: the command line, the launcher with its first line, the configuration file. Reads the files,
// and gathers every problem with its place.

import type { ProxyName } from '../config/export.ts';
import type { Given, Layer, Origin, Problem } from '../config/given.ts';
import type { Effect, Generation } from '../config/launcher.ts';
import { isConfigOption, OPTIONS, type OptionName, optionNamed } from '../config/options.ts';
import { resolveFrom } from '../core/path.ts';
import type { Host, Obstacle } from '../host/host.ts';
import { type Asking, evaluateConfig, evaluateLauncher, place, type Told, type Trouble } from './evaluate.ts';
import { NOT_INSTALLED, NOT_PERMITTED } from './exit-status.ts';
import { chooseInterpreter, findScript, isPath, ownInterpreter } from './interpreter.ts';
import { type CommandLine, type Flags, parse, parseOptions } from './parse.ts';

export type { Trouble } from './evaluate.ts';

/** What launcher and command line say. */
export interface Launch {
  /** The init script that this is, if it says so: the launcher, or what has handed over to us. */
  readonly script: string | undefined;
  readonly action: string | undefined;
  readonly proxy: ProxyName | undefined;
  /** What `install` and `uninstall` are about. */
  readonly name: string | undefined;
  readonly launcher: Layer;
  /** The launcher when nobody could find out what it says, but for its first line. */
  readonly unknown: string | undefined;
  readonly commandLine: Layer;
  readonly flags: Flags;
  readonly generation: Generation;
  /** `sys.argv` and `sys.path[0]` of a launcher, real or supposed. */
  readonly argv: readonly string[];
  readonly importsFrom: string | undefined;
  /** The Python that was asked about the launcher. */
  readonly python: string | undefined;
  readonly troubles: readonly Trouble[];
  readonly cautions: readonly Problem[];
  /** Takes back what the launcher did to this process, so that it can be read again; and does it once more. */
  readonly undo: () => void;
  readonly redo: () => void;
}

/** What a configuration file says. */
export interface ConfigSource {
  /** False: nobody could find out what it says. */
  readonly isKnown: boolean;
  readonly layer: Layer;
  readonly isDaemonized: boolean;
  /** The Python that was asked. */
  readonly python: string | undefined;
  readonly troubles: readonly Trouble[];
  readonly cautions: readonly Problem[];
}

type Request = CommandLine & { kind: 'request' };

/** An init script of the sh form says by this variable which one it is; workers are not to know. */
const LAUNCHER = 'FRONTIK_SUPERVISOR_LAUNCHER';

/** The init script that has handed over to us. */
export function takeCaller({ environment }: Host): string | undefined {
  const caller = environment.get(LAUNCHER);
  if (caller !== undefined) environment.set(LAUNCHER, undefined);
  return caller;
}

/** Reads the launcher, if the command line names one, and does to this process what the launcher did to itself. */
export async function readLaunch(
  argv: readonly string[],
  line: Request,
  caller: string | undefined,
  host: Host,
  interrupted: Promise<void>,
): Promise<Launch> {
  const commandLine = textLayer(line.given, 'command-line');
  const plain: Launch = {
    script: line.launcher ?? caller,
    action: line.action,
    proxy: line.proxy,
    name: line.name,
    launcher: new Map(),
    unknown: undefined,
    commandLine,
    flags: line.flags,
    generation: 'frontik',
    argv: ['frontik-supervisor', ...argv],
    importsFrom: undefined,
    python: undefined,
    troubles: commandLineTroubles(line),
    cautions: [],
    undo: () => undefined,
    redo: () => undefined,
  };
  if (line.launcher === undefined) return plain;
  const path = line.launcher;
  const file = host.files.read(path);
  if (!file.ok) {
    return { ...plain, unknown: path, troubles: [...plain.troubles, unreadable(path, file.error, 'launcher')] };
  }
  const { words, isInArgv } = shebangOptions(file.value, argv);
  const first = parseOptions(words);
  // The kernel hands all that stands behind the interpreter over as one word; it is read as the launcher's, by word.
  const typed = isInArgv ? argv.slice(1) : argv;
  const ofFirstLine = textLayer(first.given, 'launcher', `${path}:1`);
  const asking: Asking = {
    host,
    interrupted,
    policy: line.flags.has('no_python') || first.flags.has('no_python') ? 'forbidden' : 'allowed',
    chooseInterpreter: () => ownInterpreter([ofFirstLine, commandLine], path, host),
    argv: [path, ...typed.toSpliced(typed.indexOf(path), 1)],
    importsFrom: directoryOf(path, host),
  };
  const read = await evaluateLauncher(path, file.value, asking);
  const undo = undoOf(read.effects, host);
  const own = readAgain(read.words ?? (isInArgv ? typed : undefined), line);
  return {
    script: path,
    action: own.action,
    proxy: own.proxy,
    name: own.name,
    launcher: new Map([
      ...fileLayer(read.values, path, 'launcher'),
      // The kernel makes a command line of it, so it wins over the call.
      ...ofFirstLine,
    ]),
    unknown: read.isKnown ? undefined : path,
    commandLine: textLayer(own.given, 'command-line'),
    flags: asking.policy === 'forbidden' ? new Map([...own.flags, ['no_python', '']]) : own.flags,
    generation: read.generation,
    argv: read.words === undefined ? asking.argv : [path, ...read.words],
    importsFrom: asking.importsFrom,
    python: read.python,
    troubles: [
      ...commandLineTroubles(own),
      ...first.problems.map(
        ({ source, text }): Trouble => ({ origin: 'launcher', source: `${path}:1`, text: `${source}: ${text}` }),
      ),
      ...read.troubles,
      ...applyEffects(read.effects, path, host),
    ],
    cautions: read.cautions,
    undo,
    redo: () => {
      applyEffects(read.effects, path, host);
    },
  };
}

/** The options on the command line, as they were typed. */
export function typedOptions({ commandLine }: Launch): ReadonlyMap<string, string> {
  return new Map([...commandLine].map(([name, { value }]) => [name, value.kind === 'text' ? value.value : '']));
}

/** The command line when a launcher has changed its words, or when the kernel had put some in front. */
function readAgain(words: readonly string[] | undefined, line: Request): Request {
  const read = words === undefined ? line : parse(words);
  return read.kind === 'request' ? read : line;
}

function commandLineTroubles({ problems }: Request): Trouble[] {
  return problems.map((problem) => ({ ...problem, origin: 'command-line' }));
}

/** Workers inherit what the launcher did to itself, and the configuration sees it. */
function applyEffects(effects: readonly Effect[], path: string, host: Host): Trouble[] {
  return effects.flatMap((effect): Trouble[] => {
    if (effect.kind === 'variable') {
      const { name, value } = effect;
      if (name.isWellFormed() && (value ?? '').isWellFormed()) {
        host.environment.set(name, value);
        return [];
      }
      return [{ origin: 'launcher', source: path, text: `os.environ: ${name.toWellFormed()} must be UTF-8` }];
    }
    if (!isPath(effect.path)) return [{ origin: 'launcher', source: path, text: 'os.chdir: the path must be UTF-8' }];
    const entered = host.files.enter(effect.path);
    const text = `os.chdir: ${effect.path} cannot be entered: ${entered.ok ? '' : entered.error.code}`;
    return entered.ok ? [] : [{ origin: 'launcher', source: path, text }];
  });
}

/** What takes these effects back; to be called before they are applied. */
function undoOf(effects: readonly Effect[], { files, environment }: Host): () => void {
  const directory = files.cwd();
  const names = effects.flatMap((effect) => (effect.kind === 'variable' ? effect.name : []));
  const variables = new Map(names.map((name) => [name, environment.get(name)]));
  return () => {
    for (const [name, value] of variables) environment.set(name, value);
    if (directory !== undefined) files.enter(directory);
  };
}

/** Where a script's modules are looked for first: beside it, wherever a link to it lies. */
function directoryOf(path: string, { files }: Host): string | undefined {
  const directory = files.cwd();
  if (directory === undefined && !path.startsWith('/')) return undefined;
  const real = files.target(resolveFrom(directory ?? '/', path));
  return real.slice(0, real.lastIndexOf('/')) || '/';
}

const CONFIG_NAMES: readonly string[] = ['daemonize', ...OPTIONS.map(({ name }) => name).filter(isConfigOption)];

/** Reads a configuration file as Tornado would, the options of the supervisor only. */
export async function readConfigSource(
  path: string,
  launch: Launch,
  host: Host,
  interrupted: Promise<void>,
): Promise<ConfigSource> {
  const file = host.files.read(path);
  if (!file.ok) {
    const troubles = [unreadable(path, file.error, 'config')];
    return { isKnown: false, layer: new Map(), isDaemonized: false, python: undefined, troubles, cautions: [] };
  }
  const layers = [launch.launcher, launch.commandLine];
  const script = findScript(layers);
  // The supervisors of tornado_util called the base port `port`.
  const isOld = launch.generation === 'tornado_util';
  const read = await evaluateConfig(
    path,
    file.value,
    isOld ? CONFIG_NAMES.map((name) => (name === 'start_port' ? 'port' : name)) : CONFIG_NAMES,
    {
      host,
      interrupted,
      policy: launch.flags.has('no_python') ? 'forbidden' : 'allowed',
      chooseInterpreter: () => chooseInterpreter(layers, host),
      argv: launch.argv,
      importsFrom: launch.importsFrom ?? (script === undefined ? undefined : directoryOf(script, host)),
    },
  );
  const daemonize = read.values.find(({ name }) => name === 'daemonize')?.value;
  const options = read.values.filter(({ name }) => name !== 'daemonize');
  return {
    isKnown: read.isKnown,
    layer: fileLayer(
      isOld ? options.map((told) => ({ ...told, name: told.name === 'port' ? 'start_port' : told.name })) : options,
      path,
      'config',
    ),
    isDaemonized: daemonize?.kind === 'bool' && daemonize.value,
    python: read.python,
    troubles: read.troubles,
    cautions: read.cautions,
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

function fileLayer(assigned: readonly Told[], path: string, origin: Origin): Layer {
  return new Map(
    assigned.flatMap(({ name, value, at }): [OptionName, Given][] => {
      const option = optionNamed(name);
      return option === undefined ? [] : [[option.name, { value, origin, source: place(path, at) }]];
    }),
  );
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
