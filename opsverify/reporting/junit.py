"""What pytest's own `--junitxml` needs from us: it writes the file, with what is in each user_properties."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from opsverify import __version__
from opsverify.reporting.digest import Heading


class JUnit:
    """Plugin object: names the environment in the file, and lets each message be the one sentence."""

    def __init__(self, heading: Heading) -> None:
        self._heading = heading

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        log = _log(session.config)
        if log is None:
            return
        log.add_global_property("opsverify", __version__)
        log.add_global_property("environment", self._heading.environment)
        if self._heading.slot:
            log.add_global_property("slot", self._heading.slot)
        if self._heading.started:
            log.add_global_property("started", self._heading.started.isoformat(timespec="seconds"))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        log = _log(session.config)
        if log is not None:
            for reporter in log.node_reporters_ordered:
                _plain_messages(reporter)
        return (yield)


def _log(config: pytest.Config) -> Any:
    from _pytest.junitxml import xml_key

    return config.stash.get(xml_key, None)


def _plain_messages(reporter: Any) -> None:
    """pytest says `failed on setup with "…"` and cuts at 500 characters; who reads it wants just the sentence."""
    for node in reporter.to_xml():
        text = (node.text or "").strip()
        if node.tag in ("failure", "error") and text and len(text.splitlines()) == 1:
            node.set("message", text)
