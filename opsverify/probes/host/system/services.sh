# shellcheck shell=sh
kind=$1 properties=$2 minutes=$3 most=$4 message=$5; shift 5
# What is left: names of units, the file of a process id, or a container and its engine.
if [ "$kind" = container ]; then
engine_of "$2" || exit
echo "== clock $(date +%s)"; container_state "$1"; exit 0
fi
if [ "$kind" = file ]; then
f=$1
echo "== clock $(date +%s) $(cut -d' ' -f1 /proc/uptime)"
# shellcheck disable=SC2012 # the complaint of ls is wanted
if [ ! -e "$f" ]; then ls -d -- "$f" 2>&1 | sed 's/^/== missing /'; exit 0; fi
[ -f "$f" ] || { echo 'it is no regular file' >&2; exit 4; }
head -n 1 "$f" >/dev/null || exit 4
p=$(file_pid "$f")
echo "== pid $p"
echo "== written $(stat -c %Y -- "$f" 2>/dev/null)"
echo "== ticks $(getconf CLK_TCK 2>/dev/null || echo 100)"
sed -n 's/^btime /== boot /p' /proc/stat
[ -n "$p" ] && [ -d "/proc/$p" ] || exit 0
echo "== stat"; tr '\n' ' ' < "/proc/$p/stat"; echo
echo "== exe"; readlink "/proc/$p/exe" 2>/dev/null
echo "== command"; tr '\0\n' '\n ' < "/proc/$p/cmdline" 2>/dev/null | head -n 2
exit 0
fi
command -v systemctl >/dev/null 2>&1 || { echo '== nosystemd'; exit 0; }
echo "== clock $(date +%s) $(cut -d' ' -f1 /proc/uptime)"
# --timestamp came with systemd 248; before, the monotonic time has to do.
u=$(systemctl show -p "$properties" --timestamp=unix -- "$@" 2>/dev/null || systemctl show -p "$properties" -- "$@") || exit
printf '%s\n' '== units' "$u"
# The journal knows units by their own names, and no alias. It may be slow: it is only asked for so long.
set --; for i in $(printf '%s\n' "$u" | sed -n 's/^Id=//p'); do set -- "$@" -u "$i"; done
[ $# -gt 0 ] && command -v journalctl >/dev/null 2>&1 || exit 0
B=; timeout 1 true 2>/dev/null && B='timeout 2'
[ -z "$(journal_kept_back "$($B journalctl -n 1 "$@" 2>&1 >/dev/null)")" ] || exit 0
s=$(($(date +%s) - 60 * minutes))
n=$($B journalctl -q -o cat -n "$most" --since "@$s" "$@" _PID=1 MESSAGE_ID="$message") || exit 0
o=$($B journalctl -q -o short-unix --system 2>/dev/null | head -n 1 | cut -d. -f1)
echo "== restarted $(printf '%s' "$n" | grep -c '')"; echo "== window $s"; echo "== oldest $o"
exit 0
