# shellcheck shell=sh
nonce=$1 folder=$2 name=$3 size=$4 compress=$5 denied=$6
LC_ALL=C; export LC_ALL
cd -- "$folder" || exit 1
[ -r "$name" ] || exit "$denied"
n='nice -n 19'; ionice -c 3 true 2>/dev/null && n="$n ionice -c 3"
if [ -n "$compress" ] && command -v gzip >/dev/null 2>&1; then
printf '\n%s gzip\n' "$nonce"; $n gzip -1 -c -- "$name"
else
printf '\n%s plain\n' "$nonce"; $n head -c "$size" -- "$name"
fi
printf '\n%s end %s\n' "$nonce" "$?"
exit 0
