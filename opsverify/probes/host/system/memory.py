"""Memory."""

from __future__ import annotations

import re
from dataclasses import dataclass

from opsverify.errors import ProbeError
from opsverify.probes.host.question import KIB, Answer, Question, integer, percent
from opsverify.probes.host.shell import LIMITS
from opsverify.probes.host.shell_file import ShellFile
from opsverify.probes.host.system.limits import limits, memory_used


@dataclass(frozen=True)
class MemoryUsage:
    """Memory and swap, in bytes and percent. A host without swap has swap_total_bytes 0 and swap_used_percent 0.

    In a container that has a limit, `total_bytes` is the limit.
    """

    total_bytes: int
    available_bytes: int
    used_percent: float
    swap_total_bytes: int
    swap_used_bytes: int
    swap_used_percent: float
    zfs_cache_bytes: int = 0
    """Of what is available, what ZFS would give back of its cache."""
    limited: bool = False
    """Whether it is a container's limit that was measured against."""


@dataclass(frozen=True)
class Memory(Question):
    """How much memory is used, as `free` counts it: total - available. ZFS's cache is available down to its minimum.
    In a container that has a limit, of that, as `docker stats` counts it.

    Privileges: none. Source: proc_meminfo(5), MemAvailable; kernels before 3.14 have none, there
    MemFree + Buffers + Cached + SReclaimable - Shmem stands for it. MemAvailable leaves out the ARC, whose size above
    c_min in arcstats is given back when memory is short (OpenZFS, zfs(4) zfs_arc_min). Limits: the kernel's cgroup-v2,
    cgroup-v1/memory.
    """

    shell = ShellFile(__package__, "memory.sh")
    helpers = (LIMITS,)

    def parse(self, answer: Answer) -> MemoryUsage:
        arcstats = "\n".join(block.lines) if (block := answer.block("arc")) else ""
        fields = dict(re.findall(r"^(\w+):[ \t]*(\S+)(?: kB)?[ \t]*$", answer.text, re.MULTILINE))
        if not fields:
            raise answer.failure("memory usage", "/proc/meminfo is empty")

        def size(name: str, default: str | None = None) -> int:
            text = fields.get(name, default)
            if text is None:
                raise ProbeError(f"memory usage could not be determined: /proc/meminfo has no {name}")
            return KIB * integer(text, name)

        total = size("MemTotal")
        if "MemAvailable" in fields:
            available = size("MemAvailable")
        else:
            parts = size("MemFree") + size("Buffers") + size("Cached") + size("SReclaimable", "0")
            available = max(0, parts - size("Shmem", "0"))
        if available > total:
            raise ProbeError("memory usage could not be determined: more memory is available than there is")
        zfs_cache = min(_shrinkable(arcstats), total - available) if arcstats else 0
        available += zfs_cache
        limit = limits(answer).memory_bytes
        limited = limit is not None and limit < total
        if limit is not None and limited:
            available = min(available, max(0, limit - memory_used(answer)))
            total = limit
        swap_total = size("SwapTotal", "0")
        swap_used = max(0, swap_total - size("SwapFree", "0"))
        return MemoryUsage(
            total_bytes=total,
            available_bytes=available,
            used_percent=percent(total - available, total, "memory usage"),
            swap_total_bytes=swap_total,
            swap_used_bytes=swap_used,
            swap_used_percent=100.0 * swap_used / swap_total if swap_total else 0.0,
            zfs_cache_bytes=0 if limited else zfs_cache,
            limited=limited,
        )


def _shrinkable(arcstats: str) -> int:
    """Bytes of ZFS's cache above its minimum: `size 4 8589934592`, `c_min 4 1073741824`."""
    rows = dict(re.findall(r"^(size|c_min)[ \t]+\d+[ \t]+(\S+)$", arcstats, re.MULTILINE))
    if len(rows) < 2:
        raise ProbeError("memory usage could not be determined: ZFS's arcstats has no size or no c_min")
    size, least = (integer(rows[name], f"{name} of ZFS's cache") for name in ("size", "c_min"))
    return max(0, size - least)
