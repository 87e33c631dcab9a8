"""Releases that are not what was meant, or not whole."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from rehearsal import binaries
from rehearsal.faults.doing import appended, aside, dated, edited
from rehearsal.faults.fault import ALERT, UNDETERMINED, fault

if TYPE_CHECKING:
    from rehearsal.whole import Rehearsal

MODIFIED = {"release-clean[checkout]": ALERT}
"""Git knows the file."""


def without_git() -> str:
    """Why a fault of a git checkout cannot be: "" when it can."""
    return "" if binaries.tool("git") else "git is not installed"


@fault("The release branch moved on and was not deployed.", {"release-revision[checkout]": ALERT}, needs=without_git)
def release_not_deployed(whole: Rehearsal) -> Iterator[None]:
    git, here = whole.checkout.git, whole.checkout.revision
    newer = git("commit-tree", f"{here}^{{tree}}", "-p", here, "-m", "newer")
    git("push", "--quiet", "origin", f"{newer}:refs/heads/main")
    yield
    git("push", "--quiet", "--force", "origin", f"{here}:refs/heads/main")
    git("update-ref", "refs/remotes/origin/main", here)


@fault("Git's remote does not answer.", {"release-revision[checkout]": UNDETERMINED}, needs=without_git)
def git_remote_gone(whole: Rehearsal) -> Iterator[None]:
    with aside(whole.layout.origin):
        yield


@fault("Somebody edited a file of the release on the host.", MODIFIED, needs=without_git)
def release_edited(whole: Rehearsal) -> Iterator[None]:
    with appended(whole.layout.checkout / "docker-compose.yml", "# hotfix\n"):
        yield


@fault(
    "pnpm-lock.yaml asks for another version than is installed.",
    {**MODIFIED, "dependencies-installed[checkout]": ALERT},
    needs=without_git,
)
def dependencies_not_installed(whole: Rehearsal) -> Iterator[None]:
    with edited(whole.layout.checkout / "pnpm-lock.yaml", lambda text: text.replace("2.1.3", "2.1.4")):
        yield


@fault("An installed package was deleted from the disk.", {"dependencies-installed[checkout]": ALERT})
def package_deleted(whole: Rehearsal) -> Iterator[None]:
    with aside(whole.layout.checkout / "node_modules/.pnpm/ms@2.1.3"):
        yield


@fault(
    "The Prisma schema was changed without generating the client.",
    {**MODIFIED, "prisma-client-current[checkout]": ALERT},
    needs=without_git,
)
def prisma_client_stale(whole: Rehearsal) -> Iterator[None]:
    with edited(whole.layout.backend / "prisma/schema.prisma", lambda text: text.replace("MALE", "MALE\n  UNKNOWN", 1)):
        yield


@fault("The release has a migration that was not applied.", {"migrations-applied[checkout]": ALERT})
def migration_not_applied(whole: Rehearsal) -> Iterator[None]:
    pending = whole.layout.migrations / "20260101000000_add_awards"
    pending.mkdir()
    (pending / "migration.sql").write_text("CREATE TABLE awards (id text);\n")
    yield
    shutil.rmtree(pending)


@fault("An applied migration was edited.", {**MODIFIED, "migrations-applied[checkout]": ALERT}, needs=without_git)
def migration_edited(whole: Rehearsal) -> Iterator[None]:
    first = min(path for path in whole.layout.migrations.iterdir() if path.is_dir())
    with appended(first / "migration.sql", "-- edited\n"):
        yield


@fault(
    "The front end's build was removed, as `rm -rf frontend/.next` does.",
    {"cache-size[next-cache]": ALERT, "frontend-build[checkout]": ALERT, "frontend-reachable": ALERT},
)
def frontend_build_removed(whole: Rehearsal) -> Iterator[None]:
    with aside(whole.layout.frontend / ".next"):
        yield


@fault("The backend was never built: what runs is gone from the disk.", {"backend-build[checkout]": ALERT})
def backend_build_missing(whole: Rehearsal) -> Iterator[None]:
    with aside(whole.layout.backend / "dist/main.js"):
        yield


@fault(
    "Both builds are of an older commit.", {"backend-build[checkout]": ALERT, "frontend-build[checkout]": ALERT},
    needs=without_git,
)  # fmt: skip
def builds_old(whole: Rehearsal) -> Iterator[None]:
    old = whole.checkout.deployed_at - timedelta(hours=1)
    with dated(whole.layout.backend / "dist/main.js", old), dated(whole.layout.frontend / ".next/BUILD_ID", old):
        yield
