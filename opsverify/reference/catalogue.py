"""docs/reference/checks.md, in both languages: what each check promises, needs, and how it turns red."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opsverify import privileges
from opsverify.config.advice import advice
from opsverify.config.environment import Environment
from opsverify.config.items import CHAPTERS, Item
from opsverify.reference.markdown import NOTE, plain, table
from opsverify.reference.uses import Use
from opsverify.reference.words import WORDS, Words, japanese_need


@dataclass(frozen=True)
class Fault:
    """Something that turns a check red or amber: its name, and what was done."""

    name: str
    title: str


def document(
    items: Mapping[str, Item], uses: Mapping[str, Use], faults: Mapping[str, Sequence[Fault]], language: str
) -> str:
    """The page in "en" or "ja". `faults`: by the id of each check what turns it."""
    words = WORDS[language]
    by_chapter: dict[str, list[Item]] = {}
    for item in items.values():
        by_chapter.setdefault(item.source[0], []).append(item)
    parts = [words.head.format(note=NOTE, count=len(items)), overview(items, language)]
    for chapter in (chapter for chapter in CHAPTERS if chapter in by_chapter):
        parts.append(f"\n## {chapter}: {words.chapters[chapter]}\n")
        for item in by_chapter[chapter]:
            parts.append(_section(item, uses[item.id], faults.get(item.id, ()), words))
    return "".join(parts)


def overview(items: Mapping[str, Item], language: str) -> str:
    """All checks in one table, each with a link to its section of the page."""
    return table(
        WORDS[language].columns,
        (
            (
                f"[`{item.id}`](#{item.id}){' +' if item.beyond_runbook else ''}",
                item.title.in_language(language),
                " ".join(item.source),
                ", ".join(item.schedule),
                item.severity.value,
                str(item.band or "–"),
            )
            for item in items.values()
        ),
    )


def _section(item: Item, use: Use, faults: Iterable[Fault], words: Words) -> str:
    plus = words.beyond if item.beyond_runbook else ""
    action = advice(item.action.in_language(words.language), Environment.model_validate({}), None, words.language)
    chapters = [words.explained.format(chapter, words.chapters[chapter]) for chapter in item.source]
    lines = [
        _entry(words.chapter, chapters, words, one_line=True),
        _entry(words.schedule, [words.comma.join(f"`{one}`" for one in item.schedule)], words),
        _entry(words.severity, [words.explained.format(item.severity.value, words.within[item.severity.value])], words),
        _entry(words.normal, [str(item.band or words.yes_or_no)], words),
        _entry(words.looks_at, [words.comma.join(f"`{one}`" for one in use.kinds)], words),
        _entry(words.settings, [f"`{name}: {_value(value)}`" for name, value in item.settings.items()], words),
        _entry(words.needs, _needs(use, words) or [words.nothing], words),
        _entry(words.turned_by, [_fault(one, words) for one in faults], words, one_line=words.language == "ja"),
        _entry(words.action, [plain(action)], words),
    ]
    return f"\n### {item.id}\n\n{item.title.in_language(words.language)}{words.stop}{plus}\n\n{''.join(lines)}"


def _entry(name: str, values: Sequence[str], words: Words, one_line: bool = False) -> str:
    """An item of the list that describes a check; several values are a list of their own."""
    if not values:
        return ""
    if len(values) == 1 or one_line:
        return f"- **{name}**{words.colon}{words.comma.join(values)}\n"
    return f"- **{name}**{words.colon.rstrip()}\n" + "".join(f"  - {value}\n" for value in values)


def _needs(use: Use, words: Words) -> list[str]:
    """What its questions need to be allowed to do, each once."""
    needs = dict.fromkeys(privileges.need(question) for question in use.questions)
    said = [japanese_need(one) if words.language == "ja" else one for one in needs if one != "none"]
    return [one.removeprefix("Needs ").removeprefix("to ") for one in said]


def _fault(fault: Fault, words: Words) -> str:
    return f"`{fault.name}`" if words.language == "ja" else f"`{fault.name}`: {fault.title}"


def _settings(settings: Mapping[str, Any]) -> str:
    return "<br>".join(f"`{name}: {_value(value)}`" for name, value in settings.items())


def _value(value: Any) -> str:
    """As YAML's flow style has it, near enough to be read."""
    if value is None:
        return "~"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_value(one)}' for key, one in value.items())}}}"
    return str(value)
