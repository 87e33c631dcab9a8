"""Backup: what was promised to be there on the day it is needed."""

from statistics import median

from opsverify import runbook
from opsverify.bands import Verdict


@runbook("database-backup-fresh")
def test_database_backup_fresh(dumps, expect):
    """The newest finished database dump is recent."""
    judge_age(dumps, dumps.newest, expect)


@runbook("application-backup-fresh")
def test_application_backup_fresh(archives, expect):
    """The newest application archive is recent."""
    judge_age(archives, archives.entries[0] if archives.entries else None, expect)


def judge_age(listing, newest, expect):
    """Judge the age in hours of the newest file by the clock of the host it lies on."""
    there = "a folder" if listing.exists else "no folder"
    if not expect.that(listing.exists, observed=f"{there} {listing.folder}", expected="the backup folder"):
        return
    found = newest.name if newest else f"nothing finished in {listing.folder}"
    if expect.that(newest is not None, observed=found, expected="a backup"):
        expect((listing.observed_at - newest.modified).total_seconds() / 3600, detail=newest.name)


@runbook("database-backup-complete")
def test_database_backup_complete(dumps, settings, expect):
    """The newest dump is whole: its end marker stands, it holds no error, and its size is like its predecessors'."""
    whole = "a dump with its end marker and without errors"
    newest = dumps.newest
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
