"""Folders that hold backups, and how these are named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from opsverify.probes.host.question import Answer, Question
from opsverify.probes.host.shell_file import ShellFile
from opsverify.probes.host.surroundings.hidden import ended, hidden


@dataclass(frozen=True)
class BackupFolder:
    """A folder, and the names of what looks like a backup in it, newest first."""

    path: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class BackupsSeen:
    """`hidden`: the folders that could not be listed."""

    folders: tuple[BackupFolder, ...]
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class Backups(Question):
    """Folders named as backups' are, and the names of dumps and archives in them.

    Privileges: to list the folder, with its group; one that may not be listed is told. Source: ls(1).
    """

    shell = ShellFile(__package__, "backups.sh")
    slow: ClassVar[bool] = True

    def parse(self, answer: Answer) -> BackupsSeen:
        ended(answer, "the backups")
        folders = (BackupFolder(b.rest, tuple(filter(None, b.lines))) for b in answer.blocks() if b.name == "backups")
        return BackupsSeen(tuple(folders), hidden(answer))


__all__ = ["BackupFolder", "Backups", "BackupsSeen"]
