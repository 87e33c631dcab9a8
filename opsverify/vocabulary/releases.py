"""What can be known of a deployed checkout, and of the database that its migrations belong to."""

from __future__ import annotations

from opsverify.environment import Environment, Release
from opsverify.evidence import Ask
from opsverify.nouns import Settings, noun
from opsverify.probes import host as probes
from opsverify.probes import postgres
from opsverify.vocabulary.hosts import ask_host


@noun("releases")
def migrations_in_checkout(environment: Environment, release: Release, settings: Settings) -> Ask:
    """Every migration in the checkout with its checksum: MigrationListing."""
    return ask_host(environment.hosts[release.host], probes.Migrations(release.path))


@noun("releases")
def migrations_in_database(environment: Environment, release: Release, settings: Settings) -> Ask:
    """Prisma's own record of what was applied: postgres.AppliedMigrationsFacts."""
    return Ask(postgres.probe, environment.databases[release.database], postgres.AppliedMigrations())
