"""How long tests wait. No result may depend on how fast a machine is: they wait for events, and bound only what hangs."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

HANGS = 600.0
"""Seconds. What should happen soon is waited for as long as this: reached only by what never happens."""

SOON = 120.0
"""Seconds that prove, where a peer would have kept us waiting for `HANGS`, that something else ended it."""

AMPLE = 60.0
"""Seconds of a deadline under which everything is answered, on any machine."""

USUAL = 0.05
"""Seconds that a new Python takes to import what the suite starts with, on a quiet machine."""


def slowed(seconds: float) -> float:
    """`seconds` on a quiet machine, for what must be short and yet suffice: longer by how slow this one is just now."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import argparse, decimal, email.message, json, logging"], check=True)
    unit = (time.monotonic() - began) / USUAL
    return seconds * unit * 2 if unit > 1.5 else seconds


def until(event: Callable[[], object], at_most: float = HANGS) -> None:
    """Wait until `event` is true; fail where it never is."""
    end = time.monotonic() + at_most
    while not event():
        assert time.monotonic() < end, f"{event} did not come about"
        time.sleep(0.02)
