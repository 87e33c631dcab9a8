# shellcheck shell=sh
# Lists, one a line: folders of checkouts; paths, relative ones to be looked for in each of them; units; files of logs;
# and for grep: the number of a log, its options, which begin with n, and a pattern, with tabs between. Of each log so
# many lines are read, behind those of the samples.
checkouts=$1 paths=$2 units=$3 logs=$4 greps=$5 lines=$6 samples=$7
there() { # PATH: whether it is there, is not, or is hidden from this account
if [ -e "$1" ] || [ -L "$1" ]; then echo here; return; fi
case $(LC_ALL=C ls -d -- "$1" 2>&1 >/dev/null) in
*'No such file'*|*'Not a directory'*) echo absent;;
*) echo hidden;;
esac
}
each() { # LIST COMMAND...: the command with each line of it
list=$1; shift
[ -z "$list" ] || printf '%s\n' "$list" | while IFS= read -r item; do "$@" "$item"; done
}
path() { # PATH
case $1 in /*) printf '== path %s %s\n' "$(there "$1")" "$1"; return;; esac
printf '== relative %s\n' "$1"
each "$checkouts" in_checkout "$1"
}
in_checkout() ( # PATH CHECKOUT
state=$(there "$2/$1"); printf ' %s %s\n' "$state" "$2/$1"
[ "$state" = absent ] || exit 0
for f in "$2/${1##*/}" "$2"/*/"${1##*/}" "$2"/*/*/"${1##*/}"; do
case $f in */node_modules/*) continue;; esac
[ -f "$f" ] && { printf ' elsewhere %s\n' "$f"; exit 0; }
done
)
packages() { # CHECKOUT
state=$(there "$1"); printf '== checkout %s %s\n' "$state" "$1"
[ "$state" = here ] || return 0
[ -x "$1" ] || { printf '== closed %s\n' "$1"; return 0; }
for f in pnpm-lock.yaml package-lock.json npm-shrinkwrap.json yarn.lock bun.lockb bun.lock; do
[ -f "$1/$f" ] && printf '== lock %s\n' "$1/$f"
done
for f in "$1"/package.json "$1"/*/package.json "$1"/*/*/package.json; do
case $f in */node_modules/*) continue;; esac
[ -f "$f" ] || continue
[ -r "$f" ] || { printf '== closed %s\n' "$f"; continue; }
printf '== package %s\n' "$f"; head -c 65536 -- "$f" | sed 's/^/ /'; echo
done
}
unit() { # NAME
state=$(systemctl show -p LoadState --value -- "$1" 2>/dev/null) || state=
[ -n "$state" ] || state=$(systemctl show -p LoadState -- "$1" 2>/dev/null | sed 's/^LoadState=//')
printf '== unit %s %s\n' "${state:-hidden}" "$1"
}
bounded() { if timeout 1 true 2>/dev/null; then timeout 3 "$@"; else "$@"; fi; }
log() { # FILE
number=$((number + 1))
state=$(there "$1")
[ "$state" != here ] || [ -r "$1" ] || state=hidden
[ "$state" != here ] || [ -f "$1" ] || state=absent
printf '== log %s %s\n' "$state" "$1"
[ "$state" = here ] || return 0
text=$(tail -n "$lines" -- "$1" | tail -c 2000000 | tr -d '\000'); text="$samples
$text"
# The status of a line of nginx's format combined, the level of a line of JSON.
printf '%s\n' "$text" | awk '
{ v = "-" }
/^\{/ { if (match($0, /"(level|severity)" ?: ?("[A-Za-z]+"|[0-9]+)/)) {
v = substr($0, RSTART, RLENGTH); sub(/^"[a-z]+" ?: ?/, "", v) } }
/^[^ ]+ [^"]*"[^"]*" [1-5][0-9][0-9] ([0-9]+|-)/ { split($0, p, "\""); split(p[3], f, " "); v = f[1] }
{ print " " v }'
printf '%s\n' "$greps" | while IFS='	' read -r of options pattern; do
[ "$of" = "$number" ] || continue
found=$(printf '%s\n' "$text" | LC_ALL=C bounded grep -"$options" -e "$pattern" 2>/dev/null); status=$?
printf '== grep %s\t%s\t%s\t%s\n' "$status" "$of" "$options" "$pattern"
[ -z "$found" ] || printf '%s\n' "$found" | sed 's/^\([0-9]*\):.*/ \1/'
done
}
each "$checkouts" packages
each "$paths" path
if [ -n "$units" ]; then
if command -v systemctl >/dev/null 2>&1 && [ -d /run/systemd/system ]; then each "$units" unit; else echo '== nosystemd'; fi
fi
number=0
while IFS= read -r l; do [ -z "$l" ] || log "$l"; done <<END
$logs
END
echo '== end'
