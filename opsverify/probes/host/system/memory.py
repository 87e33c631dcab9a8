"""Memory."""

from __future__ import annotations

import re
from dataclasses import dataclass

from opsverify.errors import ProbeError
from opsverify.probes.host.question import KIB, Answer, Question, integer, percent


@dataclass(frozen=True)
class MemoryUsage:
    """Memory and swap, in bytes and percent. A host without swap has swap_total_bytes 0 and swap_used_percent 0."""

    total_bytes: int
    available_bytes: int
    used_percent: float
    swap_total_bytes: int
    swap_used_bytes: int
    swap_used_percent: float


@dataclass(frozen=True)
class Memory(Question):
    """How much memory is used, as `free` counts it: total - available.

    Privileges: none. Source: proc_meminfo(5), MemAvailable; kernels before 3.14 have none, there
    MemFree + Buffers + Cached + SReclaimable - Shmem stands for it.
    """

    def script(self) -> str:
        return "cat /proc/meminfo"

    def parse(self, answer: Answer) -> MemoryUsage:
        found = dict(re.findall(r"^(\w+):[ \t]*(\S+)(?: kB)?[ \t]*$", answer.text, re.MULTILINE))
        if not found:
            raise answer.failure("memory usage", "/proc/meminfo is empty")

        def size(name: str, default: str | None = None) -> int:
            text = found.get(name, default)
            if text is None:
                raise ProbeError(f"memory usage could not be determined: /proc/meminfo has no {name}")
            return KIB * integer(text, name)

        total = size("MemTotal")
        if "MemAvailable" in found:
            available = size("MemAvailable")
        else:
            parts = size("MemFree") + size("Buffers") + size("Cached") + size("SReclaimable", "0")
            available = max(0, parts - size("Shmem", "0"))
        if available > total:
            raise ProbeError("memory usage could not be determined: more memory is available than there is")
        swap_total = size("SwapTotal", "0")
        swap_used = max(0, swap_total - size("SwapFree", "0"))
        return MemoryUsage(
            total_bytes=total,
            available_bytes=available,
            used_percent=percent(total - available, total, "memory usage"),
            swap_total_bytes=swap_total,
            swap_used_bytes=swap_used,
            swap_used_percent=100.0 * swap_used / swap_total if swap_total else 0.0,
        )
