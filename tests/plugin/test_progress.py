"""What is seen while evidence is collected: in a terminal, in a log, and when nobody wants to see it."""

from __future__ import annotations

import os
import pty
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsverify.evidence.progress import Running
from opsverify.plugin.progress import line
from tests.pace import HANGS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("count", "done", "seconds", "running", "expected"),
    [
        (1000, 0, 2.0, [], "evidence: 0 of 1,000 probes have ended"),
        (1000, 250, 5.0, [], "evidence: 250 of 1,000 probes have ended, about 15 s left"),
        (3, 2, 60.0, [Running("host a", 60.0, "", 5.0)],
         "evidence: 2 of 3 probes have ended, about 5 s left · host a (60 s)"),
        (9, 0, 4.0, [Running(f"host {n}", 4.0 - n, "", 9.0) for n in range(5)],
         "evidence: 0 of 9 probes have ended · host 0 (4 s), host 1 (3 s)"),
        (9, 0, 9.0, [Running(f"host {n}", 9.0, "", 9.0) for n in range(5)],
         "evidence: 0 of 9 probes have ended · host 0 (9 s), host 1 (9 s), host 2 (9 s), 2 more"),
        (2, 0, 9.0, [Running("host a", 9.0, "", 9.0), Running("backup b", 1.0, "fetching 1.20 of 3.40 GiB", 9.0)],
         "evidence: 0 of 2 probes have ended · backup b (fetching 1.20 of 3.40 GiB, 1 s), host a (9 s)"),
    ],
)  # fmt: skip
def test_the_line(count, done, seconds, running, expected):
    assert line(count, done, seconds, running) == expected


@pytest.fixture
def silent(project) -> Iterator[Path]:
    """A project whose one host takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection = f"ssh://root@127.0.0.1:{server.getsockname()[1]}"
        project.environment("here", f"hosts: {{app1: {{connection: '{connection}', deadline: 4}}}}\n")
        yield project.folder


def seen(folder: Path, *arguments: str, terminal: bool) -> str:
    command = [sys.executable, "-m", "pytest", "--env", "here", "-k", "memory_usage", *arguments]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env |= {"PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "120"}
    if not terminal:
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=HANGS, env=env).stdout
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    output = b""
    while True:
        try:
            output += os.read(ours, 4096)
        except OSError:  # how Linux says that nobody has the other end
            break
    process.wait(HANGS)
    os.close(ours)
    return output.decode()


def test_a_terminal_shows_who_is_waited_for_and_then_nothing_of_it(silent):
    output = seen(silent, terminal=True)
    lines = re.findall(r"\revidence: 0 of 1 probes have ended( · host app1 \(\d+ s\))? *", output)
    assert any(lines)
    assert output.rindex("probes have ended") < output.index("Needs a person")
    assert "probes have ended" not in seen(silent, "-q", terminal=True)


def test_a_log_gets_no_line_that_changes(silent):
    output = seen(silent, terminal=False)
    assert "\r" not in output
    assert "blocked" in output


def test_the_report_says_what_the_evidence_cost(silent):
    seen(silent, terminal=False)
    text = (silent / "reports" / "here" / "report.html").read_text()
    assert "the run waited for host.probe of here/hosts/app1" in text
