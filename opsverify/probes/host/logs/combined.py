"""nginx's access log of the format `combined`, with or without X-Forwarded-For after it."""

from __future__ import annotations

from opsverify.errors import ProbeError
from opsverify.probes.host.logs.window import Window
from opsverify.probes.host.question import Answer, integer
from opsverify.probes.host.shell_file import AwkFunctions

COMBINED = AwkFunctions(__package__, "combined.awk")


def understood(answer: Answer, window: Window) -> None:
    """Raise ProbeError where there are lines, and not one of them, or of those in the window, is of the format."""
    blocks = [answer.block(name) for name in ("malformed", "strange", "understood")]
    malformed, strange, well = (integer(block.rest if block else "0", "the lines of a format") for block in blocks)
    # A line without a time may be older than the window: then it proves nothing against a log that was understood.
    unknown = strange if well else malformed
    if unknown and not window.lines:
        raise ProbeError(
            f"{window.source} could not be understood: none of its last {unknown} lines is of nginx's format combined "
            "(log_format), with the client's address at the beginning"
        )


__all__ = ["COMBINED", "understood"]
