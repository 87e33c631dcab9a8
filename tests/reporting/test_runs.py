"""Real runs of pytest, in one process and under xdist: what the terminal and the JUnit file say about them."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET

import cases
import pytest

from opsverify import __version__

PROPERTIES = {"runbook", "severity", "schedule", "verdict", "observed", "expected", "unit", "target"}


def properties(testcase: ET.Element) -> dict[str, str]:
    result = [(p.get("name", ""), p.get("value", "")) for p in testcase.iterfind("properties/property")]
    assert len(result) == len(dict(result)), "each property once"
    return dict(result)


def test_the_terminal_ends_with_what_needs_a_person(run_sample, options):
    run = run_sample(cases.ordinary(), *options)
    lines = run.summary
    start = lines.index("Needs a person")
    first = "P1  api-health[blue]  observed 503, database: error, expected 200, status ok  (respond by "
    assert lines[start + 1].startswith(first)
    assert lines[start + 2].startswith("      → Restart mycats-backend")
    (at,) = (n for n, line in enumerate(lines) if line.startswith("P1  host app1: connection refused"))
    assert lines[at + 1].startswith("      → 5 checks could not be determined:")
    assert lines[-2] == (
        "3 normal, 2 warned, 3 alert, 1 undetermined, 5 blocked, 1 broken, 1 waived, 1 not applicable"
        " — environment production (slot green)"
    )
    assert run.code == 1
    assert lines[-1].strip("= ").startswith("4 failed")
    # Each sentence stands once; only a bug of the suite keeps its traceback.
    assert run.output.count("503, database: error") == 1
    assert "KeyError: 'a bug of the suite'" in run.output


def test_verbose_keeps_pytests_own_sections(run_sample):
    assert "test_case[api-health-blue] _" in run_sample(cases.ordinary(), "-v").output


def test_junit_has_one_case_per_check_with_its_properties(run_sample, options):
    run = run_sample(cases.ordinary(), *options)
    suite = ET.parse(run.junit).getroot().find("testsuite")
    assert {p.get("name"): p.get("value") for p in suite.iterfind("properties/property")}["environment"] == "production"
    result = suite.findall("testcase")
    assert len(result) == len(cases.ordinary())
    for testcase in result:
        assert set(properties(testcase)) >= PROPERTIES - {"observed"}
    by_id = {properties(testcase)["runbook"]: testcase for testcase in result}
    assert properties(by_id["disk-usage"])["verdict"] == "warning"
    assert by_id["disk-usage"].find("failure") is None
    failure = by_id["api-health"].find("failure")
    assert failure.get("message").startswith("observed 503, database: error, expected 200, status ok → Restart")
    # pytest alone would write: failed on setup with "…"
    assert by_id["slow-queries"].find("error").get("message").startswith("pg_stat_statements is not installed")
    assert by_id["certificate-trust"].find("skipped").get("message").startswith("waived by tanaka")
    assert "only one slot" in by_id["retired-slot-stopped"].find("skipped").get("message")


def test_junit_is_well_formed_whatever_a_target_says(run_sample, options):
    run = run_sample(cases.hostile(half_characters=not options), *options)
    suite = ET.parse(run.junit).getroot().find("testsuite")
    assert len(suite.findall("testcase")) == len(cases.hostile())


def test_a_check_in_which_a_worker_died_is_in_every_report(run_sample):
    dying = [cases.case("a", "normal"), cases.case("deadly", "normal", "P1", do="die"), cases.case("b", "normal")]
    run = run_sample(dying, "-n2")
    assert "P1  deadly[app1]  worker 'gw" in run.output
    assert "2 normal" in run.summary[-2]
    assert "1 broken" in run.summary[-2]
    page = run.html.read_text("utf-8")
    assert page.count("deadly[app1]") >= 2  # the list, and a row
    assert ET.parse(run.junit).getroot().find(".//error") is not None


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_an_interrupted_run_says_that_it_is_partial(run_sample):
    run = run_sample(
        [cases.case("a", "normal"), cases.case("slow", "normal", do="interrupt"), cases.case("never", "normal")]
    )
    assert run.code == 2
    assert "PARTIAL: the run was interrupted" in run.output
    assert "slow[app1]  could not be determined: the run ended before this check was judged" in run.output
    assert "Partial report" in run.html.read_text("utf-8")


def test_stopping_at_the_first_failure_is_partial_too(run_sample):
    run = run_sample([cases.case("a", "alert", observed="1", expected="0"), cases.case("b", "normal")], "-x")
    assert "PARTIAL: the run stopped early" in run.output


def test_a_file_that_cannot_be_collected_is_reported(run_sample, options):
    run = run_sample([cases.case("a", "normal")], *options, extra="import nowhere_to_be_found")
    assert "--  test_extra.py  could not be collected: ModuleNotFoundError" in run.output
    assert "nowhere_to_be_found" in run.html.read_text("utf-8")


def test_what_is_no_check_is_kept(run_sample, options):
    extra = "def test_good(): pass\ndef test_bad(): assert 1 == 2\n"
    run = run_sample([cases.case("a", "normal")], *options, extra=extra)
    assert "--  test_extra.py::test_bad  assert 1 == 2" in run.output
    assert run.summary[-2].startswith("2 normal, 0 warned, 0 alert")


def test_a_verdict_does_not_outweigh_a_failing_teardown(run_sample, options):
    extra = """
