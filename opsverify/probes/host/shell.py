"""Shell functions that several questions share. POSIX sh and awk; they read and print, nothing else."""

from __future__ import annotations

from opsverify.errors import ProbeError
from opsverify.probes.host.question import quote

FAMILY = r"""
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
"""

MAIN_PIDS = r"""
unit_pids() { # UNIT...: the main processes of those units
u=$(systemctl show -p MainPID -- "$@") || return
printf '%s\n' "$u" | sed -n 's/^MainPID=\([1-9][0-9]*\)$/\1/p'
}
file_pid() { # FILE: the process id on its first line
head -n 1 "$1" | sed -n 's/^[[:space:]]*\([0-9][0-9]*\)[[:space:]]*$/\1/p'
}
"""

LISTENERS = r"""
listeners() { # [PID]: listening TCP sockets as "hex-address:port inode uid", of that process's network namespace
d=/proc/${1:-self}/net; [ -r "$d/tcp" ] || d=/proc/net
cat "$d/tcp" "$d/tcp6" 2>/dev/null | awk '$4 == "0A" {print $2, $10, $8}'
}
owners() { # INODE...: "pid inode" of the processes that hold those sockets, as far as this account may see
ls -l /proc/[0-9]*/fd 2>/dev/null | awk -v wanted="$*" '
BEGIN { n = split(wanted, w, " "); for (i = 1; i <= n; i++) want[w[i]] = 1 }
/^\/proc\/[0-9]+\/fd:/ { split($0, p, "/"); pid = p[3] }
match($0, /socket:\[[0-9]+\]/) { i = substr($0, RSTART + 8, RLENGTH - 9); if (i in want) print pid, i }' | sort -u
}
"""

CHOSEN = r"""
chosen() { # PID...: of them and their descendants the one that does the work, behind npm, pnpm and shells
# The shallowest that listens on a port; else the deepest Node.js process; else the first one given.
sockets=$(listeners "$1")
inodes=$(printf '%s\n' "$sockets" | awk '{print $2}')
owning=$(owners $inodes)
family "$@" | while read -r pid ppid depth start name; do
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
"""


def unit_name(unit: str) -> str:
    """The full name of a unit, as systemctl takes it."""
    known = (".service", ".timer", ".socket", ".target", ".path", ".mount", ".slice", ".scope")
    return unit if unit.endswith(known) else f"{unit}.service"


def units(unit: str) -> tuple[str, ...]:
    """A unit and the pattern of its instances: Debian's `postgresql` is an empty wrapper of `postgresql@15-main`."""
    full = unit_name(unit)
    if "@" in full or not full.endswith(".service"):
        return (full,)
    return (full, full.removesuffix(".service") + "@*.service")


def main_pids(unit: str | None, pid_file: str | None) -> str:
    """Shell that sets `pids` to the main processes of a service; prints `== nomain` and ends where there are none."""
    one_of(unit, pid_file)
    if unit is not None:
        names = " ".join(quote(name) for name in units(unit))
        find = f"pids=$(unit_pids {names}) || exit 3"
    else:
        # A service that was stopped well takes its pid file along; one that may not be seen is another matter.
        find = (
            f"f={quote(pid_file or '')}\n"
            "if ls -d -- \"$f\" 2>&1 | grep -q 'No such file'; then echo '== nomain'; exit 0; fi\n"
            'pids=$(file_pid "$f") || exit 4'
        )
    return (
        f'{find}\nset -- $pids\nfor p do shift; [ -d /proc/$p ] && set -- "$@" $p; done\n'
        "if [ $# -eq 0 ]; then echo '== nomain'; exit 0; fi\npids=$*\necho \"== main $pids\"\n"
    )


def one_of(unit: str | None, pid_file: str | None) -> None:
    """Raise ProbeError unless a service is named by exactly one of unit and pid file."""
    if (unit is None) == (pid_file is None):
        raise ProbeError("a service is named by exactly one of unit and pid_file")
