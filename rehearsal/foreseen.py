"""What an environment file takes of a rehearsal that has not started: values of the right shape, for looking ahead."""

from __future__ import annotations

import re
from pathlib import Path

_SHAPES = (
    ("_URL", "http://127.0.0.1"),
    ("_DSN", "postgresql://mycats_monitor@127.0.0.1/mycats"),
    ("_PORT", "3004"),
    ("_PASSWORD", "not-known-yet"),
)


def variables(path: Path) -> dict[str, str]:
    """A value for every REHEARSAL_ variable that an environment file names. None of them leads anywhere."""
    names = re.findall(r"\$\{(REHEARSAL_[A-Z_]+)\}", path.read_text(encoding="utf-8"))
    return {name: next((value for end, value in _SHAPES if name.endswith(end)), f"/rehearsal/{name}") for name in names}
