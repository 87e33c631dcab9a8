"""Error messages of a log, alike ones as one, so that a thousand of the same do not hide the other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from opsverify.errors import ProbeError


@dataclass(frozen=True)
class Complaint:
    """An error message, how often it (but for its numbers) stands in the window, and when it did the last time."""

    text: str
    count: int
    newest: datetime

    def __str__(self) -> str:
        often = f"{self.count:,} × " if self.count > 1 else ""
        return f"{often}{self.text} ({self.newest:%Y-%m-%d %H:%M} UTC)"


@dataclass(frozen=True)
class Complaints:
    """All of a window, the newest first. `more` are counted, but not kept: there were too many different ones."""

    listed: tuple[Complaint, ...] = ()
    more: int = 0

    @property
    def count(self) -> int:
        return self.more + sum(complaint.count for complaint in self.listed)

    def without(self, patterns: Iterable[str]) -> Complaints:
        """Those that none of these regular expressions finds; raises ProbeError for what is no regular expression."""
        try:
            ignored = [re.compile(pattern) for pattern in patterns]
        except re.error as error:
            raise ProbeError(f"ignore: {error.pattern!r} is no regular expression ({error.msg})") from None
        return Complaints(tuple(c for c in self.listed if not any(k.search(c.text) for k in ignored)), self.more)

    def newest(self, shown: int) -> str:
        """The newest ones as text."""
        kept = "; ".join(str(complaint) for complaint in self.listed[:shown])
        left = self.count - sum(complaint.count for complaint in self.listed[:shown])
        return f"{kept}; and {left:,} more" if left else kept


__all__ = ["Complaint", "Complaints"]
