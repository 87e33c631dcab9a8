"""A stand-in for opsverify.plugin: says of each test what the plugin says of a check, and registers the reports."""

from datetime import UTC, datetime

import pytest

from benchmarks.reports.fleet import LIMIT, percent
from opsverify import reporting
from opsverify.reporting.digest import Heading
from opsverify.reporting.results import record


def pytest_addoption(parser):
    reporting.add_options(parser.getgroup("opsverify"))


def pytest_configure(config):
    reporting.register_reports(config, Heading("fleet", started=datetime.now(UTC)))


def pytest_itemcollected(item):
    figure, host = item.callspec.params["figure"], item.callspec.params["host"]
    record(
        item,
        runbook=figure,
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
