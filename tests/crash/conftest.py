"""Runs that are killed, interrupted or not alone, in a temporary folder of their own, so that nothing they leave hides."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import rehearsal
from rehearsal.whole import Rehearsal
from tests.pace import HANGS, SOON
from tests.plugin.conftest import ROOT, Project

SELF = os.getpid()


@dataclass
class Place:
    """A project, a temporary folder of its own for all that its runs make, and a history for all of them."""

    project: Project
    temporary: Path
    whole: Rehearsal | None = None
    """What runs are attached to; None: each starts its own."""
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def history(self) -> Path:
        return self.project.folder / "history.db"

    def start(
        self, *arguments: str, name: str = "output", environment: str = "rehearsal", **variables: str
    ) -> subprocess.Popen[bytes]:
        """Start a run; what it says goes into a file of that name, its reports into a folder of that name."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("VERIFY_", "PYTEST_", "REHEARSAL_"))}
        env |= {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "TMPDIR": str(self.temporary), **variables}
        if self.whole is not None:
            env["REHEARSAL_ATTACH"] = str(self.whole.layout.root)
        reports = self.project.folder / "reports" / name
        command = [sys.executable, "-m", "pytest", "--env", environment, f"--history=sqlite:///{self.history}"]
        command += [f"--junitxml={reports}/junit.xml", f"--html={reports}/report.html", *arguments]
        with (self.project.folder / name).open("wb") as sink:
            child = subprocess.Popen(
                command, cwd=self.project.folder, env=env,
                stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self.started.append(child)
        return child

    def run(self, *arguments: str, name: str = "output", **variables: str) -> tuple[int, str]:
        """A run to its end: its exit code, and what it said."""
        code = self.start(*arguments, name=name, **variables).wait(HANGS)
        return code, self.output(name)

    def output(self, name: str = "output") -> str:
        return (self.project.folder / name).read_text(errors="replace")

    def runs(self) -> list[tuple[int, bool, int]]:
        """(exit code, partial, number of results) of every run in the history, which must be sound."""
        if not self.history.exists():
            return []
        with sqlite3.connect(f"file:{self.history}?mode=ro", uri=True) as database:
            if not database.execute("SELECT name FROM sqlite_master WHERE name = 'runs'").fetchone():
                return []
        with sqlite3.connect(self.history) as database:  # rolls back what a killed writer left in its journal
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert database.execute("PRAGMA foreign_key_check").fetchall() == []
            result = database.execute("SELECT id, exit_code, partial FROM runs ORDER BY id").fetchall()
            counts = Counter(run for (run,) in database.execute("SELECT run_id FROM results"))
        return [(code, bool(partial), counts[key]) for key, code, partial in result]

    def processes(self) -> list[str]:
        """Whatever still runs of this place: by its temporary folder in the environment, or by where it works."""
        result = []
        mark = os.fsencode(f"TMPDIR={self.temporary}")
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                state = (folder / "stat").read_text().rpartition(") ")[2][:1]
                ours = mark in (folder / "environ").read_bytes().split(b"\0")
                ours = ours or os.readlink(folder / "cwd").startswith(str(self.temporary))
                if ours and state not in "ZX" and int(folder.name) != SELF:
                    result.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue
        return result

    def await_quiet(self) -> list[str]:
        """Wait until nothing runs any more; gives back what never ends."""
        end = time.monotonic() + SOON
        while (left := self.processes()) and time.monotonic() < end:
            time.sleep(0.05)
        return left

    def remains(self) -> list[str]:
        """What lies in the temporary folder: all but pytest's own folder, and what of the rehearsal's is empty."""
        ours = [path for path in self.temporary.iterdir() if not path.name.startswith("pytest-of-")]
        kept = [path for path in ours if path.name.startswith("opsverify-rehearsal-")]
        left = [path for path in ours if path not in kept] + [path for folder in kept for path in folder.iterdir()]
        return sorted(str(path.relative_to(self.temporary)) for path in left)


def _place(folder: Path, whole: Rehearsal | None) -> Iterator[Place]:
    project = Project(folder)
    shutil.copy(ROOT / "environments" / "rehearsal.yaml", project.folder / "environments")
    # Short, and open to the user that PostgreSQL may have to run as: pytest's own folders are neither.
    temporary = Path(tempfile.mkdtemp(prefix="ovc-", dir="/tmp"))
    temporary.chmod(0o755)
    place = Place(project, temporary, whole)
    try:
        yield place
    finally:
        for child in place.started:
            if child.poll() is None:
                child.send_signal(signal.SIGKILL)
                child.wait()
        place.await_quiet()
        shutil.rmtree(temporary, ignore_errors=True)


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Place]:
    """Each run starts a rehearsal of its own."""
    yield from _place(tmp_path, None)


@pytest.fixture(scope="session")
def whole() -> Iterator[Rehearsal]:
    """One rehearsal for all tests here that attach to one and leave it as it is."""
    with rehearsal.private() as running:
        yield running


@pytest.fixture
def attached(tmp_path: Path, whole: Rehearsal) -> Iterator[Place]:
    """Each run attaches to one rehearsal."""
    yield from _place(tmp_path, whole)
