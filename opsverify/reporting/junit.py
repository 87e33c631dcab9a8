"""What pytest's own `--junitxml` needs from us: it writes the file, with what is in each user_properties.

Readers differ in what they take (`junit_family = xunit1` in pytest.ini lets pytest write it all):

GitLab            classname and name, by which it tells test cases apart; file; time (docs.gitlab.com, unit tests)
GitHub's actions  file and line, for annotations: dorny/test-reporter, mikepenz/action-junit-report, …
Jenkins           classname, name, time; type of a failure (its xunit plugin's junit-10.xsd knows neither file nor line
                  nor a test case's properties, and its junit plugin skips what it does not know)
Azure Pipelines   classname, name, time, message (learn.microsoft.com, PublishTestResults)
"""

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
    """Plugin object: names the environment in the file, and makes each test case say what its readers need."""

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
                _count_lines_from_one(case)
                _add_change(case, changes)
                reporter.to_xml = lambda case=case: case
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


def _plain_messages(case: Any) -> None:
    """pytest says `failed on setup with "…"` and cuts at 500 characters; who reads it wants just the sentence.

    The verdict is the type, which pytest leaves out although older readers require one.
    """
    verdict = next((p.get("value") for p in case.iterfind("properties/property") if p.get("name") == "verdict"), None)
    for node in case:
        if node.tag not in ("failure", "error"):
            continue
        node.set("type", verdict or "broken")
        text = (node.text or "").strip()
        if text and len(text.splitlines()) == 1:
            node.set("message", text)


def _count_lines_from_one(case: Any) -> None:
    """pytest counts them from 0, and everybody who reads the file from 1."""
    line = case.get("line")
    if line is not None:
        case.set("line", str(int(line) + 1))
