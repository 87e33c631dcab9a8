# shellcheck shell=sh
# shellcheck disable=SC2154 # now: set by clock
kind=$1 log=$2
ends_of() { # [LINES]: the time of the first of the last lines that a container printed, of all without a number
"$engine" logs --timestamps ${1:+--tail "$1"} "$log" 2>&1 | first
}
case $kind in unit|file) ;; *)
container_log 86400 1 "$kind" "$log"; echo "== clock $now"
t=$(ends_of 1); [ -z "$t" ] || echo "== last $t"
t=$(ends_of ''); [ -z "$t" ] || echo "== first $t"
echo '== files 1'
exit 0;; esac
if [ "$kind" = unit ]; then
journal 86400 1 "$log"; echo "== clock $now"
journalctl -q -u "$log" -n 1 -o short-unix | awk '{ printf "== last %.0f\n", int($1) }'
journalctl -q -u "$log" -o short-unix 2>/dev/null | head -n 1 | awk '{ printf "== first %.0f\n", int($1) }'
echo "== files 1"
exit 0
fi
clock
# shellcheck disable=SC2034 # for the awk of `timed`
since=0
echo "== clock $now"
rotated=$(rotations "$log")
[ -n "$rotated" ] || { nolog "$log"; exit 0; }
echo "== files $(printf '%s\n' "$rotated" | wc -l)"
one() { # LINE: sets changed, size and name, of a file that may be read
read -r changed size name <<END
$1
END
[ -r "$name" ] || { echo "== unreadable $name"; exit 0; }
[ -f "$name" ] || { echo "$name is no regular file" >&2; exit 8; }
}
one "$(printf '%s\n' "$rotated" | head -n 1)"
echo "== newest $size $name"
# shellcheck disable=SC2016 # a program for awk
printf '%s\n' "$rotated" | while read -r written bytes file; do # just rotated, the newest is empty
[ -r "$file" ] || { echo "== unreadable $file"; break; }
[ -f "$file" ] || continue
[ "$bytes" -gt 0 ] && [ "$(unpacked "$file" 2>/dev/null | head -c 1 | wc -c)" -gt 0 ] || continue
t=$(end_of 65536 "$file" 2>/dev/null |
timed '{ t = when($0); if (t >= 0) l = t } END { if (l) printf "%.0f", int(l) }')
echo "== last ${t:-$written}"; echo "== holder $file"; break
done
one "$(printf '%s\n' "$rotated" | tail -n 1)"
t=$(unpacked "$name" 2>/dev/null | first)
[ "$size" -eq 0 ] || echo "== first ${t:-$changed}"
