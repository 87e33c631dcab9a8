# shellcheck shell=sh
# shellcheck disable=SC2154 # engine: set by engine_of
executable=$1; shift # what is left is a service, for main_pids
kind=$1 service=$2
started() { # as the unit says it, by its whole path
[ "$kind" = unit ] || return
systemctl show -p ExecStart -- "$service" 2>/dev/null | sed -n 's/^ExecStart={ path=\([^;]*\) ;.*/\1/p' |
grep -e "/$executable\$" | head -n 1
}
version() { # [PROGRAM...] FILE
echo '== version'; owned "$@" --version 2>&1 </dev/null | head -n 5
}
main=$(main_pids "$@")
case $main in '== main '*) main=${main#'== main '};; *) echo '== notrunning'; exit 0;; esac
# shellcheck disable=SC2086 # numbers
p=$(chosen $main); p=${p:-${main%% *}}
echo "== process $p"
if [ "$kind" = container ]; then # its libraries are others than the host's
engine_of "$3" || exit
# Its own number: the last one, pid_namespaces(7).
own=/proc/$(sed -n 's/^NSpid:.*[[:space:]]\([0-9][0-9]*\)$/\1/p' "/proc/$p/status")/exe
e=$(readlink "/proc/$p/exe" 2>/dev/null || "$engine" exec "$service" readlink "$own") || exit
echo "== exe $e"
b=${e##*/}; b=${b% (deleted)}
[ "$b" != "$executable" ] || version "$engine" exec "$service" "$own"
exit 0
fi
e=$(readlink "/proc/$p/exe") || {
ls -l "/proc/$p/exe" >/dev/null
c=$(tr '\000' '\n' < "/proc/$p/cmdline" | head -n 1)
echo "== denied $c"
for f in "unit $(started)" "command $c"; do
b=${f#* }; case $b in /*) ;; *) continue;; esac
if [ "${b##*/}" = "$executable" ] && [ -x "$b" ]; then echo "== as ${f%% *} $b"; version "$b"; exit 0; fi
done
exit 0
}
echo "== exe $e"
b=${e##*/}; b=${b% (deleted)}
[ "$b" = "$executable" ] || exit 0
owner_of "/proc/$p/exe" "/proc/$p" # its file may be somebody's, or only the service
version "/proc/$p/exe"
