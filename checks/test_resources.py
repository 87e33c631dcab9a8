"""Resources: what the runbook's table of monitored figures calls normal, and what it alerts on."""

from opsverify import runbook
from opsverify.config.bands import Verdict
from opsverify.errors import NotApplicable, ProbeError
from opsverify.judgements.forecast import FAR, trend


@runbook("memory-usage")
def test_memory_usage(memory, expect):
    """Memory is left, counted as `free` counts it."""
    left = f"{memory.available_bytes / 2**30:.1f} of {memory.total_bytes / 2**30:.1f} GiB left"
    left += ", its limit" if memory.limited else ""
    cache = f", {memory.zfs_cache_bytes / 2**30:.1f} of them ZFS's cache" if memory.zfs_cache_bytes else ""
    expect(memory.used_percent, detail=f"{left}{cache}")


@runbook("cpu-usage")
def test_cpu_usage(cpu, expect):
    """The processors are not saturated over a real interval."""
    expect(cpu.busy_percent, detail=cpu.of_what)


@runbook("disk-usage")
def test_disk_usage(filesystems, expect):
    """Every real file system, and every one in memory that programs write to, keeps room to grow."""
    unknown = [f"{fs.mount}: {fs.problem or 'no size'}" for fs in filesystems if fs.used_percent is None]
    used = {fs.mount: fs.used_percent for fs in filesystems if fs.used_percent is not None}
    if used or not unknown:
        expect.each(used, of="file system")
    if unknown:
        expect.unknown(ProbeError(f"not every file system could be measured: {'; '.join(unknown)}"))


@runbook("inode-usage")
def test_inode_usage(filesystems, expect):
    """The same file systems keep inodes to spare, where their number is fixed."""
    counted = [fs for fs in filesystems if not (fs.problem or fs.inodes_problem)]
    without = [f"{fs.mount} ({fs.type})" for fs in counted if fs.inodes_used_percent is None]
    detail = f"left out, without a fixed number: {', '.join(without)}" if without else ""
    for fs in counted:
        if fs.inodes_used_percent is not None:
            expect(fs.inodes_used_percent, fs.mount, detail=detail)
    unknown = [problem for fs in filesystems if (problem := fs.problem or fs.inodes_problem)]
    if unknown:
        expect.unknown(ProbeError(f"not every file system's inodes could be counted: {'; '.join(unknown)}"))
    if not expect.findings:
        expect.that(True, observed=detail, expected="inodes to spare where their number is fixed")


@runbook("read-only-filesystems")
def test_read_only_filesystems(read_only_filesystems, expect):
    """No file system that should be written to is read-only or was shut down, nor has one noted errors."""
    facts, expected = read_only_filesystems, "file systems that can be written to"
    for one in facts.unwritable:
        if not one.meant:
            otherwise = Verdict.ALERT if one.meant is False else Verdict.WARNING
            expect.that(False, observed=f"{one.mount} ({one.type}) {one.why}", expected=expected, otherwise=otherwise)
    for errors in facts.errors:
        last = f", the last at {errors.last:%F %T} UTC" if errors.last else ""
        observed = f"{errors.mount} has noted {errors.count} errors since it was last repaired{last}"
        expect.that(False, observed=observed, expected="no error", otherwise=Verdict.WARNING)
    if facts.silent:
        expect.unknown(
            ProbeError(f"not every file system could be looked at: no answer from {', '.join(facts.silent)}")
        )
    if not expect.findings:
        meant = [f"{one.mount} {one.why}" for one in facts.unwritable]
        count = f"{len(facts.writable)} file systems can be written to"
        expect.that(True, observed="; ".join([count, *meant]), expected=expected)


