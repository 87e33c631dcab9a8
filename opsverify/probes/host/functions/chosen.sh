# shellcheck shell=sh
chosen() { # PID...: of them and their descendants the one that does the work, behind npm, pnpm and shells
# The shallowest that listens on a port; else the deepest Node.js process; else the first one given.
sockets=$(listeners "$1")
inodes=$(printf '%s\n' "$sockets" | awk '{print $2}')
# shellcheck disable=SC2086 # numbers, one a line
owning=$(owners $inodes)
family "$@" | while read -r pid _ depth _ name; do
exe=$(readlink "/proc/$pid/exe" 2>/dev/null)
printf '%s %s %s %s\n' "$pid" "$depth" "${exe:-?}" "$name"
done | awk -v owning="$owning" '
BEGIN { n = split(owning, o, "\n"); for (i = 1; i <= n; i++) { split(o[i], f, " "); listens[f[1]] = 1 } best = -1 }
{ exe = $3; sub(/^.*\//, "", exe)
  node = $4 ~ /^(node|nodejs|next-server|MainThread)/ || exe ~ /^node(js)?$/
  score = ($1 in listens) ? 10000 - $2 : node ? 1000 + $2 : ($2 == 0)
  if (score > best) { best = score; pid = $1 } }
END { if (best >= 0) print pid }'
}
