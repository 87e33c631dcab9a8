"""File systems: room and inodes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from opsverify.errors import ProbeError
from opsverify.probes.host.question import KIB, Answer, Block, Question, integer, quote

NETWORK_TYPES = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "lustre", "9p", "afs", "beegfs", "gpfs")
# What holds no data of its own, or is full by design (images).
PSEUDO_TYPES = (
    "tmpfs ramfs devtmpfs devpts proc sysfs squashfs nsfs cgroup cgroup2 securityfs debugfs tracefs configfs pstore "
    "bpf mqueue hugetlbfs efivarfs fusectl binfmt_misc autofs rpc_pipefs selinuxfs iso9660 udf erofs cramfs nfsd "
    "overlay aufs rootfs none swap lxcfs"
)


_PLAIN = r"""
plain() { # a mount point, unescaped
printf '%b' "$(printf '%s' "$1" | sed 's/\\\([0-7][0-7][0-7]\)/\\0\1/g')"
}
"""


@dataclass(frozen=True)
class Filesystem:
    """One mounted file system. Where `problem` says why it did not answer, the figures are None."""

    mount: str
    device: str
    type: str
    size_bytes: int | None
    available_bytes: int | None
    used_percent: float | None
    """As df counts it: used / (used + available to ordinary users)."""
    inodes_used_percent: float | None
    """None where the file system has no fixed number of inodes (btrfs, vfat), and where they are not known."""
    problem: str | None = None
    inodes_problem: str | None = None
    """Why it is not known how many inodes are used; None where it is, or where their number is not fixed."""


@dataclass(frozen=True)
class Filesystems(Question):
    """Every real file system, each device once, with its use.

    `ignore` leaves mount points out; `only`, if given, names the only ones looked at, of whatever type, and one of them
    that is not mounted is reported as a problem. An overlay counts as `/` only (a container's root). A dead network
    mount costs 3 seconds and itself. Privileges: none (a mount point below a private folder is a problem of its own).
    Source: df(1) of POSIX, proc_mounts(5).
    """

    ignore: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    helpers = (_PLAIN,)
    slow: ClassVar[bool] = True
    seconds: ClassVar[float] = 15.0

    def script(self) -> str:
        pseudo = PSEUDO_TYPES
        network = " ".join(NETWORK_TYPES)
        only = " ".join(quote(f" {_escaped(mount)}") for mount in self.only)
        wanted = f"only=$(printf '%s\\n' {only})" if self.only else "only="
        ignored = " ".join(quote(f" {_escaped(mount)}") for mount in self.ignore) or "''"
        return f"""{wanted}
ignore=$(printf '%s\\n' {ignored})
look() {{
m=$(plain "$2"; echo x); m=${{m%x}}
$B df -P -k -- "$m" >/dev/null 2>&1; s=$?
printf '%s\\n' "== fs $1 $2 $3" "$($B df -P -k -- "$m" 2>&1)" "== status $s" "== inodes" \\
"$($B df -P -i -- "$m" 2>/dev/null || $B df -i -- "$m" 2>/dev/null)"
}}
hidden() {{ ls -d -- "$(plain "$1")" 2>&1 | grep -q 'ermission denied'; }} # no file: it may not be looked at
B=; timeout 1 true 2>/dev/null && B='timeout 3'; timeout -k 1 1 true 2>/dev/null && B='timeout -k 1 3'
echo '== mounts'
m=/proc/self/mounts; [ -r $m ] || m=/proc/mounts
ONLY=$only IGNORE=$ignore awk -v pseudo={quote(pseudo)} -v network={quote(network)} '
function list(text, into,   n, a, i) {{
n = split(text, a, "\\n")
for (i = 1; i <= n; i++) {{ sub(/^ /, "", a[i]); if (a[i] != "") {{ into[a[i]] = 1; any = 1 }} }}
}}
BEGIN {{ n = split(pseudo, a, " "); for (i = 1; i <= n; i++) skip[a[i]] = 1
n = split(network, a, " "); for (i = 1; i <= n; i++) far[a[i]] = 1
list(ENVIRON["IGNORE"], out); any = 0; list(ENVIRON["ONLY"], in_) }}
{{ if ($2 in out) next
if (any) {{ if (!($2 in in_)) next }}
else if (($3 in skip && !($3 == "overlay" && $2 == "/")) || $3 ~ /^fuse\\./ ) next
print (($3 in far) ? "far" : "near"), $1, $2, $3 }}' $m | {{
while read -r where device mount type; do
if [ "$where" = far ]; then look "$device" "$mount" "$type" &
else [ "$type" = overlay ] || [ -d "$(plain "$mount")" ] || hidden "$mount" || continue
look "$device" "$mount" "$type"; fi
done; wait; }}
echo '== end'
"""

    def parse(self, answer: Answer) -> tuple[Filesystem, ...]:
        blocks = answer.blocks()
        if not blocks or blocks[-1].name != "end" or answer.truncated:
            raise answer.failure("the file systems", "the list of mounts was not read to its end")
        found: dict[str, Filesystem] = {}
        # Its status and its inodes follow each; where they are missing, blocks of other names do.
        for block, status, inodes in zip(blocks, blocks[1:], [*blocks[2:], blocks[-1]], strict=False):
            if block.name == "fs":
                one = _filesystem(block, status, inodes)
                found[one.mount] = one  # a later mount on the same point hides the earlier one
        kept: dict[tuple[str, str], Filesystem] = {}
        for one in found.values():
            # A bind mount repeats its device; the shortest path stands for it. Those asked for by name all stay.
            key = (one.device, one.mount if self.only or not one.device.startswith("/") else "")
            if key not in kept or _clearness(one) < _clearness(kept[key]):
                kept[key] = one
        result = sorted(kept.values(), key=lambda one: one.mount)
        for mount in self.only:
            if mount not in found and mount not in self.ignore:
                result.append(Filesystem(mount, "", "", None, None, None, None, f"{mount} is not mounted"))
        if not result:
            raise ProbeError("the file systems could not be determined: no real one is mounted")
        return tuple(result)


def _clearness(one: Filesystem) -> tuple[bool, int]:
    return one.problem is not None, len(one.mount)


# size used available capacity mount: read from the right of the device, whose name may hold spaces or stand on a line
# of its own. BSD and BusyBox print inode tables with the same columns.
_FIGURES = re.compile(r"[ \t\n](\d+|-)[ \t]+(-?\d+|-)[ \t]+(-?\d+|-)[ \t]+(\d+%|-)[ \t]+/")


def _filesystem(block: Block, status: Block, inodes: Block) -> Filesystem:
    device, mount, kind = (_unescaped(part) for part in [*block.rest.split(" "), "", ""][:3])
    dead = partial(Filesystem, mount, device, kind, None, None, None, None)
    code = status.rest if status.name == "status" else "?"
    figures = _FIGURES.search("\n".join(block.lines))
    if code != "0" or not figures:
        late = code in ("124", "137", "143")
        said = block.lines[0].strip()[:120] if block.lines else ""
        if "ermission denied" in said:
            said += " (this account needs x on every folder above it)"
        problem = f"{mount} did not answer within 3 s" if late else f"df could not read {mount}: {said or 'no figures'}"
        return dead(problem)
    size, used, available, _ = figures.groups()
    try:
        total = KIB * integer(size, f"the size of {mount}")
        free = KIB * integer(available, f"the room on {mount}") if not available.startswith("-") else 0
        taken = KIB * integer(used, f"the use of {mount}")
    except ProbeError as error:
        return dead(str(error))
    if taken + free <= 0:
        return dead(f"df counts no blocks on {mount}")
    percentage, unknown = _inodes(inodes, mount)
    used_percent = 100.0 * taken / (taken + free)
    return Filesystem(mount, device, kind, total, free, used_percent, percentage, inodes_problem=unknown)


def _inodes(block: Block, mount: str) -> tuple[float | None, str | None]:
    """Used inodes in percent, or why they are not known; neither where their number is not fixed."""
    figures = _FIGURES.search("\n".join(block.lines)) if block.name == "inodes" else None
    if figures is None:
        return None, f"df gave no inodes of {mount}"
    if figures[1] in ("0", "-"):
        return None, None
    if not figures[2].isdigit():
        return None, f"df gave no number of used inodes of {mount}"
    return 100.0 * int(figures[2]) / int(figures[1]), None


def _escaped(mount: str) -> str:
    """A mount point as /proc/mounts writes it."""
    return re.sub(r"[ \t\n\\#]", lambda match: f"\\{ord(match[0]):03o}", mount)


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8) & 0xFF), text)
