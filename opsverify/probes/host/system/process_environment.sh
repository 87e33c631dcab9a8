# shellcheck shell=sh
environment "$@"
exit 0
