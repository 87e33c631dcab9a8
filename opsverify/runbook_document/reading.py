"""Markdown, taken apart by a real parser into what can state a figure. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsverify.runbook_document.quantities import plain

if TYPE_CHECKING:
    from markdown_it.token import Token


MOST_OF_A_LINE = 2000
"""Characters: nobody states a figure in a longer line, and patterns are not tried on what is no text at all."""


@dataclass(frozen=True)
class Table:
    """A table under its chapter's heading; cells without markup, half-width."""

    chapter: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Line:
    """A line of text or of code under its chapter's heading; `block` numbers the paragraph or code block it is in."""

    chapter: str
    text: str
    block: int
    is_code: bool


@dataclass(frozen=True)
class Reading:
    """A whole document."""

    tables: tuple[Table, ...]
    lines: tuple[Line, ...]


def read(text: str) -> Reading:
    """Read a document of any content; what is no Markdown is lines of text."""
    # Here: it takes some milliseconds to import, and most runs read no document.
    from markdown_it import MarkdownIt

    text = "\n".join(line[:MOST_OF_A_LINE] for line in text.removeprefix("\ufeff").splitlines())
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    tables: list[Table] = []
    lines: list[Line] = []
    rows: list[list[str]] = []
    chapter = ""
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            chapter = plain(_text(tokens[index + 1]))
        elif token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and tokens[index - 1].type in ("th_open", "td_open"):
            rows[-1].append(plain(_text(token)))
        elif token.type == "table_close":
            tables.append(Table(chapter, tuple(rows[0]), tuple(tuple(row) for row in rows[1:])))
            rows = []
        elif token.type == "inline" and tokens[index - 1].type != "heading_open":
            lines += _lines(chapter, _text(token), index, is_code=False)
        elif token.type in ("fence", "code_block", "html_block"):
            lines += _lines(chapter, token.content, index, is_code=token.type != "html_block")
    return Reading(tuple(tables), tuple(lines))


def _lines(chapter: str, text: str, block: int, *, is_code: bool) -> Iterator[Line]:
    for line in text.split("\n"):
        if line.strip():
            yield Line(chapter, plain(line), block, is_code)


def _text(token: Token) -> str:
    """What a reader sees of inline markup."""
    children: Sequence[Token] = token.children or ()
    breaks = ("softbreak", "hardbreak")
    return "".join("\n" if child.type in breaks else child.content for child in children if child.type != "image")
