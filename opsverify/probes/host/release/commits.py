"""Which commit a checkout is at, and which one it was meant to be at.

git only reads here: without optional locks, without its file system monitor, and also where the checkout belongs to
somebody else (git 2.38 and newer take that from the command line). It runs what the checkout's own configuration names,
an ssh command for example: ask as an account that may.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.files.listing import FOLDER, missing
from opsverify.probes.host.question import MIB, Answer, Question, integer, moment, one_line, quote

CHECKOUT = r"""
repo() {
GIT_OPTIONAL_LOCKS=0 git -c safe.directory='*' -c core.fsmonitor=false -c core.quotePath=false "$@"
}
checkout() { # FOLDER: changes into it, or says why git cannot be asked there and ends
folder "$1"
command -v git >/dev/null 2>&1 || { echo '== norepo git is not installed on the host'; exit 0; }
unset $(git rev-parse --local-env-vars) # inside a hook they point at another repository
e=$(repo rev-parse --git-dir 2>&1 >/dev/null) || { printf '== norepo %s\n' "$e"; exit 0; }
[ -z "$(repo rev-parse --show-prefix)" ] || { echo '== norepo not a git repository of its own'; exit 0; }
}
"""
LOOK_UP_SECONDS = 6
_HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def no_checkout(title: str, path: str, answer: Answer) -> bool:
    """Whether the folder is not there; raises ProbeError where git could not be asked in it."""
    if missing(title, path, answer):
        return True
    refusal = answer.block("norepo")
    if refusal is None:
        return False
    said = one_line(refusal.rest) or answer.complaint("git gave no reason")
    if "dubious ownership" in said or "unsafe repository" in said:
        raise MissingPrivilege(
            f"{title} could not be determined: git refuses a checkout that belongs to another user; ask as its owner, "
            f"or run `git config --global --add safe.directory {path}` as this account"
        )
    if answer.denied or "ermission denied" in said:
        raise MissingPrivilege(f"{title} could not be determined: this account may not read {path}/.git")
    raise ProbeError(f"{title} could not be determined: {said}")


@dataclass(frozen=True)
class Deployed:
    """The commit that a checkout is at. All None where there is no checkout."""

    path: str
    commit: str | None = None
    branch: str | None = None
    """None: detached."""
    committed_at: datetime | None = None
    arrived_at: datetime | None = None
    """When the checkout got to this commit, by its own reflog; None where it keeps none."""


@dataclass(frozen=True)
class DeployedCommit(Question):
    """Which commit is deployed, and since when. Privileges: to read the checkout. Source: git-log(1), reflog."""

    checkout_path: str

    helpers = (FOLDER, CHECKOUT)

    @property
    def title(self) -> str:
        return f"the deployed commit in {self.checkout_path}"

    def script(self) -> str:
        # Of the reflog's entries only those count that moved HEAD: "old new who when zone <tab> why".
        return f"""checkout {quote(self.checkout_path)}
