"""A log with one line of 100 MB in it: read within its bound, and not taken for read whole."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from opsverify.config.environment import Host
from opsverify.evidence.deadline import Deadline
from opsverify.probes.host.logs.application import ApplicationLog
from opsverify.probes.host.logs.log_state import LogState
from opsverify.probes.host.logs.logins import SshLogins
from opsverify.probes.host.logs.window import Source
from opsverify.probes.host.logs.written import WrittenLines
from opsverify.probes.host.probe import probe
from opsverify.probes.host.question import Question
from tests.pace import AMPLE

LENGTH = 100_000_000


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("long") / "app.log"
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with file.open("w") as into:
        into.write(f"{now} ERROR before it\n{now} ERROR ")
        for _ in range(100):
            into.write("x" * (LENGTH // 100))
        into.write(f"\n{now} ERROR behind it\n")
    return file


def test_what_can_be_read_is_and_the_rest_is_said_to_be_missing(log: Path) -> None:
    source = Source(str(log))
    asked: tuple[Question, ...] = (
        ApplicationLog(source, 24), LogState(source), SshLogins(source, 24, 5), WrittenLines(str(log), ("ERROR",))
    )  # fmt: skip
    answers = probe(Host(connection="local://"), frozenset(asked), Deadline(AMPLE))
    application, state, _, written = (answers[question] for question in asked)
    assert [complaint.text for complaint in application.errors.listed] == ["ERROR behind it"]
    assert not application.window.complete  # what was cut off may hold errors
    assert state.size_bytes > LENGTH
    assert [line.what[-9:] for line in written.lines] == ["behind it"]
