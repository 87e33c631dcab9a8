"""A run of everything but drills changes nothing on what it looks at: no row, no file, no setting."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from pathlib import Path

from psycopg import sql

from rehearsal.parts.postgres import ADMIN, OWNER
from rehearsal.whole import Rehearsal
from tests.crash.conftest import Place

CHANGES_BY_ITSELF = (
    "backend/backend.log",  # the API logs each request that it serves,
    "var/log/nginx/access.log",  # and so does the proxy,
    "var/log/mycats/health-check.log",  # and the health check runs every five minutes
    "history.db",  # the suite's own
)
"""Files below the root that are not compared; all else is, by content, mode, owner and time of change.

PostgreSQL's own files (data, WAL, log, which notes each connection) are not: what is in it is compared as SQL sees it.
"""

TABLES = """
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^(pg_|information_schema)' ORDER BY 1
"""
CATALOGUES = ("pg_roles", "pg_settings", "pg_class", "pg_proc", "pg_namespace", "pg_db_role_setting", "pg_auth_members",
              "pg_hba_file_rules", "pg_extension", "pg_database", "pg_constraint", "pg_index")  # fmt: skip
LEFT_OUT = {
    # Kept by the server itself: what autovacuum notes, and what is said of this very session.
    "pg_class": "relfrozenxid, relminmxid, relpages, reltuples, relallvisible",
    "pg_database": "datfrozenxid, datminmxid",
    "pg_settings": "sourceline, pending_restart",
}


def files(whole: Rehearsal) -> dict[str, tuple[object, ...]]:
    root, result = whole.layout.root, {}
    postgres = (whole.layout.postgres_home, root / "var/lib/postgresql")
    for path in root.rglob("*"):
        name = str(path.relative_to(root))
        if name.endswith(CHANGES_BY_ITSELF) or any(folder in (path, *path.parents) for folder in postgres):
            continue
        about = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(about.st_mode) else ""
        changed = about.st_mtime_ns if name != "." else 0
        result[name] = (oct(about.st_mode), about.st_uid, about.st_gid, about.st_size, changed, content)
    return result


def rows(whole: Rehearsal) -> dict[str, str]:
    """A checksum of every table, and of every catalogue that says how the server is set up."""
    result = {}
    with whole.postgres.connect(OWNER) as owner:
        for (table,) in owner.execute(TABLES).fetchall():
            query = f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} t"
            result[table] = str(owner.execute(query.encode()).fetchone())
    with whole.postgres.connect(ADMIN) as admin:
        for catalogue in CATALOGUES:
            columns = [name for (name,) in admin.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
                (f"pg_catalog.{catalogue}",),
            ) if name not in LEFT_OUT.get(catalogue, "")]  # fmt: skip
            chosen = sql.SQL(", ").join(map(sql.Identifier, columns))
            query = sql.SQL("SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM (SELECT {} FROM {}) t")
            where = sql.Identifier("pg_catalog", catalogue)
            result[catalogue] = str(admin.execute(query.format(chosen, where)).fetchone())
    return result


def written(whole: Rehearsal) -> list[tuple[object, ...]]:
    """What the server counts as written, per table."""
    with whole.postgres.connect(ADMIN) as admin:
        admin.execute("SELECT pg_stat_force_next_flush()")
        return list(
            admin.execute(
                "SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables WHERE"
                " schemaname !~ '^pg_' ORDER BY 1"
            ).fetchall()
        )


def differences(before: dict[str, object], after: dict[str, object]) -> Iterator[str]:
    for name in before.keys() | after.keys():
        if before.get(name) != after.get(name):
            yield f"{name}: {before.get(name)} → {after.get(name)}"


def test_a_run_of_everything_but_drills_changes_nothing(attached: Place, whole: Rehearsal, tmp_path: Path) -> None:
    whole.health_checks.stop()
    try:
        # Sessions of this test, too, are seen by statistics: the first look is not compared.
        for look in (files, rows, written):
            look(whole)
        before = files(whole), rows(whole), written(whole)
        code, output = attached.run("-m", "not drill")
        assert code in (0, 1), output
        after = files(whole), rows(whole), written(whole)
    finally:
        whole.health_checks.start()
    assert len(before[0]) > 100
    assert len(before[1]) > 20
    assert list(differences(dict(before[0]), dict(after[0]))) == []
    assert list(differences(dict(before[1]), dict(after[1]))) == []
    assert before[2] == after[2]
    assert attached.remains() == []


def test_the_comparison_would_see_a_change(whole: Rehearsal) -> None:
    """Without this, the test above could be green for looking nowhere."""
    before = files(whole), rows(whole)
    probe = whole.layout.backups / "new"
    probe.write_text("x")
    with whole.postgres.connect(OWNER) as owner:
        owner.execute("CREATE TABLE public.new (a int)")
    changed = files(whole), rows(whole)
    probe.unlink()
    with whole.postgres.connect(OWNER) as owner:
        owner.execute("DROP TABLE public.new")
    assert any("backup/mycats/new" in line for line in differences(dict(before[0]), dict(changed[0])))
    assert {line.split(":")[0] for line in differences(dict(before[1]), dict(changed[1]))} >= {"public.new", "pg_class"}
