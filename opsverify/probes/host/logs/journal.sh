# shellcheck shell=sh
# shellcheck disable=SC2154 # now: set by clock
seconds=$1 most=$2 unit=$3 full=$4 # the unit's full name; "" twice for the whole system
entries() { # OPTION...: the newest first, so that what a bound cuts off is the oldest
journalctl -q ${unit:+-u "$unit"} --since "@$since" -r -n "$most" -o json \
--output-fields=MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,_PID "$@" || exit 5
}
clock; since=$((now - seconds)); echo "== window $since $now"
command -v journalctl >/dev/null 2>&1 || { echo '== nosystemd'; exit 0; }
case $(journal_kept_back "$(journalctl -n 1 2>&1 >/dev/null)") in
hidden) echo '== hidden'; exit 0;;
none) echo '== nojournal'; exit 0;;
esac
[ -z "$unit" ] || echo "== unit $(systemctl show -p LoadState "$full" 2>/dev/null)"
echo "== oldest $(journalctl -q -o short-unix 2>/dev/null | head -n 1 | cut -d. -f1)"
echo "== newest $(journalctl -q -n 1 -o short-unix 2>/dev/null | cut -d. -f1)"
echo '== entries'
entries -p err
# systemd says at `warning` that a unit failed; asked for alone, or its own warnings might crowd errors out.
[ -z "$unit" ] || { echo '== failures'; entries -p warning..warning _PID=1; }
echo '== end'
