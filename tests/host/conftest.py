"""A real sshd on loopback, and other things that tests of the host probe need."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal import sshd as servers
from rehearsal.errors import NotAvailable


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
    from opsverify.probes.host import close_connections

    close_connections()


@pytest.fixture
def leftovers():
    """The command lines of living processes that hold a word."""

    def of(word: str) -> list[str]:
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                state = (path.parent / "stat").read_text().rpartition(") ")[2][:1]
            except OSError:
                continue
            if word in line and state != "Z" and int(path.parent.name) != os.getpid():
                found.append(line)
        return found

    return of
