# shellcheck shell=sh
# shellcheck disable=SC2154 # when_awk, printed_awk: the functions of those files
clock() { # sets `now`, and `east`: this host's seconds east of Greenwich
now=$(date +%s); z=$(date +%z)
east=$(( ${z%????}1 * (3600 * (1${z#?} / 100 - 100) + 60 * (1${z#?} % 100)) ))
}
timed() { # PROGRAM [NAME=VALUE...]: awk with the functions above
program=$when_awk$printed_awk$1; shift
for v do shift; set -- "$@" -v "$v"; done
awk -v now="$now" -v since="$since" -v offset="$east" -v year="$(date +%Y)" "$@" "$program"
}
unpacked() { # FILE: its text
case $1 in
*.gz) gzip -dc -- "$1";; *.xz) xz -dc -- "$1";; *.bz2) bzip2 -dc -- "$1";; *.zst) zstd -dc -- "$1";; *) cat -- "$1";;
esac
}
end_of() { # BYTES FILE: the end of its text; a plain file is not read through for it
case $2 in *.gz|*.xz|*.bz2|*.zst) unpacked "$2" | tail -c "$1";; *) tail -c "$1" -- "$2";; esac
}
ending() { # BYTES FILE: its last lines, at most so many bytes; all of them for "all"
if [ "$1" = all ]; then unpacked "$2"; else tail -c "$1" -- "$2" | tail -n +2; fi
}
# shellcheck disable=SC2016 # a program for awk
first() { # the time of the first line that has one
head -c 65536 | timed '{ t = when($0); if (t >= 0) { printf "%.0f\n", int(t); exit } }'
}
rotations() ( # NAME: "mtime size name" of all files of that log, newest first
p=$(pattern "$1"); IFS= # blanks are part of a name
# shellcheck disable=SC2086 # patterns
stat -c '%Y %s %n' -- $p $p.[0-9]* $p-[0-9]* 2>/dev/null | sort -rn
)
nolog() ( # NAME: says why none of its files was found
p=$(pattern "$1"); IFS=
# shellcheck disable=SC2086 # a pattern
set -- $p; echo "== nolog $(ls -d -- "$1" 2>&1 >/dev/null)"
)
plan() { # SECONDS BYTES file|ENGINE NAME | SECONDS BYTES unit NAME [FORMAT]: says what of a log is read, for `feed`
kind=$3 name=$4 format=${5:-cat} lines=$(($2 / 200)) # a line has some 200 bytes
case $kind in
unit) journal "$1" "$lines" "$name";;
file) plan_files "$1" "$2" "$name";;
*) container_log "$1" "$lines" "$kind" "$name";;
esac
}
plan_files() { # SECONDS BYTES NAME: sets `files` to "bytes name" lines, oldest first, that hold the window
clock; since=$((now - $1)); left=$2
rotated=$(rotations "$3")
echo "== window $since $now"
[ -n "$rotated" ] || { nolog "$3"; exit 0; }
files=; why=short; covered=0
while read -r changed size name; do
if [ "$changed" -lt "$since" ]; then why=; break; fi
[ "$changed" -ge "$covered" ] || break
[ -r "$name" ] || { echo "== unreadable $name"; exit 0; }
[ -f "$name" ] || { echo "$name is no regular file" >&2; exit 8; }
case $name in
*.gz|*.xz|*.bz2|*.zst)
# It cannot be read from its end, and logs shrink to a tenth or less.
if [ $((size * 10)) -gt "$left" ]; then why=bound; break; fi
t=$(unpacked "$name" 2>/dev/null | first); left=$((left - size * 10)); take=all;;
*)
take=1048576
while :; do
[ "$take" -lt "$left" ] || take=$left
[ "$take" -lt "$size" ] || take=all
t=$(ending "$take" "$name" 2>/dev/null | first)
if [ "$take" = all ]; then left=$((left - size)); break; fi
if [ "${t:-$now}" -lt "$since" ]; then left=$((left - take)); break; fi
if [ "$take" = "$left" ]; then left=0; why=bound; break; fi
take=$((take * 2))
done;;
esac
files="$take $name
$files"
[ "$why" = bound ] && break
# Not the end yet: files written in the same second may stand in any order.
if [ -n "$t" ] && [ "$t" -lt "$since" ]; then why=; covered=$changed; continue; fi
[ "$left" -gt 0 ] || { why=bound; break; }
done <<END
$rotated
END
echo "== read $why"
}
feed() { # the planned lines, and some before the window
case $kind in
unit) journalctl -q -u "$name" --since "@$since" -n "$lines" -o "$format"; return;;
file) ;;
*) "$engine" logs --since "$since" --tail "$lines" "$name" 2>&1; return;;
esac
printf '%s' "$files" | while read -r take name; do ending "$take" "$name" || echo "== broken $name" >&2; echo; done
}
container_log() { # SECONDS LINES ENGINE NAME: the same of what a container printed; sets `engine`
clock; since=$((now - $1)); echo "== window $since $now"
engine_of "$3" || exit
inspected "$4" '{{.Id}}' >/dev/null || { echo '== nolog No such file'; exit 0; }
# Where its engine keeps no log that can be read, it says so.
t=$("$engine" logs --tail 1 "$4" 2>&1 >/dev/null) || { printf '%s\n' "$t" >&2; exit 6; }
t=$("$engine" logs --timestamps "$4" 2>&1 | first)
n=$("$engine" logs --since "$since" --tail "$2" "$4" 2>&1 | wc -l)
why=; [ "${t:-$now}" -le "$since" ] || why=short; [ "$n" -lt "$2" ] || why=bound
echo "== read $why"
}
journal() { # SECONDS LINES UNIT: the same of a unit's journal
clock; since=$((now - $1)); echo "== window $since $now"
command -v journalctl >/dev/null 2>&1 || { echo '== nosystemd'; exit 0; }
[ -z "$(journal_kept_back "$(journalctl -u "$3" -n 1 2>&1 >/dev/null)")" ] || { echo "== hidden"; exit 0; }
t=$(journalctl -q -n 1 -o short-unix 2>/dev/null); t=${t%%.*}
[ "${t:-0}" -lt "$since" ] || echo '== alive'
t=$(journalctl -q -o short-unix 2>/dev/null | head -n 1); t=${t%%.*}
[ -n "$(journalctl -q -u "$3" -n 1 -o cat 2>/dev/null)" ] || { echo '== nolog No such file'; exit 0; }
n=$(journalctl -q -u "$3" --since "@$since" -n "$2" -o cat 2>/dev/null | wc -l)
why=; [ "${t:-$now}" -le "$since" ] || why=short; [ "$n" -lt "$2" ] || why=bound
echo "== read $why"
}
