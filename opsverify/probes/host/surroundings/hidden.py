"""What could not be looked at."""

from __future__ import annotations

from opsverify.probes.host.question import Answer, one_line


def hidden(answer: Answer) -> tuple[str, ...]:
    """What the script was refused, and that there was more than it may say."""
    refused = [one_line(block.rest, 160) for block in answer.blocks() if block.name == "denied"]
    cut = [f"what came after the first {len(answer.output):,} bytes"] if answer.truncated else []
    return tuple(dict.fromkeys([*refused, *cut]))


def ended(answer: Answer, what: str) -> None:
    """Raises ProbeError where a script has not come to its end."""
    if answer.status != 0 and not answer.truncated:
        raise answer.failure(what)


__all__ = ["ended", "hidden"]
