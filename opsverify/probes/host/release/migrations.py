"""What a checkout of My Cats holds."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import ClassVar

from opsverify.errors import ProbeError
from opsverify.probes.host.files.listing import missing
from opsverify.probes.host.question import MIB, Answer, Question
from opsverify.probes.host.shell import FOLDER
from opsverify.probes.host.shell_file import ShellFile

FOLDERS = ("backend/prisma/migrations", "prisma/migrations")


@dataclass(frozen=True)
class Migration:
    """One migration, by its folder's name."""

    name: str
    checksums: tuple[str, ...]
    """SHA-256 of its migration.sql: as it is, with the line ends of Unix, with those of Windows."""

    def fits(self, checksum: str) -> bool:
        """Whether Prisma takes this file for the one that it applied and noted with this checksum.

        Git changes line ends, and an old Prisma left out the leading zero of each byte: it allows for both. Source:
        `script_matches_checksum` in checksum.rs of prisma-engines.
        """
        if len(checksum) in (0, 64):
            return checksum in self.checksums
        return checksum in map(_without_zeros, self.checksums)


def _without_zeros(checksum: str) -> str:
    return "".join(f"{byte:x}" for byte in bytes.fromhex(checksum))


@dataclass(frozen=True)
class MigrationListing:
    """The migrations of a checkout, by name."""

    checkout: str
    exists: bool
    """Whether the checkout is there and has a folder of migrations."""
    folder: str | None = None
    migrations: tuple[Migration, ...] = ()
    without_sql: tuple[str, ...] = ()
    """Folders that hold no migration.sql: Prisma refuses them."""
    lock_file: bool = False
    """Whether migration_lock.toml is there."""


@dataclass(frozen=True)
class Migrations(Question):
    """Every migration in a checkout, with its checksums. Privileges: to read the checkout. Source: `Migration.fits`."""

    checkout_path: str

    shell = ShellFile(__package__, "migrations.sh")
    helpers = (FOLDER,)
    seconds: ClassVar[float] = 15.0
    slow: ClassVar[bool] = True
    max_bytes: ClassVar[int] = 2 * MIB

    @property
    def title(self) -> str:
        return f"the migrations in {self.checkout_path}"

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.checkout_path, *FOLDERS

    def parse(self, answer: Answer) -> MigrationListing:
        if missing(self.title, self.checkout_path, answer):
            return MigrationListing(self.checkout_path, exists=False)
        if answer.block("nomigrations"):
            return MigrationListing(self.checkout_path, exists=False)
        where, sums, ends, empty = (answer.block(name) for name in ("migrations", "sums", "ends", "empty"))
        whole = where and sums and ends and empty and answer.block("end") and answer.status == 0
        if where is None or sums is None or ends is None or empty is None or not whole:
            raise answer.failure(self.title)
        migrations = []
        for line, others in itertools.zip_longest(sums.lines, ends.lines, fillvalue=""):
            match = re.fullmatch(r"\\?([0-9a-f]{64}) [ *](.+)/migration\.sql", line)
            if not match or not re.fullmatch(r"[0-9a-f]{64} [0-9a-f]{64}", others):
                raise ProbeError(f"{self.title} could not be determined: {(line or others)[:60]!r} is no checksum")
            migrations.append(Migration(match[2], (match[1], *others.split())))
        return MigrationListing(
            checkout=self.checkout_path,
            exists=True,
            folder=where.rest,
            migrations=tuple(sorted(migrations, key=lambda one: one.name)),
            without_sql=tuple(sorted(filter(None, empty.lines))),
            lock_file=answer.block("lock") is not None,
        )
