"""Backup: what was promised to be there on the day it is needed."""

from datetime import timedelta
from statistics import median
from zoneinfo import ZoneInfo

from opsverify import runbook
from opsverify.bands import Verdict
from opsverify.errors import ProbeError
from opsverify.judgements.age import age
from opsverify.probes.drills import agreement, named


@runbook("database-backup-fresh")
def test_database_backup_fresh(dumps, expect):
    """The newest finished database dump is recent."""
    judge_age(dumps, dumps.newest, expect)


@runbook("application-backup-fresh")
def test_application_backup_fresh(archives, expect):
    """The newest application archive is recent."""
    # One that is still being written, or of which nothing was, is no archive yet.
    whole = (archive for archive in archives.dumps if not archive.writing and archive.size_bytes)
    judge_age(archives, next(whole, None), expect)


def judge_age(listing, newest, expect):
    """Judge the age in hours of the newest file by the clock of the host it lies on."""
    if not folder_exists(listing, expect):
        return
    found = newest.name if newest else f"nothing finished in {listing.folder}"
    if expect.that(newest is not None, observed=found, expected="a backup"):
        expect(age(listing.observed_at, newest.modified, newest.name) / timedelta(hours=1), detail=newest.name)


@runbook("database-backup-complete")
def test_database_backup_complete(dumps, settings, expect):
    """The newest dump is whole: its end marker stands, it holds no error, and its size is like its predecessors'."""
    whole = "a dump with its end marker and without errors"
    newest = dumps.newest_read
    if not expect.that(newest is not None, observed=newest.name if newest else "no dump", expected=whole):
        return
    told = f"{newest.name}, {newest.size_bytes:,} bytes"
    expect.that(newest.size_bytes > 0, observed=f"{told}, {newest.format}", expected=whole)
    marked = {True: "complete", False: "cut off: no end marker", None: f"{newest.format}: only decoding would tell"}
    expect.that(
        newest.complete is True,
        observed=f"{told}, {marked[newest.complete]}",
        expected=whole,
        otherwise=Verdict.WARNING if newest.complete is None else Verdict.ALERT,
    )
    error = newest.error_text
    expect.that(not error, observed=f"{told}, it says {error}" if error else f"{told}, no error text", expected=whole)
    older = [dump.size_bytes for dump in dumps.dumps if not dump.writing and dump is not newest]
    older = older[: settings["predecessors"]]
    if len(older) >= 3:
        share = 100 * newest.size_bytes / max(1, median(older))
        low, high = settings["smallest_percent"], settings["largest_percent"]
        expect.that(
            low <= share <= high,
            observed=f"{told}, {share:.0f} % of the median of {len(older)} before it",
            expected=f"{low} to {high} %",
        )


@runbook("application-backup-readable")
def test_application_backup_readable(newest_archive, target, expect):
    """The newest archive decompresses to its end, holds what it must, and nothing that it must not."""
    expected = "an archive that reads to its end"
    archive = newest_archive
    if not expect.that(archive.name is not None, observed=archive.name or "no archive", expected=expected):
        return
    observed = f"{archive.name}, {archive.members} members"
    expect.that(
        archive.readable, observed=observed if archive.readable else f"{observed}, {archive.error}", expected=expected
    )
    missing = [name for name in target.must_hold if name not in archive.held]
    expect.that(
        not missing,
        observed=f"{observed}, without {', '.join(missing)}" if missing else observed,
        expected=f"{', '.join(target.must_hold)} in it",
    )
    unwanted = "; ".join(f"{name} ({example})" for name, example in archive.forbidden)
    expect.that(
        not unwanted,
        observed=f"{observed}, with {unwanted}" if unwanted else observed,
        expected=f"no {', '.join(target.must_not_hold)} in it",
    )


@runbook("backup-every-day")
def test_backup_every_day(dumps, archives, environment, settings, expect):
    """Every day of the retention window has a database dump and an application archive."""
    zone, window = ZoneInfo(environment.timezone), settings["window_days"]
    for what, listing, files in stored(dumps, archives):
        if not folder_exists(listing, expect):
            return
        kept = {file.modified.astimezone(zone).date() for file in files if file.size_bytes}
        # Today's may still be to come; that it does come is another check's promise.
        today = listing.observed_at.astimezone(zone).date()
        days = [today - timedelta(days=ago) for ago in range(window, 0, -1)]
        missing = [f"{day:%Y-%m-%d}" for day in days if day not in kept]
        without = f", none of {', '.join(missing)}" if missing else ""
        expect.that(
            not missing,
            observed=f"{what}s of {window - len(missing)} days{without}",
            expected=f"one of each of the {window} days before today",
        )


