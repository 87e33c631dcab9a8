"""Ctrl-C ends a run soon, and its reports say that they are partial; two runs at once do not notice each other."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.crash.conftest import Place

SLOW = """
import time
from opsverify import runbook

@runbook("memory-usage")
def test_first(memory, expect):
    expect(memory.used_percent)

@runbook("disk-usage")
def test_slow(filesystems, expect):
    open("running", "w").close()
    time.sleep(60)

@runbook("inode-usage")
def test_never(filesystems, expect):
    expect(1.0)
"""


def await_file(path: Path, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.05)


def interrupt(child, *, group: bool) -> None:
    """Ctrl-C, which a terminal sends to all processes of the group; or a signal to the one process."""
    if group:
        os.killpg(child.pid, signal.SIGINT)
    else:
        child.send_signal(signal.SIGINT)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one", "workers"])
def test_ctrl_c_while_checks_are_judged(alone: Place, workers: tuple[str, ...]) -> None:
    alone.project.own_checks(SLOW)
    child = alone.start(*workers)
    await_file(alone.project.folder / "running")
    time.sleep(0.5)
    interrupt(child, group=True)
    assert child.wait(30) == 2, alone.said()
    said = alone.said()
    assert "PARTIAL: the run was interrupted" in said
    assert "Traceback" not in said
    assert alone.await_quiet(10) == []
    assert alone.remains() == []
    cases = {case.get("name") for case in ET.parse(alone.project.folder / "reports/said/junit.xml").iter("testcase")}
    assert "test_first[here]" in cases
    page = (alone.project.folder / "reports/said/report.html").read_text()
    assert "the run was interrupted" in page
    assert [(code, partial) for code, partial, _ in alone.runs()] == [(2, True)]


def test_ctrl_c_while_evidence_is_collected(alone: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        alone.project.environment("silent", f"apis: {{a: {{url: 'http://127.0.0.1:{silent.getsockname()[1]}'}}}}\n")
        child = alone.start(environment="silent")
        silent.settimeout(30)
        connection, _ = silent.accept()
        with connection:
            began = time.monotonic()
            interrupt(child, group=True)
            assert child.wait(30) == 2, alone.said()
            assert time.monotonic() - began < 15, "the probe would have waited for 20 s"
    said = alone.said()
    assert "PARTIAL: the run was interrupted" in said
    assert "Traceback" not in said
    assert ET.parse(alone.project.folder / "reports/said/junit.xml").getroot() is not None
    assert "the run was interrupted" in (alone.project.folder / "reports/said/report.html").read_text()
    assert not [run for run in alone.runs() if not run[1]]


@pytest.mark.parametrize("moment", [1.2, 2.5, 3.2])
def test_ctrl_c_at_any_moment(alone: Place, moment: float) -> None:
    """While the rehearsal starts, while evidence is collected, and about at the end."""
    child = alone.start()
    time.sleep(moment)
    interrupt(child, group=moment != 2.5)
    code = child.wait(40)
    said = alone.said()
    assert code in ((0, 1, 2) if moment > 3 else (2,)), said
    assert "INTERNALERROR" not in said
    assert alone.await_quiet(20) == []
    assert alone.remains() == []
    if code == 2:
        assert not [run for run in alone.runs() if not run[1]]


def test_two_runs_at_once_on_one_environment(attached: Place) -> None:
    """Each whole, each in the history, with reports of its own; also where both write the very same files."""
    names = ("one", "two")
    children = [attached.start(name=name) for name in names]
    codes = [child.wait(120) for child in children]
    # 1: on a busy machine a clock may be read too vaguely to be judged. Nothing may be found wrong.
    assert set(codes) <= {0, 1}, attached.said("one") + attached.said("two")
    one, two = attached.runs()
    assert one[1:] == two[1:]
    assert one[1] is False
    for name in names:
        cases = ET.parse(attached.project.folder / "reports" / name / "junit.xml").findall(".//testcase")
        assert len(cases) == one[2]
        assert [case.get("name") for case in cases if case.find("failure") is not None] == [], attached.said(name)
        assert (attached.project.folder / "reports" / name / "report.html").read_text().rstrip().endswith("</html>")


def test_two_runs_at_once_that_write_the_same_reports(attached: Place) -> None:
    children = [attached.start("-m", "smoke", name="same") for _ in range(2)]
    codes = [child.wait(120) for child in children]
    assert set(codes) <= {0, 1}, attached.said("same")
    folder = attached.project.folder / "reports" / "same"
    cases = ET.parse(folder / "junit.xml").findall(".//testcase")
    assert [run[2] for run in attached.runs()] == [len(cases)] * 2
    assert (folder / "report.html").read_text().rstrip().endswith("</html>")
    shutil.rmtree(folder)
