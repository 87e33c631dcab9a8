"""The rows of the HTML report's table of all checks: one per check and target, and one for many that are alike.

pytest-html writes a row when its test ends, and nobody knows then what will be alike: rows are folded at the end.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from opsverify.config.items import CHAPTERS
from opsverify.reporting.alike import FEW, Asked, alike, common
from opsverify.reporting.digest import Concern, concern_of, figures, moment, severity
from opsverify.reporting.results import Outcome, Result
from opsverify.reporting.words import Words

_ORDER = [Outcome.ALERT, Outcome.BROKEN, Outcome.BLOCKED, Outcome.UNDETERMINED, Outcome.WARNING, Outcome.WAIVED]
_ORDER += [Outcome.NORMAL, Outcome.NOT_APPLICABLE]

_CELL = re.compile(r"<td[^>]*\bcol-(\w+)[^>]*>(.*?)</td>", re.DOTALL)

Entry = dict[str, Any]
"""A row as pytest-html keeps it: its cells' HTML, `log` (the details) and what each column is sorted by."""


class Rows:
    """What the cells and the details of a row say, in the report's language."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def cells(self, result: Result, word: str, duration: str, concern: Concern | None = None) -> list[str]:
        """The cells of a result, or of a concern about many alike whose first it is. `word` and `duration` are
        pytest-html's own cells."""
        words, outcome, level = self._words, result.outcome, severity(result)
        kind = outcome.name.lower().replace("_", "-")
        title = f"{escape(result.title)}<br>" if result.title else ""
        observed = _observed(result)
        action = result.action if outcome in (Outcome.ALERT, Outcome.WARNING) else ""
        name, order, respond_by = result.name, result.name, result.respond_by
        if concern:
            name, order, respond_by = words.name(concern), result.runbook, concern.respond_by
            seen = observed if concern.example else common((_observed(r), r.target) for r in concern.results)
            observed = words.among(concern, seen)
            action = words.advice(concern) if action else ""
        due = due_html(words, respond_by)
        return [
            word,
            f'<td class="col-rank" hidden>{escape(f"{_ORDER.index(outcome)} {level} {order}")}</td>'
            f'<td class="ov-verdict ov-{kind}"><b>{escape(words(outcome.value))}</b></td>',
            f'<td class="col-severity ov-sev ov-sev-{escape(level.lower())}">{escape(level)}</td>',
            f'<td class="col-check">{title}<small>{escape(name)}</small></td>',
            f'<td class="col-observed">{escape(observed)}</td>',
            f'<td class="col-expected">{escape(result.expected)}</td>',
            f'<td class="col-action">{escape(action)}{"<br>" if action and due else ""}{due}</td>',
            duration,
        ]

    def details(self, result: Result) -> str:
        """What a click on the row of one result shows."""
        return _listed(self._facts(result))

    def fold(self, tests: dict[str, list[Entry]], results: Iterable[Result]) -> None:
        """Make one row of the rows that are alike, `tests` being pytest-html's rows by node id.

        The details of the one row hold those of all: what they have in common once, the rest as a table.
        """
        every = list(results)
        asked = Asked(every)
        for group in alike(every):
            # A test with two rows (it failed, and so did its teardown) keeps them.
            by_word: dict[str, list[Result]] = defaultdict(list)
            for result in group:
                rows = tests.get(result.nodeid, [])
                if len(rows) == 1 and rows[0]["log"].startswith(self.details(result)):
                    by_word[rows[0]["result"]].append(result)
            for members in by_word.values():
                if len(members) > FEW:
                    self._fold(tests, members, concern_of(members, asked))

    def _fold(self, tests: dict[str, list[Entry]], members: Sequence[Result], concern: Concern) -> None:
        entries = [tests.pop(result.nodeid)[0] for result in members]
        longest = max(zip(entries, members, strict=True), key=lambda pair: pair[1].seconds)[0]
        cells = self.cells(members[0], entries[0]["resultsTableRow"][0], longest["resultsTableRow"][-1], concern)
        outputs = [
            entry["log"].removeprefix(self.details(result)) for entry, result in zip(entries, members, strict=True)
        ]
        sorted_by = dict(match for cell in cells for match in _CELL.findall(cell))
        log = self._together(members, outputs)
        tests[members[0].nodeid] = [{**entries[0], **sorted_by, "resultsTableRow": cells, "log": log}]

    def _together(self, members: Sequence[Result], outputs: Sequence[str]) -> str:
        words = self._words
        facts = [
            {
                words("target"): result.target,
                words("observed"): "" if result.sentence else result.observed,
                words("expected"): "" if result.sentence else result.expected,
                **self._facts(result),
            }
            for result in members
        ]
        if members[0].outcome is Outcome.NORMAL:  # nothing is to be done
            for each in facts:
                each.pop(words("to do"))
        labels = [label for label in facts[0] if len({each[label] for each in facts}) > 1]
        same = _listed({label: value for label, value in facts[0].items() if label not in labels})
        head = "".join(f"<th>{escape(label)}</th>" for label in labels)
        body = "".join(
            "<tr>"
            + "".join(f"<td>{escape(each[label])}</td>" for label in labels)
            + "</tr>"
            + (f'<tr><td colspan="{len(labels)}">{output}</td></tr>' if output else "")
            for each, output in zip(facts, outputs, strict=True)
        )
        table = f'<table class="ov-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        return f'{same}<div class="ov-scroll ov-members">{table}</div>'

    def _facts(self, result: Result) -> dict[str, str]:
        words = self._words
        chapters = [f"{CHAPTERS[key]} ({key})" if key in CHAPTERS else key for key in result.source.split()]
        return {
            words("finding"): result.sentence,
            words("cause"): result.cause if result.cause != result.sentence else "",
            words("to do"): result.action,
            words("respond by"): moment(result.respond_by),
            words("source"): " · ".join(chapters),
            words("schedule"): ", ".join(result.schedule.split()),
            "ID": result.nodeid,
        }


def _observed(result: Result) -> str:
    # A check that has no figures says in a sentence what it saw.
    return result.observed or ("" if result.outcome is Outcome.NORMAL else figures(result))


def due_html(words: Words, iso: str) -> str:
    """By when somebody must respond; empty where nobody must."""
    return f'<b class="ov-due">{words("respond by")} {escape(moment(iso))}</b>' if iso else ""


def _listed(facts: dict[str, str]) -> str:
    listed = "".join(f"<dt>{escape(label)}</dt><dd>{escape(text)}</dd>" for label, text in facts.items() if text)
    return f'<dl class="ov-details">{listed}</dl>'
