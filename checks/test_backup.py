"""Backup: what was promised to be there on the day it is needed."""

from datetime import timedelta
from statistics import median
from zoneinfo import ZoneInfo

from opsverify import runbook
from opsverify.config.bands import Verdict
from opsverify.drills.deviations import compare, named
from opsverify.errors import MissingPrivilege, NotApplicable, ProbeError
from opsverify.evidence.age import age
from opsverify.judgements.many import day_ranges, few
from opsverify.judgements.windows import within


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
    name = newest.name if newest else f"nothing finished in {listing.folder}{unfinished(listing)}"
    if expect.that(newest is not None, observed=name, expected="a backup"):
        expect(age(listing.observed_at, newest.modified, newest.name) / timedelta(hours=1), detail=newest.name)


@runbook("database-backup-complete")
def test_database_backup_complete(dumps, settings, expect):
    """The newest dump is whole: its end marker stands, it holds no error, and its size is like its predecessors'."""
    whole = "a dump with its end marker and without errors"
    newest = dumps.newest_read
    none = f"no finished dump{unfinished(dumps)}"
    if not expect.that(newest is not None, observed=newest.name if newest else none, expected=whole):
        return
    dump_size = f"{newest.name}, {newest.size_bytes:,} bytes"
    expect.that(newest.size_bytes > 0, observed=f"{dump_size}, {newest.format}", expected=whole)
    marked = {True: "complete", False: "cut off: no end marker", None: f"{newest.format}: only decoding would tell"}
    expect.that(
        newest.complete is True,
        observed=f"{dump_size}, {marked[newest.complete]}",
        expected=whole,
        otherwise=Verdict.WARNING if newest.complete is None else Verdict.ALERT,
    )
    behind = newest.trailing_lines
    expect.that(
        not behind,
        observed=f"{dump_size}, " + (f"{behind:,} lines of something else after its end" if behind else "its end"),
        expected="nothing after the end of the dump: a restore would run it",
    )
    error = newest.error_text
    expect.that(
        not error, observed=f"{dump_size}, it says {error}" if error else f"{dump_size}, no error text", expected=whole
    )
    judge_size(dumps, newest, settings, expect)


def judge_size(listing, newest, settings, expect):
    """Judge the size of the newest file by the median of those before it, where there are three or more."""
    older = [file.size_bytes for file in listing.dumps if not file.writing and file.name != newest.name]
    older = older[: settings["predecessors"]]
    if len(older) >= 3:
        share = 100 * newest.size_bytes / max(1, median(older))
        low, high = settings["smallest_percent"], settings["largest_percent"]
        size = f"{newest.name}, {newest.size_bytes:,} bytes"
        expect.that(
            low <= share <= high,
            observed=f"{size}, {share:.0f} % of the median of {len(older)} before it",
            expected=f"{low} to {high} %",
        )


def unfinished(listing):
    """What is still being written, and since when nothing came; "" where nothing is."""
    writing = [
        f"{file.name}, {file.size_bytes:,} bytes, still being written (last at {file.modified:%Y-%m-%d %H:%M} UTC)"
        for file in listing.dumps
        if file.writing
    ]
    return f"; {few(writing, 2, '; ')}" if writing else ""


@runbook("application-backup-readable")
def test_application_backup_readable(newest_archive, archives, target, settings, expect):
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
    judge_size(archives, archive, settings, expect)


