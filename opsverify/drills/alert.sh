# shellcheck shell=sh
path=$1 bound=$2 place=$3
arrived() { [ -z "$place" ] || grep -rqsF -- "$m" "$place"; }
[ -x "$path" ] || { echo '== notexecutable'; exit 0; }
began=$(date +%s); m="Test alert of the operational verification, $(date -u +%Y%m%dT%H%M%SZ)-$$"
echo "== message $m"
t=; timeout 5 true 2>/dev/null && t="timeout $bound"
$t "$path" "$m" </dev/null >/dev/null 2>&1; echo "== status $?"
while :; do
if arrived; then a=1; else a=0; fi
passed=$(($(date +%s) - began)); [ $a = 1 ] || [ "$passed" -ge "$bound" ] && break
sleep 1
done
echo "== arrived $a $passed"
