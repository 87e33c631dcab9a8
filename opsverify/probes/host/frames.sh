# shellcheck shell=sh
# shellcheck disable=SC3067 # test -O: dash, bash, BusyBox, ksh and zsh have it; the tests ask them
# shellcheck disable=SC2154 # script.py says before it what nonce, errors, search_path, supervisor and helpers are
#
# A question's shell waits for what it started in the background: whoever forgets that runs into its bound, instead of
# holding our pipe open. At the bound, GNU timeout ends the whole process group; BusyBox's ends one process only, so
# there a session leader stands between and ends its session.
#
# Root takes programs from folders of its own only: whoever may write into another on its PATH, as sudo without a
# secure_path leaves it, would be root by a file named awk.
#
# The pipes of `ask`, from the inside out: 6 carries the status and 3 the stderr of the question's shell to the command
# substitution, 4 its stdout (at most $3 bytes) to ours. stderr is drained past its bound: a question must not die of
# SIGPIPE for complaining much. The braces around `r=` make bash redirect before it substitutes.
LC_ALL=C; export LC_ALL; unset LANGUAGE ENV BASH_ENV
PATH="${PATH:+$PATH:}$search_path"
if [ -O / ]; then # root: without a process, as any program might be another's
found=; rest=$PATH:
while [ -n "$rest" ]; do
d=${rest%%:*}; rest=${rest#*:}
case $d in /*) [ ! -O "$d" ] || found=${found:+$found:}$d;; esac
done
PATH=$found
fi
export PATH
T=; W=
if timeout --version 2>/dev/null | grep -qi coreutils; then T='timeout -k 1'
elif timeout -k 1 5 true 2>/dev/null; then T='timeout -k 1'; W=1
elif timeout 5 true 2>/dev/null; then T=timeout; W=1
fi
S=; command -v setsid >/dev/null 2>&1 && S=setsid
run() { # SECONDS SCRIPT
if [ -z "$W" ]; then ${T:+$T "$1"} /bin/sh -c "trap wait EXIT; $helpers
$2"
else $T "$1" $S /bin/sh -c "$supervisor" sh "trap wait EXIT; $helpers
$2"
fi
}
ask() { # NUMBER SECONDS BYTES SCRIPT
printf '\n%s begin %s\n' "$nonce" "$1"
{ r=$({ { { { run "$2" "$4" </dev/null 2>&3 3>&- 4>&- 6>&-; printf '\n%s status %s\n' "$nonce" "$?" >&6
} | head -c "$3" >&4; } 3>&1 | { head -c "$errors"; cat >/dev/null; }; } 6>&1; } 2>/dev/null); } 4>&1
printf '\n%s end %s\n%s\n%s stop %s\n' "$nonce" "$1" "$r" "$nonce" "$1"
}
