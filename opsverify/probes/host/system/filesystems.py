"""File systems: room and inodes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from opsverify.errors import ProbeError
from opsverify.probes.host.mounts import escaped, unescaped
from opsverify.probes.host.question import KIB, Answer, Block, Question, integer
from opsverify.probes.host.shell_file import ShellFile

NETWORK_TYPES = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "lustre", "9p", "afs", "beegfs", "gpfs")
# What holds no data of its own, or is full by design (images).
PSEUDO_TYPES = (
    "tmpfs ramfs devtmpfs devpts proc sysfs squashfs nsfs cgroup cgroup2 securityfs debugfs tracefs configfs pstore "
    "bpf mqueue hugetlbfs efivarfs fusectl binfmt_misc autofs rpc_pipefs selinuxfs iso9660 udf erofs cramfs nfsd "
    "overlay aufs rootfs none swap lxcfs"
)

WRITTEN_IN_MEMORY = ("/tmp", "/var/tmp", "/dev/shm", "/run", "/run/lock")  # noqa: S108 - no files of ours
"""Where a tmpfs is one that programs write to: hier(7), file-hierarchy(7). So is one that /etc/fstab mounts."""


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
    """Every real file system, each device once, and those in memory that programs write to, with their use.

    `ignore` leaves mount points out; `only`, if given, names the only ones looked at, of whatever type, and one of them
    that is not mounted is reported as a problem. An overlay counts as `/` only (a container's root). A dead network
    mount costs 3 seconds and itself. Privileges: none (a mount point below a private folder is a problem of its own).
    Source: df(1) of POSIX, proc_mounts(5).
    """

    ignore: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    shell = ShellFile(__package__, "filesystems.sh")
    slow: ClassVar[bool] = True
    seconds: ClassVar[float] = 15.0

    @property
    def arguments(self) -> tuple[str, ...]:
        # Behind a blank, so that none of them can be an empty line.
        only, ignore = ("\n".join(f" {escaped(mount)}" for mount in mounts) for mounts in (self.only, self.ignore))
        program = ShellFile(__package__, "filesystems.awk").text
        return only, ignore, PSEUDO_TYPES, " ".join(NETWORK_TYPES), " ".join(WRITTEN_IN_MEMORY), program

    def parse(self, answer: Answer) -> tuple[Filesystem, ...]:
        blocks = answer.blocks()
        if not blocks or blocks[-1].name != "end" or answer.truncated:
            raise answer.failure("the file systems", "the list of mounts was not read to its end")
        mounted: dict[str, Filesystem] = {}
        # Its status and its inodes follow each; where they are missing, blocks of other names do.
        for block, status, inodes in zip(blocks, blocks[1:], [*blocks[2:], blocks[-1]], strict=False):
            if block.name == "fs":
                one = _filesystem(block, status, inodes)
                # A later mount on the same point hides the earlier one.
                mounted[one.mount] = one
        kept: dict[tuple[str, str], Filesystem] = {}
        for one in mounted.values():
            if one.size_bytes == 0 and not self.only:
                continue  # a tmpfs that only the memory bounds, which is another question's
            # A bind mount repeats its device; the shortest path stands for it. Those asked for by name all stay.
            key = (one.device, one.mount if self.only or not one.device.startswith("/") else "")
            if key not in kept or _clearness(one) < _clearness(kept[key]):
                kept[key] = one
        result = sorted(kept.values(), key=lambda one: one.mount)
        for mount in self.only:
            if mount not in mounted and mount not in self.ignore:
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
    device, mount, kind = (unescaped(part) for part in [*block.rest.split(" "), "", ""][:3])
    dead = partial(Filesystem, mount, device, kind, None, None, None, None)
    code = status.rest if status.name == "status" else "?"
    figures = _FIGURES.search("\n".join(block.lines))
    if code != "0" or not figures:
        late = code in ("124", "137", "143")
        df_output = block.lines[0].strip()[:120] if block.lines else ""
        if "ermission denied" in df_output:
            df_output += " (this account needs x on every folder above it)"
        if late:
            return dead(f"{mount} did not answer within 3 s")
        return dead(f"df could not read {mount}: {df_output or 'no figures'}")
    size, used, available, _ = figures.groups()
    try:
        total = KIB * integer(size, f"the size of {mount}")
        free = KIB * integer(available, f"the room on {mount}") if not available.startswith("-") else 0
        taken = KIB * integer(used, f"the use of {mount}")
    except ProbeError as error:
        return dead(str(error))
    if kind == "tmpfs" and total == 0:
        problem = f"{mount} has no size of its own, only that of the memory"
        return Filesystem(mount, device, kind, 0, None, None, None, problem)
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
