"""The newest dump, restored for real into a PostgreSQL of its own.

May touch: a private scratch folder of this machine and a server in it that nobody else reaches; of the target, its
dump is read once.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsverify.config.child_environment import child_environment
from opsverify.drills import script
from opsverify.drills.confinement import confined_in, copy_while_room, ended_when_full, writes_while_room
from opsverify.drills.feed import harmless
from opsverify.drills.manifest import SUFFIX, DumpManifest, ManifestFile
from opsverify.drills.newest import LOOK_SECONDS, fetch, listing, room_for
from opsverify.drills.packed import Damaged, content
from opsverify.drills.postgres_programs import readable_copy
from opsverify.drills.scratch import Scratch
from opsverify.drills.server import DATABASE, RESTORER, SUPERUSER, Server, suitable
from opsverify.errors import ProbeError, Unreachable
from opsverify.evidence.deadline import Deadline
from opsverify.probes.host.files.dumps import Dump, DumpListing, trailing_lines
from opsverify.probes.host.probe import archive_probe
from opsverify.probes.host.question import one_line
from opsverify.probes.host.run import Finished, run
from opsverify.probes.postgres.contents import Contents, ContentsFacts
from opsverify.probes.postgres.probe import probe as postgres_probe

if TYPE_CHECKING:
    from opsverify.config.environment import Host


@dataclass(frozen=True)
class Restored:
    """How the restore of the newest finished dump went. `dump` is None where there is none."""

    folder: str
    exists: bool
    """Whether the folder is there."""
    observed_at: datetime | None = None
    """The clock of the dump's host: its age is counted from here."""
    dump: Dump | None = None
    dumped_from: str | None = None
    """The version of the server that was dumped, as the dump says: "15.18"."""
    restored_into: tuple[int, int] | None = None
    """(major, minor) of the scratch server; None where it did not come to that."""
    within_reach: tuple[str, ...] = ()
    """What of the machine that server could reach, as the system has no means to keep it from it."""
    error: str = ""
    """The first thing that went wrong, "" where nothing did."""
    ends_inside: str = ""
    """The table in whose rows the dump ends, "" where it ends where it should."""
    fetch_seconds: float = 0.0
    restore_seconds: float = 0.0
    contents: ContentsFacts | None = None
    """What the restored database holds; None where there is none to look at."""

    @property
    def newer_server(self) -> bool:
        """Whether it was restored into a newer major version than it was dumped from."""
        major = re.match(r"\d+", self.dumped_from or "")
        return bool(major and self.restored_into and self.restored_into[0] > int(major[0]))


@dataclass(frozen=True)
class RestoreDrill:
    """Restore the newest finished dump in `folder`. Answer: `Restored`.

    Into a cluster of its own below `scratch` (default: the system's temporary folder), as one transaction that stops
    at its first error; roles that the dump refers to are made first, without login. `space_factor`: how many times
    the dump's size must be free. A dump is a script of whoever may write it: psql is restricted, and the role that
    restores may run no program and read no file (feed.py); it is run with an empty environment, where we are root by
    an account without rights. Owners are not restored, nor what takes a superuser.
    Privileges: on the host to list the folder and read the dump; here, PostgreSQL's server programs.
    Source: psql(1), pg_dump(1), manual "Backup and Restore".
    """

    folder: str
    pattern: str
    scratch: str | None = None
    space_factor: float = 4.0


