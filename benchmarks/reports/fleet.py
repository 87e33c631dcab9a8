"""1,000 hosts and 6 figures of each; 5 of the 6 are above their limit on every host."""

from __future__ import annotations

HOSTS = [f"app{number:04}" for number in range(1, 1001)]
FIGURES = ["memory-usage", "cpu-usage", "disk-usage", "inode-usage", "swap-usage", "load"]
LIMIT = 80


def percent(figure: str, host: str) -> int:
    """What is used, in percent: 91 to 99, of the last figure 40 to 48."""
    return (40 if figure == FIGURES[-1] else 91) + int(host.removeprefix("app")) % 9
