"""Charts as SVG inside the page, drawn by pygal. The only importer of it, and only when something is drawn.

Colours are the page's own variables, so that a chart is dark where the page is, and black on paper. What pygal writes
for its script (there is none in our pages) becomes what browsers show by themselves: a title on each mark.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

_LINES = ("var(--blue)", "var(--amber)", "var(--green)", "var(--purple)", "var(--red)", "var(--grey)")
_DASHES = ("", "8,3", "2,3", "10,3,2,3", "5,5", "1,5")
"""Lines must be told apart in grey, too."""
MOST_LINES = len(_LINES)
_COLUMNS = 3
"""Of the legend: its two rows need room below the plot, which pygal does not count in."""
_HEIGHT, _WIDTH = 320, 960


class NoCharts(Exception):
    """What draws charts is not installed."""


class Chart:
    """One chart; `name` is unique in its page, `title` and `told` are what a screen reader says of it."""

    def __init__(self, name: str, title: str, told: str) -> None:
        self._name, self._title, self._told = name, title, told

    def stacked(self, labels: Sequence[str], series: Mapping[str, tuple[str, Sequence[float]]], every: int) -> str:
        """Shares in percent, piled up: by its label (colour, one value for each of `labels`)."""
        pygal = _pygal()
        colours = [colour for colour, _ in series.values()]
        chart = pygal.StackedBar(
            **_looks(colours),
            range=(0, 100),
            x_labels_major_every=every,
            show_minor_x_labels=False,
            show_legend=False,
            spacing=1,
        )
        chart.x_labels = list(labels)
        for label, (_, values) in series.items():
            chart.add(label, [round(value, 2) if value else None for value in values])
        return self._drawn(chart)

    def lines(self, series: Mapping[str, Sequence[tuple[datetime, float]]]) -> str:
        """Figures over time, the first MOST_LINES of them."""
        pygal = _pygal()
        chart = pygal.DateTimeLine(
            **_looks(_LINES),
            dots_size=1.5,
            x_value_formatter=lambda when: f"{when:%m-%d}",
            include_x_axis=True,
            legend_at_bottom=True,
            legend_at_bottom_columns=_COLUMNS,
            legend_box_size=11,
            truncate_legend=40,
            margin_bottom=30,
        )
        for (label, points), dash in zip(series.items(), _DASHES, strict=False):
            chart.add(label, list(points), stroke_style={"dasharray": dash, "width": 2} if dash else {"width": 2})
        return self._drawn(chart)

    def _drawn(self, chart: Any) -> str:
        chart.uuid = self._name  # a random one would make every page new
        chart.add_xml_filter(self._finished)
        return str(chart.render(is_unicode=True))

    def _finished(self, root: Any) -> Any:
        from pygal.etree import etree  # lxml's where that is installed: the two do not mix

        for parent in list(root.iter()):
            for child in list(parent):
                if child.tag is etree.Comment or child.tag == "script":
                    parent.remove(child)
            told = {child.get("class"): child for child in parent if child.tag == "desc"}
            for child in told.values():
                parent.remove(child)
            if "value" in told:
                label = told["x_label"].text if "x_label" in told else None
                title = etree.SubElement(parent, "title")
                title.text = f"{label}: {told['value'].text}" if label else told["value"].text
        for number, (tag, text) in enumerate((("title", self._title), ("desc", self._told))):
            element = etree.Element(tag, id=f"{self._name}-{tag}")
            element.text = text
            root.insert(number, element)
        root.set("role", "img")
        root.set("aria-labelledby", f"{self._name}-title")
        root.set("aria-describedby", f"{self._name}-desc")
        return root


def _pygal() -> Any:
    try:
        import pygal
    except ImportError:
        raise NoCharts from None
    # It adds a finder for maps, which we have none of, in a way that Python 3.11 warns of at every later import.
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != pygal.__name__]
    return pygal


def _looks(colours: Sequence[str]) -> dict[str, Any]:
    from pygal.style import Style

    ink, soft, line = "var(--ink)", "var(--soft)", "var(--line)"
    style = Style(
        background="transparent",
        plot_background="transparent",
        foreground=ink,
        foreground_strong=ink,
        foreground_subtle=soft,
        guide_stroke_color=line,
        major_guide_stroke_color=line,
        colors=tuple(colours),
        value_colors=tuple(ink for _ in colours),  # else pygal would compute with colours that it cannot know
        font_family="inherit",
        label_font_size=12,
        major_label_font_size=12,
        legend_font_size=13,
        opacity=".9",
    )
    return {
        "style": style,
        "js": (),
        "width": _WIDTH,
        "height": _HEIGHT,
        "disable_xml_declaration": True,
        "margin": 8,
        "truncate_label": -1,
    }
