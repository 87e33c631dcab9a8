"""The first hour, walked: every command of docs/tutorial.md does what the page says, and prints what it shows."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

import rehearsal
from rehearsal.layout import Layout
from tests.pace import HANGS
from tests.test_documents import blocks, text_of

ROOT = Path(__file__).parents[1]
CODES = [0, 1, 4, 1, 0, 0]
"""How the runs of the page end, one after the other."""


def steps() -> Iterator[tuple[str, str, str]]:
    """(environment file as it has become, command, what it prints), in the page's order."""
    written = ""
    for (kind, code), (then, output) in pairwise([*blocks(text_of("docs/tutorial.md")), ("", "")]):
        if kind == "yaml":
            written = code if code.startswith("title:") else written + code
        if kind == "bash" and then == "text":
            yield written, code.strip(), output


def pattern(line: str) -> str:
    """What a printed line must look like: figures and the times of a run differ, and … is what was cut."""
    text = re.escape(re.sub(r"[\d,.]*\d", "#", re.sub(r"([=-])\1+", r"\1", re.sub(r"\s+", " ", line.strip()))))
    text = text.replace(r"\#", r"[\d,.]*\d").replace("#", r"[\d,.]*\d").replace("…", ".*")
    return text.replace(r"\ in\ ", r"(, \d+ warned)?\ in\ ", 1) if "deselected" in line else text


def printed(output: str) -> list[str]:
    return [re.sub(r"([=-])\1+", r"\1", re.sub(r"\s+", " ", line.strip())) for line in re.split(r"[\r\n]+", output)]


def in_a_terminal(words: list[str], variables: dict[str, str]) -> tuple[int, str]:
    """How Python ends with these arguments, and what it prints where a person reads it."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, *words],
        cwd=ROOT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=variables | {"NO_COLOR": "1"},
    )
    os.close(theirs)
    output = b""
    with suppress(OSError):  # how Linux says that nobody has the other end
        while said := os.read(ours, 65536):
            output += said
    os.close(ours)
    return process.wait(HANGS), output.decode()


@pytest.fixture(scope="module")
def layout() -> Iterator[Layout]:
    with rehearsal.private() as own:
        yield own.layout


def test_every_step_prints_what_the_page_shows(layout: Layout, tmp_path: Path) -> None:
    walked = list(steps())
    assert len(walked) == len(CODES)
    variables = json.loads(layout.variables.read_text())
    environments = tmp_path / "environments"
    environments.mkdir()
    reports = [f"--html={tmp_path}/report.html", f"--junit-xml={tmp_path}/junit.xml"]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("VERIFY_", "PYTEST_", "REHEARSAL_"))}
    for (written, command, shown), code in zip(walked, CODES, strict=True):
        (environments / "first.yaml").write_text(written)
        program, *words = shlex.split(command.replace("--env first", f"--env={environments}/first.yaml"))
        if program == "pytest":
            words = ["-m", "pytest", *words, *reports]
            if "rehearsal" not in words:
                words.append(f"--history=sqlite:///{tmp_path}/history.db")
        else:  # what looks at the page's rehearsal looks at this one
            own = {"https": variables["REHEARSAL_PUBLIC_URL"], "/tmp/": variables["REHEARSAL_CA_FILE"]}
            words = [next((to for start, to in own.items() if word.startswith(start)), word) for word in words]
            words = [word.replace("environments/", f"{environments}/") for word in words]
        ended, output = in_a_terminal(words, kept | {"COLUMNS": "100", "REHEARSAL_ATTACH": str(layout.root)})
        assert ended == code, f"{command}\n{output}"
        lines = iter(printed(output.replace(f"{tmp_path}/", "") if program == "python" else output))
        for line in shown.splitlines():
            if line.strip() not in ("", "…"):
                assert any(re.fullmatch(pattern(line), one) for one in lines), f"{command}: {line}\n{output}"


def test_a_line_that_is_not_printed_is_noticed() -> None:
    assert re.fullmatch(pattern("7 normal, 0 warned"), "12 normal, 0 warned")
    assert not re.fullmatch(pattern("7 normal, 0 warned"), "7 normal, 0 alert")
    assert re.fullmatch(pattern("P1  api[main]  observed 5 … (401)"), "P1 api[main] observed 7 of all (500)")
