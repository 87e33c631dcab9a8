"""What pytest's own `--junitxml` needs from us: it writes the file, with what is in each user_properties."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import pytest

from opsverify import __version__
from opsverify.reporting.change import Change
from opsverify.reporting.collected import Results
from opsverify.reporting.digest import Heading


class JUnit:
    """Plugin object: names the environment in the file, and lets each message be the one sentence."""

    def __init__(self, results: Results, heading: Heading) -> None:
        self._results = results
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
            changes = {_named(result.nodeid): result.change for result in self._results.all() if result.change}
            for reporter in log.node_reporters_ordered:
                case = reporter.to_xml()
                _plain_messages(case)
                _add_change(case, changes)
        return (yield)


def _log(config: pytest.Config) -> Any:
    from _pytest.junitxml import xml_key

    return config.stash.get(xml_key, None)


def _named(nodeid: str) -> tuple[str, str]:
    """How a case is named: its class and itself."""
    from _pytest.junitxml import mangle_test_address

    *names, name = mangle_test_address(nodeid)
    return ".".join(names), name


def _add_change(case: Element, changes: Mapping[tuple[str, str], Change]) -> None:
    """What is different since the runs before, which is known when pytest has finished its part of the case."""
    change, properties = changes.get((case.get("classname", ""), case.get("name", ""))), case.find("properties")
    if change is not None and properties is not None:
        SubElement(properties, "property", name="state", value=change.state.value)
        SubElement(properties, "property", name="since", value=change.since)


def _plain_messages(case: Element) -> None:
    """pytest says `failed on setup with "…"` and cuts at 500 characters; who reads it wants just the sentence."""
    for node in case:
        text = (node.text or "").strip()
        if node.tag in ("failure", "error") and text and len(text.splitlines()) == 1:
            node.set("message", text)
