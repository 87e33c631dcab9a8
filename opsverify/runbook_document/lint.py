"""What shellcheck says of a document's blocks, where it is installed beside the suite.

It reads them from its input and runs nothing. Only its errors are taken, and of scripts with a first line of their own
the warnings that are mistakes whatever stands around them: a block is a piece of something, and a false alarm is none.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsverify.config.child_environment import child_environment
from opsverify.evidence.deadline import Deadline
from opsverify.runbook_document.blocks import Block, blocks, without_placeholders

_DIALECTS = {"bash": "bash", "sh": "sh", "dash": "dash", "ksh": "ksh"}
_WARNINGS = frozenset({2144, 2157, 2193, 2216, 2217, 2242, 2259, 2260})
"""Warnings that are mistakes: tests that are always the same, pipes and files that nobody reads."""
_NOT_OURS = frozenset({2148, 2239, 2096})
"""Errors about a file's first line, which a block need not have."""
_SETTINGS = range(2270, 2300)
"""Errors about what is meant to be an assignment or a name, as lines of a configuration are that stand in a block."""
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
    given = [block for block in blocks(text) if (block.shell or "").strip()]
    if program is None or not given:
        return ()
    with tempfile.TemporaryDirectory(prefix="opsverify-") as folder:
        files: dict[Path, Block] = {}
        for number, block in enumerate(given):
            suffix = "" if block.is_program else f".{_DIALECTS.get(block.language, 'bash')}"
            path = Path(folder, f"{number}{suffix}")
            path.write_text(without_placeholders(block.shell or "").replace("\ufffc", "P"), encoding="utf-8")
            files[path] = block
        command = [program, "--norc", "--format=json1", "--severity=warning", "--", *map(str, files)]
        environment = child_environment() | {"LC_ALL": "C.UTF-8"}  # it reads what is not ASCII
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                timeout=deadline.remaining(_SECONDS),
                env=environment,
                check=False,
            )
            comments = json.loads(done.stdout)["comments"]
            told = [_remark(comment, files[Path(comment["file"])]) for comment in comments]
        except (OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError):
            return ()
    return tuple(remark for remark in told if remark is not None)


def _remark(comment: Any, block: Block) -> Remark | None:
    code, at, is_error = int(comment["code"]), int(comment["line"]), comment["level"] == "error"
    # A piece of shell need not be whole (1xxx are about its syntax): only a script must be.
    wrong = (is_error and (block.is_program or (code >= 2000 and code not in _SETTINGS))) or (
        block.is_program and code in _WARNINGS
    )
    lines = (block.shell or "").split("\n")[:at]
    while len(lines) > 1 and not lines[-1].strip():  # what is said of its end is about its last line
        lines.pop()
    if not wrong or code in _NOT_OURS:
        return None
    return Remark(block.line + len(lines) - 1, lines[-1].strip(), code, str(comment["message"]))


__all__ = ["Remark", "installed", "lint"]
