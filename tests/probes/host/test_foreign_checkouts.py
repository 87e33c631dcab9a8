"""A checkout whose configuration names programs: none of them may run, neither as root nor as the account of the checks.

Each way was seen to run its program when git or pnpm is simply called in the checkout.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from opsverify.probes.host.release.audit import Audit
from opsverify.probes.host.release.branch_head import BranchHead
from opsverify.probes.host.release.deployed_commit import DeployedCommit
from opsverify.probes.host.release.named_commit import NamedCommit
from opsverify.probes.host.release.published import PublishedSecrets
from opsverify.probes.host.release.working_tree import WorkingTree
from opsverify.probes.host.system.versions import CommandVersion
from tests.checks.test_dependency_audit import NPM_LOCK, PNPM_LOCK, registry
from tests.plugin.conftest import serve  # noqa: F401 - a fixture

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


NOBODY = pwd.getpwnam("nobody").pw_uid


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=x", "-c", "user.email=x@x", "-c", "protocol.file.allow=always", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def place():
    """A folder that every account may enter, which those of pytest's own are not."""
    with TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.fixture
def trap(place):
    """A program that says by a file that it ran, and the folder of such files."""
    caught = place / "caught"
    caught.mkdir()
    caught.chmod(0o777)
    program = place / "evil"
    program.write_text(f'#!/bin/sh\nid -u > "{caught}/$$"\ncat >/dev/null\nexit 1\n')
    program.chmod(0o755)
    return program


def caught(trap: Path) -> list[str]:
    return [path.read_text().strip() for path in (trap.parent / "caught").iterdir()]


@pytest.fixture
def checkout(place):
    path = place / "src" / "mycats"
    path.mkdir(parents=True)
    git(path, "init", "-qb", "main")
    for name in ("a.txt", "b.txt"):
        (path / name).write_text("text\n")
    git(path, "add", "-A")
    git(path, "commit", "-qm", "one")
    git(path, "clone", "-q", "--bare", ".", str(path.parent / "origin.git"))
    git(path, "remote", "add", "origin", str(path.parent / "origin.git"))
    git(path, "fetch", "-q", "origin")
    return path


def touched(path: Path) -> None:
    """Make git look at the contents: the time of a file is another than the index knows."""
    os.utime(path / "a.txt", (time.time() - 5000, time.time() - 5000))


def clean_filter(path: Path, evil: Path) -> None:
    git(path, "config", "filter.it=s.clean", str(evil))
    git(path, "config", "filter.it=s.required", "true")
    (path / ".git/info/attributes").write_text("* filter=it=s\n")
    touched(path)


def process_filter(path: Path, evil: Path) -> None:
    git(path, "config", "filter.x.process", str(evil))
    (path / ".gitattributes").write_text("* filter=x\n")
    touched(path)


def included_filter(path: Path, evil: Path) -> None:
    (path / ".git/more").write_text(f'[filter "y"]\n\tclean = {evil}\n')
    git(path, "config", "includeIf.gitdir:/.path", "more")
    git(path, "config", "include.path", "more")
    (path / ".git/info/attributes").write_text("* filter=y\n")
    touched(path)


def filter_of_what_is_overlooked(path: Path, evil: Path) -> None:
    git(path, "update-index", "--assume-unchanged", "a.txt")
    clean_filter(path, evil)


def monitor(path: Path, evil: Path) -> None:
    git(path, "config", "core.fsmonitor", str(evil))


def hooks(path: Path, evil: Path) -> None:
    for name in ("post-index-change", "reference-transaction", "pre-auto-gc", "fsmonitor-watchman"):
        shutil.copy(evil, path / ".git/hooks" / name)
    touched(path)


def signature(path: Path, evil: Path) -> None:
    git(path, "config", "log.showSignature", "true")
    for name in ("gpg.program", "gpg.ssh.program", "core.pager", "core.editor", "diff.external", "core.askPass"):
        git(path, "config", name, str(evil))
    raw = git(path, "cat-file", "commit", "HEAD")
    head, _, message = raw.partition("\n\n")
    signed = f"{head}\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n -----END PGP SIGNATURE-----\n\n{message}\n"
    written = subprocess.run(["git", "hash-object", "-t", "commit", "-w", "--stdin"], cwd=path, input=signed, text=True,
                             capture_output=True, check=True).stdout.strip()  # fmt: skip
    git(path, "update-ref", "HEAD", written)


