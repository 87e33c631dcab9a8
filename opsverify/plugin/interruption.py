"""Ctrl-C at any moment ends a run quietly, with pytest's exit code for it, 2.

pytest catches an interruption from `pytest_configure` on; before, `opsverify.sigint` does.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Generator

import pytest

from opsverify.sigint import INTERRUPTED, release


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, int | None, int | None]:
    if not release():
        return (yield)
    config.stash[_OURS] = True
    atexit.register(_leave, config)
    try:
        code = yield
    except KeyboardInterrupt:  # just before pytest listens, or after it has
        sys.stderr.write("\nInterrupted.\n")
        code = INTERRUPTED
    finally:
        # What is left is to stop what the run has started: that takes a moment, and must not be cut short.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    config.stash[_CODE] = code
    return code


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    if session.config.stash.get(_OURS, False):
        # All is judged. What is left, reports, history and messages, has bounds of its own, and must not be left half
        # written; nor can libraries' callbacks pass an interruption on, they print a traceback in its place.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return (yield)


_CODE = pytest.StashKey[int | None]()
_OURS = pytest.StashKey[bool]()
"""Whether the process is pytest's alone, so that its signals are ours to handle."""


def _leave(config: pytest.Config) -> None:
    """Python ends itself by SIGINT where an interruption once went through `exec` of text, as dataclasses do it,
    although pytest has caught it since."""
    if config.stash.get(_CODE, None) == INTERRUPTED:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(INTERRUPTED)
