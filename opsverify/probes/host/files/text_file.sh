# shellcheck shell=sh
path=$1
[ -e "$path" ] || { ls -d -- "$path" >/dev/null; exit 9; }
[ -f "$path" ] || exit 8
cat -- "$path"
