"""What all tests share."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Machines that run tests are busy at times: generating slowly is no mistake of the code under test.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
settings.load_profile("shared")
