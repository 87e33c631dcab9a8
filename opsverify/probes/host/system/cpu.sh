# shellcheck shell=sh
settle=$1 interval=$2 whole=$3 # seconds; some BusyBoxes sleep whole ones only
sleep "$settle" 2>/dev/null
limits; cpu_spent spent1
echo '== first'; head -n 1 /proc/stat
sleep "$interval" 2>/dev/null || sleep "$whole"
cpu_spent spent2
echo '== second'; grep '^cpu' /proc/stat; echo '== load'; cat /proc/loadavg