@runbook("backup-retention")
def test_backup_retention(dumps, archives, settings, expect):
    """No backup is older than its retention."""
    limit = timedelta(days=settings["max_age_days"], hours=settings["grace_hours"])
    expected = f"none older than {settings['max_age_days']} days (and {settings['grace_hours']} hours)"
    for what, listing, files in stored(dumps, archives):
        if not folder_exists(listing, expect):
            return
        if not expect.that(bool(files), observed=f"{len(files)} {what}s in {listing.folder}", expected="a backup"):
            continue
        old = [file for file in files if listing.observed_at - file.modified > limit]
        oldest = min(files, key=lambda file: file.modified)
        days = (listing.observed_at - oldest.modified) / timedelta(days=1)
        expect.that(
            not old,
            observed=f"{len(old)} of {len(files)} {what}s too old (the oldest: {oldest.name}, {days:.1f} days)",
            expected=expected,
        )


@runbook("backup-space")
def test_backup_space(backup_folder, dumps, archives, settings, expect):
    """There is room for the next backups, by the size of the largest so far."""
    if not folder_exists(backup_folder, expect):
        return
    sizes = [max((file.size_bytes for file in files), default=0) for _, _, files in stored(dumps, archives)]
    if not expect.that(all(sizes), observed=f"sizes of {sizes} bytes", expected="a dump and an archive to go by"):
        return
    one, room = sum(sizes), backup_folder.available_bytes
    expect.that(
        room >= settings["backups"] * one,
        observed=f"{room / 10**6:,.1f} MB left on {backup_folder.mount}, room for {room // one:,} more",
        expected=f"room for {settings['backups']} of {one / 10**6:,.1f} MB",
    )


@runbook("backup-permissions")
def test_backup_permissions(backup_folder, dumps, archives, settings, expect):
    """Backups belong to the backup user, and nobody else's eyes or hands can reach them."""
    if not folder_exists(backup_folder, expect):
        return
    folder, owner = backup_folder, settings["owner"] or backup_folder.owner
    expect.that(
        not folder.writable_by_all, observed=f"{folder.folder} with mode {folder.mode}", expected="not writable by all"
    )
    for what, _, files in stored(dumps, archives):
        if not expect.that(bool(files), observed=f"{len(files)} {what}s in {folder.folder}", expected="a backup"):
            continue
        open_ones = [f"{file.name} ({file.mode})" for file in files if file.world_readable]
        expect.that(
            not open_ones,
            observed=f"{len(open_ones)} of {len(files)} {what}s readable by everyone{some(open_ones)}",
            expected="none",
            # A folder that others cannot enter still protects them, until somebody opens or copies it.
            otherwise=Verdict.ALERT if folder.open_to_all else Verdict.WARNING,
        )
        strange = [f"{file.name} ({file.owner})" for file in files if file.owner != owner]
        expect.that(
            not strange,
            observed=f"{len(strange)} of {len(files)} {what}s of another owner than {owner}{some(strange)}",
            expected="none",
        )


def stored(dumps, archives):
    """The finished backups of each kind: what to call one, the listing, its files."""
    for what, listing in (("dump", dumps), ("archive", archives)):
        yield what, listing, [file for file in listing.dumps if not file.writing]


def folder_exists(listing, expect):
    """Judge whether the backup folder is there."""
    there = listing.folder if listing.exists else f"no folder {listing.folder}"
    return expect.that(listing.exists, observed=there, expected="the backup folder")


def some(names, most=3):
    """The first few names, to be added to a count."""
    more = ", …" if len(names) > most else ""
    return f": {', '.join(names[:most])}{more}" if names else ""


@runbook("restore-drill")
def test_restore_drill(restored, reference, target, settings, expect):
    """The newest dump restores without any error, holds what it must, and is fast and recent enough."""
    if not folder_exists(restored, expect):
        return
    dump = restored.dump
    found = dump.name if dump else f"nothing finished in {restored.folder}"
    if not expect.that(dump is not None, observed=found, expected="a dump to restore"):
        return
    told = f"{found}, {dump.size_bytes:,} bytes"
    cut = f"it ends among the rows of {restored.ends_inside}" if restored.ends_inside else ""
    expect.that(not cut, observed=f"{told}: {cut}" if cut else told, expected="a dump that goes on to its end")
    error = restored.error
    if not expect.that(
        not error, observed=f"{told}: {error}" if error else told, expected="a restore without any error"
    ):
        return
    if reference.fact is not None:
        judge_contents(told, restored.contents, reference.fact, target.compare_with, settings, expect)
    judge_objectives(told, restored, settings, expect)
    if reference.fact is None and expect.worst.verdict is not Verdict.ALERT:
        raise ProbeError(f"{found} was restored, but what it should hold is not known: {reference.failure}")


