"""A stand-in for opsverify.plugin: sets user_properties as it does, and registers the reports."""

import json
import os
from datetime import UTC, datetime

import pytest

from opsverify import reporting
from opsverify.reporting.change import Change, Past, State
from opsverify.reporting.digest import Heading
from opsverify.reporting.results import record

CASES = json.loads(os.environ["OPSVERIFY_SAMPLE"])


def pytest_addoption(parser):
    reporting.add_options(parser.getgroup("opsverify"))


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        heading = Heading(
            "production",
            os.environ.get("OPSVERIFY_TITLE", "production (slot green)"),
            "green",
            os.environ.get("OPSVERIFY_LANGUAGE", "en"),
            datetime(2026, 3, 2, 3, 4, tzinfo=UTC),
        )
        results = reporting.register_reports(config, heading)
        if any("change" in case for case in CASES):
            known = {(case["runbook"], case["target"]): case for case in CASES}
            results.compare = lambda result: _change(known[result.runbook, result.target])
            results.look_back = lambda asked: {one.nodeid: _past(known[one.runbook, one.target]) for one in asked}


def _change(case):
    given = case.get("change")
    return Change(**{**given, "state": State(given["state"])}) if given else None


def _past(case):
    return Past(tuple(map(tuple, case.get("spells", ()))), tuple(case.get("values", ())))


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_sessionfinish(session):
    outcome = yield
    files = session.config.pluginmanager.get_plugin("opsverify-output-files")
    if files is not None:
        session.exitstatus = files.write(int(session.exitstatus))
    return outcome


def pytest_generate_tests(metafunc):
    if "case" in metafunc.fixturenames:
        cases = CASES
        metafunc.parametrize("case", cases, ids=[f"{c['runbook']}-{c.get('target') or n}" for n, c in enumerate(cases)])


def pytest_itemcollected(item):
    case = item.callspec.params["case"] if hasattr(item, "callspec") else None
    if not case:
        return
    names = (
        "runbook",
        "target",
        "title",
        "action",
        "severity",
        "target_kind",
        "schedule",
        "source",
        "expected",
        "unit",
    )
    record(item, environment="production", **{name: case.get(name, "") for name in names})
    if case["verdict"] == "waived":
        item.add_marker(pytest.mark.xfail(reason=case["sentence"], strict=True))
    if case["verdict"] == "not applicable":
        item.add_marker(pytest.mark.skip(reason=f"not applicable here: {case['sentence']}"))


@pytest.fixture
def fact(case):
    if case["verdict"] in ("undetermined", "blocked"):
        raise ConnectionError(case["sentence"])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    report = yield
    case = item.callspec.params["case"] if hasattr(item, "callspec") else None
    if case and (call.excinfo or report.when == "call"):
        names = ("verdict", "observed", "value", "sentence", "cause", "respond_by", "limits", "waiver")
        record(item, **{name: case[name] for name in names if name in case})
        report.user_properties = list(item.user_properties)
        if report.failed and case["verdict"] != "broken":
            report.longrepr = f"{case['sentence']} → {case['action']}"
    return report
