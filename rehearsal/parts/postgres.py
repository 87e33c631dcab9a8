"""The database server: a real PostgreSQL with a port, passwords, statistics and an audit trail of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import quote

import psycopg

from opsverify.drills.postgres_programs import PostgresPrograms, Unprivileged, readable_copy
from rehearsal.credentials import Credentials
from rehearsal.errors import NotAvailable, NotStarted
from rehearsal.layout import Layout
from rehearsal.parts.part import RunningPart
from rehearsal.processes import await_end

DATABASE = "mycats"
ADMIN, OWNER, MONITOR = "postgres", "mycats", "mycats_monitor"
INITDB_SECONDS = 30
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''        # a socket's path is limited to 107 bytes; temporary folders can be deep
max_connections = 50
shared_buffers = 32MB
dynamic_shared_memory_type = mmap   # in the data folder: goes with it, however the server ends
fsync = off                         # a rehearsal's data need not survive a power cut
synchronous_commit = off
full_page_writes = off
shared_preload_libraries = 'pg_stat_statements'
password_encryption = scram-sha-256
logging_collector = on
log_filename = 'postgresql-%Y-%m-%d.log'
log_file_mode = 0640
log_line_prefix = '%m [%p] %q%u@%d '
log_connections = on
log_disconnections = on
log_statement = ddl
archive_mode = on
archive_command = 'cp %p ../archive/%f'
timezone = 'UTC'
log_timezone = 'UTC'
"""
ACCESS = """\
# TYPE  DATABASE  USER  ADDRESS        METHOD
host    all       all   127.0.0.1/32   scram-sha-256
"""


class Postgres(RunningPart):
    """A PostgreSQL cluster: `create()` once, then `start()`, `stop()`, `restart()`, `freeze()`, `thaw()`."""

    def __init__(
        self,
        layout: Layout,
        binaries: PostgresPrograms,
        unprivileged: Unprivileged,
        port: int,
        credentials: Credentials,
        cancelled: threading.Event,
    ) -> None:
        super().__init__("postgresql", layout, cancelled)
        self.binaries = binaries
        self.port = port
        self.data = layout.postgres_data
        self.log_folder = layout.postgres_log
        self._home = layout.postgres_home
        self._unprivileged = unprivileged
        self._credentials = credentials
        self._server_folder = binaries.folder
        # Where leftovers are looked for; another user, though, could not go there before it has become that user.
        self._working_folder = self._home if unprivileged.uid is None else Path("/")
        self._start_log = layout.log / "postgresql-start.log"

    @property
    def pid(self) -> int:
        """The postmaster's process id, from its own pid file. Raises NotStarted when it isn't running."""
        try:
            return int((self.data / "postmaster.pid").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            raise NotStarted("postgresql is not running") from None

    def create(self) -> None:
        """Initialise the cluster. Raises NotStarted with initdb's own words."""
        self.log_folder.mkdir(parents=True, mode=0o700)
        self._hand_over()
        with tempfile.NamedTemporaryFile("w", dir=self._home, prefix="pw-") as password:
            password.write(self._credentials.admin_password + "\n")
            password.flush()
            if self._unprivileged.uid is not None:
                os.chown(password.name, self._unprivileged.uid, self._unprivileged.uid)
            options = ["--username", ADMIN, "--pwfile", password.name, "--auth", "scram-sha-256"]
            options += ["--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"]
            try:
                done = subprocess.run(
                    [
                        *self._unprivileged.prefix,
                        str(self._server_folder / "initdb"),
                        "-D",
                        str(self.data),
                        *options,
                    ],
                    cwd=self._working_folder,
                    env=self._environment(),
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=INITDB_SECONDS,
                    **self._unprivileged.popen,
                )
            except subprocess.TimeoutExpired:
                raise NotStarted(f"initdb did not end within {INITDB_SECONDS} s") from None
            except OSError as error:
                raise NotAvailable(f"initdb could not be run: {error}") from None
        if done.returncode != 0:
            raise NotStarted(f"initdb failed: {done.stderr.decode(errors='replace').strip()[-600:]}")
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write(f"{SETTINGS}port = {self.port}\nlog_directory = {_quoted(self.log_folder)}\n")
        (self.data / "pg_hba.conf").write_text(ACCESS)
        self._make_archive()

    def _make_archive(self) -> None:
        """The folder beside its data to which the server copies its write-ahead log."""
        archive = self._home / "archive"
        archive.mkdir(mode=0o700)
        if self._unprivileged.uid is not None:
            os.chown(archive, self._unprivileged.uid, self._unprivileged.uid)

    def _hand_over(self) -> None:
        """Give the server's user its folder, and programs that it can read, when it isn't our own user."""
        uid = self._unprivileged.uid
        if uid is None:
            return
        for folder in (self._home, self.log_folder):
            os.chown(folder, uid, uid)
        self._home.parent.chmod(0o711)
        self._server_folder = readable_copy(self.binaries, self._unprivileged, self._home / "install")

    def start(self, **settings: str) -> None:
        """Start the server, with settings for this start only, and wait until it accepts a login."""
        extra = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._service.start(
            [*self._unprivileged.prefix, str(self._server_folder / "postgres"), "-D", str(self.data), *extra],
            cwd=self._working_folder,
            env=self._environment(),
            log=self._start_log,
            ready=self._ready,
            popen=self._unprivileged.popen,
        )

    def _ready(self) -> bool:
        # Its own word, in its pid file's eighth line, costs less than a login and can't be another server's.
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            # A crashed one's file stays, and says that it is ready.
            return len(lines) >= 8 and lines[0] == str(self._service.pid) and lines[7].strip() == "ready"
        except (OSError, NotStarted):
            return False

    def stop(self) -> None:
        """Stop the server as `systemctl stop postgresql` does: sessions are ended, data is safe."""
        sessions = self._service.children()
        self._service.stop(signal.SIGINT)
        # Its log writer goes last, after it.
        await_end(sessions)

    def kill(self) -> None:
        """End it without any goodbye, and wait for its sessions to notice: before, it could not start again."""
        sessions = self._service.children()
        super().kill()
        await_end(sessions)

    def restart(self, **settings: str) -> None:
        """Stop it and start it again, with settings for this start only: `restart(log_connections="off")`."""
        self.stop()
        self.start(**settings)

    def dsn(self, role: str = OWNER, database: str = DATABASE) -> str:
        """Return a connection URL with its password, for one of the three roles. Never print it."""
        passwords = {
            ADMIN: self._credentials.admin_password,
            OWNER: self._credentials.owner_password,
            MONITOR: self._credentials.monitor_password,
        }
        return f"postgresql://{role}:{quote(passwords[role], safe='')}@127.0.0.1:{self.port}/{database}"

    def connect(self, role: str = ADMIN, database: str = DATABASE) -> psycopg.Connection[tuple[Any, ...]]:
        """Open an autocommit connection. Raises NotStarted, without the address, when it can't be had."""
        try:
            return psycopg.connect(self.dsn(role, database), autocommit=True, connect_timeout=5)
        except psycopg.Error as error:
            raise NotStarted(f"postgresql refused {role}: {type(error).__name__}") from None

    def execute(self, statement: LiteralString, role: str = ADMIN) -> None:
        """Run one statement in the application's database, to break something in it."""
        with self.connect(role) as connection:
            connection.execute(statement)

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _quoted(path: Path) -> str:
    """Return a path as a value in postgresql.conf."""
    return "'" + str(path).replace("'", "''") + "'"