def missing_object(path: Path, evil: Path) -> None:
    """A partial clone whose lazy fetch would start the remote's program."""
    git(path, "config", "core.repositoryformatversion", "1")
    git(path, "config", "extensions.partialClone", "origin")
    git(path, "config", "remote.origin.promisor", "true")
    git(path, "config", "protocol.ext.allow", "always")
    git(path, "config", "remote.origin.url", f"ext::{evil} %S")
    blob = git(path, "rev-parse", "HEAD:a.txt")
    tree = git(path, "rev-parse", "HEAD^{tree}")
    for one in (blob, tree):
        (path / ".git/objects" / one[:2] / one[2:]).unlink()
    touched(path)


def submodule(path: Path, evil: Path) -> None:
    git(path, "submodule", "--quiet", "add", str(path.parent / "origin.git"), "sub")
    git(path, "commit", "-qm", "sub")
    git(path / "sub", "config", "filter.z.clean", str(evil))
    git(path / "sub", "config", "core.fsmonitor", str(evil))
    (path / ".git/modules/sub/info/attributes").write_text("* filter=z\n")
    touched(path / "sub")


def ssh_command(path: Path, evil: Path) -> None:
    git(path, "config", "core.sshCommand", str(evil))
    git(path, "config", "remote.origin.url", "ssh://nobody@127.0.0.1:9/x.git")


def ssh_options(path: Path, evil: Path) -> None:
    git(path, "config", "core.sshCommand", f"ssh -i /dev/null -o ProxyCommand={evil}")
    git(path, "config", "remote.origin.url", "ssh://nobody@127.0.0.1:9/x.git")


def external_remote(path: Path, evil: Path) -> None:
    git(path, "config", "protocol.ext.allow", "always")
    git(path, "config", "remote.origin.url", f"ext::{evil}")


def rewritten_remote(path: Path, evil: Path) -> None:
    git(path, "config", "protocol.ext.allow", "always")
    git(path, "config", f"url.ext::{evil} .insteadOf", str(path.parent / "origin"))


def upload_pack(path: Path, evil: Path) -> None:
    git(path, "config", "remote.origin.uploadpack", str(evil))


def helper_of_the_remote(path: Path, evil: Path) -> None:
    git(path, "config", "remote.origin.vcs", "evil")
    shutil.copy(evil, path / "git-remote-evil")


def credentials(path: Path, evil: Path) -> None:
    git(path, "config", "credential.helper", str(evil))
    git(path, "config", "credential.http://127.0.0.1.helper", str(evil))
    git(path, "config", "core.gitProxy", str(evil))
    git(path, "config", "remote.origin.url", "git://127.0.0.1:9/x.git")


def proxied(path: Path, evil: Path) -> None:
    credentials(path, evil)
    git(path, "config", "remote.origin.url", "http://127.0.0.1:9/x.git")


ATTACKS = [
    clean_filter, process_filter, included_filter, filter_of_what_is_overlooked, monitor, hooks, signature,
    missing_object, submodule, ssh_command, ssh_options, external_remote, rewritten_remote, upload_pack,
    helper_of_the_remote, credentials, proxied,
]  # fmt: skip


def questions(path: Path) -> list:
    here = str(path)
    return [
        *(DeployedCommit(here), NamedCommit(here, "v1"), WorkingTree(here, untracked=True)),
        BranchHead(here, "origin", "main"),
        PublishedSecrets(
            pid_file=str(path / "no.pid"),
            env_files=(),
            checkout_path=here,
            files=("*.txt",),
            secret_names=("*SECRET",),
        ),
    ]


@pytest.mark.parametrize("shell", ["dash"], indirect=True)
@pytest.mark.parametrize("owner", [0, 4711], ids=["own", "another's"])
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_nothing_that_a_checkout_names_is_run(shell, checkout, trap, attack, owner):
    attack(checkout, trap)
    if owner:
        owned_by(checkout.parent, owner)
    before = caught(trap)
    shell(*questions(checkout))
    assert caught(trap) == before


def owned_by(folder: Path, uid: int) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    if shutil.which("setpriv") is None:
        pytest.skip("there is no setpriv")
    subprocess.run(["chown", "-R", f"{uid}:{uid}", folder], check=True)


