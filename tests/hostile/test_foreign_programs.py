"""A PATH that leads to somebody else's folder first, where programs have the names of ours."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsverify.probes.host.connection import BY_STDIN
from opsverify.probes.host.files.listing import FileListing
from opsverify.probes.host.run import run
from opsverify.probes.host.script import compose, read
from opsverify.probes.host.system.memory import Memory
from tests.pace import AMPLE

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="this is about root")
PROGRAMS = ("cat", "awk", "stat", "sed", "head", "date", "timeout", "setsid", "find", "grep", "id", "ls", "tr", "nice")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of programs that leave a mark, and then do as those that they are named after."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        for program in PROGRAMS:
            file = Path(name, program)
            file.write_text(f'#!/bin/sh\necho {program} >> {name}/mark\nexec {shutil.which(program)} "$@"\n')
            file.chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
@pytest.mark.parametrize("owner", [65534, 0], ids=["another's", "root's own"])
def test_root_runs_no_program_of_anothers(folder: Path, shell: str, owner: int) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    os.chown(folder, owner, owner)
    script = compose((Memory(), FileListing("/etc")), AMPLE)
    program = "busybox sh" if shell == "busybox" else shell
    command = ["/bin/sh", "-c", BY_STDIN.replace("/bin/sh", f"{program}")]
    environment = {"PATH": f"{folder}:relative:{os.environ['PATH']}"}
    answers, ended = read(script, run(command, AMPLE * 2, feed=script.text.encode(), env=environment).output)
    assert ended
    assert len(answers) == 2
    assert Memory().parse(answers[Memory()]).total_bytes > 0
    assert (folder / "mark").exists() is (owner == 0)
