"""The questions about a release, asked in real shells about a real checkout, with the files that real tools left."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from opsverify.config.loading import load_items
from opsverify.errors import ProbeError
from opsverify.probes.host.release.branch_head import BranchHead
from opsverify.probes.host.release.builds import Build
from opsverify.probes.host.release.deployed_commit import DeployedCommit
from opsverify.probes.host.release.installed_packages import InstalledPackages
from opsverify.probes.host.release.migrations import Migrations
from opsverify.probes.host.release.named_commit import NamedCommit
from opsverify.probes.host.release.prisma import PrismaClient
from opsverify.probes.host.release.published import PublishedSecrets
from opsverify.probes.host.release.working_tree import WorkingTree

RECORDED = Path(__file__).parent / "recorded"
ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def checkout(tmp_path):
    """A workspace in a folder with an awkward name, installed as pnpm does it, with a client as Prisma leaves it."""
    path = tmp_path / "it's my cats"
    files = {
        "package.json": "{}",
        ".gitignore": "node_modules\ndist\n",
        "backend/prisma/schema.prisma": "model Cat {\n\tid Int @id\n\n}\n",
        "backend/dist/main.js": "x",
        "config/.Env.Example": "JWT_SECRET=from-the-example\r\n",
        "pnpm-lock.yaml": (RECORDED / "pnpm-9-lock.yaml").read_text(),
        "node_modules/.pnpm/lock.yaml": (RECORDED / "pnpm-9-lock-frontend-only.yaml").read_text(),
        "node_modules/.pnpm/client-only@0.0.1/node_modules/client-only/package.json": "{}",
        "node_modules/.pnpm/c@6_x/node_modules/@prisma/client/package.json": "{}",
        "node_modules/.pnpm/c@6_x/node_modules/.prisma/client/schema.prisma": "model Cat {\n  id  Int  @id\n}\n",
        "node_modules/.prisma/client/schema.prisma": "an older one that nobody loads",
    }
    for name, text in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(text.encode())
    (path / "backend/node_modules/@prisma").mkdir(parents=True)
    (path / "backend/node_modules/@prisma/client").symlink_to(
        "../../../node_modules/.pnpm/c@6_x/node_modules/@prisma/client"
    )
    (path / "frontend/node_modules").mkdir(parents=True)
    store = "../../node_modules/.pnpm/client-only@0.0.1/node_modules/client-only"
    (path / "frontend/node_modules/client-only").symlink_to(store)
    env = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z", "PATH": os.environ["PATH"]}
    for words in (["init", "-qb", "main"], ["add", "-A"], ["commit", "-qm", "one"], ["tag", "v1"]):
        command = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", *words]
        subprocess.run(command, cwd=path, env=env, check=True)
    return path


def test_everything_about_a_release(shell, checkout, tmp_path):
    (checkout / "package.json").write_text("{ }")
    (tmp_path / "dotenv").write_text("JWT_SECRET=from-the-example\n")
    here = str(checkout)
    deployed, named, tree = DeployedCommit(here), NamedCommit(here, "v1"), WorkingTree(here, untracked=True)
    head, built, client = BranchHead(here, "origin", "main"), Build(here, "backend/dist/main.js"), PrismaClient(here)
    packages = InstalledPackages(here)
    secrets = PublishedSecrets(
        pid_file=str(tmp_path / "no.pid"),
        env_files=(str(tmp_path / "dotenv"),),
        checkout_path=here,
        files=("*env*example*",),
        secret_names=("*SECRET",),
    )
    answers, whole, _ = shell(deployed, named, tree, head, built, client, packages, secrets)
    assert whole
    facts = {question: question.parse(answers[question]) for question in answers if question is not head}
    commit = facts[deployed].commit
    assert commit == facts[named].commit
    assert (facts[deployed].branch, f"{facts[deployed].arrived_at:%F %T}") == ("main", "2026-01-02 03:04:05")
    assert facts[tree].changes == (" M package.json",)
    assert facts[built].exists
    assert facts[client].client == "node_modules/.pnpm/c@6_x/node_modules/.prisma/client"
    assert facts[client].matches
    assert len(facts[packages].lacking) == 52
    missing = ("backend: chokidar", "backend: ms", "backend: prisma")
    assert facts[packages].absent == (".: typescript", *missing, "typescript@5.6.3")
    assert [(one.variable, one.file) for one in facts[secrets].found] == [("JWT_SECRET", "config/.Env.Example")]
    with pytest.raises(ProbeError, match="cannot ask the remote"):
        head.parse(answers[head])


def test_a_lock_file_of_two_documents_is_judged_by_its_last(shell, checkout):
    """pnpm.io/lockfile: where there are configDependencies, pnpm's own come first, and only in the lock file."""
    question = InstalledPackages(str(checkout))
    lock, copy = checkout / "pnpm-lock.yaml", checkout / "node_modules/.pnpm/lock.yaml"
    before, _, _ = shell(question)
    own = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    configDependencies: {}\n\npackages:\n\n  is-number@7.0.0: {}\n\nsnapshots:\n"
    lock.write_text(f"---\n{own}\n---\n{lock.read_text()}")
    after, _, _ = shell(question)
    assert question.parse(after[question]) == question.parse(before[question])
    copy.write_text(lock.read_text().rpartition("---\n")[2])
    assert question.parse(shell(question)[0][question]).same


