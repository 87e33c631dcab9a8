"""`--summary FILE`: what needs a person, as Markdown for a pull request's comment or a CI job's page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from opsverify import __version__
from opsverify.reporting.digest import Concern, Heading, concerns, counts_text, moment, recovered, tone, warnings
from opsverify.reporting.finished import FinishedRun
from opsverify.reporting.results import Outcome, Result
from opsverify.reporting.words import Words

_SIGNS = {"red": "❌", "amber": "⚠️", "green": "✅"}
_ENGLISH = Words("en")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#|!~@&:-])")


def text(run: FinishedRun) -> str:
    """The content of the file."""
    return markdown(run.results, run.heading, partial=run.partial)


def markdown(results: Sequence[Result], heading: Heading, *, partial: bool) -> str:
    """The summary of a run: a headline with the counts, then a table of findings and one of warnings, worst first."""
    when = f", {moment(heading.started.isoformat())}" if heading.started else ""
    parts = [f"### {_SIGNS[tone(results, partial=partial)]} {escaped(heading.label)}{when}", counts_text(results)]
    if partial:
        parts.append("**PARTIAL**: the run did not get to its end; checks are missing from this summary")
    if not any(result.outcome.judged for result in results):
        parts.append("**NOTHING WAS JUDGED**: this run says nothing about the system")
    parts += _table("Needs a person", concerns(results)) + _table("Warnings", warnings(results))
    parts += _recovered(recovered(results))
    waived = sum(result.outcome is Outcome.WAIVED for result in results)
    if waived:
        parts.append(f"{waived} waived, see the report")
    parts.append(f"<sub>opsverify {__version__}</sub>")
    return "\n\n".join(parts) + "\n"


def _table(title: str, listed: Iterable[Concern]) -> list[str]:
    rows = [
        f"| {_marked(one)} | {escaped(one.name)} | {escaped(one.told)} | {escaped(_to_do(one))} | "
        f"{moment(one.respond_by) or '–'} |"
        for one in listed
    ]
    head = f"| | {title} | Finding | What to do | Respond by |\n|---|---|---|---|---|"
    return ["\n".join([head, *rows])] if rows else []


def _to_do(concern: Concern) -> str:
    window = f" In maintenance, nobody was notified: {concern.maintenance}" if concern.maintenance else ""
    return concern.to_do + window


def _recovered(listed: Iterable[Concern]) -> list[str]:
    rows = [f"| {one.severity} | {escaped(one.name)} | {escaped(_ENGLISH.change(one))} |" for one in listed]
    return ["\n".join(["| | Recovered | Before |\n|---|---|---|", *rows])] if rows else []


def _marked(concern: Concern) -> str:
    """How severe it is, and what is different since the runs before."""
    change = escaped(_ENGLISH.change(concern))
    if not change:
        return concern.severity
    return f"{concern.severity} **{change}**" if concern.fresh else f"{concern.severity} {change}"


def escaped(text: str) -> str:
    """Text of a target as Markdown shows it letter by letter: no link, no mention, no HTML, no other cell."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
