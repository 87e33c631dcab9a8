# shellcheck shell=sh
family() { # PID...: those processes and all that descend from them, as "pid ppid depth start-ticks name" lines
cat /proc/[0-9]*/stat 2>/dev/null | awk -v roots="$*" '
/^[0-9]+ \(/ {
  pid = $1; rest = $0; sub(/^.*\) /, "", rest); split(rest, f, " ")
  name = substr($0, index($0, "(") + 1); names[pid] = substr(name, 1, length(name) - length(rest) - 2)
  parent[pid] = f[2]; start[pid] = f[20]
}
END {
  m = split(roots, r, " ")
  for (i = 1; i <= m; i++) if (r[i] in parent) depth[r[i]] = 0
  do {
    grown = 0
    for (pid in parent) if (!(pid in depth) && (parent[pid] in depth)) {
      depth[pid] = depth[parent[pid]] + 1; grown = 1
    }
  } while (grown)
  for (pid in depth) print pid, parent[pid], depth[pid], start[pid], names[pid]
}'
}
