"""Hosts and 6 figures of each; 5 of the 6 are above their limit on every host. RESULTS says how many figures in all."""

from __future__ import annotations

import os
from itertools import islice, product

FIGURES = ["memory-usage", "cpu-usage", "disk-usage", "inode-usage", "swap-usage", "load"]
LIMIT = 80
RESULTS = int(os.environ.get("RESULTS", "6000"))
ALIKE = os.environ.get("ALIKE", "yes") == "yes"
"""Whether all hosts have the same checks, so that a report can fold what is the same on many; else each has its own."""

HOSTS = (f"app{number:04}" for number in range(1, RESULTS // len(FIGURES) + 2))
PAIRS = list(islice(product(HOSTS, FIGURES), RESULTS))
"""Host and figure of each result."""


def percent(figure: str, host: str) -> int:
    """What is used, in percent: 91 to 99, of the last figure 40 to 48."""
    return (40 if figure == FIGURES[-1] else 91) + int(host.removeprefix("app")) % 9