h=$(repo rev-parse --verify 'HEAD^{{commit}}') || exit 1
echo "== head $h"
echo "== branch $(repo symbolic-ref -q --short HEAD)"
echo "== committed $(repo log -1 --no-show-signature --format=%ct)"
echo "== arrived $(awk -F '\\t' -v h="$h" '
{{ n = split($1, w, " "); if (w[2] == h && w[1] != w[2]) t = w[n - 1] }} END {{ print t }}
' "$(repo rev-parse --git-path logs/HEAD)" 2>/dev/null)"
"""

    def parse(self, answer: Answer) -> Deployed:
        if no_checkout(self.title, self.checkout_path, answer):
            return Deployed(self.checkout_path)
        head, branch, committed, arrived = (answer.block(n) for n in ("head", "branch", "committed", "arrived"))
        if head is None or branch is None or committed is None or arrived is None or not _HASH.fullmatch(head.rest):
            raise answer.failure(self.title)
        return Deployed(
            self.checkout_path,
            head.rest,
            branch.rest or None,
            _moment(committed.rest, "the time of the commit"),
            _moment(arrived.rest, "the time of the deployment") if arrived.rest else None,
        )


@dataclass(frozen=True)
class Intended:
    """The commit that was meant to be deployed, and who says so. `commit` is None where the checkout has none such."""

    name: str
    commit: str | None
    source: str


@dataclass(frozen=True)
class NamedCommit(Question):
    """What a hash or a tag means in a checkout. Privileges: to read the checkout. Source: git-rev-parse(1).

    Nothing else is looked up: what HEAD or a branch means there is what is deployed, whatever was meant.
    """

    checkout_path: str
    name: str

    helpers = (FOLDER, CHECKOUT)

    @property
    def title(self) -> str:
        return f"the commit {self.name} in {self.checkout_path}"

    def script(self) -> str:
        tag, named = quote(f"refs/tags/{self.name}^{{commit}}"), quote(f"{self.name}^{{commit}}")
        look = "repo rev-parse --quiet --verify --end-of-options"
        return (
            f'checkout {quote(self.checkout_path)}\necho "== tag $({look} {tag})"\n'
            f'echo "== commit {f"$({look} {named})" if self._hash else ""}"\n'
        )

    @property
    def _hash(self) -> bool:
        return bool(re.fullmatch(r"[0-9a-f]{7,64}", self.name))

    def parse(self, answer: Answer) -> Intended:
        source, name = "as the run was told", self.name if self._hash else f"tag {self.name}"
        if no_checkout(self.title, self.checkout_path, answer):
            return Intended(name, None, source)
        tag, commit = answer.block("tag"), answer.block("commit")
        if tag is None or commit is None:
            raise answer.failure(self.title)
        # A tag may look like a hash (20260101); so may a branch, and then it comes before the hash.
        found = tag.rest or (commit.rest if commit.rest.startswith(name) else "")
        return Intended(name, found if _HASH.fullmatch(found) else None, source)


@dataclass(frozen=True)
class BranchHead(Question):
    """The head of a branch, as the remote itself says now; what was last fetched proves nothing about it.

    Contacts the remote as the checkout's configuration tells git to, for a few seconds at most and without asking
    anybody for a password. Privileges: to read the checkout, and whatever the remote asks for.
    Source: git-ls-remote(1).
    """

    checkout_path: str
    remote: str
    branch: str

    helpers = (FOLDER, CHECKOUT)
    slow: ClassVar[bool] = True
    seconds: ClassVar[float] = LOOK_UP_SECONDS + 2

    @property
    def title(self) -> str:
        return f"the head of {self.remote}/{self.branch}"

    def script(self) -> str:
        remote, ref = quote(self.remote), quote(f"refs/heads/{self.branch}")
        tracked = quote(f"refs/remotes/{self.remote}/{self.branch}^{{commit}}")
        # A function cannot be given to `timeout`, so that bounds a shell that has its own copy of it.
        return f"""checkout {quote(self.checkout_path)}
