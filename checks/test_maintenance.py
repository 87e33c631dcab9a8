"""Weekly maintenance: what it must have done, and what it must have cleared away."""

from datetime import timedelta

from opsverify import runbook
from opsverify.config.bands import Verdict
from opsverify.errors import ProbeError
from opsverify.evidence.age import age


@runbook("old-logs-removed")
def test_old_logs_removed(log_ages, settings, expect):
    """No log file is older than its retention."""
    judge_ages(log_ages, settings, expect)


@runbook("weekly-backup")
def test_weekly_backup(weekly_dumps, settings, expect):
    """The dump of weekly maintenance is whole and from the last week."""
    folder, newest = weekly_dumps.folder, weekly_dumps.newest
    name = newest.name if newest else f"no finished {settings['pattern']} in {folder}"
    if not expect.that(
        weekly_dumps.exists,
        observed=folder if weekly_dumps.exists else f"no folder {folder}",
        expected="the folder of the weekly dumps",
    ) or not expect.that(newest is not None, observed=name, expected="a weekly dump"):
        return
    old, most = days(weekly_dumps, newest), settings["max_age_days"]
    observed = f"{name}, {old:.1f} days old, {newest.size_bytes:,} bytes"
    recent = expect.that(old <= most, observed=observed, expected=f"at most {most} days")
    if newest.unreadable and not recent:
        return
    newest = weekly_dumps.newest_read
    whole = newest.size_bytes > 0 and newest.complete is not False
    expect.that(whole, observed=observed if whole else f"{observed}, without its end marker", expected="a whole dump")


@runbook("temp-files-removed")
def test_temp_files_removed(temporary_ages, settings, expect):
    """No temporary file is older than its week."""
    judge_ages(temporary_ages, settings, expect)


def judge_ages(ages, settings, expect):
    """Judge by the clock of the host that none of the files has outlived its days."""
    expected = f"no file older than {settings['max_age_days']} days (and {settings['grace_hours']} hours)"
    if not expect.that(
        ages.exists, observed=ages.folder if ages.exists else f"no folder {ages.folder}", expected=expected
    ):
        return
    oldest = ", ".join(f"{entry.name} {days(ages, entry):.1f} days" for entry in ages.oldest)
    count = f"{ages.too_old} of {ages.count} too old" if ages.too_old else f"{ages.count} files, none too old"
    observed = f"{count} in {ages.folder} (the oldest: {oldest})" if oldest else f"nothing in {ages.folder}"
    expect.that(not ages.too_old, observed=observed, expected=expected)


def days(listing, file):
    """Age of a file in days, by the clock of the host it lies on."""
    return age(listing.observed_at, file.modified, file.name) / timedelta(days=1)


@runbook("cache-size")
def test_cache_size(cache, target, settings, expect):
    """The npm and Next.js caches stay below their bound."""
    most = settings[f"{target.holds.split()[0]}_megabytes"]
    size = cache.used_bytes / 10**6
    # An emptied cache may be gone altogether; a folder without a parent is a wrong path.
    visible = cache.exists or cache.parent_exists
    observed = f"{size:,.1f} MB in {cache.folder}" if cache.exists else f"no folder {cache.folder}"
    expect.that(visible and size <= most, observed=observed, expected=f"at most {most:,} MB")


@runbook("statistics-fresh")
def test_statistics_fresh(table_statistics, settings, expect):
    """Every table that changed has been analysed lately, by hand or by autovacuum."""
    facts, days = table_statistics, settings["max_age_days"]
    if facts.in_recovery:
        raise ProbeError(
            "whether tables are analysed could not be determined: a standby keeps no statistics of its own"
        )
    oldest = facts.server_time - timedelta(days=days)
    changed = [t for t in facts.tables if t.modified_since_analyze >= settings["minimum_changes"]]
    stale = [t for t in changed if t.analyzed_at is None or t.analyzed_at < oldest]
    fresh = f"analysed within {days} days where rows changed"
    if not stale:
        seen = f"{len(facts.tables)} tables, {len(changed)} changed since they were analysed, none too long ago"
        expect.that(True, observed=seen, expected=fresh)
    for table in stale:
        # What was analysed before the statistics were reset is not known any more.
        reset = table.analyzed_at is None and facts.since is not None and facts.since > oldest
        when = f"{table.analyzed_at:%Y-%m-%d}" if table.analyzed_at else "never"
        if reset:
            when = f"not since the statistics were reset on {facts.since:%Y-%m-%d}"
        expect.that(
            False,
            observed=f"{table.schema}.{table.name}: {table.modified_since_analyze} rows changed, analysed {when}",
            expected=fresh,
            otherwise=Verdict.WARNING if reset else Verdict.ALERT,
        )


@runbook("wraparound")
def test_wraparound(transaction_age, table_statistics, settings, expect):
    """Transaction ids are far from wrapping around, and no table is starved of vacuum."""
    oldest = transaction_age.databases[0]
    expect(
        transaction_age.used_percent,
        detail=f"oldest database {oldest.name}: {oldest.xid_age:,} transactions, {oldest.multixact_age:,} multixacts",
    )
    for table in table_statistics.tables:
        rows = table.live_estimate + table.dead_estimate
        share = 100 * table.dead_estimate / rows if rows else 0.0
        starved = table.dead_estimate >= settings["minimum_dead_rows"] and share >= settings["dead_rows_percent"]
        if starved:
            when = f"{table.vacuumed_at:%Y-%m-%d %H:%M} UTC" if table.vacuumed_at else "never"
            dead = f"{share:.0f} % dead rows ({table.dead_estimate:,})"
            expect.that(
                False,
                observed=f"{table.schema}.{table.name}: {dead}, vacuumed {when}",
                expected=f"under {settings['dead_rows_percent']} %",
            )
    if table_statistics.in_recovery:
        reason = "whether tables are starved of vacuum could not be determined: a standby keeps no statistics"
        expect.unknown(ProbeError(reason))


@runbook("key-exhaustion")
def test_key_exhaustion(key_usage, expect):
    """No sequence and no integer key has used up its range; past it, nothing can be inserted."""
    band = expect.item.band
    for key in [key for key in key_usage.keys if key.used_percent >= band.below] or key_usage.keys[:1]:
        if key.counted:
            expect(key.used_percent, key.name)
        else:
            # The largest value may be a code that somebody chose, and no count: a look decides, not an alert.
            room, observed = key.used_percent < band.below, f"{key.name} {key.used_percent:.1f} %"
            expect.that(room, observed=observed, expected=f"< {band.below:g} %", otherwise=Verdict.WARNING)
    if key_usage.hidden:
        expect.unknown(key_usage.hidden)
    if not expect.findings:
        expect.that(True, observed="no sequence and no integer key", expected=str(band))


@runbook("collation-version")
def test_collation_version(collation_versions, expect):
    """Every collation in use and every database was made under the version that its provider has now."""
    facts, expected = collation_versions, "the version of its provider now"
    for one in (*facts.own, *facts.collations):
        expect.that(not one.differs, observed=str(one), expected=expected)
        expect.that(not one.unknown, observed=str(one), expected=expected, otherwise=Verdict.WARNING)
    for one in facts.others:
        observed = f"another database of the server, {one}"
        expect.that(not one.differs, observed=observed, expected=expected, otherwise=Verdict.WARNING)
    own = "" if facts.own else f"; PostgreSQL {facts.major} keeps no version of databases"
    observed = f"{len(facts.collations)} collations in use, {len(facts.own) + len(facts.others)} databases{own}"
    expect.that(True, observed=observed, expected=expected)
