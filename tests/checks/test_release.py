"""The checks of a release turn red where what is deployed is not what was meant, or is not whole."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from rehearsal import binaries
from rehearsal.faults.doing import aside, dated, edited
from tests.pace import AMPLE

pytestmark = pytest.mark.skipif(binaries.tool("git") is None, reason="git is not installed")

CHECKS = "checks/test_release.py"
REVISION = "test_release_revision[checkout]"
CLEAN = "test_release_clean[checkout]"
INSTALLED = "test_dependencies_installed[checkout]"
CLIENT = "test_prisma_client_current[checkout]"
FRONTEND = "test_frontend_build[checkout]"
BACKEND = "test_backend_build[checkout]"


@pytest.fixture
def moved_on(whole, tmp_path):
    """The release branch got another commit since the deployment; gives back its hash."""

    def git(*words):
        return subprocess.run(
            ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", *words],
            cwd=tmp_path / "clone", capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip

    subprocess.run(["git", "clone", "--quiet", whole.layout.origin, tmp_path / "clone"], check=True)
    git("commit", "--quiet", "--allow-empty", "--no-verify", "-m", "newer")
    git("push", "--quiet", "origin", "HEAD:main")
    yield git("rev-parse", "HEAD")
    git("push", "--quiet", "--force", "origin", f"{whole.checkout.revision}:main")


def test_branch_that_moved_on(whole, verify, moved_on):
    here = whole.checkout.revision
    seen = verify(CHECKS, "-k", "test_release_revision")[REVISION]
    assert seen.verdict == "alert"
    assert f"observed {here[:12]} (main, " in seen.sentence
    assert f"expected {moved_on[:12]} (the head of origin/main)" in seen.sentence
    # CI's word comes before the branch's, as a hash, as the start of one, and as a tag.
    whole.checkout.git("tag", "v1", here)
    try:
        for meant in (here, here[:9], "v1"):
            assert verify(CHECKS, "-k", "test_release_revision", "--revision", meant)[REVISION].verdict == "normal"
    finally:
        whole.checkout.git("tag", "--delete", "v1")


@pytest.mark.parametrize(("meant", "unknown"), [("a" * 40, "a" * 40), ("main", "tag main")])
def test_revision_that_never_arrived(verify, meant, unknown):
    seen = verify(CHECKS, "-k", "test_release_revision", "--revision", meant)[REVISION]
    assert seen.verdict == "alert"
    assert f"which knows no {unknown}" in seen.observed


@pytest.mark.parametrize("meant", ["", "-x", "a b", "HEAD"])
def test_revision_that_is_none_is_a_mistake(verify, meant):
    ran = verify(CHECKS, "-k", "test_release_revision", f"--revision={meant}")
    assert ran.code == 4
    assert "--revision: found" in ran.output


def test_remote_that_does_not_answer_is_no_pass(whole, verify):
    with aside(whole.layout.origin):
        ran = verify(CHECKS, "-k", "test_release_revision")
        message = verify(CHECKS, "-k", "test_release_revision", "--revision", whole.checkout.revision)
    assert ran.code == 1
    assert ran[REVISION].verdict == "undetermined"
    assert "the host cannot ask the remote (" in ran[REVISION].sentence
    assert f"it was {whole.checkout.revision[:12]} when last fetched" in ran[REVISION].sentence
    assert "--revision" in ran[REVISION].sentence
    assert message[REVISION].verdict == "normal"


def test_remote_that_never_answers_is_given_up(whole, verify):
    config = whole.layout.checkout / ".git/config"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://somebody:hidden-password@127.0.0.1:{silent.getsockname()[1]}/mycats.git"
        with edited(config, lambda text: text.replace(str(whole.layout.origin), address)):
            ran = verify(CHECKS, "-k", "test_release_revision")
    assert ran[REVISION].verdict == "undetermined"
    assert "no answer within 6 s" in ran[REVISION].sentence
    assert "hidden-password" not in ran.output


def test_branch_that_the_remote_has_not(verify, changed):
    file = changed({"checks": {"release-revision": {"settings": {"branch": "release"}}}})
    seen = verify(CHECKS, "-k", "test_release_revision", environment=file)[REVISION]
    assert seen.verdict == "undetermined"
    assert "the remote has no branch release" in seen.sentence


def test_modified_release_is_shown_by_file(whole, verify, changed):
    stray = whole.layout.checkout / "hotfix.js"
    index = whole.layout.checkout / ".git/index"
    before = index.read_bytes()
    with edited(whole.layout.checkout / "package.json", lambda text: text + "\n"):
        stray.write_text("x")
        try:
            seen = verify(CHECKS, "-k", "test_release_clean")[CLEAN]
            strict = changed({"checks": {"release-clean": {"settings": {"untracked": True}}}})
            everything = verify(CHECKS, "-k", "test_release_clean", environment=strict)[CLEAN]
        finally:
            stray.unlink()
    assert seen.verdict == "alert"
    assert seen.observed == "1 changed: M package.json"
    assert everything.observed == "2 changed: M package.json, ?? hotfix.js"
    assert index.read_bytes() == before  # looking has written nothing


def test_checkout_without_git(whole, verify):
    with aside(whole.layout.checkout / ".git"):
        ran = verify(CHECKS)
    assert ran[REVISION].verdict == ran[CLEAN].verdict == ran[BACKEND].verdict == "undetermined"
    assert "not a git repository" in ran[CLEAN].sentence


def test_checkout_that_is_not_there(verify, changed):
    ran = verify(CHECKS, environment=changed({"releases": {"checkout": {"path": "/srv/nowhere"}}}))
    assert ran[REVISION].observed == "no checkout in /srv/nowhere"
    assert {ran[name].verdict for name in (REVISION, CLEAN, INSTALLED, CLIENT, FRONTEND, BACKEND)} == {"alert"}


def test_git_inside_of_a_hook_looks_at_the_checkout_all_the_same(verify, monkeypatch, tmp_path):
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    assert verify(CHECKS, "-k", "test_release_clean")[CLEAN].verdict == "normal"


@pytest.mark.skipif(os.getuid() != 0 or shutil.which("setpriv") is None, reason="needs another user")
def test_checkout_of_another_user(whole):
    """git takes safe.directory from the command line: another account may look where it may read."""
    from opsverify.config.environment import Host
    from opsverify.errors import ProbeError
    from opsverify.evidence.deadline import Deadline
    from opsverify.probes.host.probe import probe
    from opsverify.probes.host.release.working_tree import WorkingTree

    with TemporaryDirectory() as folder:  # which everybody may enter, as pytest's own may not
        os.chmod(folder, 0o755)
        copy = Path(folder) / "mycats"
        shutil.copytree(whole.layout.checkout, copy, symlinks=True)
        for path in (copy, *copy.rglob("*")):
            os.chown(path, 65534, 65534, follow_symlinks=False)
        question = WorkingTree(str(copy))
        fact = probe(Host(name="here", environment="e"), frozenset([question]), Deadline(AMPLE))[question]
    assert not isinstance(fact, ProbeError)
    assert fact.exists


# --- installed packages and client ---------------------------------------------------------------------------------


def test_lock_file_that_is_newer_than_the_installation(whole, verify):
    lock = whole.layout.checkout / "pnpm-lock.yaml"
    with edited(lock, lambda text: text.replace("2.1.3", "2.1.4")):
        seen = verify(CHECKS, "-k", "test_dependencies_installed")[INSTALLED]
    assert seen.verdict == "alert"
    assert "1 left from an older lock file: ms@2.1.3" in seen.sentence
    assert "1 not installed: ms@2.1.4" in seen.sentence
    assert "1 required in another version: backend: ms 2.1.4" in seen.sentence


def test_layout_of_the_lock_file_does_not_count(whole, verify):
    with edited(whole.layout.checkout / "pnpm-lock.yaml", lambda text: text + "\n"):
        seen = verify(CHECKS, "-k", "test_dependencies_installed")[INSTALLED]
    assert seen.verdict == "normal"
    assert seen.observed == "2 packages, installed from a lock file with the same packages"


def test_package_that_somebody_deleted(whole, verify):
    with aside(whole.layout.checkout / "node_modules/.pnpm/ms@2.1.3"):
        seen = verify(CHECKS, "-k", "test_dependencies_installed")[INSTALLED]
    assert seen.verdict == "alert"
    assert "2 missing on the disk: backend: ms, ms@2.1.3" in seen.sentence


def test_nothing_installed(whole, verify):
    modules = whole.layout.checkout / "node_modules"
    with aside(modules):
        ran = verify(CHECKS, "-k", "test_dependencies_installed or test_prisma_client")
    assert ran[INSTALLED].observed == "nothing installed by pnpm"
    assert ran[CLIENT].observed == "no generated client"
    assert ran[INSTALLED].verdict == ran[CLIENT].verdict == "alert"


def test_schema_that_is_newer_than_the_client(whole, verify):
    schema = whole.layout.backend / "prisma/schema.prisma"
    with edited(schema, lambda text: text.replace("MALE", "MALE\n  UNKNOWN", 1)):
        seen = verify(CHECKS, "-k", "test_prisma_client")[CLIENT]
    assert seen.verdict == "alert"
    assert "node_modules/.prisma/client, generated from another schema" in seen.sentence
    # Prisma formats its own copy: layout must not count.
    with edited(schema, lambda text: text.replace("  ", "\t").replace("\n\n", "\n\n\n")):
        assert verify(CHECKS, "-k", "test_prisma_client")[CLIENT].verdict == "normal"


# --- builds --------------------------------------------------------------------------------------------------------


def test_build_that_the_weekly_clean_up_deleted(whole, verify):
    with aside(whole.layout.frontend / ".next"):
        seen = verify(CHECKS, "-k", "test_frontend_build")[FRONTEND]
    assert seen.verdict == "alert"
    assert "no frontend/.next/BUILD_ID" in seen.sentence


def test_backend_that_was_never_built(whole, verify):
    with aside(whole.layout.backend / "dist/main.js"):
        seen = verify(CHECKS, "-k", "test_backend_build")[BACKEND]
    assert seen.verdict == "alert"
    assert "no backend/dist/main.js" in seen.sentence


def test_build_of_an_older_commit(whole, verify):
    old = whole.checkout.deployed_at - timedelta(hours=1)
    with dated(whole.layout.backend / "dist/main.js", old), dated(whole.layout.frontend / ".next/BUILD_ID", old):
        ran = verify(CHECKS, "-k", "test_frontend_build or test_backend_build")
    for name in (FRONTEND, BACKEND):
        assert ran[name].verdict == "alert"
        assert f"expected a build of commit {whole.checkout.revision[:12]}" in ran[name].sentence


def test_build_that_is_older_than_the_deployment_is_a_warning(whole, verify):
    """The commit is two days old and arrived just now: the build of yesterday may be of the commit before it."""
    git = whole.checkout.git
    git("checkout", "--quiet", "--detach")
    git("commit", "--quiet", "--allow-empty", "--no-verify", "-m", "other")
    git("checkout", "--quiet", "main")
    ran = verify(CHECKS, "-k", "test_frontend_build or test_backend_build")
    shutil.copy(whole.layout.checkout_of("green") / ".git/logs/HEAD", whole.layout.checkout / ".git/logs/HEAD")
    for name in (FRONTEND, BACKEND):
        assert ran[name].verdict == "warning"
        assert ", deployed " in ran[name].expected
    assert verify(CHECKS, "-k", "test_backend_build")[BACKEND].verdict == "normal"
