// What stands in /etc/init.d for an application, in both forms, and the template for those that are dropped by hand. Pure.
//
// The forms are read by others, too: insserv and update-rc.d read the header, the generator of build/deb/systemd and uninstall
// the line that begins with `exec`, lintian the names of the actions.

import { OPTIONS, type OptionName } from './options.ts';
import { quoteForPython, quoteForShell, writeBool, writeInt } from './quoting.ts';

/** An application as its init script is to start it. */
export interface DropIn {
  readonly name: string;
  /** The program's own path. */
  readonly binary: string;
  /** What was given, checked: paths are absolute. */
  readonly options: ReadonlyMap<OptionName, string>;
  /** Whether a Python may be asked what a file means. */
  readonly python: 'allowed' | 'forbidden';
}

/** The line by which our files are known again. */
const MARK = '# written by frontik-supervisor install';

/** Puts the mark before a text. */
export function marked(text: string): string {
  return `${MARK}\n${text}`;
}

/** Whether we have written a file, whatever somebody has changed in it since. */
export function isOurs(text: string): boolean {
  return text.split('\n').includes(MARK);
}

/** What is wrong with a name for an init script, as a sentence with the name in it; undefined if nothing is. */
export function wrongName(name: string): string | undefined {
  if (!/^[a-z0-9][a-z0-9+.-]*$/.test(name)) {
    return `${quoteForPython(name)} must be a name of small letters, digits, +, - and dots that begins with a letter or digit`;
  }
  // insserv, run-parts and the generator take these for what editors and dpkg leave; systemd drops `.sh`.
  return /\.(sh|bak|swp|old|(dpkg|ucf)-[a-z]+)$/.test(name)
    ? `'${name}' ends like a file that systems pass over in /etc/init.d`
    : undefined;
}

/** Where the init script of that name is. */
export function scriptPath(name: string): string {
  return `/etc/init.d/${name}`;
}

/** What the script of that name reads, as shell, if it is of the shell form. */
export function defaultsPath(name: string): string {
  return `/etc/default/${name}`;
}

/** A shell script that becomes the program. */
export function writeShellForm({ name, binary, options, python }: DropIn): string {
  const words = OPTIONS.flatMap((option) => {
    const value = options.get(option.name);
    return value === undefined ? [] : [`--${option.name}=${value}`];
  });
  if (python === 'forbidden') words.push('--no-python');
  const exec = [quoteForShell(binary), ...words.map(quoteForShell), '$OPTIONS "$@"'].join(' \\\n  ');
  return `#!/bin/sh
${header(name)}
${MARK}
${usage(name)}

${writeGuard(quoteForShell(binary))}

${WHICH}
# The administrator's: OPTIONS='--workers_count=8', and with \`export\` variables for the workers.
OPTIONS=''
${readDefaults(defaultsPath('$NAME'))}

${INIT_FUNCTIONS}

export FRONTIK_SUPERVISOR_LAUNCHER
${WORDS}
exec ${exec}
`;
}

/** The same for those who drop it by hand, with what writeDefaults gives beside it; the program is where its package has it. */
export function writeTemplate(): string {
  const binary = '/usr/bin/frontik-supervisor';
  return `#!/bin/sh
${header('frontik')}
${usage('frontik')}

# How to use it (another name than frontik must be put into Provides, too):
#   install -m 755 /usr/share/frontik-supervisor/init.d /etc/init.d/frontik
#   install -m 644 /usr/share/frontik-supervisor/default /etc/default/frontik    # and edit it
#   update-rc.d frontik defaults

${writeGuard(binary)}

${WHICH}
SCRIPT='' CONFIG='' APP='' OPTIONS=''
${readDefaults(defaultsPath('$NAME'))}
# Whoever is told of --config, and has typed none, does not know where to look. Without the script, workers can be stopped.
case \${1:-}:\${SCRIPT:+set}:\${CONFIG:+set} in
  *:set:set | stop::set | status::set) ;;
  *)
    ${refuse('/etc/default/$NAME: SCRIPT and CONFIG must be set')} ;;
esac

${INIT_FUNCTIONS}

export FRONTIK_SUPERVISOR_LAUNCHER
${WORDS}
exec ${binary} --script="$SCRIPT" --config="$CONFIG" \${APP:+--app="$APP"} $OPTIONS "$@"
`;
}

/** What /etc/default/NAME says for the template. */
export function writeDefaults(): string {
  return `# Read by /etc/init.d/frontik, as shell.

# What starts one worker: a path, and arguments if it needs any.
SCRIPT=/usr/bin/frontik
# The application's package, for Frontik; other scripts may need none.
APP=application_package
# Frontik's configuration file. It says how many workers there are, their first port, and where their files are:
#   start_port = 8000
#   workers_count = 4
#   pidfile_template = '/run/frontik/%(port)s.pid'
#   logfile_template = '/var/log/frontik/%(port)s.log'
CONFIG=/etc/frontik/frontik.cfg
# Anything else that \`frontik-supervisor --help\` shows, as words without quotes.
OPTIONS='--user=frontik'
`;
}

