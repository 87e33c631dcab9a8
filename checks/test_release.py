"""Release: what runs is what was meant to be deployed, whole and built."""

from opsverify import runbook
from opsverify.config.bands import Verdict
from opsverify.errors import ProbeError
from opsverify.judgements.migrations import differences


@runbook("release-revision")
def test_release_revision(deployed_commit, intended_commit, expect):
    """The deployed commit is the one that the run was told, or else the head of the release branch as it is now."""
    here, meant = deployed_commit, intended_commit
    expected = f"{meant.name}, {meant.source}" if meant.commit is None else f"{meant.commit[:12]} ({meant.source})"
    if here.commit is None:
        expect.that(False, observed=f"no checkout in {here.path}", expected=expected)
        return
    observed = f"{here.commit[:12]} ({here.branch or 'no branch'}, committed {here.committed_at:%Y-%m-%d %H:%M} UTC)"
    expect.that(
        here.commit == meant.commit,
        observed=observed if meant.commit else f"{observed}, which knows no {meant.name}",
        expected=expected,
    )


@runbook("release-clean")
def test_release_clean(local_changes, settings, expect):
    """No file of the release was modified on the host."""
    changes = local_changes.changes
    kinds = "tracked and untracked files" if settings["untracked"] else "tracked files"
    observed = f"{len(changes)} changed{named(changes)}" if local_changes.exists else f"none in {local_changes.path}"
    expect.that(local_changes.exists and not changes, observed=observed, expected=f"a checkout without changed {kinds}")


@runbook("dependencies-installed")
def test_dependencies_installed(installation, expect):
    """What pnpm installed is what pnpm-lock.yaml says, and it is still there."""
    installed = installation
    expected = "the packages of pnpm-lock.yaml"
    if not expect.that(
        installed.locked and installed.installed,
        observed="nothing installed by pnpm" if installed.locked else f"no pnpm-lock.yaml in {installed.checkout}",
        expected=expected,
    ):
        return
    for fault, packages in {
        "left from an older lock file": installed.stale,
        "not installed": installed.lacking,
        "required in another version": installed.different,
        "missing on the disk": installed.absent,
    }.items():
        expect.that(not packages, observed=f"{len(packages)} {fault}{named(packages)}", expected=expected)
    how = "from this very lock file" if installed.same else "from a lock file with the same packages"
    how += ", without development dependencies" if installed.production_only else ""
    expect.that(installed.packages > 0, observed=f"{installed.packages} packages, installed {how}", expected=expected)


@runbook("prisma-client-current")
def test_prisma_client_current(prisma_client, expect):
    """The Prisma client that the backend loads was generated from the schema in the checkout."""
    client = prisma_client
    expected = f"a client generated from {client.schema or 'the schema in the checkout'}"
    if client.schema is None:
        expect.that(False, observed=f"no schema.prisma in {client.checkout}", expected=expected)
    elif client.client is None:
        expect.that(False, observed="no generated client", expected=expected)
    else:
        source = "this schema" if client.matches else "another schema"
        expect.that(client.matches, observed=f"{client.client}, generated from {source}", expected=expected)


@runbook("frontend-build")
def test_frontend_build(build, deployed_commit, environment, expect):
    """The front end's production build is there, and not older than the deployed commit."""
    judge_build(build, deployed_commit, environment, expect)


@runbook("backend-build")
def test_backend_build(build, deployed_commit, environment, expect):
    """The backend's production build is there, and not older than the deployed commit."""
    judge_build(build, deployed_commit, environment, expect)


def judge_build(build, deployed, environment, expect):
    """Judge that a build is there, made after its commit, and, which is only a warning, after that was deployed."""
    made = f"{build.file} of {build.size_bytes:,} bytes" if build.exists else f"no {build.file}"
    if not expect.that(build.exists and build.size_bytes > 0, observed=made, expected="a finished build"):
        return
    if deployed.committed_at is None and "release-revision" in environment.not_applicable:
        return  # an image, which was built with what is in it
    if deployed.committed_at is None:
        raise ProbeError(f"whether {build.file} is current could not be determined: no checkout in {deployed.path}")
    observed = f"{build.file} built {build.built_at:%Y-%m-%d %H:%M} UTC"
    commit = f"commit {deployed.commit[:12]} of {deployed.committed_at:%Y-%m-%d %H:%M} UTC"
    if not expect.that(build.built_at >= deployed.committed_at, observed=observed, expected=f"a build of {commit}"):
        return
    arrived = deployed.arrived_at or deployed.committed_at
    # A build that came from elsewhere is older than its checkout, and so is one that was forgotten: git cannot tell.
    expect.that(
        build.built_at >= arrived,
        observed=observed,
        expected=f"a build of {commit}, deployed {arrived:%Y-%m-%d %H:%M} UTC",
        otherwise=Verdict.WARNING,
    )


def named(names, most=5):
    """The first few of them, for people."""
    return f": {', '.join(name.strip() for name in names[:most])}{', …' if len(names) > most else ''}" if names else ""


@runbook("migrations-applied")
def test_migrations_applied(migrations_in_checkout, migrations_in_database, expect):
    """Checkout and database agree on every migration: all applied, none failed, unknown, or edited since."""
    judge_migrations(migrations_in_checkout, migrations_in_database, expect)


@runbook("idle-slot-ready")
def test_idle_slot_ready(idle_migrations, migrations_in_database, expect):
    """The idle slot's release fits the database that the active one uses: nothing pending, unknown or edited."""
    judge_migrations(idle_migrations, migrations_in_database, expect)


def judge_migrations(here, there, expect):
    """Hold the migrations of a checkout against those that its database has."""
    expected = "every migration of the checkout applied, unchanged, and no other"
    if not expect.that(
        here.exists, observed="migrations found" if here.exists else f"none in {here.checkout}", expected=expected
    ):
        return
    if not expect.that(
        there.exists,
        observed="_prisma_migrations found" if there.exists else "no _prisma_migrations table",
        expected=expected,
    ):
        return
    for fault, names in differences(here, there).items():
        expect.that(not names, observed=f"{fault}: {', '.join(names)}" if names else f"none {fault}", expected=expected)
    expect.that(bool(here.migrations), observed=f"{len(here.migrations)} migrations, all applied", expected=expected)
