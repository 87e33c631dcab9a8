"""Emergency stop and recovery: what is meant to be down is down, and what comes back comes back whole."""

import re

from opsverify import runbook
from opsverify.config.bands import Verdict
from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.judgements.migrations import applied, unsettled
from opsverify.judgements.signs_of_life import leftovers, signs_of_life


@runbook("application-stopped", only="stopped")
def test_application_stopped(application_signs, node_processes, target, environment, expect):
    """The service and every Node.js process of its own are gone, and its port is closed."""
    surely, perhaps = leftovers(node_processes, target, environment.releases.values())
    for process in surely:
        expect.that(False, observed=f"{process} still {process.where}", expected="no process")
    for sign in signs_of_life(application_signs):
        expect.that(sign.gone, observed=sign.observed, expected=sign.expected)
    if perhaps:
        raise MissingPrivilege(
            f"whether processes of {target.name} go on could not be determined: this account may not see in which "
            f"folder {', '.join(map(str, perhaps))} works; use the service's own account or root"
        )


@runbook("database-stopped", only="stopped")
def test_database_stopped(database_signs, expect):
    """PostgreSQL is inactive, and its port is closed."""
    for sign in signs_of_life(database_signs):
        expect.that(sign.gone, observed=sign.observed, expected=sign.expected)


@runbook("maintenance-page", only="stopped")
def test_maintenance_page(page_while_stopped, settings, expect):
    """Users get a page that says 503, and when to come back."""
    expected = "503 with Retry-After and a page of its own"
    answered = not page_while_stopped.failure
    if not expect.that(answered, observed=page_while_stopped.failure or "an answer", expected=expected):
        return
    page = page_while_stopped.fact
    observed = f"{page.status} {page.content_type or 'without content type'}, title {page.title!r}"
    if not expect.that(page.status == 503, observed=observed, expected=expected):
        return
    # nginx's own error pages are titled by their status: "503 Service Temporarily Unavailable".
    own = "html" in (page.content_type or "") and page.size > 0 and not re.match(r"\s*503\b", page.title or "")
    expect.that(own, observed=observed, expected=expected)
    expect.that(
        page.contains_ok is not False, observed=observed, expected=f"a page that holds {settings['contains']!r}"
    )
    when = "no Retry-After" if page.retry_after is None else f"Retry-After {page.retry_after:.0f} s"
    expect.that(page.retry_after is not None, observed=f"{observed}, {when}", expected=expected)


@runbook("data-intact")
def test_data_intact(applied_migrations, invalid_objects, key_rows, history, settings, expect):
    """Migrations, indexes, constraints and rows are what they were when all was last well."""
    counts = {f"rows of {table}": rows for table, rows in key_rows.counts if rows is not None}
    counts["migrations"] = len(applied(applied_migrations))
    for about, count in counts.items():
        expect.remember(about, count)
    faults = {
        "key tables missing": [table for table, rows in key_rows.counts if rows is None],
        **{f"migrations {fault}": names for fault, names in unsettled(applied_migrations).items()},
        # One that is being built at this moment is not broken.
        "invalid indexes": [f"{i.schema}.{i.name}" for i in invalid_objects.indexes if not i.being_built],
        "unvalidated constraints": [f"{c.schema}.{c.table}.{c.name}" for c in invalid_objects.constraints],
    }
    for fault, names in faults.items():
        expect.that(not names, observed=f"{fault}: {', '.join(names) or 'none'}", expected="none")
    unknown = None
    try:
        before, day = history.last_good("data-intact"), history.series("data-intact", days=1)
    except ProbeError as error:
        before, day, unknown = {}, {}, error
    seen = ", ".join(f"{about} {count:,}" for about, count in counts.items())
    since_last = losses(counts, before, settings)
    for verdict, lost in since_last.items():
        fewer = "; ".join(f"{about} {counts[about]:,}, before {before[about]:,.0f}" for about in lost)
        expect.that(not lost, observed=fewer or seen, expected="no fewer than last recorded as good", otherwise=verdict)
    most = {about: max(count for _, count in points) for about, points in day.items()}
    within_a_day = losses(counts, most, settings)[Verdict.ALERT]
    bled = [about for about in within_a_day if about not in since_last[Verdict.ALERT]]
    fewer = "; ".join(f"{about} {counts[about]:,}, within the last day {most[about]:,.0f}" for about in bled)
    expected = "no more lost within a day than may be between two runs"
    expect.that(not bled, observed=fewer or seen, expected=expected, otherwise=Verdict.WARNING)
    new = [about for about in counts if about not in before]
    if new and unknown is None:
        observed = (
            f"nothing recorded yet of {', '.join(new)}" if before else "nothing recorded yet to hold them against"
        )
        expect.that(
            settings["without_baseline"] == "normal",
            observed=f"{seen}, {observed}",
            expected="what an earlier run counted",
            otherwise=Verdict.WARNING,
        )
    if unknown is not None:
        expect.unknown(unknown)


def losses(counts, before, settings):
    """What is fewer than before, by verdict: users delete a few rows, hardly ever the last; nobody a migration."""
    tables = {Verdict.ALERT: [], Verdict.WARNING: []}
    for about, count in counts.items():
        was = before.get(about, 0)
        tolerated = max(settings["tolerance_rows"], settings["tolerance_percent"] * was / 100)
        if was - count > (0 if about == "migrations" else tolerated):
            tables[Verdict.ALERT].append(about)
        elif was and not count:
            tables[Verdict.WARNING].append(about)
    return tables
