"""The tests themselves, ended by somebody: none of the servers that they started stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pace import HANGS, until

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has subreapers")


def of(word: str) -> dict[int, str]:
    """Processes that name `word` in their command or environment, by id."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "cmdline").read_bytes() + b"\0" + (folder / "environ").read_bytes()
            state = (folder / "stat").read_text().rpartition(") ")[2][:1]
        except OSError:
            continue
        if word.encode() in text and state != "Z" and int(folder.name) != os.getpid():
            found[int(folder.name)] = text.decode("utf-8", "replace").replace("\0", " ")[:80]
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT], ids=lambda number: number.name)
@pytest.mark.parametrize("victim", ["first", "tests"])
def test_nothing_is_left_of_tests_that_are_ended(tmp_path: Path, number: signal.Signals, victim: str) -> None:
    mark = str(tmp_path / "base")
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", f"--basetemp={mark}", "tests/checks/test_edge.py"]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "REHEARSAL_"))}
    started = subprocess.Popen([*command, "-p", "no:cacheprovider"], cwd=ROOT, env=env | {"TMPDIR": str(tmp_path)},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
    try:
        until(lambda: any("postgres" in text for text in of(str(tmp_path)).values()))
        pid = started.pid
        if victim == "tests":
            pid = max(pid for pid, text in of(mark).items() if "pytest -q -n 2" in text)
        os.kill(pid, number)
        started.wait(HANGS)
        until(lambda: not of(str(tmp_path)), 60)
    finally:
        started.kill()
        for pid in of(str(tmp_path)):
            os.kill(pid, signal.SIGKILL)
