# shellcheck shell=sh
settle=$1 interval=$2 whole=$3; shift 3 # seconds; some BusyBoxes sleep whole ones only; what is left: names
# Only builtins until a name matches: a host has many processes, and a fork for each would be its own load.
wanted() { # COMMAND NAME...
command=$1; shift
for name do case $command in "$name"|"$name "*) return 0;; esac; done
return 1
}
# Newer Node.js calls its main thread MainThread; its command line still tells.
look() { # first|second NAME...
round=$1; shift
echo "== $round"; head -n 1 /proc/stat
for d in /proc/[0-9]*; do
{ read -r c <"$d/comm"; } 2>/dev/null || continue
[ "$c" != MainThread ] || { c=$(tr '\000' '\n' <"$d/cmdline" | head -n 1); c=${c##*/}; } 2>/dev/null
wanted "$c" "$@" || continue
{ read -r s <"$d/stat"; } 2>/dev/null || continue
printf 'name %s\nstat %s\n' "$c" "$s"
[ "$round" = first ] || grep '^Rss' "$d/status" 2>/dev/null
done
}
sleep "$settle" 2>/dev/null
look first "$@"
sleep "$interval" 2>/dev/null || sleep "$whole"
look second "$@"
echo '== memory'; grep '^MemTotal:' /proc/meminfo
echo "== cores $(grep -c '^cpu[0-9]' /proc/stat)"; limits
