// A systemd unit for an init script, where no generator makes one. Pure. It says what build/deb/systemd has for the others, and
// test/unit/drop-in.test.ts holds that.

import { marked, scriptPath } from './drop-in.ts';

/** The unit's name: systemd.unit(5), "String Escaping for Inclusion in Unit Names". */
export function unitName(name: string): string {
  return `${name.replaceAll('+', String.raw`\x2b`)}.service`;
}

/** The unit; of the program, which is at `binary`, it wants to know only that it is there, as the init script does. */
export function writeUnit(name: string, binary: string): string {
  const launcher = scriptPath(name);
  return marked(`[Unit]
SourcePath=${launcher}
Description=Web workers of ${name}
Documentation=man:frontik-supervisor(8)
After=network.target network-online.target nss-lookup.target remote-fs.target
ConditionFileIsExecutable=${binary.replaceAll('%', '%%')}
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=all
ExecStart=${launcher} run
ExecReload=${launcher} reload
KillMode=process
ExecStopPost=/bin/sh -c ' \\
  case $$SERVICE_RESULT:$$EXIT_STATUS in \\
    success:*) exit ;; \\
    exit-code:[2-6] | exit-code:203) ;; \\
    *) \\
      case $$SERVICE_RESULT:$$(systemctl show --property=NRestarts --value "%n") in \\
        signal:* | core-dump:* | watchdog:* | oom-kill:*) sleep 0.5 ;; \\
        *:0) ;; \\
        *) sleep 5 ;; \\
      esac; \\
      job=$$(systemctl list-jobs --no-legend | while read -r _ unit type _; do [ "$$unit" != "%n" ] || echo "$$type"; done); \\
      case $$job in stop | restart) ;; *) exit 0 ;; esac ;; \\
  esac; \\
  exec ${launcher} stop'
Restart=on-failure
RestartSec=0
RestartPreventExitStatus=2 3 4 5 6 203
OOMPolicy=continue
TimeoutStartSec=infinity
TimeoutStopSec=5min
SyslogIdentifier=%N
LimitNOFILE=524288

[Install]
WantedBy=multi-user.target
`);
}
