"""Failures that no test found: told as failed tests, so that every report and the exit code know of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest


def reports_of_failure(
    path: str, name: str, nodeid: str, properties: Sequence[tuple[str, Any]], sentence: str
) -> Iterator[pytest.TestReport]:
    """The reports of a failed test of that name in the file `path`, with the properties of its result."""
    for when in ("setup", "call", "teardown"):
        failed = when == "call"
        yield pytest.TestReport(
            nodeid,
            (path, None, name),
            {name: 1},
            "failed" if failed else "passed",
            sentence if failed else None,
            when,
            user_properties=list(properties),
        )
