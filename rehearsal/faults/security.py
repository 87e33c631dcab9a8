"""Access that somebody has and should not, passwords that are stored badly, an audit trail that is not kept."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rehearsal.faults.database import run
from rehearsal.faults.doing import appended, aside, moded
from rehearsal.faults.fault import ALERT, UNDETERMINED, WARNING, fault

if TYPE_CHECKING:
    from rehearsal.whole import Rehearsal


@fault("Everybody may read the file with the backend's secrets.", {"access-rights[backend-blue]": ALERT})
def secrets_open_to_all(whole: Rehearsal) -> Iterator[None]:
    with moded(whole.layout.env_file, 0o644):
        yield


@fault("Somebody made a superuser.", {"access-rights[primary]": ALERT})
def superuser_added(whole: Rehearsal) -> Iterator[None]:
    run(whole, "CREATE ROLE intruder LOGIN SUPERUSER")
    yield
    run(whole, "DROP ROLE intruder")


@fault("A role may run programs of the server, through another role.", {"access-rights[primary]": ALERT})
def role_above_the_rules(whole: Rehearsal) -> Iterator[None]:
    run(whole, "CREATE ROLE reader IN ROLE pg_execute_server_program")
    yield
    run(whole, "DROP ROLE reader")


@fault("pg_hba.conf trusts a network without a password.", {"access-rights[primary]": ALERT})
def network_trusted(whole: Rehearsal) -> Iterator[None]:
    with appended(whole.postgres.data / "pg_hba.conf", "host all all 10.0.0.0/8 trust\n"):
        yield


@fault("pg_hba.conf does not load.", {"access-rights[primary]": UNDETERMINED})
def access_rules_broken(whole: Rehearsal) -> Iterator[None]:
    with appended(whole.postgres.data / "pg_hba.conf", "host all all nonsense\n"):
        yield


@fault("A role's password is stored as MD5.", {"password-policy[primary]": ALERT})
def password_hash_weak(whole: Rehearsal) -> Iterator[None]:
    run(whole, "CREATE ROLE old", "UPDATE pg_authid SET rolpassword = 'md5' || md5('x') WHERE rolname = 'old'")
    yield
    run(whole, "DROP ROLE old")


@fault("The database stores new passwords as MD5.", {"password-policy[primary]": ALERT})
def password_encryption_weak(whole: Rehearsal) -> Iterator[None]:
    run(whole, "ALTER DATABASE mycats SET password_encryption = 'md5'")
    yield
    run(whole, "ALTER DATABASE mycats RESET password_encryption")


@fault("PostgreSQL logs neither connections nor changes of roles.", {"audit-log[primary]": ALERT})
def audit_switched_off(whole: Rehearsal) -> Iterator[None]:
    settings = ("log_connections", "log_statement")
    values = {"log_connections": "off", "log_statement": "none"}
    run(whole, *(f"ALTER SYSTEM SET {name} = '{values[name]}'" for name in settings), "SELECT pg_reload_conf()")
    yield
    run(whole, *(f"ALTER SYSTEM RESET {name}" for name in settings), "SELECT pg_reload_conf()")


@fault("The audit trail of earlier months was deleted.", {"audit-log[database]": WARNING})
def audit_trail_deleted(whole: Rehearsal) -> Iterator[None]:
    old = [path for path in whole.postgres.log_folder.glob("*.log") if path.stat().st_mtime < time.time() - 86400]
    with aside(*old):
        yield
