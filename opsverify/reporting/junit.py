"""What pytest's own `--junitxml` needs from us: it writes the file, with what is in each user_properties.

Readers differ in what they take (`junit_family = xunit1` in pytest.ini lets pytest write it all):

GitLab            classname and name, by which it tells test cases apart; file; time (docs.gitlab.com, unit tests)
GitHub's actions  file and line, for annotations: dorny/test-reporter, mikepenz/action-junit-report, …
Jenkins           classname, name, time; type of a failure (its xunit plugin's junit-10.xsd knows neither file nor line
                  nor a test case's properties, and its junit plugin skips what it does not know)
Azure Pipelines   classname, name, time, message (learn.microsoft.com, PublishTestResults)
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from functools import cache, partial
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import pytest

from opsverify import __version__
from opsverify.reporting.collected import Results
from opsverify.reporting.digest import Heading
from opsverify.reporting.results import Result


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
            # Asked for each case, but not before the file is written: whether somebody was notified is known by then.
            known = cache(self._known)
            for reporter in log.node_reporters_ordered:
                reporter.to_xml = partial(_case, reporter.to_xml(), known)
        return (yield)

    def _known(self) -> dict[tuple[str, str], Result]:
        return {_named(one.nodeid): one for one in self._results.all() if one.change or one.maintenance}


def _case(case: Element, known: Callable[[], Mapping[tuple[str, str], Result]]) -> Element:
    _plain_messages(case)
    _count_lines_from_one(case)
    _add_what_is_known(case, known())
    return case


def _log(config: pytest.Config) -> Any:
    from _pytest.junitxml import xml_key

    return config.stash.get(xml_key, None)


def _named(nodeid: str) -> tuple[str, str]:
    """How a case is named: its class and itself."""
    from _pytest.junitxml import mangle_test_address

    *names, name = mangle_test_address(nodeid)
    return ".".join(names), name


def _add_what_is_known(case: Element, known: Mapping[tuple[str, str], Result]) -> None:
    """What is only known when pytest has finished its part of the case."""
    result, properties = known.get((case.get("classname", ""), case.get("name", ""))), case.find("properties")
    if result is None or properties is None:
        return
    if result.change is not None:
        SubElement(properties, "property", name="state", value=result.change.state.value)
        SubElement(properties, "property", name="since", value=result.change.since)
    if result.maintenance:
        SubElement(properties, "property", name="maintenance", value=result.maintenance)


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
