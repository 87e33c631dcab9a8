"""`--metrics FILE`: valid by both formats whatever a target says, and the examples ask for nothing that is not there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import cases
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

from opsverify.reporting import openmetrics
from opsverify.reporting.digest import Heading
from opsverify.reporting.finished import FinishedRun
from opsverify.reporting.openmetrics import FAMILIES, RUN
from opsverify.reporting.results import Outcome, Result, limits_text

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "monitoring"
HEADING = Heading("production", selection="daily")
DISK = Result(
    "checks/test_resources.py::test_disk_usage[app1]", "disk-usage", "production", "app1", "hosts",
    severity="P2", verdict="alert", unit="%", value="93.0", limits=limits_text(80.0, 90.0, "above"),
)  # fmt: skip

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def series(text: str) -> Series:
    """Every series by name and labels, as both formats read them: alike, and none twice."""
    read: list[Series] = []
    for parse in (open_metrics, prometheus):
        samples = [sample for family in parse(text) for sample in family.samples]
        assert not any(sample.timestamp for sample in samples)
        read.append({(one.name, tuple(sorted(one.labels.items()))): one.value for one in samples})
        assert len(read[-1]) == len(samples)
    assert read[0] == read[1]
    return read[0]


def value(found: Series, name: str, **labels: str) -> float:
    (one,) = (v for (n, pairs), v in found.items() if n == name and labels.items() <= dict(pairs).items())
    return one


def of(*results: Result, heading: Heading = HEADING, **more: Any) -> Series:
    return series(openmetrics.text(FinishedRun(heading, results, **{"exit_code": 1, "seconds": 2.5, **more})))


def test_a_figure_is_beside_its_limits() -> None:
    found = of(DISK)
    assert value(found, "opsverify_check_value", check="disk-usage", target="app1", unit="%") == 93
    assert value(found, "opsverify_check_warning_limit", check="disk-usage", worse="above", unit="%") == 80
    assert value(found, "opsverify_check_alert_limit", check="disk-usage", worse="above", unit="%") == 90
    assert value(found, "opsverify_check_failed", check="disk-usage", severity="P2", target_kind="hosts") == 1
    assert value(found, "opsverify_check_verdict", check="disk-usage", verdict="alert") == 1
    assert value(found, "opsverify_results", verdict="normal") == 0
    assert value(found, "opsverify_run_duration_seconds") == 2.5
    assert {dict(pairs)["selection"] for _, pairs in found} == {"daily"}


def test_the_worst_of_a_check_in_several_parts_counts() -> None:
    found = of(DISK, replace(DISK, nodeid="another", verdict="normal", value="3.0"))
    assert value(found, "opsverify_check_verdict", check="disk-usage") == 1
    assert value(found, "opsverify_check_value", check="disk-usage") == 93
    assert value(found, "opsverify_results", verdict="normal") == 1


def test_each_environment_has_its_own() -> None:
    staging = replace(DISK, environment="staging", verdict="normal")
    unread = Result("checks/test_x.py", sentence="could not be collected")
    found = of(DISK, staging, unread, heading=Heading("production + staging"), stopped="the run was interrupted")
    for name in ("production", "staging"):
        assert value(found, "opsverify_results", environment=name, verdict="broken") == 1
        assert value(found, "opsverify_run_complete", environment=name) == 0
    assert value(found, "opsverify_check_failed", environment="staging", check="disk-usage") == 0
    assert value(found, "opsverify_check_failed", check="checks/test_x.py") == 1


@given(
    st.lists(
        st.tuples(st.text(), st.text(), st.sampled_from(Outcome), st.floats(allow_nan=False, allow_infinity=False)),
        max_size=5,
    )
)
def test_any_label_is_escaped(parts: list[tuple[str, str, Outcome, float]]) -> None:
    results = [
        replace(
            DISK,
            target=target.replace("\r", ""),
            unit=unit.replace("\r", ""),
            verdict=outcome.value,
            value=repr(figure),
        )
        for target, unit, outcome, figure in parts
    ]
    found = of(*results)
    targets = {dict(pairs).get("target") for name, pairs in found if name == "opsverify_check_failed"}
    assert targets == {result.target for result in results}


def test_a_run_leaves_the_file(run_sample: Any, options: tuple[str, ...]) -> None:
    done = run_sample(cases.ordinary(), "--metrics=run.prom", *options)
    found = series((done.folder / "run.prom").read_text("utf-8"))
    assert value(found, "opsverify_run_exit_code") == done.code == 1
    assert value(found, "opsverify_results", verdict="blocked") == 5
    assert value(found, "opsverify_check_value", check="api-response-time") == 712
    hostile = run_sample(cases.hostile(half_characters=not options), "--metrics=run.prom", *options)
    assert series((hostile.folder / "run.prom").read_text("utf-8"))


def test_no_label_is_what_a_target_says() -> None:
    said = dict.fromkeys(("observed", "expected", "sentence", "cause", "action", "title", "measurements"), "said")
    assert "said" not in openmetrics.text(FinishedRun(HEADING, [replace(DISK, **said)], 1, 1.0))


def named(text: str) -> set[str]:
    return set(re.findall(r"\bopsverify_[a-z_]+", text))


@pytest.mark.parametrize("name", ["opsverify.rules.yml", "grafana-dashboard.json", "README.md"])
def test_the_examples_name_metrics_and_labels_that_exist(name: str) -> None:
    text = (EXAMPLES / name).read_text("utf-8")
    labels = {family.name: {*RUN, *family.labels} for family in FAMILIES}
    assert named(text)
    assert named(text) <= set(labels)
    if name == "README.md":
        assert named(text) == set(labels)
    parsed = yaml.safe_load(text) if name.endswith("yml") else json.loads(text) if name.endswith("json") else ""
    for metric, selectors in re.findall(r"(opsverify_[a-z_]+)\{([^}]*)\}", json.dumps(parsed).replace('\\"', "'")):
        assert set(re.findall(r"(\w+)\s*[=!]", selectors)) <= labels[metric], (metric, selectors)
    verdicts = set(re.findall(r"verdict[=!~]+'([^']*)'", json.dumps(parsed).replace('\\"', "'")))
    assert {one for listed in verdicts for one in listed.split("|")} <= {outcome.value for outcome in Outcome}


@pytest.fixture
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed")
    return found


def test_prometheus_own_tool_finds_no_fault(promtool: str) -> None:
    text = openmetrics.text(FinishedRun(HEADING, [DISK], 1, 1.0))
    done = subprocess.run([promtool, "check", "metrics"], input=text, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_alert_rules_fire_when_they_should(promtool: str) -> None:
    rules = Path(__file__).with_name("alert_rules.test.yml")
    done = subprocess.run([promtool, "test", "rules", rules], text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
