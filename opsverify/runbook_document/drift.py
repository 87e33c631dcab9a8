"""What the operators' runbook states against what the checks enforce, both ways. Pure.

Which statement belongs to which check is configuration (the settings of the item `runbook-agrees`): by the words of
the document, the check, or the check's setting (`node-version.majors`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opsverify.config.bands import AtLeast, AtMost, Band
from opsverify.config.deadlines import RESPONSE_TIMES
from opsverify.config.items import Item, Severity
from opsverify.runbook_document.quantities import Quantity, plain
from opsverify.runbook_document.statements import ResponseTime, Retention, Statement, Threshold, VersionRule

Names = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Comparison:
    """One figure. `stated` is "nothing" where the document lacks it, `enforced` where no check holds it."""

    subject: str
    chapter: str
    stated: str
    enforced: str
    agrees: bool

    @property
    def document(self) -> str:
        """What the document says, for people."""
        where = f"chapter {self.chapter}: " if self.chapter else "no chapter: "
        return f"{where}{self.subject} {self.stated}"


def compare(stated: Sequence[Statement], items: Mapping[str, Item], settings: Mapping[str, Any]) -> list[Comparison]:
    """Every figure that the document states or that a check enforces on its behalf.

    `settings`: `thresholds`, `versions` and `retention`, each from the document's words to a list of checks. Several
    ways to say the same have ` | ` between them.
    """
    kinds: list[tuple[type, Names]] = [
        (Threshold, settings["thresholds"]),
        (VersionRule, settings["versions"]),
        (Retention, settings["retention"]),
        (ResponseTime, {level.value: [level.value] for level in Severity}),
    ]
    return [one for kind, names in kinds for one in _compared([s for s in stated if type(s) is kind], names, items)]


def _compared(statements: Sequence[Any], names: Names, items: Mapping[str, Item]) -> Iterator[Comparison]:
    by_words = {key: checks for words, checks in names.items() for key in _keys(words)}
    for statement in statements:
        checks = by_words.get(_key(statement.subject), ())
        for check in checks:
            enforced, agrees = _held(statement, check, items)
            yield Comparison(statement.subject, statement.chapter, statement.text, enforced, agrees)
        if not checks:
            yield Comparison(statement.subject, statement.chapter, statement.text, "nothing: no check", False)
    stated = {_key(statement.subject) for statement in statements}
    for words, checks in names.items():
        if not stated.intersection(_keys(words)):
            for check in checks:
                yield Comparison(words.partition(" | ")[0], "", "nothing", _enforced(check, items), False)


def _key(words: str) -> str:
    return plain(words).replace(" ", "").casefold()


def _keys(words: str) -> list[str]:
    """Of `API応答時間 | API response time`, each."""
    return [_key(name) for name in words.split(" | ")]


def _held(statement: Any, check: str, items: Mapping[str, Item]) -> tuple[str, bool]:
    """What is enforced, as text, and whether it is what the statement says."""
    text, value = _enforced(check, items), _value(check, items)
    if value is None:
        return text, False
    if isinstance(statement, Threshold):
        return text, isinstance(value, (AtMost, AtLeast)) and _same_band(statement, value)
    if isinstance(statement, ResponseTime):
        number, unit = value
        return text, statement.time.within(unit) == number
    if isinstance(statement, Retention):
        return text, statement.days == value
    if isinstance(value, list):
        return text, not statement.or_newer and set(statement.majors) == set(value)
    return text, statement.or_newer and statement.majors == (value,)


def _same_band(statement: Threshold, band: Band) -> bool:
    if isinstance(band, AtMost):
        limits = ((statement.normal, band.below, "<"), (statement.alert, band.alert_above, ">"))
    else:
        limits = ((statement.normal, band.above, ">"), (statement.alert, band.alert_below, "<"))
    return all(_same(stated, limit, side, band.unit) for stated, limit, side in limits)


def _same(stated: Quantity | None, limit: float, side: str, unit: str) -> bool:
    if stated is None or stated.side not in ("", side):
        return False
    value = stated.within(unit)
    return value is not None and abs(value - limit) <= 1e-9 * max(1.0, abs(limit))


def _value(check: str, items: Mapping[str, Item]) -> Any:
    if check in RESPONSE_TIMES:
        return RESPONSE_TIMES[Severity(check)]
    name, _, setting = check.partition(".")
    item = items.get(name)
    if item is None:
        return None
    return item.settings.get(setting) if setting else item.band


def _enforced(check: str, items: Mapping[str, Item]) -> str:
    value = _value(check, items)
    if value is None:
        return f"nothing: there is no {check}"
    if check in RESPONSE_TIMES:
        number, unit = value
        return f"{number:g} {unit}{'s' if number != 1 else ''} to respond"
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    return f"{value} ({check.replace('.', ': ')})"
