"""The pages, through the templates beside this module, and where each of them is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from opsverify import __version__, reporting
from opsverify.config.bands import quantity
from opsverify.history.availability import State
from opsverify.history.repairs import Response
from opsverify.site.about import About
from opsverify.site.capacity import Certificate, Disk, Responses
from opsverify.site.charts import MOST_LINES, Chart, NoCharts
from opsverify.site.figures import WINDOWS, Kept
from opsverify.site.monthly import Line, Report
from opsverify.site.spreadsheet import document
from opsverify.site.words import Words

_TEMPLATES = Path(__file__).with_name("templates")
_STYLES = (Path(reporting.__file__).with_name("tokens.css"), _TEMPLATES / "site.css")
"""The colours are those of a run's report."""
_DRAWN = {state: f"var(--{state.value})" for state in State if state is not State.EXCUSED}
_WEEK = 7


@dataclass(frozen=True)
class Shown:
    """All that the pages of one environment show. `first` and `last` are when its first and last run began."""

    about: About
    folder: str
    first: datetime
    last: datetime
    kept: Kept
    responses: Sequence[Responses]
    disks: Sequence[Disk]
    certificates: Sequence[Certificate]
    reports: Sequence[Report]
    """Newest first."""

    def moment(self, when: datetime) -> str:
        """A time by the environment's clocks."""
        return f"{when.astimezone(self.about.zone):%Y-%m-%d %H:%M %Z}"

    def day(self, when: datetime) -> str:
        """A day of the environment's calendar."""
        return f"{when.astimezone(self.about.zone):%Y-%m-%d}"


def folders(names: Iterable[str]) -> dict[str, str]:
    """A folder for each environment, by its name: safe in a path and in a link, and no two alike on any machine."""
    taken: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:60] or "environment"
        folder, number = plain, 2
        while folder.lower() in {one.lower() for one in taken.values()}:
            folder, number = f"{plain}-{number}", number + 1
        taken[name] = folder
    return taken


class Site:
    """The whole site; `charts` is False, once it is written, where nothing could be drawn."""

    def __init__(self, environments: Sequence[Shown], words: Words, now: datetime) -> None:
        self.charts = True
        self._environments, self._words = environments, words
        self._templates = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        when = f"{now:%Y-%m-%d %H:%M} UTC"
        self._templates.globals.update(
            words=words,
            windows=WINDOWS,
            states=list(State),
            percent=percent,
            duration=duration,
            quantity=quantity,
            written=words("written", when=when, version=__version__),
            style=Markup("".join(path.read_text("utf-8") for path in _STYLES)),  # noqa: S704 - our own files
        )

    def write(self, out: Path) -> None:
        """Write every page; raises OSError. Other files in the folder stay as they are."""
        for path, content in self._files():
            target = out / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def _files(self) -> Iterable[tuple[str, bytes]]:
        for one in self._environments:
            yield f"{one.folder}/index.html", self._page("environment.html", one=one, charts=self._charts(one))
            for report in one.reports:
                path = f"{one.folder}/{report.month.name}"
                yield f"{path}.html", self._page("month.html", one=one, report=report)
                yield f"{path}.csv", document(self._rows(one, report))
        yield "index.html", self._page("index.html", environments=self._environments)

    def _page(self, template: str, **values: Any) -> bytes:
        return self._templates.get_template(template).render(values).encode()

    # --- charts ----------------------------------------------------------------------------------------------------

    def _charts(self, one: Shown) -> dict[str, Markup]:
        try:
            return {"state": self._state(one), "response": self._response(one), "disk": self._disk(one)}
        except NoCharts:
            self.charts = False
            told = Markup('<p class="note">{}</p>').format(self._words("no charts"))
            return {"state": told, "response": Markup(""), "disk": Markup("")}

    def _state(self, one: Shown) -> Markup:
        words, days = self._words, max(WINDOWS)
        over = ", ".join(f"{words(s.value)} {percent(one.kept.all[days].shares[s])}" for s in _DRAWN)
        told = words("chart state told", n=days, shares=over)
        applicable = [1 - of[State.EXCUSED] for _, of in one.kept.daily]
        series = {
            words(state.value): (
                colour,
                [100 * of[state] / a if a else 0.0 for (_, of), a in zip(one.kept.daily, applicable, strict=True)],
            )
            for state, colour in _DRAWN.items()
        }
        labels = [f"{start.astimezone(one.about.zone):%m-%d}" for start, _ in one.kept.daily]
        return _figure(Chart("state", words("chart state"), told).stacked(labels, series, _WEEK), "")

    def _response(self, one: Shown) -> Markup:
        words, days = self._words, max(WINDOWS)
        since = one.last - timedelta(days=days)
        series = {
            f"{of.runbook} {of.name}": [(when.astimezone(one.about.zone), v) for when, v in of.points if when >= since]
            for of in one.responses
        }
        chart = Chart("response", words("chart response"), words("chart response told", n=days))
        return _figure(chart.lines(series), self._more(series)) if series else Markup("")

    def _disk(self, one: Shown) -> Markup:
        words = self._words
        series = {of.name: [(when.astimezone(one.about.zone), v) for when, v in of.points] for of in one.disks}
        chart = Chart("disk", words("chart disk"), words("chart disk told"))
        return _figure(chart.lines(series), self._more(series)) if series else Markup("")

    def _more(self, series: dict[str, Any]) -> str:
        return self._words("chart more", n=MOST_LINES, of=len(series)) if len(series) > MOST_LINES else ""

    # --- CSV -------------------------------------------------------------------------------------------------------

    def _rows(self, one: Shown, report: Report) -> Iterable[Sequence[str | float]]:
        words = self._words
        heads = ("environment", "month", "id", "promise", "severity", "schedule", "status", "runs", "periods done")
        yield (
            *(words(head) for head in (*heads, "periods due")),
            words("of known"),
            *(words("percent", word=words(state.value)) for state in State),
            *(words(head) for head in ("in time", "late", "pending", "waived by")),
        )
        for line in report.lines:
            yield one.about.name, report.month.name, *self._cells(line)

    def _cells(self, line: Line) -> Sequence[str | float]:
        promise, checked = line.promise, line.verified
        return (
            promise.id,
            promise.title,
            promise.severity,
            " ".join(promise.schedule),
            self._words(line.status.value),
            checked.times,
            checked.done,
            checked.due,
            "" if line.available is None else round(100 * line.available, 3),
            *(round(100 * line.shares[state], 3) for state in State),
            *(line.responses[response] for response in Response),
            "; ".join(line.waivers),
        )


def _figure(svg: str, caption: str) -> Markup:
    # pygal escapes what it is given: it builds a tree, and writes that.
    drawn = Markup(svg)  # noqa: S704
    return Markup("<figure>{}<figcaption>{}</figcaption></figure>").format(drawn, caption)


def percent(share: float | None) -> str:
    """A share for people: 100 % and 0 % only where it is all or nothing."""
    if share is None:
        return "–"
    shown = 100 * share
    if 0 < shown < 0.01:
        return "< 0.01 %"
    if 99.99 < shown < 100 - 1e-9:
        return "> 99.99 %"
    return f"{shown:.2f}".rstrip("0").rstrip(".") + " %"


def duration(time: timedelta | None) -> str:
    """A time span for people: its two largest units."""
    if time is None:
        return "–"
    minutes = round(time / timedelta(minutes=1))
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {rest} min" if hours else f"{rest} min"