/** A launcher as the Python supervisor's users know it, that the kernel hands to the program; see shebangProblem. */
export function writeShebangForm({ name, binary, options, python }: DropIn): string {
  const given = OPTIONS.flatMap((option) => {
    const value = options.get(option.name);
    if (value === undefined) return [];
    const written = { str: quoteForPython, int: writeInt, bool: writeBool }[option.type](value);
    return [`    ${option.name}=${written},`];
  });
  return `#!${binary}${python === 'forbidden' ? ' --no-python' : ''}
# coding=utf-8
${header(name)}
${MARK}
${usage(name)}
from frontik.server.supervisor import supervisor

supervisor(
${given.join('\n')}
)
`;
}

/** Why the kernel cannot be told that the program interprets a file: execve(2), "Interpreter scripts". */
export function shebangProblem(binary: string): string | undefined {
  if (/\s/.test(binary)) return `no first line of a script can name ${binary}, which has a blank`;
  const bytes = new TextEncoder().encode(`#!${binary} --no-python\n`).length;
  return bytes > 255 ? `no first line of a script can name ${binary}, which is too long` : undefined;
}

function header(name: string): string {
  return `### BEGIN INIT INFO
# Provides:          ${name}
# Required-Start:    $remote_fs $network
# Required-Stop:     $remote_fs $network
# Should-Start:      $named $syslog $time
# Should-Stop:       $named $syslog
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: web workers of ${name}
# Description:       Starts, stops, restarts and shows the web workers of
#                    ${name}.
### END INIT INFO`;
}

/** The line in which bash-completion looks for the actions of `service NAME`: its function _service. */
function usage(name: string): string {
  return `# Usage: ${scriptPath(name)} {start|stop|restart|force-reload|reload|try-restart|status|check}`;
}

/** Ends a script. LSB, "Init Script Actions": 6 is "not configured"; what hinders status is 4, "unknown". */
function refuse(text: string): string {
  return `echo "${text}" >&2
    case \${1:-} in status) exit 4 ;; *) exit 6 ;; esac`;
}

/** Reads what the administrator has written. Without it a launcher might be of other workers, so that it does nothing then. */
function readDefaults(file: string): string {
  return `if { [ -e "${file}" ] || [ -L "${file}" ]; } && [ ! -r "${file}" ]; then
  echo "${file}: cannot be read: run this as root" >&2
  exit 4
fi
if [ -r "${file}" ]; then
  # Where it is broken the shell ends, with a number that would tell whoever has asked something else.
  trap '
    ${refuse(`${file}: cannot be used: nothing was done`)}
  ' EXIT
  sh -n "${file}" || exit # bash would go on after a quote that nothing closes
  # shellcheck source=/dev/null
  . "${file}"
  trap - EXIT
fi`;
}

// LSB, "Init Script Actions". `run` is what a systemd unit starts: it must not be told that all is well.
function writeGuard(binary: string): string {
  return `# The program is gone and this file has stayed: nothing to do, and nothing can be told.
if [ ! -x ${binary} ]; then
  case \${1:-} in
    status) exit 4 ;;
    run) exit 5 ;;
    *) exit 0 ;;
  esac
fi`;
}

// By its name as a literal, a copy of the script would have systemd stop the unit of the original.
const WHICH = `# The links in /etc/rc?.d have names of their own, and a copy of this file is another launcher.
FRONTIK_SUPERVISOR_LAUNCHER=$(readlink -f "$0")
NAME=\${FRONTIK_SUPERVISOR_LAUNCHER##*/}`;

// init-functions.d/40-systemd ends a script whose unit is masked with 0, whatever it was asked, and hands over to systemctl unless
// a variable forbids it: with an underscore until Debian 11 or so, without since.
const INIT_FUNCTIONS = `# init-functions keeps a masked unit from being started. It would also hand over to systemctl; the program does that
# itself, and looks what has come of it. Whoever stops workers, or asks how they are, needs neither.
case \${1:-} in
  stop | status | check | export | run) ;;
  start | restart | force-reload | reload | try-restart | condrestart)
    asked=\${SYSTEMCTL_SKIP_REDIRECT:-}\${_SYSTEMCTL_SKIP_REDIRECT:-}
    SYSTEMCTL_SKIP_REDIRECT=yes _SYSTEMCTL_SKIP_REDIRECT=yes
    # shellcheck source=/dev/null
    [ -r /lib/lsb/init-functions ] && . /lib/lsb/init-functions
    SYSTEMCTL_SKIP_REDIRECT=$asked _SYSTEMCTL_SKIP_REDIRECT=$asked ;;
esac`;

const WORDS = `# OPTIONS are words, and none is a pattern.
set -f
# shellcheck disable=SC1003,SC2016,SC2086`;
