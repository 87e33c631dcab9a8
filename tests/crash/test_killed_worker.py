"""A worker that is killed, as by the kernel when memory is short: what it judged is not taken for judged."""

from __future__ import annotations

import os
import signal
import xml.etree.ElementTree as ET

from tests.crash.conftest import Place
from tests.pace import HANGS, until

CHECKS = """
import os
import time
from opsverify import runbook

@runbook("memory-usage")
def test_first(memory, expect):
    expect(memory.used_percent)

@runbook("disk-usage")
def test_killed(filesystems, expect):
    with open("worker.new", "w") as file:
        file.write(str(os.getpid()))
    os.rename("worker.new", "worker")
    time.sleep(600)
"""


def test_a_check_whose_worker_was_killed_is_no_pass(alone: Place) -> None:
    alone.project.own_checks(CHECKS)
    child = alone.start("-n", "2")
    pid = alone.project.folder / "worker"
    until(pid.exists)
    os.kill(int(pid.read_text()), signal.SIGKILL)
    code = child.wait(HANGS)
    output = alone.output()
    assert code not in (0, 5), output
    cases = ET.parse(alone.project.folder / "reports/output/junit.xml").iter("testcase")
    ended = {case.get("name"): [part.tag for part in case if part.tag in ("failure", "error")] for case in cases}
    assert ended["test_killed[here]"], output
    assert "crashed while running" in output
    assert "Traceback" not in output
    page = (alone.project.folder / "reports/output/report.html").read_text()
    assert "crashed while running" in page
    assert alone.await_quiet() == []
