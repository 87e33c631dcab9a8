# shellcheck shell=sh
path=$1 bytes=$2 newest=$3; shift 3 # what is left: words, of which a line must hold one
echo "== clock $(date +%s)"; echo "== zone $(date '+%z %Z')"
[ -e "$path" ] || { echo "== nolog $(ls -d -- "$path" 2>&1 >/dev/null)"; exit 0; }
[ -r "$path" ] || { echo '== unreadable'; exit 0; }
[ -f "$path" ] || { echo 'it is no regular file' >&2; exit 8; }
echo "== total $(tail -c "$bytes" -- "$path" | grep -c .)"
echo '== lines'
for word do shift; set -- "$@" -e "$word"; done
tail -c "$bytes" -- "$path" | grep -aF "$@" | tail -n "$newest" | cut -c 1-400 | sed 's/^/| /'
echo '== end'
