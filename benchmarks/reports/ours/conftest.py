"""A stand-in for opsverify.plugin: says of each test what the plugin says of a check, and registers the reports."""

from datetime import UTC, datetime

import pytest

from benchmarks.reports.fleet import ALIKE, LIMIT, percent
from opsverify import reporting
from opsverify.reporting.change import Change, Past, State
from opsverify.reporting.digest import Heading
from opsverify.reporting.results import limits_text, record


def pytest_addoption(parser):
    reporting.add_options(parser.getgroup("opsverify"))


def pytest_configure(config):
    results = reporting.register_reports(config, Heading("fleet", started=datetime.now(UTC)))
    # As after a month of nights; what reading it takes is the history's, and not measured here.
    known = Change(State.KNOWN, runs=3, days=2)
    month = Past((("normal", 27, "2026-02-01T03:04:00+00:00"), ("alert", 2, "2026-02-28T03:04:00+00:00")))
    results.compare = lambda result: known if result.outcome.failed else None
    results.look_back = lambda asked: dict.fromkeys((result.nodeid for result in asked), month)


def pytest_itemcollected(item):
    figure, host = item.callspec.params["figure"], item.callspec.params["host"]
    record(
        item,
        runbook=figure if ALIKE else f"{figure}-{host}",
        environment="fleet",
        target=host,
        target_kind="hosts",
        title=f"Every host keeps {figure} within its limits",
        action=f"Look with `ssh monitor@{host} top -b -n 1` for what takes it, and move that elsewhere.",
        severity="P2",
        schedule="smoke daily",
        source="MON",
        expected=f"< {LIMIT} % (alert > 90 %)",
        unit="%",
        limits=limits_text(LIMIT, 90, "above"),
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call":
        used = percent(item.callspec.params["figure"], item.callspec.params["host"])
        record(item, verdict="alert" if report.failed else "normal", observed=f"{used} %", value=repr(float(used)))
        if report.failed:
            sentence = f"observed {used} %, expected < {LIMIT} % (alert > 90 %)"
            record(item, sentence=sentence, respond_by="2026-03-02T13:04:00+09:00")
            report.longrepr = sentence
        report.user_properties = list(item.user_properties)
    return report
