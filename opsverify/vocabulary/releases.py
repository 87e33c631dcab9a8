"""What can be known of a deployed checkout, and of the database that its migrations belong to."""

from __future__ import annotations

from opsverify import slots
from opsverify.environment import Environment, Release
from opsverify.evidence import Ask
from opsverify.nouns import Settings, noun
from opsverify.probes import host as probes
from opsverify.probes import postgres
from opsverify.vocabulary.hosts import ask_host

AUDIT_GRACE = 10.0
"""Seconds that an audit's session may take beside the audit: connecting, and saying that it was too slow."""


@noun("releases")
def migrations_in_checkout(environment: Environment, release: Release, settings: Settings) -> Ask:
    """Every migration in the checkout with its checksum: MigrationListing."""
    return ask_host(environment.hosts[release.host], probes.Migrations(release.path))


@noun("releases")
def deployed_commit(environment: Environment, release: Release, settings: Settings) -> Ask:
    """The commit that is deployed, and since when: Deployed."""
    return ask_host(environment.hosts[release.host], probes.DeployedCommit(release.path))


@noun("releases")
def intended_commit(environment: Environment, release: Release, settings: Settings) -> Ask:
    """The commit that was meant to be deployed: `--revision`, else the head of the release branch: Intended."""
    if settings["revision"]:
        question: probes.Question = probes.NamedCommit(release.path, str(settings["revision"]))
    else:
        question = probes.BranchHead(release.path, settings["remote"], settings["branch"])
    return ask_host(environment.hosts[release.host], question)


@noun("releases")
def local_changes(environment: Environment, release: Release, settings: Settings) -> Ask:
    """What in the checkout differs from its commit: LocalChanges."""
    return ask_host(environment.hosts[release.host], probes.WorkingTree(release.path, settings["untracked"]))


@noun("releases")
def installation(environment: Environment, release: Release, settings: Settings) -> Ask:
    """The installed packages, held against the lock file: Installation."""
    return ask_host(environment.hosts[release.host], probes.InstalledPackages(release.path))


@noun("releases")
def prisma_client(environment: Environment, release: Release, settings: Settings) -> Ask:
    """The generated Prisma client, held against the schema: Generated."""
    return ask_host(environment.hosts[release.host], probes.PrismaClient(release.path))


@noun("releases")
def build(environment: Environment, release: Release, settings: Settings) -> Ask:
    """Whether the item's `file` was built, and when (that of its `folder`'s newest file): Built."""
    return ask_host(
        environment.hosts[release.host], probes.Build(release.path, settings["file"], settings.get("folder"))
    )


@noun("releases")
def dependency_audit(environment: Environment, release: Release, settings: Settings) -> Ask:
    """Known vulnerabilities of the production dependencies: AuditReport. Its own session: a registry may be slow."""
    host, seconds = environment.hosts[release.host], float(settings["timeout_seconds"])
    return Ask(probes.audit_probe, host, probes.Audit(release.path, host.search_path, seconds), seconds + AUDIT_GRACE)


@noun("releases")
def migrations_in_database(environment: Environment, release: Release, settings: Settings) -> Ask:
    """Prisma's own record of what was applied: postgres.AppliedMigrationsFacts."""
    return Ask(postgres.probe, environment.databases[release.database], postgres.AppliedMigrations())


@noun("releases", among=slots.idle, missing="release")
def idle_migrations(environment: Environment, release: Release, settings: Settings) -> Ask:
    """Every migration in the checkout of the idle slot that the run names: MigrationListing."""
    return ask_host(environment.hosts[release.host], probes.Migrations(release.path))