def judge_contents(told, contents, expected, source, settings, expect):
    """Judge tables, rows, constraints and indexes of the restored database against what it should hold."""
    by = {"live": "the live database", "manifest": "its manifest"}[source]
    live, most = source == "live", settings["growth_percent"]
    # A manifest tells what the dump was made of; a live database goes on, and a few rows of it may be newer.
    emptied_above = settings["tolerance_rows"] if live else 0
    found = agreement(contents, expected, settings["tolerance_percent"], settings["tolerance_rows"], emptied_above)
    # A schema that has moved on since the dump is no fault of the dump.
    otherwise = Verdict.WARNING if found.migrated else Verdict.ALERT
    wanted = f"the {len(expected.tables)} tables of {by}"
    if not expect.that(bool(contents.tables), observed=f"{told}: no table at all", expected=wanted):
        return
    strange = ", a dump of another database" if found.strange else ""
    missing, others = some(found.missing), some(found.others)
    expect.that(
        not found.missing and not found.others,
        observed=f"{told}{strange}: {len(found.missing)} tables missing{missing}, {len(found.others)} others{others}",
        expected=wanted,
        otherwise=otherwise,
    )
    lost = [key for key in settings["key_tables"] if not any(named(table, [key]) for table, _ in contents.tables)]
    expect.that(not lost, observed=f"{told}: no key table lost{some(lost)}", expected="all key tables")
    # By counts alone, rows that the dump lost and rows that are new since look alike: little of it is a warning.
    grown = [one for one in found.deviating if live and 0 < one.growth_percent <= most]
    key = [one for one in found.deviating if named(one.table, settings["key_tables"]) and one not in grown]
    wrong, moved = [*found.emptied, *key], [one for one in found.deviating if one not in key]
    rows = sum(rows for _, rows in contents.tables)
    held = f"{told}: {rows:,} rows in {len(contents.tables)} tables"
    tolerated = f"{settings['tolerance_percent']:g} % or {settings['tolerance_rows']:g} rows"
    for tables, verdict in ((wrong, Verdict.ALERT), (moved, Verdict.WARNING)):
        expect.that(
            not tables,
            observed=f"{held}, off in {len(tables)}{some([str(one) for one in tables])}",
            expected=f"as in {by}, give or take {tolerated}",
            otherwise=verdict,
        )
    for what in ("constraints", "indexes"):
        count, whole = getattr(contents, what), getattr(expected, what)
        expect.that(count == whole, observed=f"{told}: {count} {what}", expected=f"{whole} {what}", otherwise=otherwise)


def judge_objectives(told, restored, settings, expect):
    """Judge the time that recovery takes, and how much work would be lost by it."""
    server = ".".join(map(str, restored.restored_into))
    expect.that(
        not restored.newer_server,
        observed=f"{told}, dumped from PostgreSQL {restored.dumped_from}, restored into {server}",
        expected="the same major version: install it where the suite runs",
        otherwise=Verdict.WARNING,
    )
    hours = age(restored.observed_at, restored.dump.modified, restored.dump.name) / timedelta(hours=1)
    expect.that(
        hours <= settings["rpo_hours"],
        observed=f"{told}, {hours:.1f} hours old",
        expected=f"at most {settings['rpo_hours']:g} hours, the recovery-point objective",
    )
    minutes = (restored.fetch_seconds + restored.restore_seconds) / 60
    expect.remember("restore minutes", minutes)
    expect.that(
        minutes <= settings["rto_minutes"],
        observed=f"{told}, restored into PostgreSQL {server} in {60 * minutes:,.1f} s",
        expected=f"at most {settings['rto_minutes']:g} minutes, the recovery-time objective",
    )


@runbook("application-restore-drill")
def test_application_restore_drill(unpacked, settings, expect):
    """The newest application archive unpacks to something that can be installed."""
    if not folder_exists(unpacked, expect):
        return
    found = unpacked.name or f"nothing finished in {unpacked.folder}"
    if not expect.that(unpacked.name is not None, observed=found, expected="an archive to unpack"):
        return
    told = f"{found}, {unpacked.members} members"
    error, missing, broken = unpacked.error, unpacked.missing, unpacked.broken
    expect.that(not error, observed=f"{told}: {error}" if error else told, expected="an archive that unpacks")
    expect.that(
        not unpacked.refused,
        observed=f"{told}: {len(unpacked.refused)} that point outside{some(unpacked.refused)}",
        expected="members inside its folder",
        otherwise=Verdict.WARNING,
    )
    expect.that(
        not missing, observed=f"{told}: {len(missing)} missing{some(missing)}", expected="manifests and lock file in it"
    )
    expect.that(not broken, observed=f"{told}: {'; '.join(broken) or 'all readable'}", expected="manifests that parse")
