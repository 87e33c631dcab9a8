"""The operational verification suite: the runbook of My Cats as executable checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "1.1.0"
"""Every report names it; CHANGELOG.md says what it means for operators."""

if TYPE_CHECKING:
    import pytest


def runbook(item_id: str, *, only: str | None = None) -> pytest.MarkDecorator:
    """Tie a test function to its item in `checks/runbook.yaml`, from which schedule, severity and limits come.

    `only` is for a check that changes something on purpose, a test alert or a restore: it belongs to that one of its
    item's schedules, and runs when the run asks for it by name (`-m drill`), never because nothing was selected.
    """
    import pytest

    return pytest.mark.runbook(item_id, only=only) if only else pytest.mark.runbook(item_id)
