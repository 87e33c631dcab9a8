"""The questions about a release, asked in real shells about a real checkout, with the files that real tools left."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from opsverify.errors import ProbeError
from opsverify.probes.host import (
    BranchHead,
    Build,
    DeployedCommit,
    InstalledPackages,
    NamedCommit,
    PrismaClient,
    PublishedSecrets,
    WorkingTree,
)

RECORDED = Path(__file__).parent / "recorded"
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
        None, str(tmp_path / "no.pid"), (str(tmp_path / "dotenv"),), here, ("*env*example*",), ("*SECRET",)
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


def test_a_revision_is_a_hash_or_a_tag_and_nothing_that_moves(shell, checkout):
    def git(*words):
        return subprocess.run(["git", *words], cwd=checkout, capture_output=True, text=True, check=True).stdout.strip()

    head = git("rev-parse", "HEAD")
    for words in (["tag", "20260101"], ["branch", "deadbeef"], ["update-ref", "refs/remotes/origin/main", head]):
        git(*words)
    known = (head, head[:7], "v1", "20260101")
    moving = ("HEAD", "main", "heads/main", "refs/heads/main", "origin/main", "deadbeef")
    questions = [NamedCommit(str(checkout), name) for name in (*known, *moving)]
    answers, _, _ = shell(*questions)
    facts = {question.name: question.parse(answers[question]) for question in questions}
    assert {name for name, fact in facts.items() if fact.commit == head} == set(known)
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
