"""Ctrl-C while pytest still loads its plugins: nothing has been started and nothing needs to be undone, so the process
ends at once. The root conftest.py calls `guard` first; `opsverify.plugin.interruption` takes over when pytest listens.

It is no part of the plugin: pytest warns of plugins that were imported before it could load them.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

INTERRUPTED = 2
"""pytest's exit code for it, `pytest.ExitCode.INTERRUPTED`."""
_SENTENCE = "\nInterrupted while starting: nothing was verified.\n"


def guard() -> None:
    """From now on until `release`, end at once. Not in a worker of xdist, whose output is a protocol."""
    if "PYTEST_XDIST_WORKER" not in os.environ and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def release() -> bool:
    """Let Ctrl-C raise KeyboardInterrupt again; whether `guard` had changed that."""
    guarded = signal.getsignal(signal.SIGINT) is _end
    if guarded:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return guarded


def _end(number: int, frame: FrameType | None) -> None:
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, _SENTENCE.encode())
    os._exit(INTERRUPTED)
