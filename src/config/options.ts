// The table of options: the command line, the configuration reader, --help and the README's table are made from it.

/** What a value of an option may be: Python's `str`, `int` and `bool`. */
export type OptionType = 'str' | 'int' | 'bool';

/** One option of the program. `bounds` are inclusive and hold for `int` only. */
export interface Option {
  /** Its name as Frontik spells it, with underscores; on the command line `-` and `_` are the same. */
  readonly name: OptionName;
  /** The shorter name it has on the command line and in launchers, never in a configuration file. */
  readonly alias: string | undefined;
  readonly type: OptionType;
  /** `undefined` is Python's None: not set. */
  readonly default: string | number | boolean | undefined;
  readonly bounds: readonly [least: number, most: number] | undefined;
  /** Whether a configuration file, which is the worker's file too, may set it. */
  readonly inConfig: boolean;
  readonly help: string;
}

export type OptionName =
  | 'script'
  | 'config'
  | 'app'
  | 'workers_count'
  | 'start_port'
  | 'pidfile_template'
  | 'logfile_template'
  | 'supervisor_sigterm_timeout'
  | 'nofile_soft_limit'
  | 'with_coverage'
  | 'supervisor_start_timeout'
  | 'supervisor_partial_status'
  | 'supervisor_status_path'
  | 'supervisor_status_server'
  | 'supervisor_python'
  | 'supervisor_user'
  | 'supervisor_group'
  | 'supervisor_batch'
  | 'supervisor_settle'
  | 'supervisor_drain'
  | 'supervisor_before_stop'
  | 'supervisor_after_start'
  | 'supervisor_hook_timeout'
  | 'supervisor_start_retries'
  | 'supervisor_hang_timeout';

const PREFIX = 'supervisor_';
const DAY = 86_400;

function option(
  name: OptionName,
  type: OptionType,
  fallback: Option['default'],
  help: string,
  bounds?: Option['bounds'],
): Option {
  // The original's own option keeps its one name; ours may be written without their prefix.
  const isNew = name.startsWith(PREFIX) && name !== 'supervisor_sigterm_timeout';
  return {
    name,
    alias: isNew ? name.slice(PREFIX.length) : undefined,
    type,
    default: fallback,
    bounds,
    inConfig: name !== 'script' && name !== 'config' && name !== 'app',
    help,
  };
}

/** All options, in the order in which people read them. */
export const OPTIONS: readonly Option[] = [
  option('script', 'str', undefined, 'what starts one worker: a path, optionally followed by arguments'),
  option('config', 'str', undefined, "Frontik's configuration file, handed to every worker as it is written"),
  option('app', 'str', undefined, 'application package, handed to every worker'),
  option('workers_count', 'int', 4, 'number of workers', [1, 65_535]),
  option('start_port', 'int', 8000, 'port of the first worker; the others follow', [1, 65_535]),
  option('pidfile_template', 'str', undefined, 'path of the pidfiles, with %(port)s in it'),
  option('logfile_template', 'str', undefined, 'path of the log files, with %(port)s in it'),
  option('supervisor_sigterm_timeout', 'int', 4, 'seconds between SIGTERM and SIGKILL', [0, DAY]),
  option('nofile_soft_limit', 'int', 4096, 'soft limit of open files of every worker', [0, 2_147_483_647]),
  option('with_coverage', 'bool', false, 'start workers as `coverage run SCRIPT ...`'),
  option('supervisor_start_timeout', 'int', 60, 'seconds a worker may take until it is ready', [1, DAY]),
  option(
    'supervisor_partial_status',
    'int',
    1,
    'exit code of `status` when only some workers run; 4 under Pacemaker',
    [0, 255],
  ),
  option('supervisor_status_path', 'str', '/status/', 'what a worker is asked for to see if it is ready'),
  option(
    'supervisor_status_server',
    'str',
    'TornadoServer,Frontik',
    'how the Server header of a ready worker may begin; empty: any',
  ),
  option('supervisor_python', 'str', undefined, 'start workers as `PYTHON SCRIPT ...`'),
  option('supervisor_user', 'str', undefined, 'as root, start workers as this user'),
  option('supervisor_group', 'str', undefined, 'as root, start workers with this group'),
  option('supervisor_batch', 'str', '1', 'reload: workers replaced at a time, a number or a share such as 25%'),
  option(
    'supervisor_settle',
    'int',
    1,
    'reload: seconds a new worker must stay alive before the next one is replaced',
    [0, DAY],
  ),
  option('supervisor_drain', 'int', 0, 'reload: seconds between the hook before_stop and SIGTERM', [0, DAY]),
  option('supervisor_before_stop', 'str', undefined, 'reload: hook, run before a worker is stopped; may hold %(port)s'),
  option('supervisor_after_start', 'str', undefined, 'reload: hook, run when a new worker is ready; may hold %(port)s'),
  option('supervisor_hook_timeout', 'int', 10, 'seconds a hook may take', [1, DAY]),
  option(
    'supervisor_start_retries',
    'int',
    5,
    'run: quick deaths in a row after which a worker is given up for a while',
    [1, 1000],
  ),
  option(
    'supervisor_hang_timeout',
    'int',
    30,
    'run: seconds without an answer after which a worker is restarted; 0: never',
    [0, DAY],
  ),
];

const BY_NAME: ReadonlyMap<string, Option> = new Map(
  OPTIONS.flatMap((entry) => [entry.name, entry.alias].flatMap((name) => (name === undefined ? [] : [[name, entry]]))),
);

/** The option of that name or alias (underscores, as Python spells it), for launchers and the command line. */
export function optionNamed(name: string): Option | undefined {
  return BY_NAME.get(name);
}

/** Whether a configuration file may set the option of that name: the original's seven and `supervisor_…`. */
export function isConfigOption(name: string): boolean {
  const found = BY_NAME.get(name);
  return found !== undefined && found.name === name && found.inConfig;
}
