# shellcheck shell=sh
listeners() { # [PID]: listening TCP sockets as "hex-address:port inode uid", of that process's network namespace
d=/proc/${1:-self}/net; [ -r "$d/tcp" ] || d=/proc/net
cat "$d/tcp" "$d/tcp6" 2>/dev/null | awk '$4 == "0A" {print $2, $10, $8}'
}
owners() { # INODE...: "pid inode" of the processes that hold those sockets, as far as this account may see
# shellcheck disable=SC2012 # numbers: BusyBox has no find -printf
ls -l /proc/[0-9]*/fd 2>/dev/null | awk -v wanted="$*" '
BEGIN { n = split(wanted, w, " "); for (i = 1; i <= n; i++) want[w[i]] = 1 }
/^\/proc\/[0-9]+\/fd:/ { split($0, p, "/"); pid = p[3] }
match($0, /socket:\[[0-9]+\]/) { i = substr($0, RSTART + 8, RLENGTH - 9); if (i in want) print pid, i }' | sort -u
}
