"""A real sshd on loopback, and other things that tests of the host probe need."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsverify.probes.host.run import run
from opsverify.probes.host.script import compose, read
from rehearsal import sshd as servers
from rehearsal.errors import NotAvailable
from tests.pace import AMPLE, until


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Sshd]:
    """An sshd with its default MaxStartups, run as the current user."""
    try:
        with servers.running(tmp_path_factory.mktemp("sshd")) as server:
            yield server
    except NotAvailable as error:
        pytest.skip(str(error))


@pytest.fixture(autouse=True)
def _closed():
    yield
    from opsverify.probes.host.ssh import close_connections

    close_connections()


@pytest.fixture
def leftovers():
    """The command lines of living processes that hold a word; a browser's hold long random numbers."""

    def of(word: str) -> list[str]:
        result = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                state = (path.parent / "stat").read_text().rpartition(") ")[2][:1]
            except OSError:
                continue
            if (
                re.search(rf"(?<!\w){re.escape(word)}(?!\w)", line)
                and state != "Z"
                and int(path.parent.name) != os.getpid()
            ):
                result.append(line)
        return result

    return of


@pytest.fixture
def gone(leftovers):
    """Whether all processes that hold a word are gone: one that was just killed takes a moment to die."""

    def wait(word: str) -> bool:
        until(lambda: not leftovers(word))
        return True

    return wait


@pytest.fixture(params=["dash", "bash", "busybox"])
def shell(request, tmp_path):
    """Run a script wholly in one shell, BusyBox with its own tools."""
    program = shutil.which(request.param)
    if program is None:
        pytest.skip(f"{request.param} is not installed")
    tools = tmp_path / "bin"
    tools.mkdir()
    if request.param == "busybox":
        subprocess.run([program, "--install", "-s", tools], check=True)
        inner = f"{tools}/sh"
    else:
        (tools / "sh").symlink_to(program)
        inner = program

    def answers(*questions, seconds=AMPLE, first=""):
        script = compose(questions, 10)
        text = script.text.replace("/bin/sh -c", f"{inner} -c")
        done = run([inner, "-c", 'eval "$(cat)"'], seconds, feed=text.encode(),
                   env={"PATH": f"{first}{tools}:{os.environ['PATH']}", "HOME": "/"})  # fmt: skip
        result, whole = read(script, done.output, done.sent, done.arrivals)
        return result, whole, done

    return answers
