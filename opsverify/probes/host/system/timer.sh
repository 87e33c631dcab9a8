# shellcheck shell=sh
timer=$1 most=$2; shift 2 # what is left: words, of which a line of the run's output must hold one
of_timer() { systemctl show "$@" -p LoadState,ActiveState,SubState,UnitFileState,LastTriggerUSec,Unit -- "$timer"; }
command -v systemctl >/dev/null 2>&1 || { echo '== nosystemd'; exit 0; }
echo "== clock $(date +%s)"; echo "== zone $(date '+%z %Z')"
echo "== up $(cut -d' ' -f1 /proc/uptime)"
echo '== timer'
of_timer --timestamp=unix 2>/dev/null || of_timer || exit 5 # systemd before 248 knows no --timestamp
u=$(systemctl show -p Unit --value -- "$timer")
echo '== unit'; systemctl show -p Result,ExecMainStatus -- "$u"
[ $# -gt 0 ] || exit 0
command -v journalctl >/dev/null 2>&1 || { echo '== hidden'; exit 0; }
[ -z "$(journal_kept_back "$(journalctl -u "$u" -n 1 2>&1 >/dev/null)")" ] || { echo '== hidden'; exit 0; }
i=$(systemctl show -p InvocationID --value -- "$u"); [ -n "$i" ] || exit 0
for word do shift; set -- "$@" -e "$word"; done
echo '== said'
journalctl -q -o cat -n 500 _SYSTEMD_INVOCATION_ID="$i" | grep -aF "$@" | tail -n "$most" | cut -c 1-300 | sed 's/^/| /'
exit 0
