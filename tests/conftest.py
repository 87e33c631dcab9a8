"""What all tests share."""

from __future__ import annotations

from pathlib import Path

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
