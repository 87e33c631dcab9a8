"""The operational verification suite: the runbook of My Cats as executable checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def runbook(item_id: str) -> pytest.MarkDecorator:
    """Tie a test function to its item in `checks/runbook.yaml`, from which schedule, severity and limits come."""
    import pytest

    return pytest.mark.runbook(item_id)