@pytest.mark.parametrize("shell", ["dash", "bash"], indirect=True)
@pytest.mark.parametrize("means", ["setpriv", "su"])
def test_a_checkout_of_another_account_is_read_as_that_account(shell, checkout, tmp_path, means):
    """Root would see what the owner may not: that shows whose eyes it is seen with."""
    owned_by(checkout.parent, NOBODY)
    first = without_setpriv(tmp_path) if means == "su" else ""
    (checkout / "c.txt").write_text("x")
    answers = shell(*questions(checkout), first=first)[0]
    tree, deployed = WorkingTree(str(checkout), untracked=True), DeployedCommit(str(checkout))
    assert tree.parse(answers[tree]).changes == ("?? c.txt",)
    assert len(deployed.parse(answers[deployed]).commit) == 40
    head = BranchHead(str(checkout), "origin", "main")
    assert head.parse(answers[head]).commit == deployed.parse(answers[deployed]).commit
    os.chown(checkout / ".git/index", 0, 0)
    (checkout / ".git/index").chmod(0o600)
    assert answers[tree].status == 0
    again = shell(tree, first=first)[0][tree]
    assert "ermission denied" in again.errors


def without_setpriv(folder: Path) -> str:
    """A beginning of PATH with which setpriv is of no use, as BusyBox's is."""
    (folder / "hidden").mkdir()
    (folder / "hidden/setpriv").write_text("#!/bin/sh\nexit 1\n")
    (folder / "hidden/setpriv").chmod(0o755)
    return f"{folder}/hidden:"


def test_a_deploy_key_is_used_as_the_checkout_says(shell, checkout, tmp_path):
    """Of core.sshCommand, what only names keys is heeded."""
    seen = tmp_path / "first"
    seen.mkdir()
    (seen / "ssh").write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/told\nexit 1\n')
    (seen / "ssh").chmod(0o755)
    git(checkout, "config", "core.sshCommand", "ssh -i ~/.ssh/deploy -o IdentitiesOnly=yes")
    git(checkout, "config", "remote.origin.url", "ssh://nobody@127.0.0.1:9/x.git")
    shell(BranchHead(str(checkout), "origin", "main"), first=f"{seen}:")
    assert "/.ssh/deploy -oIdentitiesOnly=yes -oBatchMode=yes" in (tmp_path / "told").read_text().replace("-o I", "-oI")


@pytest.mark.parametrize("shell", ["dash"], indirect=True)
@pytest.mark.parametrize("means", ["setpriv", "su"])
def test_a_program_of_another_account_is_run_as_that_account(shell, place, trap, tmp_path, means):
    folder = place / "programs"
    folder.mkdir()
    shutil.copy(trap, folder / "node")
    owned_by(folder, NOBODY)
    shell(CommandVersion("node", (str(folder),)), first=without_setpriv(tmp_path) if means == "su" else "")
    assert caught(trap) == [str(NOBODY)]


@pytest.mark.parametrize("shell", ["dash"], indirect=True)
@pytest.mark.parametrize("tool", ["pnpm", "npm"])
def test_an_audit_runs_nothing_of_the_checkout(shell, checkout, trap, tool, serve):  # noqa: F811
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    hook = f"require('node:child_process').execFileSync('{trap}', {{input: ''}})"
    (checkout / ".pnpmfile.cjs").write_text(f"try {{ {hook} }} catch {{ }}; module.exports = {{ hooks: {{}} }}\n")
    (checkout / "hook.cjs").write_text(f"try {{ {hook} }} catch {{ }}\n")
    (checkout / ".npmrc").write_text(
        f"node-options=--require={checkout}/hook.cjs\nglobal-pnpmfile={checkout}/.pnpmfile.cjs\n"
        f"tokenHelper={trap}\ngit={trap}\nscript-shell={trap}\nregistry={serve(registry('high'))}\n"
    )
    (checkout / "pnpm-workspace.yaml").write_text("packages: []\npnpmfile: .pnpmfile.cjs\n")
    (checkout / "package.json").write_text('{"name": "x", "version": "1.0.0", "scripts": {"preinstall": "exit 1"}}')
    if tool == "pnpm":
        (checkout / "pnpm-lock.yaml").write_text(PNPM_LOCK)
    else:
        (checkout / "package-lock.json").write_text(json.dumps(NPM_LOCK))
    question = Audit(str(checkout), timeout_seconds=20)
    report = question.parse(shell(question)[0][question])
    assert caught(trap) == []
    assert report.packages == (("high", "minimist"),)
