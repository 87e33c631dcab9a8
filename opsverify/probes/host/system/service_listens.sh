# shellcheck shell=sh
port=$1; shift # in hexadecimal digits; what is left: the service, as main_pids takes it
# A service that does not run has no processes, but its port may be somebody else's.
main=$(main_pids "$@") || [ "$1" = file ] || exit 3
main=${main#'== main '}; case $main in '== '*) main=;; esac
echo '== family'
# shellcheck disable=SC2086 # process ids
[ -z "$main" ] || family $main
s=$(listeners "${main%% *}" | awk -v want="$port" '{ split($1, a, ":"); if (a[2] == want) print }')
echo '== sockets'; [ -z "$s" ] || printf '%s\n' "$s"
echo '== owners'
# shellcheck disable=SC2046 # inodes, one a line
o=$(owners $(printf '%s\n' "$s" | awk '{print $2}')); [ -z "$o" ] || printf '%s\n' "$o"
echo '== names'; printf '%s\n' "$o" |
while read -r p _; do [ -n "$p" ] && printf '%s %s\n' "$p" "$(cat "/proc/$p/comm")"; done
exit 0
