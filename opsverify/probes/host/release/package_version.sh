# shellcheck shell=sh
[ -z "$1" ] || { [ -e "$1/package.json" ] && [ ! -f "$1/package.json" ]; } || cat -- "$1/package.json"
