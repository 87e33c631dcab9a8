# shellcheck shell=sh
reap() {
# shellcheck disable=SC2046 # numbers
kill -9 $(cat /proc/[0-9]*/stat 2>/dev/null | sed 's/^\([0-9]*\) (.*) /\1 /' |
awk -v s=$$ '$5 == s && $1 != s {print $1}')
}
trap 'reap 2>/dev/null; exit 143' TERM; /bin/sh -c "$1" & wait $!
