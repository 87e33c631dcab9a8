"""The newest application archive, unpacked for real: is it something to install from?

May touch: a private scratch folder of this machine; of the target, its archive is read once.
"""

from __future__ import annotations

import json
import tarfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsverify.drills.confinement import room
from opsverify.drills.newest import fetch, listing, room_for
from opsverify.drills.packed import Damaged, content
from opsverify.drills.scratch import Scratch
from opsverify.errors import ProbeError, Unreachable
from opsverify.evidence.deadline import Deadline
from opsverify.probes.host.question import MIB, one_line

if TYPE_CHECKING:
    from opsverify.config.environment import Host

LONGEST_HEADER = MIB
"""Bytes of a name, link or extended header, which tarfile holds in memory; no file system has such names."""
_HELD = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)


class _Member(tarfile.TarInfo):
    """A member whose headers are no bomb. Raises Damaged."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Member:
        member = super().frombuf(buf, encoding, errors)
        if member.type in _HELD and member.size > LONGEST_HEADER:
            raise Damaged(f"a header of {member.size:,} bytes")
        return member


@dataclass(frozen=True)
class Unpacked:
    """How unpacking the newest finished archive went. `name` is None where there is none."""

    folder: str
    exists: bool
    """Whether the folder is there."""
    name: str | None = None
    modified: datetime | None = None
    error: str = ""
    """Why it does not unpack to its end, "" where it does."""
    members: int = 0
    refused: tuple[str, ...] = ()
    """Members that point outside the folder, or are devices: not unpacked."""
    missing: tuple[str, ...] = ()
    """Those of `must_hold` that it does not hold, or that are empty."""
    broken: tuple[str, ...] = ()
    """Manifests and lock files that cannot be read as such, each with its reason."""
    seconds: float = 0.0


@dataclass(frozen=True)
class UnpackDrill:
    """Unpack the newest finished archive and look for what an installation starts from. Answer: `Unpacked`.

    `must_hold`: files below the project's folder, which is the topmost one that holds the first of them. A
    package.json must be JSON, a pnpm-lock.yaml must name its version. Nothing of it is run.
    Privileges: on the host to list the folder and read the archive. Source: tarfile's data filter (Python 3.11.4).
    """

    folder: str
    pattern: str
    must_hold: tuple[str, ...]
    scratch: str | None = None
    space_factor: float = 10.0


def unpack_probe(target: Host, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    """Answer every `UnpackDrill`. Raises Unreachable where the host does not answer; leaves nothing behind."""
    answers: dict[Any, Any] = {}
    for question in questions:
        try:
            answers[question] = _unpack(target, question, deadline)
        except Unreachable:
            raise
        except ProbeError as error:
            answers[question] = type(error)(str(error))
    return answers


def _unpack(host: Host, question: UnpackDrill, deadline: Deadline) -> Unpacked:
    if not hasattr(tarfile, "data_filter"):
        raise ProbeError("archives can be unpacked safely only with Python 3.11.4 or newer")
    archives = listing(host, question.folder, question.pattern, deadline)
    newest = archives.newest
    if newest is None:
        return Unpacked(question.folder, archives.exists)
    with Scratch(Path(question.scratch) if question.scratch else None) as scratch:
        room_for(newest.size_bytes, question.space_factor, scratch.path)
        began = time.monotonic()
        file = fetch(host, question.folder, newest, scratch.path / "archive", deadline)
        deadline.phase = "unpacking"
        into = scratch.path / "unpacked"
        into.mkdir()
        error, members, refused = _extract(file, newest.format, into, deadline)
        root = _root(into, question.must_hold[0])
        missing = tuple(name for name in question.must_hold if not _file(root / name))
        return Unpacked(
            folder=question.folder,
            exists=True,
            name=newest.name,
            modified=newest.modified,
            error=error,
            members=members,
            refused=tuple(refused),
            missing=missing,
            broken=tuple(f"{name}: {why}" for name in question.must_hold if (why := _broken(root / name))),
            seconds=time.monotonic() - began,
        )


def _extract(file: Path, kind: str | None, into: Path, deadline: Deadline) -> tuple[str, int, list[str]]:
    """Unpack; why it ended early ("" where it did not), the number of members, and those that were refused."""
    members, refused = 0, []
    left = room(into)
    try:
        with content(file, kind) as source, tarfile.open(fileobj=source, mode="r|", tarinfo=_Member) as archive:
            for member in archive:
                members += 1
                left -= member.size
                if left < 0:
                    raise ProbeError(f"the archive does not fit into the scratch folder {into.parent.parent}")
                _in_time(deadline)
                try:
                    archive.extract(member, into, filter="data", set_attrs=False)
                except tarfile.FilterError:
                    refused.append(one_line(member.name, 100))
            while source.read(MIB):  # tarfile stops at its own end; the checksum comes after it
                _in_time(deadline)
    except (tarfile.TarError, Damaged) as error:
        return one_line(str(error)) or type(error).__name__, members, refused
    except OSError as error:
        if error.errno is not None and not isinstance(error, (FileExistsError, IsADirectoryError, NotADirectoryError)):
            raise ProbeError(f"the archive could not be unpacked: {error.strerror}") from None
        return one_line(str(error)), members, refused
    return "", members, refused


def _in_time(deadline: Deadline) -> None:
    try:
        deadline.remaining()
    except Unreachable:
        raise ProbeError(f"unpacking did not end within {deadline.seconds:g} s") from None


def _root(into: Path, mark: str) -> Path:
    """The topmost folder that holds `mark`, else where it was unpacked."""
    roots = (path.parents[mark.count("/")] for path in into.rglob(mark) if _file(path))
    return min(roots, key=lambda path: (len(path.parts), str(path)), default=into)


def _file(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _broken(path: Path) -> str:
    """Why a manifest or lock file is none, "" where it is one, missing, or of another kind."""
    if not _file(path):
        return ""
    try:
        text = path.read_text(encoding="utf-8")
        if path.name == "package.json" and not isinstance(json.loads(text), dict):
            return "no JSON object"
    except (ValueError, RecursionError):
        return "no JSON" if path.suffix == ".json" else "no text"
    if path.name == "pnpm-lock.yaml" and not any(line.startswith("lockfileVersion:") for line in text.splitlines()):
        return "no lockfileVersion"
    return ""
