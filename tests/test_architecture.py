"""What keeps the house in order: one direction of imports, and no circle anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_imports_go_one_way_and_never_in_a_circle(capsys: pytest.CaptureFixture[str]) -> None:
    """The contracts are in pyproject.toml ([tool.importlinter])."""
    from importlinter import cli

    code = cli.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert code == cli.EXIT_STATUS_SUCCESS, capsys.readouterr().out