import pytest
from opsverify.reporting.results import record
@pytest.fixture
def leaky():
    yield
    raise RuntimeError("could not clean up")
def test_leaks(leaky, request):
    record(request.node, runbook="leaky", target="app1", verdict="normal", severity="P2")
"""
    run = run_sample([cases.case("a", "normal")], *options, extra=extra)
    assert "P2  leaky[app1]  RuntimeError: could not clean up (in the teardown)" in run.output


def test_a_check_that_judged_nothing_is_not_normal(run_sample):
    extra = """
from opsverify.reporting.results import record
def test_idle(request):
    record(request.node, runbook="idle", target="app1", severity="P2")
"""
    run = run_sample([cases.case("a", "normal")], extra=extra)
    assert "P2  idle[app1]  the check passed without judging anything" in run.output


def test_an_empty_run_is_not_green(run_sample):
    run = run_sample([cases.case("a", "not applicable", sentence="no such thing here")])
    assert "NOTHING WAS JUDGED" in run.output
    assert "Nothing was judged" in run.html.read_text("utf-8")


def test_a_selection_that_matches_nothing_is_not_silent(run_sample, options):
    run = run_sample([cases.case("a", "normal")], *options, "-knowhere")
    assert run.code == 5
    assert "NOTHING WAS JUDGED" in run.output
    assert "Nothing was judged" in run.html.read_text("utf-8")


def test_a_warning_is_shown_while_the_run_goes_on(run_sample, options):
    run = run_sample([cases.case("a", "warning", observed="1", expected="0")], *options, "-v")
    assert "WARNED" in run.output
    assert "1 warned in" in run.output
    assert run.code == 0


def test_register_takes_what_the_plugin_knows_of_a_run():
    from datetime import UTC, datetime
    from types import SimpleNamespace as Some

    from opsverify.reporting import register

    config = Some(
        pluginmanager=pytest.PytestPluginManager(), option=Some(xmlpath="a.xml", htmlpath="a.html", language=None)
    )
    loaded = Some(environment=Some(name="production", language="ja"))
    now = datetime(2026, 3, 2, tzinfo=UTC)
    results = register(config, Some(environments=[loaded], title="My Cats (slot green)", slot="green", now=now))
    assert results.all() == []
    for name in ("results", "terminal", "junit", "html"):
        assert config.pluginmanager.has_plugin(f"opsverify-{name}")


def test_every_report_names_the_version(run_sample, options):
    run = run_sample(cases.ordinary(), "--summary=summary.md", *options)
    assert f"\nopsverify {__version__}\n" in run.output
    suite = ET.parse(run.junit).getroot().find("testsuite")
    assert {p.get("name"): p.get("value") for p in suite.iterfind("properties/property")}["opsverify"] == __version__
    assert f"&#34;opsverify&#34;: &#34;{__version__}&#34;" in run.html.read_text("utf-8")
    assert f"opsverify {__version__}" in (run.folder / "summary.md").read_text("utf-8")
