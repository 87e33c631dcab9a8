"""Release: what runs is what was meant to be deployed, whole and built."""

from opsverify import runbook


@runbook("migrations-applied")
def test_migrations_applied(migrations_in_checkout, migrations_in_database, expect):
    """Checkout and database agree on every migration: all applied, none failed, unknown, or edited since."""
    expected = "every migration of the checkout applied, unchanged, and no other"
    there = migrations_in_checkout
    if not expect.that(
        there.exists, observed="migrations found" if there.exists else f"none in {there.checkout}", expected=expected
    ):
        return
    if not expect.that(
        migrations_in_database.exists,
        observed="_prisma_migrations found" if migrations_in_database.exists else "no _prisma_migrations table",
        expected=expected,
    ):
        return
    rows = migrations_in_database.migrations
    applied = {row.name: row for row in rows if row.finished_at and not row.rolled_back_at}
    failed = [row.name for row in rows if not row.finished_at and not row.rolled_back_at]
    rolled_back = [row.name for row in rows if row.rolled_back_at and row.name not in applied]
    names = {migration.name: migration.sha256 for migration in there.migrations}
    faults = {
        "failed": failed,
        "rolled back": rolled_back,
        "not applied": [name for name in names if name not in applied and name not in (*failed, *rolled_back)],
        "applied but not in the checkout": [name for name in applied if name not in names],
        "edited after it was applied": [n for n, sha in names.items() if n in applied and applied[n].checksum != sha],
        "without migration.sql": list(there.without_sql),
    }
    for fault, found in faults.items():
        expect.that(not found, observed=f"{fault}: {', '.join(found)}" if found else f"none {fault}", expected=expected)
    expect.that(bool(names), observed=f"{len(names)} migrations, all applied", expected=expected)
