"""Small parts of a page. All of them escape what they are given."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

_COMMAND = re.compile(r"`([^`]+)`")
_WARNED_OF = re.compile(r"\b(?:never|not|instead of)\b[^.;:]*$", re.IGNORECASE)
_WARNED_OF_JA = re.compile(r"[^。、（）]*(?:しない|わない|せず|わず)")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
MOST_IN_A_LINE = 200
"""Characters of any text in a line, which is cut to the window's width anyway; the details have all of it."""


def table(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """An HTML table of plain texts, for sections added to the report. Escapes everything."""
    return table_of(headers, ((escape(text) for text in row) for row in rows))


def table_of(headers: Iterable[str], rows: Iterable[Iterable[str]], label: str = "") -> str:
    """The same of cells that are HTML already; the headers, and `label`, what it is about, are plain texts."""
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in headers)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    inner = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    named = f' role="region" aria-label="{escape(label)}"' if label else ""
    # Whoever has no mouse scrolls it by the arrow keys.
    return f'<div class="ov-scroll" tabindex="0"{named}><table class="ov-table">{inner}</table></div>'


def listed(facts: Iterable[tuple[str, str]]) -> str:
    """Terms and what is to be said of each, which is HTML already; those of which there is nothing are left out."""
    inner = "".join(f"<dt>{escape(label)}</dt><dd>{html}</dd>" for label, html in facts if html)
    return f'<dl class="ov-details">{inner}</dl>' if inner else ""


def code(text: str) -> str:
    """A text with its commands, which stand in backquotes, as code: those that may be run as `kbd`, for copying.

    A command that the text warns of ("never try it with …") or may warn of is none to be copied at night, and so is a
    mere name.
    """
    parts = _COMMAND.split(text)
    html = []
    for index, part in enumerate(parts):
        if not index % 2:
            html.append(escape(part))
            continue
        warned = _WARNED_OF.search("".join(parts[:index])) or _WARNED_OF_JA.match("".join(parts[index + 1 :]))
        tag = "code" if warned or " " not in part.strip() else "kbd"
        html.append(f"<{tag}>{escape(part)}</{tag}>")
    return "".join(html)


def cut(text: str) -> str:
    """As much of a text as fits a line, escaped."""
    return escape(text if len(text) <= MOST_IN_A_LINE else text[: MOST_IN_A_LINE - 1].rstrip() + "…")


class Places:
    """Names of places in a page, for links: the same in every run, so that a link goes on working, and no two alike."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def name(self, kind: str, text: str) -> str:
        """`row-disk-usage-app1`; a number follows where that is taken."""
        plain = f"{kind}-{_UNSAFE.sub('-', text).strip('-')[:80]}"
        name, number = plain, 2
        while name in self._taken:
            name, number = f"{plain}.{number}", number + 1
        self._taken.add(name)
        return name


class Budget:
    """So many bytes are there for what lines unfold to, worst first: a report of thousands must still open at once."""

    def __init__(self, size: int) -> None:
        self._left = size
        self.exceeded = False

    def takes(self, html: str) -> bool:
        """Whether this still fits; from the first that does not, nothing does."""
        self._left -= len(html.encode())
        self.exceeded = self.exceeded or self._left < 0
        return not self.exceeded
