"""What can be known of a deployed checkout, and of the database that its migrations belong to."""

from __future__ import annotations

from opsverify.config import slots
from opsverify.config.environment import Environment, Release
from opsverify.evidence.query import Query
from opsverify.facts.hosts import host_query
from opsverify.facts.registry import Settings, fact
from opsverify.probes.host.probe import audit_probe
from opsverify.probes.host.question import Question
from opsverify.probes.host.release.audit import Audit
from opsverify.probes.host.release.branch_head import BranchHead
from opsverify.probes.host.release.builds import Build
from opsverify.probes.host.release.deployed_commit import DeployedCommit
from opsverify.probes.host.release.installed_packages import InstalledPackages
from opsverify.probes.host.release.migrations import Migrations
from opsverify.probes.host.release.named_commit import NamedCommit
from opsverify.probes.host.release.prisma import PrismaClient
from opsverify.probes.host.release.working_tree import WorkingTree
from opsverify.probes.postgres.applied_migrations import AppliedMigrations
from opsverify.probes.postgres.probe import probe as postgres_probe

AUDIT_GRACE = 10.0
"""Seconds that an audit's session may take beside the audit: connecting, and saying that it was too slow."""


@fact("releases")
def migrations_in_checkout(environment: Environment, release: Release, settings: Settings) -> Query:
    """Every migration in the checkout with its checksum: MigrationListing."""
    return host_query(environment.hosts[release.host], Migrations(release.path))


@fact("releases")
def deployed_commit(environment: Environment, release: Release, settings: Settings) -> Query:
    """The commit that is deployed, and since when: Deployed."""
    return host_query(environment.hosts[release.host], DeployedCommit(release.path))


@fact("releases")
def intended_commit(environment: Environment, release: Release, settings: Settings) -> Query:
    """The commit that was meant to be deployed: `--revision`, else the head of the release branch: Intended."""
    if settings["revision"]:
        question: Question = NamedCommit(release.path, str(settings["revision"]))
    else:
        question = BranchHead(release.path, settings["remote"], settings["branch"])
    return host_query(environment.hosts[release.host], question)


@fact("releases")
def local_changes(environment: Environment, release: Release, settings: Settings) -> Query:
    """What in the checkout differs from its commit: LocalChanges."""
    return host_query(environment.hosts[release.host], WorkingTree(release.path, settings["untracked"]))


@fact("releases")
def installation(environment: Environment, release: Release, settings: Settings) -> Query:
    """The installed packages, held against the lock file: Installation."""
    return host_query(environment.hosts[release.host], InstalledPackages(release.path))


@fact("releases")
def prisma_client(environment: Environment, release: Release, settings: Settings) -> Query:
    """The generated Prisma client, held against the schema: Generated."""
    return host_query(environment.hosts[release.host], PrismaClient(release.path))


@fact("releases")
def build(environment: Environment, release: Release, settings: Settings) -> Query:
    """Whether the item's `file` was built, and when (that of its `folder`'s newest file): Built."""
    question = Build(release.path, settings["file"], settings.get("folder"), tuple(settings.get("others", ())))
    return host_query(environment.hosts[release.host], question)


@fact("releases")
def dependency_audit(environment: Environment, release: Release, settings: Settings) -> Query:
    """Known vulnerabilities of the production dependencies: AuditReport. Its own session: a registry may be slow."""
    host, seconds = environment.hosts[release.host], float(settings["timeout_seconds"])
    return Query(audit_probe, host, Audit(release.path, host.search_path, seconds), seconds + AUDIT_GRACE)


@fact("releases")
def migrations_in_database(environment: Environment, release: Release, settings: Settings) -> Query:
    """Prisma's own record of what was applied: AppliedMigrationsFacts."""
    return Query(postgres_probe, environment.databases[release.database], AppliedMigrations())


@fact("releases", among=slots.idle, missing="release")
def idle_migrations(environment: Environment, release: Release, settings: Settings) -> Query:
    """Every migration in the checkout of the idle slot that the run names: MigrationListing."""
    return host_query(environment.hosts[release.host], Migrations(release.path))
