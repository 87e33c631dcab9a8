"""How the migrations of a checkout and those applied to a database differ. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opsverify.probes.host.release.migrations import MigrationListing
    from opsverify.probes.postgres.applied_migrations import AppliedMigrationsFacts


def applied(there: AppliedMigrationsFacts) -> dict[str, str]:
    """Checksum by name of every migration that the database has, whole."""
    return {row.name: row.checksum for row in there.migrations if row.finished_at and not row.rolled_back_at}


def unsettled(there: AppliedMigrationsFacts) -> dict[str, list[str]]:
    """What Prisma's record says went wrong: names by fault. A migration applied again afterwards is settled."""
    whole = applied(there)
    return {
        "failed": [row.name for row in there.migrations if not row.finished_at and not row.rolled_back_at],
        "rolled back": [row.name for row in there.migrations if row.rolled_back_at and row.name not in whole],
    }


def differences(here: MigrationListing, there: AppliedMigrationsFacts) -> dict[str, list[str]]:
    """Names by fault, each fault always listed: what keeps this checkout from belonging to this database."""
    files = {migration.name: migration for migration in here.migrations}
    whole, by_state = applied(there), unsettled(there)
    explained = [name for names in by_state.values() for name in names]
    return {
        **by_state,
        "not applied": [name for name in files if name not in whole and name not in explained],
        "applied but not in the checkout": [name for name in whole if name not in files],
        "edited after it was applied": [
            name for name, file in files.items() if name in whole and not file.fits(whole[name])
        ],
        "without migration.sql": list(here.without_sql),
    }
