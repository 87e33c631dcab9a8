"""How long ago something was, by one clock. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from opsverify.errors import ProbeError

ALLOWANCE = timedelta(minutes=5)
"""How far ahead a time may be: clocks of file servers and of those who write logs differ a little."""


def age(now: datetime, then: datetime, what: str = "its time") -> timedelta:
    """The time from `then` to `now`, never less than none.

    What lies in the future is not fresh: raises ProbeError, naming `what`, beyond `ALLOWANCE`.
    """
    ahead = then - now
    if ahead > ALLOWANCE:
        hours = ahead / timedelta(hours=1)
        raise ProbeError(f"{what} lies {hours:,.1f} h in the future ({then:%Y-%m-%d %H:%M %Z}): is a clock wrong?")
    return max(now - then, timedelta(0))