@runbook("disk-forecast")
def test_disk_forecast(filesystems, items, history, settings, expect):
    """No file system is on its way to fill up soon, by the trend of what earlier runs measured."""
    days, least = settings["history_days"], settings["minimum_days"]
    limit = items["disk-usage"].band.alert_above
    series = history.series("disk-usage", days)
    measured = [fs for fs in filesystems if fs.used_percent is not None]
    trends = {fs.mount: trend(series.get(fs.mount, ()), least) for fs in measured}
    young = [mount for mount, line in trends.items() if line is None]
    left_out = f"; history too short: {', '.join(young)}" if young else ""
    for fs in measured:
        line = trends[fs.mount]
        if line is not None:
            until = line.days_until(limit, fs.used_percent)
            far = "or more, or never, " if until == FAR else ""
            now = f"{fs.used_percent:.0f} % now, {line.per_day:+.2f} % a day over {line.days:.0f} days"
            expect(round(until, 1), fs.mount, detail=f"{far}until {limit:g} %: {now}{left_out}")
    unknown = [f"{fs.mount}: {fs.problem or 'no size'}" for fs in filesystems if fs not in measured]
    if unknown:
        raise ProbeError(f"not every file system could be measured: {'; '.join(unknown)}")
    if not expect.findings:
        most = max((len({when.date() for when, _ in one}) for one in series.values()), default=0)
        raise NotApplicable(f"history too short: disk-usage was measured on {most} day(s), a trend needs {least:g}")


@runbook("process-resources")
def test_process_resources(program_usage, settings, expect):
    """The node and postgres processes leave room for each other, in processor time and in memory."""
    if not program_usage:
        names = ", ".join(settings["names"])
        raise ProbeError(f"no process named {names} was seen (where /proc hides those of others, use root)")
    for program in program_usage:
        count = f"{program.processes} process{'es' if program.processes > 1 else ''}"
        expect(program.cpu_percent, f"{program.name} CPU", detail=count)
        expect(program.memory_percent, f"{program.name} memory", detail=f"{program.memory_bytes / 2**20:,.0f} MiB")


@runbook("connection-usage")
def test_connection_usage(client_connections, expect):
    """The database server has connections to spare."""
    use = client_connections
    expect(
        use.used_percent,
        detail=f"{use.used} of {use.max_connections}, {use.reserved} of them reserved"
        + ("" if use.exact else "; parallel workers are counted too, without pg_read_all_stats"),
    )


@runbook("slow-queries")
def test_slow_queries(slow_statements, expect):
    """The slowest statements of the database, by mean time, are quick enough."""
    if not slow_statements.queries:
        raise ProbeError("pg_stat_statements holds no statement of this database that ran often enough")
    # How long a backup's COPY takes depends on how much there is to copy: it is shown, beside the slowest query.
    apart = "".join(
        f"; apart from queries {one.text[:80]} {one.mean_ms:,.0f} ms" for one in slow_statements.utilities[:1]
    )
    for query in slow_statements.queries:
        detail = f"mean of {query.calls} calls, longest {query.max_ms:.0f} ms"
        expect(query.mean_ms, query.text[:80], detail=detail + (apart if query is slow_statements.queries[0] else ""))


@runbook("replication-slots")
def test_replication_slots(replication_slots, expect):
    """No slot that nobody uses keeps much of the write-ahead log; what the others keep is shown, and what they lost."""
    unused = [slot for slot in replication_slots.slots if not slot.active and not slot.lost]
    count = f"no unused slot of {len(replication_slots.slots)}"
    kept = max((slot.kept_bytes for slot in unused), default=0) / 2**30
    expect(kept, detail=", ".join(str(slot) for slot in unused[:3]) or count)
    for slot in replication_slots.slots:
        if slot.lost:
            lost = f"{slot.name} has lost what its reader needs"
            expect.that(False, observed=lost, expected="slots that keep it", otherwise=Verdict.WARNING)
        elif slot.active and slot.kept_bytes / 2**30 >= expect.item.band.below:
            expect.that(False, observed=str(slot), expected="a reader that keeps up", otherwise=Verdict.WARNING)
