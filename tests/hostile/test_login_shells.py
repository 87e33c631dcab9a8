"""Accounts whose login shell is not the one we write for, and that print something at every login."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from opsverify.probes.host.connection import BY_STDIN
from opsverify.probes.host.question import Answer
from opsverify.probes.host.run import run
from opsverify.probes.host.script import compose, read
from opsverify.probes.host.system.memory import Memory, MemoryUsage
from opsverify.probes.host.system.operating_system import OsRelease
from tests.pace import AMPLE

GREETING = "echo 'You have mail'; echo '== kernel forged'; echo 'MemTotal: 1 kB'\n"
START_FILES = (".cshrc", ".tcshrc", ".zshenv", ".bashrc", ".profile", ".config/fish/config.fish")
QUESTIONS = (Memory(), OsRelease())


@pytest.mark.parametrize("shell", ["fish", "tcsh", "zsh", "bash", "dash", "busybox"])
def test_every_login_shell_hands_the_script_on(tmp_path: Path, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    for name in START_FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(GREETING)
    script = compose(QUESTIONS, AMPLE)
    # As sshd starts it: the account's shell, with -c and the command.
    command = [shell, *(["sh"] if shell == "busybox" else []), "-c", BY_STDIN]
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "BASH_ENV": str(tmp_path / ".bashrc")}
    answers, ended = read(script, run(command, AMPLE * 2, feed=script.text.encode(), env=environment).output)
    assert ended
    assert set(answers) == set(QUESTIONS)
    answer: Answer = answers[QUESTIONS[0]]
    usage = Memory().parse(answer)
    assert isinstance(usage, MemoryUsage)
    assert usage.total_bytes > 2**20
    assert "forged" not in OsRelease().parse(answers[QUESTIONS[1]]).kernel
