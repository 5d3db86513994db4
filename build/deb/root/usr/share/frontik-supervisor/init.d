#!/bin/sh
### BEGIN INIT INFO
# Provides:          frontik
# Required-Start:    $local_fs $remote_fs $network
# Required-Stop:     $local_fs $remote_fs $network
# Should-Start:      $named $syslog $time
# Should-Stop:       $named $syslog
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: web workers of a Frontik application
# Description:       Starts, stops, restarts and shows the web workers of
#                    the application that /etc/default/frontik names.
### END INIT INFO

# How to use it (another name than frontik must be put into Provides, too):
#   install -m 755 /usr/share/frontik-supervisor/init.d /etc/init.d/frontik
#   install -m 644 /usr/share/frontik-supervisor/default /etc/default/frontik    # and edit it
#   update-rc.d frontik defaults
#   service frontik start|stop|restart|force-reload|try-restart|status|check

# The package is gone and this file has stayed: nothing to do, and nothing can be told.
[ -x /usr/bin/frontik-supervisor ] || { [ "${1:-}" = status ] && exit 4; exit 0; }

# The links in /etc/rc?.d have names of their own.
NAME=$(readlink -f "$0")
NAME=${NAME##*/}
SCRIPT='' CONFIG='' APP='' OPTIONS=''
# shellcheck source=/dev/null
[ -r "/etc/default/$NAME" ] && . "/etc/default/$NAME"

# Under systemd init-functions hands over to systemctl; whoever wants to know how it is must look, not ask systemd.
# shellcheck disable=SC2034 # init-functions reads it
case ${1:-} in
  start | stop | restart | force-reload | reload | try-restart) ;;
  *) SYSTEMCTL_SKIP_REDIRECT=yes ;;
esac
# shellcheck source=/dev/null
. /lib/lsb/init-functions

# /run is empty after each boot, and only systemd has tmpfiles.d to fill it.
case ${1:-} in
  start | restart | force-reload | try-restart | condrestart | run)
    [ -d /run/frontik ] || install -d -m 755 -o frontik -g frontik /run/frontik ;;
esac

# shellcheck disable=SC2086 # words
exec /usr/bin/frontik-supervisor --script="$SCRIPT" --config="$CONFIG" ${APP:+--app="$APP"} $OPTIONS "$@"
