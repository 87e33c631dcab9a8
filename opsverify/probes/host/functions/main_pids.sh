# shellcheck shell=sh
unit_pids() { # UNIT...: the main processes of those units
u=$(systemctl show -p MainPID -- "$@") || return
printf '%s\n' "$u" | sed -n 's/^MainPID=\([1-9][0-9]*\)$/\1/p'
}
file_pid() { # FILE: the process id on its first line
[ -f "$1" ] && head -n 1 "$1" | sed -n 's/^[[:space:]]*\([0-9][0-9]*\)[[:space:]]*$/\1/p'
}
main_pids() { # unit NAME... | file PATH | container NAME ENGINE: sets `pids` to a service's main processes
# Prints `== main PID...`, or `== nomain` and ends where there is none.
case $1 in
unit) shift; pids=$(unit_pids "$@") || exit 3;;
container)
  engine_of "$3" || exit 3
  pids=$(inspected "$2" '{{.State.Pid}}') || { [ -z "$pids" ] || echo "no such container: $2" >&2; exit 3; }
  [ "$pids" != 0 ] || pids=;;
*)
  # A service that was stopped well takes its pid file along; one that may not be seen is another matter.
  # shellcheck disable=SC2010 # the complaint of ls is looked for, not a name
  if ls -d -- "$2" 2>&1 | grep -q 'No such file'; then echo '== nomain'; exit 0; fi
  pids=$(file_pid "$2") || exit 4;;
esac
# shellcheck disable=SC2086 # numbers, one a line
set -- $pids
for p do shift; [ -d "/proc/$p" ] && set -- "$@" "$p"; done
if [ $# -eq 0 ]; then echo '== nomain'; exit 0; fi
pids=$*
echo "== main $pids"
}