echo "== tracked $(repo rev-parse --quiet --verify {tracked})"
s=$(repo config core.sshCommand) || s=ssh
export GIT_SSH_COMMAND="$s -oBatchMode=yes -oConnectTimeout={LOOK_UP_SECONDS - 1}" GIT_ASKPASS=true SSH_ASKPASS=true
t=; command -v timeout >/dev/null 2>&1 && t='timeout {LOOK_UP_SECONDS}'
echo '== heads'
GIT_OPTIONAL_LOCKS=0 GIT_TERMINAL_PROMPT=0 $t git -c safe.directory='*' ls-remote -- {remote} {ref}
echo "== status $?"
"""

    def parse(self, answer: Answer) -> Intended:
        name = f"{self.remote}/{self.branch}"
        if no_checkout(self.title, self.checkout_path, answer):
            return Intended(name, None, f"the head of {name}")
        tracked, heads, status = (answer.block(block) for block in ("tracked", "heads", "status"))
        if tracked is None or heads is None or status is None:
            raise answer.failure(self.title)
        last = f"; it was {tracked.rest[:12]} when last fetched" if _HASH.fullmatch(tracked.rest) else ""
        if status.rest != "0":
            late = status.rest in ("124", "143")
            said = f"no answer within {LOOK_UP_SECONDS} s" if late else answer.complaint("git gave no reason")
            raise ProbeError(
                f"{self.title} could not be determined: the host cannot ask the remote ({_plain(said)}){last}; "
                "say with --revision which commit was meant"
            )
        found = [line.split("\t") for line in heads.lines if line.strip()]
        commit = next((parts[0] for parts in found if parts[1:] == [f"refs/heads/{self.branch}"]), None)
        if commit is None:
            raise ProbeError(f"{self.title} could not be determined: the remote has no branch {self.branch}{last}")
        if not _HASH.fullmatch(commit):
            raise ProbeError(f"{self.title} could not be determined: {one_line(commit, 40)!r} is no commit")
        return Intended(name, commit, f"the head of {name}")


def _plain(said: str) -> str:
    """Without user and password, which a remote's address may hold."""
    return re.sub(r"(?<=://)[^/@\s']*@", "", said)


@dataclass(frozen=True)
class LocalChanges:
    """What in a checkout differs from its commit, as `git status` writes it: " M backend/src/main.ts"."""

    path: str
    exists: bool
    changes: tuple[str, ...] = ()


OVERLOOKED = r"""
content() { # FILE: its hash, of a link that of where it leads
if [ -L "$1" ]; then printf %s "$(readlink -- "$1")" | repo hash-object --stdin; else repo hash-object -- "$1"; fi
}
repo ls-files -s -v | tr '\t' ' ' | sed -n 's/^\([a-zS]\) 1[02][0-7]* \([0-9a-f]*\) 0 /\1 \2 /p' |
while read -r t h f; do
if [ -e "$f" ] || [ -L "$f" ]; then [ "$(content "$f")" = "$h" ] || echo " M $f"
else case $t in [Ss]);; *) echo " D $f";; esac # a sparse checkout leaves files out
fi
done
"""
"""What `git update-index --skip-worktree` or `--assume-unchanged` keeps from `git status`. Submodules are left out."""


@dataclass(frozen=True)
class WorkingTree(Question):
    """Local modifications of a checkout, those too that git was told to overlook (skip-worktree, assume-unchanged).

    Privileges: to read every file in it. Source: git-status(1), porcelain v1; git-ls-files(1), -v and -s.
    """

    checkout_path: str
    untracked: bool = False

    helpers = (FOLDER, CHECKOUT)
    slow: ClassVar[bool] = True
    max_bytes: ClassVar[int] = MIB

    @property
    def title(self) -> str:
        return f"local changes in {self.checkout_path}"

    def script(self) -> str:
        others = "normal" if self.untracked else "no"
        return (
            f"checkout {quote(self.checkout_path)}\necho '== changes'\n"
            f"repo status --porcelain=v1 --no-renames --untracked-files={others} || exit 1\n{OVERLOOKED}echo '== end'"
        )

    def parse(self, answer: Answer) -> LocalChanges:
        if no_checkout(self.title, self.checkout_path, answer):
            return LocalChanges(self.checkout_path, exists=False)
        changes = answer.block("changes")
        if changes is None or answer.block("end") is None:
            raise answer.failure(self.title)
        lines = [line for line in changes.lines if line]
        for line in lines:
            if not re.match(r"[ MTADRCU?!]{2} .", line):
                raise ProbeError(f"{self.title} could not be determined: {one_line(line, 40)!r} is no line of git's")
        # A file that this account may not read looks like a changed one, or like none.
        if answer.denied:
            raise MissingPrivilege(
                f"{self.title} could not be determined: this account may not read all of it ({one_line(answer.errors)})"
            )
        return LocalChanges(self.checkout_path, exists=True, changes=tuple(lines))


def _moment(text: str, what: str) -> datetime:
    return moment(integer(text, what), what)