@runbook("backup-every-day")
def test_backup_every_day(dumps, archives, environment, settings, expect):
    """Every day of the retention window has a database dump and an application archive."""
    zone, window, lacking = ZoneInfo(environment.timezone), settings["window_days"], {}
    for what, listing, files in stored(dumps, archives):
        if not folder_exists(listing, expect):
            return
        kept = {file.modified.astimezone(zone).date() for file in files if file.size_bytes}
        # Today's may still be to come; that it does come is another check's promise.
        today = listing.observed_at.astimezone(zone).date()
        days = [today - timedelta(days=ago) for ago in range(window, 0, -1)]
        lacking[what] = tuple(day for day in days if day not in kept)
    for missing in dict.fromkeys(lacking.values()):  # what both lack alike is said once
        kinds = " and ".join(f"{what}s" for what in lacking if lacking[what] == missing)
        without = f", {len(missing)} missing: {day_ranges(missing)}" if missing else ""
        expect.that(
            not missing,
            observed=f"{kinds} of {window - len(missing)} days{without}",
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
    folder = backup_folder
    if folder.unwritable:
        expect.that(False, observed=f"{folder.mount} {folder.unwritable}", expected="room that can be written to")
        return
    sizes = [max((file.size_bytes for file in files), default=0) for _, _, files in stored(dumps, archives)]
    if not expect.that(all(sizes), observed=f"sizes of {sizes} bytes", expected="a dump and an archive to go by"):
        return
    one, room = sum(sizes), folder.available_bytes
    expect.that(
        room >= settings["backups"] * one,
        observed=f"{room / 10**6:,.1f} MB left on {folder.mount}, room for {room // one:,} more",
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


def some(names):
    """The first few names, to be added to a count."""
    return f": {few(names, 3)}" if names else ""


@runbook("wal-archiving")
def test_wal_archiving(wal_archiving, settings, expect):
    """Where the write-ahead log is archived, the archive is up to date: nothing fails, and little waits."""
    log = wal_archiving
    if not log.active:
        raise NotApplicable(f"archive_mode is {log.mode}" + (", and this is a standby" if log.in_recovery else ""))
    observed = "archive_command is set" if log.configured else "neither archive_command nor archive_library is set"
    expect.that(log.configured, observed=observed, expected="a way to the archive")
    expect.that(
        not log.does_nothing,
        observed="archive_command succeeds without keeping anything" if log.does_nothing else observed,
        expected="a way to the archive",
        otherwise=Verdict.WARNING,
    )
    if log.failing:
        lasting = log.listed is None or log.waiting_minutes >= settings["retry_minutes"]
        expect.that(
            False,
            observed=f"{log.failed_segment} failed at {log.failed_at:%F %T} UTC, and nothing was archived since",
            expected="no failure since the last archived segment",
            otherwise=Verdict.ALERT if lasting else Verdict.WARNING,
        )
    last = f"the last segment on {log.archived_at:%F %T} UTC" if log.archived_at else "no segment yet"
    idle = ", nothing written since" if log.all_archived else ""
    never = "" if log.timeout_seconds else ", archive_timeout 0"
    expect(log.silent_hours, detail=f"{last}{idle}{never}, {'?' if log.listed is None else log.listed} waiting")
    try:
        within(settings["waiting"], log.waiting, f"{log.listed} segments waiting", expect)
    except MissingPrivilege as hidden:
        expect.unknown(hidden)


@runbook("restore-drill")
def test_restore_drill(restored, reference, target, settings, expect):
    """The newest dump restores without any error, holds what it must, and is fast and recent enough."""
    if not folder_exists(restored, expect):
        return
    dump = restored.dump
    name = dump.name if dump else f"nothing finished in {restored.folder}"
    if not expect.that(dump is not None, observed=name, expected="a dump to restore"):
        return
    observed = f"{name}, {dump.size_bytes:,} bytes"
    cut = f"it ends among the rows of {restored.ends_inside}" if restored.ends_inside else ""
    expect.that(not cut, observed=f"{observed}: {cut}" if cut else observed, expected="a dump that goes on to its end")
    error = restored.error
    if not expect.that(
        not error, observed=f"{observed}: {error}" if error else observed, expected="a restore without any error"
    ):
        return
    if reference.fact is not None:
        judge_contents(observed, restored.contents, reference.fact, target.compare_with, settings, expect)
    judge_objectives(observed, restored, settings, expect)
    if reference.fact is None:
        reason = f"{name} was restored, but what it should hold is not known: {reference.failure}"
        expect.unknown(ProbeError(reason))


def judge_contents(dump, contents, expected, source, settings, expect):
    """Judge tables, rows, constraints and indexes of the restored database against what it should hold."""
    by = {"live": "the live database", "manifest": "its manifest"}[source]
    live, most = source == "live", settings["growth_percent"]
    # A manifest tells what the dump was made of; a live database goes on, and a few rows of it may be newer.
    emptied_above = settings["tolerance_rows"] if live else 0
    comparison = compare(contents, expected, settings["tolerance_percent"], settings["tolerance_rows"], emptied_above)
    # A schema that has moved on since the dump is no fault of the dump.
    otherwise = Verdict.WARNING if comparison.migrated else Verdict.ALERT
    wanted = f"the {len(expected.tables)} tables of {by}"
    if not expect.that(bool(contents.tables), observed=f"{dump}: no table at all", expected=wanted):
        return
    strange = ", a dump of another database" if comparison.strange else ""
    missing, others = some(comparison.missing), some(comparison.others)
    tables = f"{len(comparison.missing)} tables missing{missing}, {len(comparison.others)} others{others}"
    expect.that(
        not comparison.missing and not comparison.others,
        observed=f"{dump}{strange}: {tables}",
        expected=wanted,
        otherwise=otherwise,
    )
    lost = [key for key in settings["key_tables"] if not any(named(table, [key]) for table, _ in contents.tables)]
    expect.that(not lost, observed=f"{dump}: no key table lost{some(lost)}", expected="all key tables")
    # By counts alone, rows that the dump lost and rows that are new since look alike: little of it is a warning.
    grown = [one for one in comparison.deviating if live and 0 < one.growth_percent <= most]
    key = [one for one in comparison.deviating if named(one.table, settings["key_tables"]) and one not in grown]
    wrong, moved = [*comparison.emptied, *key], [one for one in comparison.deviating if one not in key]
    rows = sum(rows for _, rows in contents.tables)
    held = f"{dump}: {rows:,} rows in {len(contents.tables)} tables"
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
        expect.that(count == whole, observed=f"{dump}: {count} {what}", expected=f"{whole} {what}", otherwise=otherwise)


def judge_objectives(dump, restored, settings, expect):
    """Judge the time that recovery takes, and how much work would be lost by it."""
    server = ".".join(map(str, restored.restored_into))
    within_reach = f", {' and '.join(restored.within_reach)} within its reach" if restored.within_reach else ""
    expect.that(
        not restored.newer_server,
        observed=f"{dump}, dumped from PostgreSQL {restored.dumped_from}, restored into {server}",
        expected="the same major version: install it where the suite runs",
        otherwise=Verdict.WARNING,
    )
    hours = age(restored.observed_at, restored.dump.modified, restored.dump.name) / timedelta(hours=1)
    expect.that(
        hours <= settings["rpo_hours"],
        observed=f"{dump}, {hours:.1f} hours old",
        expected=f"at most {settings['rpo_hours']:g} hours, the recovery-point objective",
    )
    minutes = (restored.fetch_seconds + restored.restore_seconds) / 60
    expect.remember("restore minutes", minutes)
    expect.that(
        minutes <= settings["rto_minutes"],
        observed=f"{dump}, restored into PostgreSQL {server}{within_reach} in {60 * minutes:,.1f} s",
        expected=f"at most {settings['rto_minutes']:g} minutes, the recovery-time objective",
    )


@runbook("application-restore-drill")
def test_application_restore_drill(unpacked, settings, expect):
    """The newest application archive unpacks to something that can be installed."""
    if not folder_exists(unpacked, expect):
        return
    name = unpacked.name or f"nothing finished in {unpacked.folder}"
    if not expect.that(unpacked.name is not None, observed=name, expected="an archive to unpack"):
        return
    observed = f"{name}, {unpacked.members} members"
    error, missing, broken = unpacked.error, unpacked.missing, unpacked.broken
    expect.that(not error, observed=f"{observed}: {error}" if error else observed, expected="an archive that unpacks")
    expect.that(
        not unpacked.refused,
        observed=f"{observed}: {len(unpacked.refused)} that point outside{some(unpacked.refused)}",
        expected="members inside its folder",
        otherwise=Verdict.WARNING,
    )
    expect.that(
        not missing,
        observed=f"{observed}: {len(missing)} missing{some(missing)}",
        expected="manifests and lock file in it",
    )
    expect.that(
        not broken, observed=f"{observed}: {'; '.join(broken) or 'all readable'}", expected="manifests that parse"
    )
