"""What all tests share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def pytest_configure(config: pytest.Config) -> None:
    # pytest loads the conftest.py of any test* folder below where it is started, so also for a run of the checks:
    # there, hypothesis need not be installed, and importing it would cost a second.
    if config.rootpath != Path(__file__).parent:
        return
    from hypothesis import HealthCheck, settings

    # Machines that run tests are busy at times: generating slowly is no mistake of the code under test.
    settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
    settings.load_profile("shared")


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: a third of the time, tests wait for deadlines, not for a processor."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A real Chromium, one for all tests of a process: Playwright cannot be started twice in one."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next((p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None)
    if program is None:
        pytest.skip("no Chromium on this machine")
    arguments = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    arguments += ["--disable-component-update", "--disable-sync"]
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=arguments)
        yield started
        started.close()
