"""A draft as the text of an environment file, with comments."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from opsverify.config.environment import KINDS
from opsverify.discover.draft import Draft, Entry, Reference
from opsverify.reporting.text import Redactor

WIDTH = 118
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./@+-]*(?::(?://)?[A-Za-z0-9_./@+?=&-]+)*")
_MEANT = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def text_of(draft: Draft, when: str, schema: str, redactor: Redactor) -> str:
    """The whole file. `when`: a date and time in UTC; `schema`: where the schema lies, from the file."""
    lines = [*_head(draft, when, schema, redactor)]
    lines.append(f"title: {scalar(draft.title)}")
    lines += [line for key, value in draft.settings.items() for line in _pair(key, value, 0)]
    for kind in KINDS:
        entries = list(draft.of(kind))
        if entries:
            lines += ["", f"{kind}:"]
            for entry in entries:
                lines += entry_lines(entry, redactor)
    if draft.excuses:
        lines += [
            "",
            "# What was looked for and is not there. Where it is there after all, list it and delete the line.",
        ]
        lines.append("not_applicable:")
        lines += [line for key, why in draft.excuses.items() for line in _pair(key, why, 2)]
    if draft.checks:
        lines += ["", "# What differs from the runbook's defaults, by check.", "checks:"]
        for key, (settings, found) in draft.checks.items():
            lines += comment(found, 2, redactor)
            lines += _pair(key, {"settings": settings}, 2)
    return "\n".join(lines) + "\n"


def _head(draft: Draft, when: str, schema: str, redactor: Redactor) -> Iterator[str]:
    yield f"# yaml-language-server: $schema={schema}"
    yield from comment(f"By python -m opsverify.discover, {when} UTC, from {', '.join(draft.sources)}.", 0, redactor)
    meaning = "found: seen there. GUESS: likely; verify it. MISSING: cannot be known from there; what to add or to do."
    yield from comment(meaning, 0)
    if any(entry.unread for entry in draft.entries):
        meaning = "COULD NOT BE READ: the runbook's usual entry, so that no run is green before somebody has looked."
        yield from comment(meaning, 0)
    if draft.variables:
        yield "#"
        yield "# Set before a run:"
        for name, purpose in draft.variables.items():
            yield f"#   {name}  {purpose}"
    for notice in draft.notices:
        yield from comment(notice, 0, redactor)


def entry_lines(entry: Entry, redactor: Redactor, indent: int = 2) -> list[str]:
    """One target with its comments."""
    lines = []
    if entry.unread:
        what = f"COULD NOT BE READ: {entry.unread}. Grant that (docs/privileges.md) and run this again, or put the real"
        lines += comment(
            f"{what} one here, or where there is none, put a reason under not_applicable", indent, redactor
        )
    elif entry.found:
        lines += comment(f"found: {entry.found}", indent, redactor)
    for missing in entry.missing:
        what, *to_add = missing.split("\n")
        lines += comment(f"MISSING: {what}", indent, redactor)
        lines += [" " * indent + f"#   {redactor.printable(line)}" for line in to_add]
    lines.append(" " * indent + f"{scalar(entry.name)}:")
    for key, value in entry.body.items():
        if key in entry.guesses:
            lines += comment(f"GUESS: {entry.guesses[key]}", indent + 2, redactor)
        lines += _pair(key, value, indent + 2)
    return lines


def comment(text: str, indent: int, redactor: Redactor | None = None) -> list[str]:
    """A comment, in lines of no more than WIDTH characters, without what a terminal or YAML would act on."""
    plain = (redactor or Redactor()).printable(text, 1500)
    prefix = " " * indent + "# "
    return textwrap.wrap(plain, WIDTH, initial_indent=prefix, subsequent_indent=prefix, break_on_hyphens=False,
                         break_long_words=False)  # fmt: skip


def _pair(key: str, value: Any, indent: int) -> list[str]:
    start = " " * indent + f"{scalar(key)}:"
    if isinstance(value, Mapping):
        return [start, *(line for k, v in value.items() for line in _pair(str(k), v, indent + 2))]
    return [f"{start} {flow(value)}"]


def flow(value: Any) -> str:
    """A value on one line: a list in brackets, anything else as a scalar."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_item, value))}]"
    return scalar(value)


def _item(value: Any) -> str:
    """A scalar between brackets, where a comma would end it."""
    text = scalar(value)
    return _quoted(value) if "," in text and not text.startswith('"') else text


def scalar(value: Any) -> str:
    """A scalar of YAML that both YAML 1.1 and 1.2 read as it was; a dollar in found text stays one."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    text = str(value) if isinstance(value, Reference) else str(value).replace("$", "$$")
    if _PLAIN.fullmatch(text) and text.lower() not in _MEANT:
        return text
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9 _./,;()'-]*[A-Za-z0-9)]", text) and text.lower() not in _MEANT:
        return text  # a sentence
    return _quoted(text)


def _quoted(text: str) -> str:
    escaped = "".join(_escaped(character) for character in text)
    return f'"{escaped}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def schema_from(out: Path, root: Path) -> str:
    """Where environments/schema.json lies, from the file's folder."""
    return Path(os.path.relpath(root / "environments" / "schema.json", out.resolve().parent)).as_posix()


__all__ = ["comment", "entry_lines", "flow", "scalar", "schema_from", "text_of"]
