"""JUnit as GitLab, GitHub's actions, Jenkins and Azure Pipelines read it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import cases

KNOWN = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {"name", "time", "tests", "failures", "errors", "skipped", "timestamp", "hostname"},
    "testcase": {"classname", "name", "time", "file", "line"},
    "properties": set(),
    "property": {"name", "value"},
    "skipped": {"type", "message"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
}
"""The elements and attributes of Jenkins's junit-10.xsd, and `file` and `line` for GitHub and GitLab."""


def read(run: Any) -> tuple[ET.Element, dict[str, ET.Element]]:
    root = ET.parse(run.junit).getroot()
    for element in root.iter():
        assert set(element.attrib) <= KNOWN[element.tag], element.tag
    suite = root.find("testsuite")
    assert suite is not None
    found = {}
    for case in suite.iterfind("testcase"):
        found[f"{case.get('classname')} {case.get('name')}"] = case
    assert len(found) == len(suite.findall("testcase")), "GitLab tells test cases apart by class and name"
    return suite, found


def test_every_reader_finds_what_it_needs(run_sample: Any, options: tuple[str, ...]) -> None:
    done = run_sample(cases.ordinary(), *options)
    suite, found = read(done)
    assert len(found) == len(cases.ordinary())
    source = (done.folder / "test_sample.py").read_text("utf-8").splitlines()
    for case in found.values():
        assert case.get("file") == "test_sample.py"
        assert source[int(str(case.get("line"))) - 1].startswith("def test_case")
        assert float(str(case.get("time"))) >= 0
    numbers = {name: int(str(suite.get(name))) for name in ("tests", "failures", "errors", "skipped")}
    assert numbers == {"tests": len(found), "failures": 4, "errors": 6, "skipped": 2}
    # Spread over processes, test cases may take longer together than the run did.
    assert (
        options or sum(float(str(case.get("time"))) for case in found.values()) <= float(str(suite.get("time"))) + 0.1
    )


def test_the_type_is_the_verdict_and_a_waived_one_is_skipped_with_its_reason(run_sample: Any) -> None:
    _, found = read(run_sample(cases.ordinary()))
    types = {node.get("type") for case in found.values() for node in case if node.tag in ("failure", "error")}
    assert types == {"alert", "broken", "undetermined", "blocked"}
    (waived,) = (case for name, case in found.items() if "certificate-trust" in name)
    assert [node.tag for node in waived] == ["properties", "skipped"]
    skipped = waived.find("skipped")
    assert skipped is not None
    assert str(skipped.get("message")).startswith("waived by tanaka until 2026-04-01")


def test_what_has_no_test_case_of_pytest_has_a_sentence_too(run_sample: Any) -> None:
    _, found = read(run_sample([cases.case("a", "normal")], extra="import nowhere_to_be_found"))
    (missing,) = (case for name, case in found.items() if "extra" in name)
    error = missing.find("error")
    assert error is not None
    assert error.get("type") == "broken"
