"""What a line unfolds to: the finding and what to do, or all that is known of the results in a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from opsverify.config.items import CHAPTERS
from opsverify.reporting.alike import FEW
from opsverify.reporting.change import Past
from opsverify.reporting.digest import Concern, moment
from opsverify.reporting.html.drawings import RUNS, strip
from opsverify.reporting.html.elements import Budget, code, listed, table_of
from opsverify.reporting.html.lines import Hosts, due_html
from opsverify.reporting.ranges import compress
from opsverify.reporting.results import Outcome, Result
from opsverify.reporting.words import Words

MOST_LINKS = 60
"""So many rows of one cause are linked by name; those of a whole fleet are found by the filters."""
MOST_SPELLS = 6
"""So many changes of a check are told; what was before is old."""


@dataclass(frozen=True)
class Details:
    """Writes what lines unfold to, in the report's language. `outputs` is what checks printed, and `past` what is known
    of earlier runs, both by node id; `diagnostics` are places in the page, by host."""

    words: Words
    hosts: Hosts
    past: Mapping[str, Past]
    outputs: Mapping[str, Sequence[str]]
    diagnostics: Mapping[str, str]

    def of_finding(self, concern: Concern, rows: Mapping[str, str]) -> str:
        """What somebody needs who acts on it. `rows` are the places of the rows in the page, by node id."""
        words = self.words
        parts = [f"<p>{escape(words.told(concern))}</p>"] if concern.finding else []
        advice = words.advice(concern) if concern.finding else words.count("could not", len(concern.results))
        due = due_html(words, concern.respond_by)
        parts.append(f'<p class="ov-act">→ {code(advice)} {due}</p>')
        if concern.spread:
            parts.append(f"<p>{escape(', '.join(compress(concern.spread.names)))}</p>")
        parts.append(self._before(concern, drawing=True))
        links = [self._rows(concern, rows), self._first_steps(concern)]
        parts.append(f'<p class="ov-links">{" · ".join(filter(None, links))}</p>')
        return f'<div class="ov-more">{"".join(parts)}</div>'

    def of_row(self, concern: Concern, finding: str, budget: Budget) -> str:
        """All that is known of the results in a row, as much of it as fits; empty where nothing does."""
        if len(concern.results) == 1:
            (result,) = concern.results
            body = listed(self._facts(result)) + self._output(result)
            if not budget.takes(body):
                return ""
        else:
            body = self._together(concern.results, budget)
        body += self._before(concern)
        if finding:
            body += f'<p class="ov-links"><a href="#{finding}">↑ {escape(self.words("to finding"))}</a></p>'
        return f'<div class="ov-more">{body}</div>'

    def _rows(self, concern: Concern, rows: Mapping[str, str]) -> str:
        words, names = self.words, concern.results
        if concern.finding:
            place = rows.get(names[0].nodeid)
            key = "every target" if len(names) > 1 else "to row"
            return f'<a href="#{place}">↓ {escape(words.count(key, len(names)))}</a>' if place else ""
        places = dict.fromkeys((rows[r.nodeid], r.runbook if concern.spread else r.name) for r in names)
        links = [f'<a href="#{place}">{escape(name)}</a>' for place, name in list(places)[:MOST_LINKS]]
        links += ["…"] if len(places) > MOST_LINKS else []
        return f"<small>{', '.join(links)}</small>"

    def _first_steps(self, concern: Concern) -> str:
        hosts = dict.fromkeys(host for result in concern.results for host in self.hosts(result))
        known = [host for host in hosts if host in self.diagnostics]
        links = [f'<a href="#{self.diagnostics[host]}">{escape(host)}</a>' for host in known[:FEW]]
        links += ["…"] if len(known) > FEW else []
        return f"↓ {escape(self.words('first diagnostics'))}: {', '.join(links)}" if links else ""

    def _before(self, concern: Concern, *, drawing: bool = False) -> str:
        """How the first of the results ended before."""
        first, words = concern.results[0], self.words
        spells = self.past.get(first.nodeid, Past()).spells
        if not spells or concern.outcome is Outcome.NOT_APPLICABLE:
            return ""
        told = [
            words.filled("spell", verdict=words(verdict), runs=words.count("runs", runs), since=_day(began))
            for verdict, runs, began in reversed(spells[-MOST_SPELLS:])
        ]
        now = [*((verdict, runs) for verdict, runs, _ in spells), (first.verdict, 1)]
        drawn = strip(now) if drawing else ""
        whose = f" ({escape(first.target)})" if len(concern.results) > 1 else ""
        head = words.filled("last runs", n=str(RUNS)) if drawing else words("before")
        return f'<p class="ov-past">{escape(head)}{whose}: {drawn} {escape(words("then").join(told))}</p>'

    def _facts(self, result: Result) -> Iterable[tuple[str, str]]:
        return [(label, code(text)) for label, text in self._texts(result).items()]

    def _texts(self, result: Result) -> dict[str, str]:
        words = self.words
        chapters = [f"{CHAPTERS[key]} ({key})" if key in CHAPTERS else key for key in result.source.split()]
        advice = result.action if result.outcome is not Outcome.NORMAL else ""  # nothing is to be done
        return {
            words("finding"): result.sentence,
            words("observed"): "" if result.sentence else result.observed,
            words("expected"): "" if result.sentence else result.expected,
            words("cause"): result.cause if result.cause != result.sentence else "",
            words("to do"): advice,
            words("respond by"): moment(result.respond_by),
            words("source"): " · ".join(chapters),
            words("schedule"): ", ".join(result.schedule.split()),
            words("duration"): f"{result.seconds * 1000:.0f} ms",
            "ID": result.nodeid,
        }

    def _output(self, result: Result) -> str:
        # One line, since pytest-html's script is not to see a line that begins with E.
        parts = [f"<pre>{escape(text)}</pre>" for text in self.outputs.get(result.nodeid, ())]
        return f'<div class="ov-output">{"".join(parts)}</div>' if parts else ""

    def _together(self, members: Sequence[Result], budget: Budget) -> str:
        """What many have in common once, the rest as a table."""
        words = self.words
        facts = [
            {words("target"): each.target, **self._texts(each), words("before"): words.changed([each])}
            for each in members
        ]
        for each in facts:
            each.pop(words("duration"))
        labels = [label for label in facts[0] if len({each[label] for each in facts}) > 1]
        same = listed((label, code(text)) for label, text in facts[0].items() if label not in labels)
        rows, outputs = [], []
        for result, each in zip(members, facts, strict=True):
            row = [escape(each[label]) for label in labels]
            output = self._output(result)
            if not budget.takes("".join(row) + output):
                break
            rows.append(row)
            outputs += [f"<p><b>{escape(result.target)}</b></p>{output}"] if output else []
        left = len(members) - len(rows)
        more = f"<p>{escape(words.count('left out targets', left))}</p>" if left else ""
        return same + table_of(labels, rows, words("target")) + more + "".join(outputs)


def _day(iso: str) -> str:
    try:
        return f"{datetime.fromisoformat(iso):%Y-%m-%d %H:%M}"
    except ValueError:
        return iso
