"""What tells a run's own requests and sessions from everybody else's in the logs of its targets.

Logs are judged by what others did: what carries a mark is left out of their shares, and counted. Whoever forges it
hides from a share, but not from the checks of who may be attacking: these leave nothing out.
"""

from __future__ import annotations

import os

from opsverify import __version__

RUN_ID = os.urandom(4).hex()
AGENT = f"opsverify/{__version__} run {RUN_ID}"
"""As User-Agent, which every access log has, and as PostgreSQL's application_name."""
REQUEST_ID = f"opsverify-{RUN_ID}"
"""As X-Request-ID, and in the address of a request that the API may answer with an error: both stand in its log."""

__all__ = ["AGENT", "REQUEST_ID", "RUN_ID"]
