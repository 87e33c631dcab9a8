"""A real dump of a small database with roles, keys and an extension, and folders of backups to drill with."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from opsverify.drills.scratch import Scratch
from opsverify.drills.server import Server, suitable
from tests.pace import AMPLE, HANGS

SCHEMA = """
CREATE ROLE keeper; CREATE ROLE "Odd Role"; CREATE ROLE watcher;
CREATE TABLE breeds (id int PRIMARY KEY, name text UNIQUE NOT NULL);
CREATE TABLE cats (id int PRIMARY KEY, breed int NOT NULL REFERENCES breeds, name text CHECK (name <> ''));
CREATE INDEX ON cats (name);
CREATE FUNCTION hello() RETURNS text LANGUAGE sql AS $$ SELECT 'GRANT x TO nobody' $$;
INSERT INTO breeds SELECT n, 'breed ' || n FROM generate_series(1, 10) n;
INSERT INTO cats SELECT n, 1 + n % 10, 'GRANT ALL TO cat_' || n FROM generate_series(1, 500) n;
ALTER TABLE cats OWNER TO keeper; ALTER TABLE breeds OWNER TO "Odd Role";
GRANT SELECT ON cats TO watcher, "Odd Role"; GRANT SELECT (id) ON breeds TO watcher WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE keeper IN SCHEMA public GRANT SELECT ON TABLES TO watcher;
"""


@pytest.fixture(scope="session")
def dumps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The same database as pg_dump writes it, by format."""
    with Scratch() as scratch:
        server = Server(suitable(None), scratch.path)
        scratch.at_end(server.stop)
        server.start(lambda: 60.0)
        assert server.psql(database="postgres", seconds=AMPLE, feed=b"CREATE DATABASE drill").status == 0
        done = server.psql(seconds=AMPLE, feed=SCHEMA.encode())
        assert done.status == 0, done.errors
        made = {}
        for kind in ("plain", "custom"):
            command = [server.programs.program("pg_dump"), "-d", server.dsn, "-F", kind]
            made[kind] = subprocess.run(command, capture_output=True, check=True, timeout=HANGS).stdout
    return made


@pytest.fixture
def store(tmp_path: Path) -> Callable[..., Path]:
    """Lay a file, an hour old, into a folder of backups; returns the folder."""

    def lay(content: bytes, name: str = "db_20261125_010000.sql", hours: float = 1.0) -> Path:
        folder = tmp_path / "backup"
        folder.mkdir(exist_ok=True)
        file = folder / name
        file.write_bytes(content)
        then = time.time() - 3600 * hours
        os.utime(file, (then, then))
        return folder

    return lay


@pytest.fixture
def place() -> Iterator[Path]:
    """Where scratch folders of one test are made: a short path, as sockets need it."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="drills-") as folder:
        Path(folder).chmod(0o711)  # as root, the drill runs as another user, who must be able to go there
        yield Path(folder)
        left = [path.name for path in Path(folder).iterdir()]
        assert not left, f"left behind: {left}"
