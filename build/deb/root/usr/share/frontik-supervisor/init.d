#!/bin/sh
### BEGIN INIT INFO
# Provides:          frontik
# Required-Start:    $remote_fs $network
# Required-Stop:     $remote_fs $network
# Should-Start:      $named $syslog $time
# Should-Stop:       $named $syslog
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: web workers of frontik
# Description:       Starts, stops, restarts and shows the web workers of
#                    frontik.
### END INIT INFO
# Usage: /etc/init.d/frontik {start|stop|restart|force-reload|reload|try-restart|status|check}

# How to use it (another name than frontik must be put into Provides, too):
#   install -m 755 /usr/share/frontik-supervisor/init.d /etc/init.d/frontik
#   install -m 644 /usr/share/frontik-supervisor/default /etc/default/frontik    # and edit it
#   update-rc.d frontik defaults

# The program is gone and this file has stayed: nothing to do, and nothing can be told.
if [ ! -x /usr/bin/frontik-supervisor ]; then
  case ${1:-} in
    status) exit 4 ;;
    run) exit 5 ;;
    *) exit 0 ;;
  esac
fi

# The links in /etc/rc?.d have names of their own, and a copy of this file is another launcher.
FRONTIK_SUPERVISOR_LAUNCHER=$(readlink -f "$0")
NAME=${FRONTIK_SUPERVISOR_LAUNCHER##*/}
SCRIPT='' CONFIG='' APP='' OPTIONS=''
if { [ -e "/etc/default/$NAME" ] || [ -L "/etc/default/$NAME" ]; } && [ ! -r "/etc/default/$NAME" ]; then
  echo "/etc/default/$NAME: cannot be read: run this as root" >&2
  exit 4
fi
if [ -r "/etc/default/$NAME" ]; then
  # Where it is broken the shell ends, with a number that would tell whoever has asked something else.
  trap '
    echo "/etc/default/$NAME: cannot be used: nothing was done" >&2
    case ${1:-} in status) exit 4 ;; *) exit 6 ;; esac
  ' EXIT
  sh -n "/etc/default/$NAME" || exit # bash would go on after a quote that nothing closes
  # shellcheck source=/dev/null
  . "/etc/default/$NAME"
  trap - EXIT
fi
# Whoever is told of --config, and has typed none, does not know where to look. Without the script, workers can be stopped.
case ${1:-}:${SCRIPT:+set}:${CONFIG:+set} in
  *:set:set | stop::set | status::set) ;;
  *)
    echo "/etc/default/$NAME: SCRIPT and CONFIG must be set" >&2
    case ${1:-} in status) exit 4 ;; *) exit 6 ;; esac ;;
esac

# init-functions keeps a masked unit from being started. It would also hand over to systemctl; the program does that
# itself, and looks what has come of it. Whoever stops workers, or asks how they are, needs neither.
case ${1:-} in
  stop | status | check | export | run) ;;
  start | restart | force-reload | reload | try-restart | condrestart)
    asked=${SYSTEMCTL_SKIP_REDIRECT:-}${_SYSTEMCTL_SKIP_REDIRECT:-}
    SYSTEMCTL_SKIP_REDIRECT=yes _SYSTEMCTL_SKIP_REDIRECT=yes
    # shellcheck source=/dev/null
    [ -r /lib/lsb/init-functions ] && . /lib/lsb/init-functions
    SYSTEMCTL_SKIP_REDIRECT=$asked _SYSTEMCTL_SKIP_REDIRECT=$asked ;;
esac

export FRONTIK_SUPERVISOR_LAUNCHER
# OPTIONS are words, and none is a pattern.
set -f
# shellcheck disable=SC1003,SC2016,SC2086
exec /usr/bin/frontik-supervisor --script="$SCRIPT" --config="$CONFIG" ${APP:+--app="$APP"} $OPTIONS "$@"
