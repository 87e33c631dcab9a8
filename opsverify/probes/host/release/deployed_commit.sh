# shellcheck shell=sh
checkout "$1"
h=$(repo rev-parse --verify 'HEAD^{commit}') || exit 1
echo "== head $h"
echo "== branch $(repo symbolic-ref -q --short HEAD)"
echo "== committed $(repo log -1 --no-show-signature --format=%ct)"
# Of the reflog's entries only those count that moved HEAD: "old new who when zone <tab> why".
echo "== arrived $(awk -F '\t' -v h="$h" '
{ n = split($1, w, " "); if (w[2] == h && w[1] != w[2]) t = w[n - 1] } END { print t }
' "$(repo rev-parse --git-path logs/HEAD)" 2>/dev/null)"