def test_the_client_is_where_its_own_generator_puts_it(shell, checkout):
    question, schema = PrismaClient(str(checkout)), checkout / "backend/prisma/schema.prisma"
    others = 'generator erd {\n  provider = "prisma-erd-generator"\n  output   = "../erd.svg"\n}\n'
    own = 'generator client {\n  output = "../generated"\n  provider = "prisma-client-js"\n}\n'
    schema.write_text(others + own + schema.read_text())
    (checkout / "backend/generated").mkdir()
    (checkout / "backend/generated/schema.prisma").write_text(schema.read_text())
    client = question.parse(shell(question)[0][question])
    assert (client.client, client.matches) == ("backend/prisma/../generated", True)


def test_client_of_code_alone_tells_its_schema_too(shell, checkout):
    """Recorded of Prisma 7.10, whose generator `prisma-client` leaves no copy of the schema."""
    question, schema = PrismaClient(str(checkout)), checkout / "backend/prisma/schema.prisma"
    text, code = (RECORDED / f"prisma-7-{name}" for name in ("schema.prisma", "class.ts"))
    shutil.copy(text, schema)
    generated = checkout / "backend/generated/prisma/internal"
    generated.mkdir(parents=True)
    shutil.copy(code, generated / "class.ts")
    (generated.parent / "client.ts").write_text("export * from './internal/class'\n")
    client = question.parse(shell(question)[0][question])
    assert (client.client, client.matches) == ("backend/prisma/../generated/prisma", True)
    schema.write_text(schema.read_text() + "model Dog {\n  id Int @id\n}\n")
    assert not question.parse(shell(question)[0][question]).matches
    (generated / "class.ts").write_text("export {}\n")
    with pytest.raises(ProbeError, match="generated/prisma does not tell its schema"):
        question.parse(shell(question)[0][question])


def test_a_secret_in_a_committed_dotenv_file_is_published(shell, checkout, tmp_path):
    (tmp_path / "dotenv").write_text("JWT_SECRET=from-the-example\n")
    (checkout / "config/.Env.Example").rename(checkout / "config/.env.production")
    subprocess.run(
        "git add -A && git -c user.name=x -c user.email=x@x commit -qm x", shell=True, cwd=checkout, check=True
    )
    files = tuple(load_items(ROOT / "checks/runbook.yaml")["published-secrets"].settings["files"])
    question = PublishedSecrets(
        pid_file=str(tmp_path / "no.pid"),
        env_files=(str(tmp_path / "dotenv"),),
        checkout_path=str(checkout),
        files=files,
        secret_names=("*SECRET",),
    )
    result = question.parse(shell(question)[0][question]).found
    assert [(one.variable, one.file) for one in result] == [("JWT_SECRET", "config/.env.production")]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n", b"\r"])
