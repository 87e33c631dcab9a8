"""Ctrl-C ends a run soon, and its reports say that they are partial; two runs at once do not notice each other."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest

from tests.crash.conftest import Place
from tests.pace import HANGS, until

SLOW = """
import time
from opsverify import runbook

@runbook("memory-usage")
def test_first(memory, expect):
    expect(memory.used_percent)

@runbook("disk-usage")
def test_slow(filesystems, expect):
    open("running", "w").close()
    time.sleep(600)

@runbook("inode-usage")
def test_never(filesystems, expect):
    expect(1.0)
"""


def interrupt(child, *, group: bool) -> None:
    """Ctrl-C, which a terminal sends to all processes of the group; or a signal to the one process."""
    if group:
        os.killpg(child.pid, signal.SIGINT)
    else:
        child.send_signal(signal.SIGINT)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one", "workers"])
def test_ctrl_c_while_checks_are_judged(alone: Place, workers: tuple[str, ...]) -> None:
    alone.project.own_checks(SLOW)
    child = alone.start("-v", *workers)
    until((alone.project.folder / "running").exists)
    # Of two workers, the one that runs the first test may be the later one.
    until(lambda: re.search(r"test_first\S*( \S+)? PASSED|PASSED \S*test_first", alone.output()) is not None)
    interrupt(child, group=True)
    assert child.wait(HANGS) == 2, alone.output()
    output = alone.output()
    assert "PARTIAL: the run was interrupted" in output
    assert "Traceback" not in output
    assert alone.await_quiet() == []
    assert alone.remains() == []
    cases = {case.get("name") for case in ET.parse(alone.project.folder / "reports/output/junit.xml").iter("testcase")}
    assert "test_first[here]" in cases
    page = (alone.project.folder / "reports/output/report.html").read_text()
    assert "the run was interrupted" in page
    assert [(code, partial) for code, partial, _ in alone.runs()] == [(2, True)]


def test_ctrl_c_while_evidence_is_collected(alone: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        alone.project.environment("silent", f"apis: {{a: {{url: 'http://127.0.0.1:{silent.getsockname()[1]}'}}}}\n")
        child = alone.start(environment="silent")
        silent.settimeout(HANGS)
        connection, _ = silent.accept()
        with connection:
            interrupt(child, group=True)
            assert child.wait(HANGS) == 2, alone.output()
    output = alone.output()
    assert "PARTIAL: the run was interrupted" in output
    assert "Traceback" not in output
    assert ET.parse(alone.project.folder / "reports/output/junit.xml").getroot() is not None
    assert "the run was interrupted" in (alone.project.folder / "reports/output/report.html").read_text()
    assert not [run for run in alone.runs() if not run[1]]


def importing(place: Place) -> bool:
    """Our first line has run, and most modules are still to be imported."""
    return "opsverify.sigint" in place.output()


def rehearsal_starting(place: Place) -> bool:
    return any(path.is_dir() for path in place.temporary.glob("opsverify-rehearsal-*/*"))


def configured(place: Place) -> bool:
    """The rehearsal is up, and evidence is about to be collected."""
    return (place.project.folder / "reports/output/junit.xml").exists()


def reported(place: Place) -> bool:
    """The run has come to its end, and one of its reports is written."""
    report = place.project.folder / "reports/output/junit.xml"
    return report.exists() and report.stat().st_size > 0


@pytest.mark.parametrize("group", [True, False], ids=["group", "process"])
@pytest.mark.parametrize(
    ("moment", "codes"),
    [(importing, (2,)), (rehearsal_starting, (2,)), (configured, (2,)), (reported, (0, 1, 2))],
    ids=["importing", "starting", "configured", "reported"],
)
def test_ctrl_c_at_any_moment(
    alone: Place, moment: Callable[[Place], bool], codes: tuple[int, ...], group: bool
) -> None:
    """It ends soon, without a traceback, and leaves nothing behind."""
    child = alone.start("-s", PYTHONPROFILEIMPORTTIME="1")  # -s: what Python says of imports must not be captured
    while not moment(alone):
        assert child.poll() is None, alone.output()
        time.sleep(0.005)
    interrupt(child, group=group)
    code = child.wait(HANGS)
    output = alone.output()
    assert code in codes, output
    assert "INTERNALERROR" not in output
    assert "Traceback" not in output
    assert ("Interrupted while starting: nothing was verified." in output) == (moment is importing)
    assert alone.await_quiet() == []
    assert alone.remains() == []
    if code == 2:
        assert not [run for run in alone.runs() if not run[1]]


def test_two_runs_at_once_on_one_environment(attached: Place) -> None:
    """Each whole, each in the history, with reports of its own; also where both write the very same files."""
    names = ("one", "two")
    children = [attached.start(name=name) for name in names]
    codes = [child.wait(HANGS) for child in children]
    # 1: on a busy machine a clock may be read too vaguely to be judged. Nothing may be found wrong.
    assert set(codes) <= {0, 1}, attached.output("one") + attached.output("two")
    one, two = attached.runs()
    assert one[1:] == two[1:]
    assert one[1] is False
    for name in names:
        cases = ET.parse(attached.project.folder / "reports" / name / "junit.xml").findall(".//testcase")
        assert len(cases) == one[2]
        assert [case.get("name") for case in cases if case.find("failure") is not None] == [], attached.output(name)
        assert (attached.project.folder / "reports" / name / "report.html").read_text().rstrip().endswith("</html>")


def test_two_runs_at_once_that_write_the_same_reports(attached: Place) -> None:
    children = [attached.start("-m", "smoke", name="same") for _ in range(2)]
    codes = [child.wait(HANGS) for child in children]
    assert set(codes) <= {0, 1}, attached.output("same")
    folder = attached.project.folder / "reports" / "same"
    cases = ET.parse(folder / "junit.xml").findall(".//testcase")
    assert [run[2] for run in attached.runs()] == [len(cases)] * 2
    assert (folder / "report.html").read_text().rstrip().endswith("</html>")
    shutil.rmtree(folder)
