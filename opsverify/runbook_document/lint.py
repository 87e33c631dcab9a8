"""What shellcheck says of a document's blocks, where it is installed beside the suite.

It reads them from its input and runs nothing. Only its errors are taken, and of scripts with a first line of their own
the warnings that are mistakes whatever stands around them: a block is a piece of something, and a false alarm is none.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from opsverify.config.child_environment import child_environment
from opsverify.evidence.deadline import Deadline
from opsverify.runbook_document.blocks import Block, blocks, without_placeholders

_DIALECTS = {"bash": "bash", "sh": "sh", "dash": "dash", "ksh": "ksh"}
_WARNINGS = frozenset({2115, 2144, 2157, 2193, 2216, 2217, 2242, 2259, 2260})
"""Warnings that are mistakes: `rm -rf "$x/"`, tests that are always the same, pipes and files nobody reads …"""
_NOT_OURS = frozenset({2148, 2239, 2096})
"""Errors about a file's first line, which a block need not have."""
_SECONDS = 10.0


@dataclass(frozen=True)
class Remark:
    """`line` of the document, shellcheck's `code` and what it says."""

    line: int
    quote: str
    code: int
    message: str


def installed() -> str | None:
    """The program: on the PATH, or beside this Python."""
    return shutil.which("shellcheck") or shutil.which("shellcheck", path=str(Path(sys.executable).parent))


def lint(text: str, deadline: Deadline) -> tuple[Remark, ...]:
    """All remarks on a document; none where shellcheck is not installed, or says nothing that is understood."""
    program = installed()
    if program is None:
        return ()
    return tuple(remark for block in blocks(text) for remark in _of(block, program, deadline))


def _of(block: Block, program: str, deadline: Deadline) -> list[Remark]:
    typed = block.shell
    if typed is None or not typed.strip():
        return []
    is_program = block.text.lstrip().startswith("#!")
    command = [program, "--norc", "--format=json1", f"--severity={'warning' if is_program else 'error'}", "-"]
    if not is_program:
        command.insert(1, f"--shell={_DIALECTS.get(block.language, 'bash')}")
    given = without_placeholders(typed).replace("\ufffc", "P")
    environment = child_environment() | {"LC_ALL": "C.UTF-8"}  # it reads what is not ASCII
    try:
        done = subprocess.run(
            command,
            input=given,
            capture_output=True,
            encoding="utf-8",
            timeout=deadline.remaining(_SECONDS),
            env=environment,
            check=False,
        )
        comments = json.loads(done.stdout)["comments"]
    except (OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError):
        return []
    lines = typed.split("\n")
    remarks = []
    for comment in comments:
        code, at, level = int(comment["code"]), int(comment["line"]), comment["level"]
        # A piece of shell need not be whole (1xxx are about its syntax): only a script must be.
        wrong = (level == "error" and (code >= 2000 or is_program)) or code in _WARNINGS
        if wrong and code not in _NOT_OURS and at <= len(lines):
            remarks.append(Remark(block.line + at - 1, lines[at - 1].strip(), code, str(comment["message"])))
    return remarks


__all__ = ["Remark", "installed", "lint"]
