# shellcheck shell=sh
engine_of "$1" || exit
echo "== clock $(date +%s)"
container_state "$2"
exit 0
