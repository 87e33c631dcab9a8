# shellcheck shell=sh
[ -f "$1" ] || { ls -d -- "$1" >/dev/null && echo 'it is no regular file' >&2; exit 8; }
cat -- "$1"
