"""What is no regular file stands in the place of every file that a question reads: no reader waits for its end."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from opsverify.drills.alert import SendAlert
from opsverify.probes.host.question import Question
from opsverify.probes.host.run import run
from opsverify.probes.host.script import compose, read
from opsverify.probes.host.system.services import ServiceState
from opsverify.probes.host.system.usage import ProcessResources
from tests.pace import AMPLE
from tests.probes.properties.questions import FOLDER, instances

WAIT_ON_PURPOSE = (ProcessResources, SendAlert)


@pytest.fixture(params=["fifo", "endless", "socket", "folder of fifos"])
def special(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    path = tmp_path / "x"
    with ExitStack() as stack:
        if request.param == "fifo":
            os.mkfifo(path)
        elif request.param == "endless":
            path.symlink_to("/dev/zero")
        elif request.param == "socket":
            stack.enter_context(socket.socket(socket.AF_UNIX)).bind(str(path))
        else:
            for name in ("package.json", "pnpm-lock.yaml", "prisma/schema.prisma", "prisma/migrations/1/migration.sql",
                         "node_modules/.pnpm/lock.yaml", "node_modules/.modules.yaml", ".git", "db_1.sql",
                         "app_1.tar.gz", "send-alert.sh", "other"):  # fmt: skip
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                os.mkfifo(path / name)
        yield str(path)


def placed(value: Any, path: str) -> Any:
    """The same with `path` wherever the made-up folder stood."""
    if isinstance(value, str):
        return value.replace(FOLDER, path)
    if isinstance(value, tuple):
        return tuple(placed(one, path) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: placed(getattr(value, field.name), path) for field in fields(value)})
    return value


def test_no_question_waits_for_the_end_of_what_has_none(special: str) -> None:
    asked: list[Question] = [placed(one, special) for one in instances() if not isinstance(one, WAIT_ON_PURPOSE)]
    asked = [*dict.fromkeys([*asked, ServiceState(pid_file=special)])]
    asked = [question for question in asked if special in repr(question)]
    script = compose(asked, AMPLE / 4)
    done = run(["/bin/sh", "-c", 'eval "$(cat)"'], 4 * AMPLE, feed=script.text.encode(),
               env={"PATH": os.environ["PATH"], "HOME": "/"})  # fmt: skip
    answers, whole = read(script, done.output)
    assert whole
    assert len(asked) > 40
    assert [question for question, answer in answers.items() if answer.status in (124, 137, 143)] == []
