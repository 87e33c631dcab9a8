"""What the evidence of a run cost, and whom it waited for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from opsverify.evidence.collect import Evidence
from opsverify.evidence.concurrency import BUSY
from opsverify.reporting.results import Result
from opsverify.reporting.words import Words

LONG_SECONDS = 5.0
"""A collection that took less is none in which anybody waited for this machine."""
_SLOWEST = 20
_NAMED = 3


def by_cost(evidence: Evidence) -> list[tuple[float, str]]:
    """(seconds, probe and target) of each probe, the slowest first."""
    slowest_first = sorted(evidence.seconds.items(), key=lambda pair: -pair[1])
    return [(seconds, f"{_short(probe)} of {'/'.join(map(str, who))}") for (probe, who), seconds in slowest_first]


def _short(probe: str) -> str:
    """`host.probe` of `opsverify.probes.host.probe.probe`."""
    parts = probe.removeprefix("opsverify.").removeprefix("probes.").split(".")
    return ".".join(dict.fromkeys(parts))


def remarks(evidence: Evidence, left: Mapping[str, Sequence[str]], words: Words) -> list[str]:
    """What a reader should know of how the evidence came, a sentence each."""
    said = []
    if evidence.busy is not None and evidence.busy >= BUSY and evidence.wall_seconds >= LONG_SECONDS:
        said.append(words.filled("costs busy", share=f"{evidence.busy:.0%}"))
    for why, hosts in left.items():
        more = f" + {len(hosts) - _NAMED:,}" if len(hosts) > _NAMED else ""
        said.append(words.filled("costs openssh", why=why, hosts=", ".join(hosts[:_NAMED]) + more))
    return said


def section(evidence: Evidence, left: Mapping[str, Sequence[str]], words: Words, _: Iterable[Result]) -> str:
    """The section of the HTML report; empty where no evidence was collected in this process."""
    from opsverify.reporting.html import table

    costs = by_cost(evidence)
    if not costs:
        return ""
    whole = words.filled("costs all", n=f"{len(costs):,}", seconds=f"{evidence.wall_seconds:.1f}", slowest=costs[0][1])
    told = "".join(f"<p>{escape(text)}</p>" for text in [whole, *remarks(evidence, left, words)])
    rows = [(f"{seconds:.2f} s", name) for seconds, name in costs[:_SLOWEST]]
    slowest: Any = table((words("duration"), words("probe")), rows)
    return f"{told}<details><summary>{escape(words('duration'))}</summary>{slowest}</details>"
