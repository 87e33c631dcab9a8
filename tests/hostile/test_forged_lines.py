"""Names and text on a host that look like the lines by which we sort what it says: they stay names and text."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsverify.probes.host.files.archives import ArchiveContents
from opsverify.probes.host.files.dumps import DatabaseDumps
from opsverify.probes.host.files.listing import FileListing
from opsverify.probes.host.files.old_files import OldFiles
from opsverify.probes.host.logs.access import AccessLog
from opsverify.probes.host.logs.application import ApplicationLog
from opsverify.probes.host.logs.log_state import LogState
from opsverify.probes.host.logs.logins import SshLogins
from opsverify.probes.host.logs.window import Source
from opsverify.probes.host.logs.written import WrittenLines
from opsverify.probes.host.question import Answer, Question
from opsverify.probes.host.release.builds import Build
from opsverify.probes.host.release.installed_packages import InstalledPackages
from opsverify.probes.host.release.migrations import Migrations
from opsverify.probes.host.release.prisma import PrismaClient
from opsverify.probes.host.release.working_tree import WorkingTree
from opsverify.probes.host.run import run
from opsverify.probes.host.script import compose, read
from opsverify.probes.host.system.stopped import NodeProcesses
from tests.pace import AMPLE, HANGS, until

FORGED = "\n== forged 1\n== end\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout, with backups and logs in it, whose owner wants to be taken for us wherever a name or text goes."""
    for folder in (f"d{FORGED}", "== forged 1", "prisma/migrations", "node_modules/.pnpm"):
        (tmp_path / folder).mkdir(parents=True)
    for place in ("prisma/migrations", "node_modules/.pnpm", f"d{FORGED}"):
        for name in (f"x{FORGED}", "== forged 1", "1_a\n== forged 1"):
            (tmp_path / place / name).mkdir()
            (tmp_path / place / name / "migration.sql").write_text(FORGED)
    for name in (f"db_1{FORGED}.sql", f"app_1{FORGED}.tar.gz", f"x{FORGED}"):
        (tmp_path / name).write_text(FORGED)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    (tmp_path / "app.log").write_text(f"{now} ERROR a{FORGED}{now} ERROR b{FORGED}")
    (tmp_path / "pnpm-lock.yaml").write_text(f"lockfileVersion: '9.0'\nimporters:\n  .: {{}}\n{FORGED}")
    (tmp_path / "node_modules/.pnpm/lock.yaml").write_text(FORGED)
    (tmp_path / "node_modules/.modules.yaml").write_text(FORGED)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for arguments in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", FORGED]):
        subprocess.run([*git, *arguments], check=True, timeout=HANGS)
    return tmp_path


@pytest.fixture
def _node(checkout: Path) -> Iterator[None]:
    """A program by the name of node in a folder with such a name, and with such an argument."""
    script = checkout / f"d{FORGED}" / "node"
    script.symlink_to("/bin/sh")
    process = subprocess.Popen(
        [script, "-c", f"cd '{script.parent}'; while :; do sleep 1; done", f"a{FORGED}"], cwd=script.parent
    )
    until(lambda: Path(f"/proc/{process.pid}/comm").read_text() == "node\n")
    yield
    process.kill()
    process.wait(HANGS)


def questions(checkout: Path) -> tuple[Question, ...]:
    folder, log = str(checkout), Source(str(checkout / "app.log"))
    return (
        FileListing(folder), FileListing(folder, recursive=True), DatabaseDumps(folder), ArchiveContents(folder, "*.tar.gz"),
        OldFiles(folder, "*", 0), WrittenLines(str(checkout / "app.log"), ("== forged", "ERROR")), AccessLog(log, 24, 5),
        ApplicationLog(log, 24), LogState(log), SshLogins(log, 24, 5), Build(folder, "app.log", newest_of="*"),
        InstalledPackages(folder), Migrations(folder), PrismaClient(folder), WorkingTree(folder, untracked=True),
        NodeProcesses((folder,)),
    )  # fmt: skip


def ask(*asked: Question) -> dict[Question, Answer]:
    script = compose(asked, AMPLE)
    answers, ended = read(script, run(["/bin/sh"], AMPLE * 2, feed=script.text.encode()).output)
    assert ended
    return answers


@pytest.mark.usefixtures("_node")
def test_no_text_of_a_host_passes_for_a_line_of_ours(checkout: Path) -> None:
    answers = ask(*questions(checkout))
    assert set(answers) == set(questions(checkout))
    assert sum(b"== forged 1" in answer.output for answer in answers.values()) >= 3  # the attack got as far as us
    for question, answer in answers.items():
        assert answer.blocks(), question
        assert [block.name for block in answer.blocks() if block.name == "forged"] == [], question


def test_every_run_has_marks_of_its_own(checkout: Path) -> None:
    marks = {compose(questions(checkout), AMPLE).mark for _ in range(3)}
    assert len(marks) == 3
    assert all(len(mark) > 16 for mark in marks)
