# shellcheck shell=sh
# shellcheck disable=SC2154 # engine: set by engine_of
kind=$1 minutes=$2 lines=$3; shift 3
# What is left: units, a file, a log's name, which may hold a *, or a container and its engine.
# Without arguments: those of a process may hold a secret that no rule knows.
columns=pid,ppid,user,pcpu,pmem,etime,stat,comm
case $kind in
state) systemctl status --no-pager --full --lines=0 -- "$@"; exit 0;;
journal)
for unit do shift; set -- "$@" -u "$unit"; done
journalctl --no-pager -q -o short-iso "$@" --since "$minutes minutes ago" -n 400;;
process) p=$(file_pid "$1") || exit 4; ps -o $columns -p "$p"; exit 0;;
container) engine_of "$2" || exit; "$engine" ps --all --filter "name=$1";;
printed) engine_of "$2" || exit; "$engine" logs --timestamps --tail "$lines" "$1" 2>&1;;
log)
p=$(pattern "$1"); IFS= # blanks are part of a name
# shellcheck disable=SC2012,SC2086 # the newest by its time, of those that the pattern matches
f=$(ls -t -- $p | head -n 1)
[ -n "$f" ] || exit 4
[ -f "$f" ] || { echo 'it is no regular file' >&2; exit 4; }
tail -n "$lines" -- "$f";;
processes)
# BusyBox's ps knows neither these columns nor --sort, but its top shows the same.
p=$(ps -eo $columns --sort=-pcpu 2>/dev/null) || p=$(top -bn1)
printf '%s\n' "$p" | head -n 20;;
space) free -h 2>/dev/null || head -n 5 /proc/meminfo; df -h 2>/dev/null; exit 0;;
esac
