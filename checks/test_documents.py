"""Documents: what operators write down is up to date."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from opsverify import runbook
from opsverify.config.bands import Verdict
from opsverify.evidence.age import age
from opsverify.judgements.many import few
from opsverify.runbook_document.commands import hold, linted, together
from opsverify.runbook_document.commands import read as read_commands
from opsverify.runbook_document.drift import compare
from opsverify.runbook_document.reading import read
from opsverify.runbook_document.review import last_updated
from opsverify.runbook_document.statements import statements
from opsverify.runbook_document.system import system_of


@runbook("operations-log")
def test_operations_log(operations, deployed_version, settings, expect):
    """The log of operations tells of the deployed version and of the last weekly maintenance."""
    log, deployed, maintained = operations, settings["deployed"], settings["maintained"]
    there = log.path if log.exists else f"no {log.path}"
    if not expect.that(log.exists, observed=there, expected="a log of operations"):
        return
    undated = [line for line in log.lines if line.when is None]
    expect.that(
        not undated,
        observed=f"{len(undated)} entries without a date that is known: {undated[-1].what}" if undated
        else f"{len(log.lines)} entries, all with their date",
        expected="entries as `$(date): what`",
        otherwise=Verdict.WARNING,
    )  # fmt: skip
    releases = [line for line in log.lines if deployed in line.what]
    if deployed_version is not None:
        newest = releases[-1].what if releases else f"no {deployed!r}"
        named = bool(releases) and releases[-1].what.partition(deployed)[2].split()[:1] == [deployed_version]
        expect.that(named, observed=f"last entry {newest}", expected=f"{deployed} {deployed_version}")
    times = [line.when for line in log.lines if maintained in line.what and line.when]
    most = settings["max_age_days"]
    days = age(log.observed_at, max(times), f"the last {maintained!r}") / timedelta(days=1) if times else None
    observed = f"{maintained} {days:.1f} days ago" if days is not None else f"no {maintained!r}"
    expect.that(days is not None and days <= most, observed=observed, expected=f"in the last {most:g} days")


@runbook("runbook-reviewed")
def test_runbook_reviewed(runbook_text, settings, environment, now, expect):
    """The runbook says that it was updated lately."""
    if not there(runbook_text, expect):
        return
    day, most = last_updated(read(runbook_text.text)), settings["max_age_days"]
    dated = "最終更新日: 2025年8月15日, or a date like it"
    if not expect.that(day is not None, observed="dated" if day else "no date of the last update", expected=dated):
        return
    days = (now.astimezone(ZoneInfo(environment.timezone)).date() - day).days
    observed = f"last updated {day:%Y-%m-%d}, {days} days ago"
    expect.that(days >= 0, observed=observed, expected="a day that is not to come")
    expect.that(days <= most, observed=observed, expected=f"at most {most} days ago")


@runbook("runbook-agrees")
def test_runbook_agrees(runbook_text, items, settings, expect):
    """Every figure that the runbook states is the one that the checks enforce, and the other way round."""
    if not there(runbook_text, expect):
        return
    figures = compare(statements(read(runbook_text.text)), items, settings)
    for one in figures:
        if not one.agrees:
            expect.that(False, observed=one.document, expected=one.enforced)
    if all(one.agrees for one in figures):
        expect.that(bool(figures), observed=f"{len(figures)} figures, as enforced", expected="the figures enforced")


@runbook("runbook-commands")
def test_runbook_commands(runbook_text, named_in_runbook, runbook_remarks, environment, settings, expect):
    """The commands of the runbook exist here, fail where they should, find what they look for, and harm nothing."""
    if not there(runbook_text, expect):
        return
    commands = read_commands(runbook_text.text)
    system = system_of(environment, named_in_runbook)
    held = hold(commands, system)
    findings = [one for one in (*held.findings, *linted(runbook_remarks)) if one.rule not in settings["ignore"]]
    for one in findings:
        print(one)  # the whole list, for the HTML report: a sentence is cut where it gets too long to be read
    for observed, expected in together(findings):
        expect.that(False, observed=observed, expected=expected)
    left = few([str(line) for line in commands.not_understood])
    expect.that(
        commands.count > 0,
        observed=f"{commands.count} commands{f' (and lines that are none: {left})' if left else ''}, "
        f"held against {system.held_against}",
        expected="commands in fences that name their language, ```bash",
        otherwise=Verdict.WARNING,
    )
    for reason in held.unknown:
        expect.unknown(reason)


def there(runbook_text, expect):
    """Whether the document is where the environment says."""
    observed = runbook_text.location if runbook_text.exists else f"no {runbook_text.location}"
    return expect.that(runbook_text.exists, observed=observed, expected="the runbook")
