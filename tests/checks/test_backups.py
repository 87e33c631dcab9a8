"""Backups that are missing, too old, open to everyone, empty, cut off, of something else: each must be told."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from opsverify.errors import ProbeError
from opsverify.judgements.many import day_ranges
from opsverify.probes.host.files.dumps import Dump, DumpListing
from opsverify.probes.postgres.contents import ContentsFacts
from rehearsal.faults.doing import rewrite
from rehearsal.parts.postgres import OWNER
from rehearsal.whole import Rehearsal

KEPT = ("backup_every_day", "backup_retention", "backup_space", "backup_permissions")


@pytest.fixture
def folder(whole: Rehearsal, tmp_path: Path) -> Iterator[Path]:
    """The backup folder, put back afterwards as it was."""
    kept = tmp_path / "kept"
    shutil.copytree(whole.backups.folder, kept)
    mode = whole.backups.folder.stat().st_mode
    yield whole.backups.folder
    shutil.rmtree(whole.backups.folder)
    shutil.copytree(kept, whole.backups.folder)
    whole.backups.folder.chmod(mode)


@pytest.fixture
def dump(folder: Path) -> Path:
    """The newest dump."""
    return max(folder.glob("db_*.sql"))


@pytest.fixture
def archive(folder: Path) -> Path:
    """The newest archive."""
    return max(folder.glob("app_*.tar.gz"))


def kept(verify, environment="rehearsal"):
    return verify("-k", " or ".join(KEPT), environment=environment)


def drill(verify, environment="rehearsal"):
    return verify("-k", "test_restore_drill", environment=environment)["test_restore_drill[main]"]


# ---- what is kept -----------------------------------------------------------------------------------------------


def test_missing_days_old_and_open_backups_are_told(folder, verify):
    backups = sorted(folder.glob("db_*.sql"))
    gone = backups[-6]
    day = datetime.fromtimestamp(gone.stat().st_mtime, ZoneInfo("Asia/Tokyo"))
    gone.unlink()
    rewrite(backups[-8], b"")  # a file is no backup
    forgotten = folder / "app_20250101_030000.tar.gz"
    forgotten.write_bytes(b"x")
    then = time.time() - 40 * 86400
    os.utime(forgotten, (then, then))
    folder.chmod(0o755)
    backups[-3].chmod(0o644)
    ran = kept(verify)
    every, old, open_ = (ran[f"test_{name}[main]"] for name in (KEPT[0], KEPT[1], KEPT[3]))
    assert every.verdict == old.verdict == open_.verdict == "alert"
    assert f"dumps of 28 days, 2 missing: {day_ranges([day - timedelta(days=2), day])}" in every.sentence
    assert "archives of" not in every.sentence
    assert "1 of 32 archives too old (the oldest: app_20250101_030000.tar.gz, 40.0 days)" in old.sentence
    assert f"1 of 30 dumps readable by everyone: {backups[-3].name} (644)" in open_.sentence


def test_a_closed_folder_still_protects(folder, dump, verify):
    dump.chmod(0o644)
    judged = kept(verify)["test_backup_permissions[main]"]
    assert judged.verdict == "warning"
    assert f"readable by everyone: {dump.name} (644)" in judged.sentence


def test_an_open_folder_and_a_strange_owner_are_told(folder, dump, verify, changed):
    folder.chmod(0o777)
    environment = changed({"checks": {"backup-permissions": {"settings": {"owner": "backup-job"}}}})
    judged = kept(verify, environment)["test_backup_permissions[main]"]
    assert judged.verdict == "alert"
    assert f"{folder} with mode 777, expected not writable by all" in judged.sentence
    assert "31 of 31 dumps of another owner than backup-job" in judged.sentence


def test_too_little_room_is_told(whole, verify, changed):
    environment = changed({"checks": {"backup-space": {"settings": {"backups": 10**12}}}})
    judged = kept(verify, environment)["test_backup_space[main]"]
    assert judged.verdict == "alert"
    assert " MB left on /" in judged.observed


def test_nothing_there_is_never_fine(folder, verify):
    for file in folder.iterdir():
        file.unlink()
    assert [judged.verdict for judged in kept(verify).found.values()] == ["alert"] * 4
    folder.rmdir()
    ran = kept(verify)
    folder.mkdir()
    assert all(f"observed no folder {folder}" in judged.sentence for judged in ran.found.values())


# ---- what can be restored ---------------------------------------------------------------------------------------


def test_a_good_dump(whole, verify, changed):
    judged = drill(verify)
    assert judged.verdict == "normal"
    assert ", restored into PostgreSQL " in judged.observed
    manifest = changed({"backups": {"main": {"compare_with": "manifest"}}})
    with whole.postgres.connect(OWNER) as owner:
        owner.execute("CREATE TABLE since (id int)")
        assert drill(verify, manifest).verdict == "normal"  # the live database is not asked
        judged = drill(verify)
        owner.execute("DROP TABLE since")
    # Ours to see to: the monitoring role was not granted the new table.
    assert judged.verdict == "undetermined"
    assert "GRANT SELECT ON public.since TO mycats_monitor" in judged.sentence


def test_an_empty_dump(dump, verify):
    rewrite(dump, b"")
    judged = drill(verify)
    assert judged.verdict == "alert"
    assert f"{dump.name}, 0 bytes: it is empty: not one byte to restore" in judged.sentence


def test_a_dump_of_an_empty_database(whole, dump, verify):
    with whole.postgres.connect(database="postgres") as admin:
        admin.execute("CREATE DATABASE hollow")
        program, dsn = whole.postgres.binaries.program("pg_dump"), whole.postgres.dsn("postgres", "hollow")
        rewrite(dump, subprocess.run([program, "-d", dsn], capture_output=True, check=True).stdout)
        judged = drill(verify)
        admin.execute("DROP DATABASE hollow")
    assert judged.verdict == "alert"
    assert ": no table at all, expected the 12 tables of the live database" in judged.sentence


def test_a_dump_cut_at_the_end_of_a_row(dump, verify):
    lines = dump.read_bytes().splitlines(keepends=True)
    cut = next(i for i, line in enumerate(lines) if line.startswith(b"pedigree-40\t"))
    rewrite(dump, b"".join(lines[:cut]))
    judged = drill(verify)
    assert judged.verdict == "alert"
    assert "it ends among the rows of public.pedigrees" in judged.sentence
    assert ": 0 indexes" in judged.sentence


def test_a_dump_of_another_database(whole, dump, verify):
    with whole.postgres.connect(database="postgres") as admin:
        admin.execute("CREATE DATABASE dogs")
    with whole.postgres.connect(database="dogs") as dogs:
        dogs.execute("CREATE TABLE dogs AS SELECT 1 AS id; CREATE TABLE kennels AS SELECT 1 AS id")
    program, dsn = whole.postgres.binaries.program("pg_dump"), whole.postgres.dsn("postgres", "dogs")
    rewrite(dump, subprocess.run([program, "-d", dsn], capture_output=True, check=True).stdout)
    judged = drill(verify)
    assert judged.verdict == "alert"
    assert "a dump of another database: 12 tables missing" in judged.sentence
    assert "2 others: public.dogs, public.kennels" in judged.sentence


def test_lost_rows(dump, verify):
    content = dump.read_bytes()
    judged = []
    for table, digits in (
        (b"public.weight_records", b"weight-7"),
        (b"public.care_records", (b"care-7", b"care-8")),
    ):
        before, name, rest = content.partition(b"COPY " + table + b" ")
        rows, end, after = rest.partition(b"\\.\n")
        lost = [row for row in rows.splitlines(keepends=True) if row.startswith(digits)]
        assert len(lost) > 10
        for row in lost:
            rows = rows.replace(row, b"", 1)
        content = before + name + rows + end + after
        rewrite(dump, content)
        judged.append(drill(verify))
    unimportant, important = judged
    assert unimportant.verdict == "warning"  # it is no key table
    assert "off in 1: public.weight_records 229 of 240" in unimportant.sentence
    assert important.verdict == "alert"
    assert "off in 1: public.care_records 128 of 150, expected as in the live database" in important.sentence


def test_a_schema_that_has_moved_on(whole, verify):
    with whole.postgres.connect(OWNER) as owner:
        owner.execute("CREATE INDEX since ON cats (name)")
        without = drill(verify)
        owner.execute(
            "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('since', 'x', '20260101_since')"
        )
        migrated = drill(verify)
        owner.execute("DROP INDEX since; DELETE FROM _prisma_migrations WHERE id = 'since'")
    assert (without.verdict, migrated.verdict) == ("alert", "warning")
    assert "22 indexes, expected 23 indexes" in migrated.sentence


def test_a_newer_server_than_the_dumps_is_said(dump, verify):
    header, _, rest = dump.read_bytes().partition(b"-- Dumped from database version ")
    rewrite(dump, header + b"-- Dumped from database version 9.6" + rest[rest.index(b"\n") :])
    judged = drill(verify)
    assert judged.verdict == "warning"
    assert "dumped from PostgreSQL 9.6, restored into 1" in judged.sentence


def test_an_error_in_the_dump(dump, verify):
    rewrite(dump, dump.read_bytes().replace(b"\ncat-001\t", b"\ncat-001\tone too many\t", 1))
    judged = drill(verify)
    assert judged.verdict == "alert"
    assert "extra data after last expected column" in judged.sentence


def test_objectives_are_judged(whole, verify, changed):
    settings = {"rto_minutes": 0.00001, "rpo_hours": 0.5}
    judged = drill(verify, changed({"checks": {"restore-drill": {"settings": settings}}}))
    assert judged.verdict == "alert"
    assert "hours old, expected at most 0.5 hours, the recovery-point objective" in judged.sentence
    assert "the recovery-time objective" in judged.sentence


def test_what_cannot_be_determined(whole, verify, changed):
    judged = drill(verify, changed({"checks": {"restore-drill": {"settings": {"space_factor": 1e15}}}}))
    assert judged.verdict == "undetermined"
    assert "has no room for the drill" in judged.sentence
    whole.postgres.stop()
    judged = drill(verify)
    whole.postgres.start()
    assert judged.verdict == "undetermined"
    assert "was restored, but what it should hold is not known" in judged.sentence


def test_an_archive_that_cannot_be_installed(folder, archive, verify, tmp_path):
    with tarfile.open(archive) as source:
        source.extractall(tmp_path / "unpacked", filter="data")
    (tmp_path / "unpacked/mycats/pnpm-lock.yaml").unlink()
    (tmp_path / "unpacked/mycats/frontend/package.json").write_text("{")
    then = archive.stat().st_mtime
    with tarfile.open(archive, "w:gz") as made:
        made.add(tmp_path / "unpacked/mycats", "mycats")
    os.utime(archive, (then, then))
    judged = verify("-k", "application_restore_drill")["test_application_restore_drill[main]"]
    assert judged.verdict == "alert"
    assert "1 missing: pnpm-lock.yaml" in judged.sentence
    assert "frontend/package.json: no JSON" in judged.sentence
    rewrite(archive, archive.read_bytes()[:-200])
    judged = verify("-k", "application_restore_drill")["test_application_restore_drill[main]"]
    assert judged.verdict == "alert"
    assert "does not decompress" in judged.sentence


# ---- judged without a run ---------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)


def file(hours: float, size: int = 9, *, writing: bool = False, name: str = "") -> Dump:
    return Dump(name or f"{hours:g}h", size, NOW - timedelta(hours=hours), "640", "backup", writing)


def files(*entries: Dump) -> DumpListing:
    return DumpListing("/b", True, entries, NOW)


def test_an_archive_that_is_still_written_or_empty_is_not_the_newest(judged):
    listing = files(file(0.1, writing=True), file(0.2, size=0), file(50))
    seen = judged("backup", "application-backup-fresh", archives=listing).worst
    assert (seen.verdict, seen.observed) == ("alert", "50 h (50h)")
    assert judged("backup", "application-backup-fresh", archives=files(file(0, 0))).worst.verdict == "alert"


@pytest.mark.parametrize("kind", ["database", "application"])
def test_a_backup_from_the_future_is_not_fresh(judged, kind):
    listing = files(file(-72000), file(5))
    with pytest.raises(ProbeError, match=r"-72000h lies 72,000\.0 h in the future"):
        judged("backup", f"{kind}-backup-fresh", dumps=listing, archives=listing)


def restored(rows: dict[str, int], live: dict[str, int], judged, compare_with: str = "live", hours: float = 1):
    held, wanted = (ContentsFacts(tuple(sorted(one.items())), 5, 4) for one in (rows, live))
    drill = SimpleNamespace(
        folder="/b", exists=True, dump=file(hours), ends_inside="", error=None, contents=held, observed_at=NOW,
        restored_into=(16,), newer_server=False, within_reach=(), dumped_from="16", fetch_seconds=1, restore_seconds=1,
    )  # fmt: skip
    return judged(
        "backup", "restore-drill", restored=drill, reference=SimpleNamespace(fact=wanted, failure=None),
        target=SimpleNamespace(compare_with=compare_with), changes={"key_tables": ["cats"]},
    ).worst.verdict  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "live", "by_live", "by_manifest"),
    [
        (1000, 1000, "normal", "normal"),
        (1000, 1060, "warning", "alert"),  # users were busy, or the dump lost rows: counts cannot tell
        (1000, 1150, "alert", "alert"),
        (1060, 1000, "alert", "alert"),
        (0, 8, "normal", "alert"),
        (0, 11, "alert", "alert"),
    ],
)
def test_growth_since_the_dump_is_no_alert(judged, rows, live, by_live, by_manifest):
    assert restored({"public.cats": rows}, {"public.cats": live}, judged) == by_live
    assert restored({"public.cats": rows}, {"public.cats": live}, judged, "manifest") == by_manifest


def test_a_dump_from_the_future_meets_no_recovery_point_objective(judged):
    with pytest.raises(ProbeError, match="in the future"):
        restored({"public.cats": 1}, {"public.cats": 1}, judged, hours=-10)


@pytest.mark.parametrize("item", ["database-backup-fresh", "database-backup-complete"])
def test_a_dump_that_is_still_written_is_named(judged, item):
    seen = judged("backup", item, dumps=files(file(0.01, 0, writing=True))).worst
    assert seen.verdict == "alert"
    assert "0.01h, 0 bytes, still being written (last at 2026-11-25 02:59 UTC)" in seen.observed


def whole(**changes) -> Dump:
    return replace(file(1, 100), looked_at=True, format="plain", complete=True, **changes)


def test_what_stands_behind_the_end_of_a_dump_is_told(judged):
    assert judged("backup", "database-backup-complete", dumps=files(whole())).worst.verdict == "normal"
    seen = judged("backup", "database-backup-complete", dumps=files(whole(trailing_lines=2))).worst
    assert (seen.verdict, seen.observed) == ("alert", "1h, 100 bytes, 2 lines of something else after its end")


@pytest.mark.parametrize(("size", "verdict"), [(100, "normal"), (40, "alert"), (400, "alert")])
def test_an_archive_of_another_size_than_those_before_it(judged, size, verdict):
    archive = SimpleNamespace(
        name="1h", members=5, readable=True, error=None, held={"a"}, forbidden=(), size_bytes=size
    )
    listing = files(file(1, size), *(file(24 * n, 100) for n in range(1, 5)))
    target = SimpleNamespace(must_hold=("a",), must_not_hold=())
    seen = judged("backup", "application-backup-readable", newest_archive=archive, archives=listing, target=target)
    assert seen.worst.verdict == verdict


def test_days_without_any_backup_are_said_once(judged):
    kept = files(*(file(24 * n) for n in range(1, 11)))
    environment = SimpleNamespace(timezone="UTC")
    seen = judged("backup", "backup-every-day", dumps=kept, archives=kept, environment=environment)
    assert [finding.observed for finding in seen.findings if finding.verdict == "alert"] == [
        "dumps and archives of 10 days, 20 missing: 2026-10-26 to 11-14"
    ]
