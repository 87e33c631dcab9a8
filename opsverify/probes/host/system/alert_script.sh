# shellcheck shell=sh
path=$1
[ -e "$path" ] || { echo "== missing $(ls -d -- "$path" 2>&1 >/dev/null)"; exit 0; }
echo "== file $(stat -L -c '%a %U %s' -- "$path")"
[ -f "$path" ] && [ -r "$path" ] && i=$(head -n 1 -- "$path" | tr -d '\000' | sed -n 's/^#! *\([^ ]*\).*/\1/p') || exit 0
echo "== interpreter $i"; [ -z "$i" ] || { [ -x "$i" ] && echo '== found'; }
exit 0
