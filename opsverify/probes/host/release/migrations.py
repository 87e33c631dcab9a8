"""What a checkout of My Cats holds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from opsverify.errors import ProbeError
from opsverify.probes.host.files.listing import FOLDER, missing
from opsverify.probes.host.question import MIB, Answer, Question, quote

FOLDERS = ("backend/prisma/migrations", "prisma/migrations")


@dataclass(frozen=True)
class Migration:
    """One migration: its folder's name, and the SHA-256 of its migration.sql as Prisma stores it in `checksum`."""

    name: str
    sha256: str


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
    """Every migration in a checkout, with its checksum.

    Privileges: to read the checkout. Source: Prisma Migrate, `_prisma_migrations.checksum` is the SHA-256 of the file.
    """

    checkout_path: str

    helpers = (FOLDER,)
    slow: ClassVar[bool] = True
    max_bytes: ClassVar[int] = 2 * MIB

    @property
    def title(self) -> str:
        return f"the migrations in {self.checkout_path}"

    def script(self) -> str:
        return f"""folder {quote(self.checkout_path)}
for d in {" ".join(FOLDERS)}; do [ -d "$d" ] && break; d=; done
[ -n "$d" ] || {{ echo '== nomigrations'; exit 0; }}
echo "== migrations $d"
cd "$d" || exit 1
ls . >/dev/null || exit 1
[ -e migration_lock.toml ] && echo '== lock'
echo '== sums'
if command -v sha256sum >/dev/null 2>&1; then h='sha256sum --'; sha256sum -- /dev/null >/dev/null 2>&1 || h=sha256sum
elif command -v openssl >/dev/null 2>&1; then h='openssl dgst -sha256 -r'
else h='shasum -a 256'; fi
for m in */migration.sql; do [ -e "$m" ] && set -- "$@" "$m"; done
[ $# -eq 0 ] || $h "$@"
r=$?
echo '== empty'
for m in */; do [ -d "$m" ] && [ ! -e "${{m}}migration.sql" ] &&
{{ printf '%s' "${{m%/}}" | tr '\\n' ' '; echo; }}; done
echo '== end'
exit $r
"""

    def parse(self, answer: Answer) -> MigrationListing:
        if missing(self.title, self.checkout_path, answer):
            return MigrationListing(self.checkout_path, exists=False)
        if answer.block("nomigrations"):
            return MigrationListing(self.checkout_path, exists=False)
        where, sums, empty = (answer.block(name) for name in ("migrations", "sums", "empty"))
        if where is None or sums is None or empty is None or answer.block("end") is None or answer.status != 0:
            raise answer.failure(self.title)
        found = []
        for line in filter(None, sums.lines):
            match = re.fullmatch(r"\\?([0-9a-f]{64}) [ *](.+)/migration\.sql", line)
            if not match:
                raise ProbeError(f"{self.title} could not be determined: {line[:60]!r} is no checksum")
            found.append(Migration(match[2], match[1]))
        return MigrationListing(
            checkout=self.checkout_path,
            exists=True,
            folder=where.rest,
            migrations=tuple(sorted(found, key=lambda one: one.name)),
            without_sql=tuple(sorted(filter(None, empty.lines))),
            lock_file=answer.block("lock") is not None,
        )