def restore_probe(target: Host, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    """Restore what `RestoreDrill` names and read what `DumpManifest` names, both of the same newest dump.

    Raises Unreachable where the host does not answer. Whatever it started is ended, and its scratch folder removed,
    before it returns.
    """
    answers: dict[Any, Any] = {}
    places: dict[tuple[str, str], DumpListing] = {}
    for question in sorted(questions, key=lambda q: isinstance(q, RestoreDrill)):  # what is quick comes first
        try:
            place = (question.folder, question.pattern)
            if place not in places:
                places[place] = listing(target, *place, deadline)
            answer = _manifest if isinstance(question, DumpManifest) else _restore
            answers[question] = answer(target, question, places[place], deadline)
        except Unreachable:
            raise
        except ProbeError as error:
            answers[question] = type(error)(str(error))
    return answers


def _manifest(host: Host, question: DumpManifest, dumps: DumpListing, deadline: Deadline) -> ContentsFacts | ProbeError:
    if dumps.newest is None:
        raise ProbeError(f"there is no finished dump {question.pattern} in {question.folder}, and so no manifest")
    file = ManifestFile(f"{question.folder.rstrip('/')}/{dumps.newest.name}{SUFFIX}")
    answer: ContentsFacts | ProbeError = archive_probe(
        host, frozenset([file]), Deadline(deadline.remaining(LOOK_SECONDS))
    )[file]
    return answer


def _restore(host: Host, question: RestoreDrill, dumps: DumpListing, deadline: Deadline) -> Restored:
    dump = dumps.newest
    looked = Restored(question.folder, dumps.exists, dumps.observed_at, dump)
    if dump is None:
        return looked
    if dump.size_bytes == 0:
        return replace(looked, error="it is empty: not one byte to restore")

    def late() -> ProbeError:
        return ProbeError(
            f"the restore of {dump.name} did not end within {deadline.seconds:g} s "
            "(`drill_seconds` of the backup store and `run_seconds` of the environment bound it)"
        )

    def left() -> float:
        """Seconds left; a drill that takes too long says nothing about whether the host answers."""
        try:
            return deadline.remaining()
        except Unreachable:
            raise late() from None

    with Scratch(Path(question.scratch) if question.scratch else None) as scratch:
        room_for(dump.size_bytes, question.space_factor, scratch.path)
        began = time.monotonic()
        file = fetch(host, question.folder, dump, scratch.path / "dump", deadline)
        fetched = time.monotonic() - began
        left()
        deadline.phase = "unpacking"
        try:
            file = _plain(file, dump, scratch.path / "dump.sql", left)
        except Damaged as damage:
            return replace(looked, error=str(damage), fetch_seconds=fetched)
        if behind := _behind(file):
            return replace(
                looked, error=f"{behind:,} lines of something else stand behind its end", fetch_seconds=fetched
            )
        with file.open("rb") as source:
            needs = script.read(source)
        if needs.creates_database:
            raise ProbeError(f"{dump.name} was made with --create and names its own database: the drill cannot move it")
        deadline.phase = "starting PostgreSQL"
        server = Server(suitable(needs.major), scratch.path)
        scratch.at_end(server.stop)
        server.start(left)
        _prepare(server, needs, left)
        deadline.phase = "restoring"
        began = time.monotonic()
        with ended_when_full(scratch.path, server.stop):
            done = restore_into(server, file, scratch.path / "feed.sql", left)
        if done.timed_out:
            raise late()
        took = time.monotonic() - began
        deadline.phase = "reading what was restored"
        error = _error(done, needs, server)
        return replace(
            looked,
            dumped_from=needs.server_version,
            restored_into=server.programs.version,
            within_reach=server.within_reach,
            error=error,
            ends_inside=needs.ends_inside,
            fetch_seconds=fetched,
            restore_seconds=took,
            contents=None if error else _contents(server, left()),
        )


def _plain(file: Path, dump: Dump, into: Path, left: Callable[[], float]) -> Path:
    """The dump as psql reads it: itself, or unpacked to `into`. Raises Damaged."""
    if dump.format in ("custom", "tar"):
        programs = suitable(None)
        place = into.parent
        way = confined_in(place, programs).way
        folder = readable_copy(programs, way, place / "reader")
        command = [*way.prefix, str(folder / "pg_restore"), "-F", dump.format[0], "-f", "-"]
        with file.open("rb") as source, into.open("wb") as script_file:
            sink = writes_while_room(script_file, place)
            popen = {"cwd": "/", **way.popen}
            done = run(command, left(), feed=source, env=child_environment(), sink=sink, popen=popen)
        complaint = one_line(done.errors.decode("utf-8", "replace"))
        if "unsupported version" in complaint:
            raise ProbeError(f"{dump.name} was made by a newer pg_dump than pg_restore here ({complaint})")
        if done.timed_out or done.status != 0:
            left()  # which says so where there is no time left
            raise Damaged(f"pg_restore cannot read it: {complaint}")
        return into
    if dump.format in ("plain", "unknown"):
        return file
    try:
        with content(file, dump.format) as source, into.open("wb") as copy:
            copy_while_room(source, copy, into.parent, left)
    except OSError as error:
        raise ProbeError(f"{dump.name} could not be unpacked: {error.strerror}") from None
    return into


def restore_into(server: Server, dump: Path, feed: Path, left: Callable[[], float]) -> Finished:
    """Feed a plain dump to the drill's database, by way of the file `feed`; nothing but its SQL is done."""
    with dump.open("rb") as source, feed.open("wb") as into:
        harmless(source, into)
    with feed.open("rb") as source:
        restrict = ("-c", f"\\restrict {secrets.token_hex(16)}")
        return server.psql("--single-transaction", *restrict, user=RESTORER, seconds=left(), feed=source)


def _behind(file: Path) -> int:
    """Lines that stand behind the end of a plain dump, 0 where it has no end."""
    with file.open("rb") as source:
        source.seek(max(0, file.stat().st_size - 4096))
        return trailing_lines(source.read())


NEVER = r"^(pl|jsonb_pl|hstore_pl|ltree_pl|bool_pl)|^(adminpack|file_fdw)$"
"""Extensions that open the machine to whoever may use them: languages without bounds, files."""


def _prepare(server: Server, needs: script.Script, left: Callable[[], float]) -> None:
    done = server.psql("-c", "\\restrict x", "-c", "\\unrestrict x", database="postgres", seconds=left(), feed=b"")
    if done.status != 0:
        raise ProbeError(
            "a dump is a script, and psql here cannot be restricted to its SQL: update PostgreSQL's client programs "
            "(13.22, 14.19, 15.14, 16.10, 17.6 or newer)"
        )
    statements = [f"CREATE ROLE {RESTORER} LOGIN;", f"CREATE DATABASE {DATABASE} OWNER {RESTORER} TEMPLATE template0;"]
    # A dump that names the superuser as an owner must not get its rights.
    for role in sorted(needs.roles - {SUPERUSER, RESTORER}):
        name = role.replace('"', '""')
        statements += [f'CREATE ROLE "{name}";', f'GRANT "{name}" TO {RESTORER};']
    statements += [f"\\connect {DATABASE}", f"ALTER SCHEMA public OWNER TO {RESTORER};"]
    # Trusted ones it makes itself. Those that are not are installed software of this machine all the same.
    statements.append(
        "SELECT format('CREATE EXTENSION IF NOT EXISTS %I CASCADE', a.name) FROM pg_available_extensions a "
        "JOIN pg_available_extension_versions v ON v.name = a.name AND v.version = a.default_version "
        "WHERE a.name = ANY(string_to_array(:'wanted', ',')) AND v.superuser AND NOT v.trusted \\gexec"
    )
    wanted = ",".join(sorted(name for name in needs.extensions if not re.search(NEVER, name)))
    # Not every word is a role, and one may be there: a role that is missed shows when the dump needs it.
    feed = "\n".join(statements).encode()
    variables = ("-v", "ON_ERROR_STOP=0", "-v", f"wanted={wanted}")
    done = server.psql(*variables, database="postgres", seconds=left(), feed=feed)
    if done.status != 0:
        raise ProbeError(f"the scratch PostgreSQL could not be prepared: {one_line(done.errors.decode())}")


_PSQL_ERROR = re.compile(r"^psql:[^\n]*?:(\d+): (?:ERROR|FATAL|PANIC|error):\s+(.*)$", re.MULTILINE)

# What the machine lacks, not the dump. The first that matches wins.
_OURS = (
    (r"No space left on device", "the scratch folder is full"),
    (r'extension "([^"]+)" is not available|extension control file "\S*/([^"/]+)\.control',
     "the scratch PostgreSQL has no extension {what}: install it where the suite runs"),
    (r'collation "([^"]+)" for encoding', "the scratch PostgreSQL has no collation {what}: install its locale"),
    (r"(permission denied (?:to (?!COPY)|for language|for foreign)[^\n]*|must be (?:superuser|owner)[^\n]*)",
     "it holds what only a superuser may restore, and a drill is none ({what})"),
    (r"server closed the connection|could not connect to server|the database system is", "the scratch server ended"),
)  # fmt: skip


def _error(done: Finished, needs: script.Script, server: Server) -> str:
    """What stopped psql, "" where nothing did. Details, which may quote rows, are left out."""
    if done.status == 0:
        return ""
    text = done.errors.decode("utf-8", "replace")
    for pattern, sentence in _OURS:
        if match := re.search(pattern, text):
            groups = [value for value in match.groups() if value]
            raise ProbeError(f"the restore could not be tried: {sentence.format(what=groups[0] if groups else '')}")
    error_line = _PSQL_ERROR.search(text)
    if error_line is None:
        raise ProbeError(f"the restore could not be tried: {one_line(text) or server.complaint()}")
    tool = re.match(r"\d+", needs.dump_version or "")
    newer = f" (written by pg_dump {needs.dump_version})" if tool and needs.major and int(tool[0]) > needs.major else ""
    return f"line {error_line[1]}: {one_line(error_line[2])}{newer}"


def _contents(server: Server, seconds: float) -> ContentsFacts:
    from pydantic import SecretStr

    from opsverify.config.environment import Database

    question = Contents()
    try:
        contents = postgres_probe(Database(dsn=SecretStr(server.dsn)), frozenset([question]), Deadline(seconds))[
            question
        ]
    except Unreachable as error:
        raise ProbeError(f"the restored database could not be read: {error}") from None
    if isinstance(contents, ProbeError):
        raise ProbeError(f"the restored database could not be read: {contents}")
    assert isinstance(contents, ContentsFacts)
    return contents
