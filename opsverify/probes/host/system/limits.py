"""The limits of a container, as seen from inside: what it may use is not what its machine has."""

from __future__ import annotations

from dataclasses import dataclass

from opsverify.errors import ProbeError
from opsverify.probes.host.question import Answer, decimal, integer


@dataclass(frozen=True)
class Limits:
    """What may be used; None where there is no limit, as on every machine that is no container."""

    memory_bytes: int | None = None
    cores: float | None = None
    """Processors' worth of time: 0.5 is half of one."""


def limits(answer: Answer) -> Limits:
    """What `limits` of limits.sh said. Source: the kernel's cgroup-v2 (memory.max, cpu.max) and cgroup-v1."""
    block = answer.block("limits")
    words = block.rest.split(" ") if block else ["none"] * 3
    if len(words) != 3:
        raise answer.failure("the limits of what may be used")
    memory, quota, period = words
    bounded = quota.isdecimal() and period.isdecimal() and int(period) > 0  # v1 has no limit at -1, v2 at "max"
    return Limits(
        memory_bytes=None if memory in ("max", "none") else integer(memory, "the limit of memory"),
        cores=int(quota) / int(period) if bounded else None,
    )


def memory_used(answer: Answer) -> int:
    """Bytes that count against the limit, as `docker stats` has them: without the cache that is given back first."""
    block = answer.block("taken")
    used, _, cache = block.rest.partition(" ") if block else ("", "", "")
    return max(0, integer(used, "the memory that is used") - integer(cache, "the cache in memory"))


def cores_used(answer: Answer) -> float:
    """Processors' worth of time between `== spent1` and `== spent2` of `cpu_spent`."""
    (before, first), (after, second) = (_spent(answer, name) for name in ("spent1", "spent2"))
    if second <= first:
        raise ProbeError("CPU usage could not be determined: no time passed between the two samples")
    return max(0, after - before) / 1e6 / (second - first)


def _spent(answer: Answer, name: str) -> tuple[int, float]:
    block = answer.block(name)
    spent, _, uptime = block.rest.partition(" ") if block else ("", "", "")
    return integer(spent, "the CPU time of the container"), decimal(uptime, "the uptime")


__all__ = ["Limits", "cores_used", "limits", "memory_used"]