def test_migrations_with_the_line_ends_of_both_systems(shell, tmp_path, end):
    text = b"SELECT '\xe3\x81\x82';\r\n\r\nSELECT 2;\n\r\rSELECT '\xff'" + end
    file = tmp_path / "prisma/migrations/-1 first/migration.sql"
    file.parent.mkdir(parents=True)
    file.write_bytes(text)
    question = Migrations(str(tmp_path))
    (migration,) = question.parse(shell(question)[0][question]).migrations
    texts = (text, text.replace(b"\r\n", b"\n"), text.replace(b"\n", b"\r\n"))
    assert migration.name == "-1 first"
    assert migration.checksums == tuple(hashlib.sha256(one).hexdigest() for one in texts)


@pytest.mark.parametrize(
    ("how", "absent"), [("--skip-worktree", ()), ("--assume-unchanged", (" D backend/prisma/schema.prisma",))]
)
def test_changes_that_git_was_told_to_overlook(shell, checkout, how, absent):
    page, other, link = "app/[id]/page.tsx", "app/i/page.tsx", "link"  # Next.js names folders like git's patterns
    for name in (page, other):
        (checkout / name).parent.mkdir(parents=True)
        (checkout / name).write_text(name)
    (checkout / link).symlink_to(page)

    def git(*words):
        subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@x", *words], cwd=checkout, check=True)

    git("add", "-A")
    git("commit", "-qm", "x")
    git("update-index", how, "package.json", "backend/prisma/schema.prisma", page, link)
    question = WorkingTree(str(checkout))
    assert question.parse(shell(question)[0][question]).changes == ()
    (checkout / "package.json").write_text('{"hot": "fix"}')
    (checkout / "backend/prisma/schema.prisma").unlink()  # as a sparse checkout leaves out files
    (checkout / link).unlink()
    (checkout / link).symlink_to(other)
    assert question.parse(shell(question)[0][question]).changes == (*absent, " M link", " M package.json")


def test_a_revision_is_a_hash_or_a_tag_and_nothing_that_moves(shell, checkout):
    def git(*words):
        return subprocess.run(["git", *words], cwd=checkout, capture_output=True, text=True, check=True).stdout.strip()

    head = git("rev-parse", "HEAD")
    for words in (["tag", "20260101"], ["branch", "deadbeef"], ["update-ref", "refs/remotes/origin/main", head]):
        git(*words)
    names = (head, head[:7], "v1", "20260101")
    moving = ("HEAD", "main", "heads/main", "refs/heads/main", "origin/main", "deadbeef")
    questions = [NamedCommit(str(checkout), name) for name in (*names, *moving)]
    answers, _, _ = shell(*questions)
    facts = {question.name: question.parse(answers[question]) for question in questions}
    assert {name for name, fact in facts.items() if fact.commit == head} == set(names)
    assert {facts[name].commit for name in moving} == {None}
    assert facts["main"].name == "tag main"


def test_a_release_that_is_not_there(shell, tmp_path):
    here = str(tmp_path / "nowhere")
    questions = (DeployedCommit(here), WorkingTree(here), Build(here, "x"), PrismaClient(here), InstalledPackages(here))
    answers, _, _ = shell(*questions)
    deployed, tree, built, client, packages = (question.parse(answers[question]) for question in questions)
    assert (deployed.commit, tree.exists, built.exists, client.schema, packages.locked) == (
        None,
        False,
        False,
        None,
        False,
    )


def test_a_folder_inside_of_another_checkout_is_none_itself(shell, checkout):
    question = DeployedCommit(str(checkout / "backend"))
    answers, _, _ = shell(question)
    with pytest.raises(ProbeError, match="not a git repository of its own"):
        question.parse(answers[question])


def test_a_standalone_build_is_a_build(shell, tmp_path):
    """As `next build` leaves it with `output: standalone`, and where only that was copied to."""
    others = ("frontend/.next/standalone/frontend/.next/BUILD_ID", ".next/BUILD_ID")
    question = Build(str(tmp_path), "frontend/.next/BUILD_ID", others=others)
    assert not question.parse(shell(question)[0][question]).exists
    for name in (*reversed(others), "frontend/.next/BUILD_ID"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("abc")
        seen = question.parse(shell(question)[0][question])
        assert (seen.file, seen.exists, seen.size_bytes) == (name, True, 3)
