# shellcheck shell=sh
show() { # BLOCK FILE [ROOT]: the file whole; or that it may not be read, or is not there
# shellcheck disable=SC2010 # the complaint of ls is looked for, not a name
if [ -f "$3$2" ] && [ -r "$3$2" ]; then echo "== $1 $2"; sed 's/^/ /' "$3$2"; echo
elif [ -e "$3$2" ] || ls -d -- "$3$2" 2>&1 | grep -q 'ermission denied'; then echo "== denied $2"; echo "== hidden $1"
else echo "== missing $2"; fi
}
of_unit() { # UNIT: what it sets, and the files that it names
u=$(systemctl show -p Environment -p EnvironmentFiles -- "$1" 2>/dev/null)
systemctl --version 2>/dev/null | sed -n '1s/^systemd \([0-9][0-9]*\).*/== systemd \1/p'
echo '== unit'; printf '%s\n' "$u" | sed -n 's/^Environment=//p'
printf '%s\n' "$u" | sed -n 's/^EnvironmentFiles=\(.*\) (ignore_errors=.*$/\1/p' |
while read -r f; do show unitfile "$f"; done
}
of_container() { # PATTERN NAME ENGINE: the variables that match, of those that it was created with
engine_of "$3" || return
# JSON, as a value may hold line feeds.
c=$(inspected "$2" '{{range .Config.Env}}{{json .}}{{println}}{{end}}') || return
echo "== container $2"; printf '%s\n' "$c" | sed 's/^"\(.*\)"$/\1/' | grep -E "$1" | sed 's/^/ /'
}
node_files() { # PID ROOT: the files that Node.js was told to read, in its order, below a container's root
# Where one stands before the program's own file, those behind that count, too; else they are for the program.
tr '\000\n' '\n ' 2>/dev/null < "/proc/$1/cmdline" | sed 1d | {
f=
while IFS= read -r a; do case $a in
--env-file=*|--env-file-if-exists=*) f=${a#*=};;
--env-file|--env-file-if-exists) IFS= read -r f;;
-r|--require|--import|--loader|--experimental-loader|-C|--conditions) IFS= read -r a; continue;;
--) break;;
-*) continue;;
*) [ -n "$f" ] || break; continue;; esac
case $f in /*) ;; *) d=$(readlink "/proc/$1/cwd") && f=$d/$f;; esac
# The service's account chooses the file: a pipe or a device would never end.
case $f in /*) [ ! -e "$2$f" ] || [ -f "$2$f" ] && show nodefile "$f" "$2" && continue;; esac
echo "== denied $f of process $1"; echo '== hidden nodefile'
done; }
}
environment() { # PATTERN unit|file|container NAME INSTANCES|ENGINE FILE...: a service's variables that match, and whole files of them
wanted=$1 kind=$2 service=$3 more=$4; shift 4; p=
main=$(main_pids "$kind" "$service" ${more:+"$more"})
from_process=
case $main in
'== main '*) main=${main#'== main '}
# shellcheck disable=SC2086 # numbers
p=$(chosen $main); p=${p:-${main%% *}}
# shellcheck disable=SC2002 # whether it can be opened, which [ -r ] does not tell of /proc
if cat "/proc/$p/environ" >/dev/null 2>&1; then from_process=1
# NUL ends each variable and a value may hold line feeds: they change places with \n and \001.
echo "== process $p"; tr '\000\n' '\n\001' < "/proc/$p/environ" | grep -E "$wanted" | sed 's/^/ /'
else echo "== denied the environment of process $p"; fi;;
*) echo '== notrunning';;
esac
case $from_process$kind in
unit) of_unit "$service";;
container) of_container "$wanted" "$service" "$more";;
esac
root=; [ "$kind" != container ] || root=/proc/$p/root
[ -z "$p" ] || node_files "$p" "$root"
for f do show envfile "$f"; done
}
