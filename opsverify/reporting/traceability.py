"""Which chapter of the runbook is verified by which check, and which check by which chapter: `pytest --traceability`.

The checks are read from their source, not collected: the whole list is then the same in every process and with
every selection, and no environment is needed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from opsverify.config.items import CHAPTERS, Item
from opsverify.errors import ConfigurationError
from opsverify.reporting.results import Outcome, Result


@dataclass(frozen=True)
class Check:
    """A test function. `item` is the id it names with @runbook, "" where it names none."""

    file: str
    """Relative to the project, `checks/test_reachability.py`."""
    function: str
    """`test_api_health`, with the class where it has one."""
    item: str
    promise: str
    """The first line of its docstring."""
    arguments: tuple[str, ...] = ()
    """The names of what it takes, its facts among them."""

    @property
    def nodeid(self) -> str:
        """As pytest names it, without the target."""
        return f"{self.file}::{self.function}"


@dataclass(frozen=True)
class Last:
    """How a check of one target ended the last time; `when` is None where it is this very run."""

    nodeid: str
    target: str
    verdict: str
    when: datetime | None = None

    def __str__(self) -> str:
        when = f" ({self.when.astimezone(UTC):%Y-%m-%d %H:%M} UTC)" if self.when else ""
        return f"{self.target}: {self.verdict}{when}" if self.target else f"{self.verdict}{when}"


@dataclass(frozen=True)
class Row:
    """One check of one item under one of its chapters. What is None is missing: a chapter without an item, an item
    without a check."""

    chapter: str
    item: Item | None
    check: Check | None
    last: tuple[Last, ...] = ()

    @property
    def chapter_title(self) -> str:
        """The chapter's heading in the runbook."""
        return CHAPTERS.get(self.chapter, self.chapter)


@dataclass(frozen=True)
class Gaps:
    """What keeps runbook and checks from covering each other."""

    unchecked: tuple[str, ...] = ()
    """Items that no check proves."""
    untied: tuple[str, ...] = ()
    """Checks that name no item, or one that does not exist."""

    def __bool__(self) -> bool:
        return bool(self.unchecked or self.untied)


DECLARED = "test_declared.py"
"""The file whose functions are made of the items that say themselves what is judged."""


def read_checks(folder: Path, items: Mapping[str, Item]) -> list[Check]:
    """The test functions of `checks/`, in the order of files and lines, and those that `items` declare.

    Raises ConfigurationError for a file that is no Python, and for an id that is not written out.
    """
    checks: list[Check] = []
    for path in sorted(folder.rglob("test_*.py")):
        name = path.relative_to(folder.parent).as_posix()
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"), name)
        except (OSError, SyntaxError, ValueError) as error:
            mistake = f"{name}: found no readable Python ({type(error).__name__}), allowed checks"
            raise ConfigurationError([mistake]) from None
        checks += _functions(name, tree.body, "")
    declared = f"{folder.name}/{DECLARED}"
    return checks + [
        Check(declared, item.function_name, item.id, item.title.en, (item.judge.fact, "expect"))
        for item in items.values()
        if item.judge is not None
    ]


def _functions(file: str, body: Sequence[ast.stmt], prefix: str) -> Iterable[Check]:
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from _functions(file, node.body, f"{prefix}{node.name}::")
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test"):
            ids = [item for decorator in node.decorator_list for item in _item_id(file, decorator)]
            promise = (ast.get_docstring(node) or "").split("\n")[0]
            arguments = tuple(argument.arg for argument in (*node.args.args, *node.args.kwonlyargs))
            for item in ids or [""]:
                yield Check(file, f"{prefix}{node.name}", item, promise, arguments)


def _item_id(file: str, decorator: ast.expr) -> Iterable[str]:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    if getattr(called, "id", "") != "runbook" and getattr(called, "attr", "") != "runbook":
        return
    arguments = decorator.args if isinstance(decorator, ast.Call) else []
    if len(arguments) != 1 or not isinstance(arguments[0], ast.Constant) or not isinstance(arguments[0].value, str):
        place = f"{file}, line {decorator.lineno}: found @{ast.unparse(decorator)}"
        raise ConfigurationError([f'{place}, allowed @runbook("id") with the id written out'])
    yield arguments[0].value


def gaps(items: Mapping[str, Item], checks: Iterable[Check]) -> Gaps:
    """Items without a check, and checks without an item."""
    listed = list(checks)
    proven = {check.item for check in listed}
    return Gaps(
        unchecked=tuple(key for key in items if key not in proven),
        untied=tuple(dict.fromkeys(check.nodeid for check in listed if check.item not in items)),
    )


def rows(items: Mapping[str, Item], checks: Iterable[Check], results: Iterable[Last] = ()) -> list[Row]:
    """The whole table in the runbook's order: every chapter, item and tied check is in it at least once."""
    by_item: dict[str, list[Check]] = {}
    for check in checks:
        by_item.setdefault(check.item, []).append(check)
    last: dict[str, list[Last]] = {}
    for result in results:
        last.setdefault(_function(result.nodeid), []).append(result)
    table_rows: list[Row] = []
    for chapter in CHAPTERS:
        own = [item for item in items.values() if chapter in item.source]
        if not own:
            table_rows.append(Row(chapter, None, None))
        for item in own:
            proofs: list[Check | None] = [*by_item.get(item.id, [])]
            for proof in proofs or [None]:
                table_rows.append(Row(chapter, item, proof, tuple(last.get(proof.nodeid, ()) if proof else ())))
    return table_rows


def of_run(results: Iterable[Result]) -> list[Last]:
    """The results of the run that is being reported, as `rows` takes them."""
    return [Last(result.nodeid, result.target, result.verdict) for result in results if result.runbook]


def _function(nodeid: str) -> str:
    return nodeid.split("[", 1)[0]


def lines(
    items: Mapping[str, Item], checks: Sequence[Check], results: Sequence[Last] = (), language: str = "en"
) -> list[str]:
    """Both ways as text: chapters with their items and checks, then checks with their items and chapters, then gaps."""
    text: list[str] = []
    chapter, item = "", ""
    for row in rows(items, checks, results):
        if row.chapter != chapter:
            text += ["", f"{row.chapter}  {row.chapter_title}"]
            chapter, item = row.chapter, ""
        if row.item is None:
            text.append("  (no item)")
            continue
        if row.item.id != item:
            item = row.item.id
            when = " ".join(row.item.schedule)
            text.append(f"  {item}  {row.item.severity.value}  {when}  {row.item.title.in_language(language)}")
        text.append(f"    {row.check.nodeid if row.check else '(no check)'}")
        text += [f"      last  {last}" for last in row.last]
    text += ["", "Checks and what they prove"]
    for check in checks:
        proves = items.get(check.item)
        proven = f"{proves.id}  {' '.join(proves.source)}" if proves else "(no item)"
        text.append(f"  {check.nodeid}  {proven}")
    missing = gaps(items, checks)
    text += ["", f"{len(CHAPTERS)} chapters, {len(items)} items, {len({c.nodeid for c in checks})} checks"]
    text += [f"No check proves {key}" for key in missing.unchecked]
    text += [f"Tied to no item of the runbook: {nodeid}" for nodeid in missing.untied]
    return text[1:]


_TITLE = {
    "en": "Traceability: runbook chapter → promise → check",
    "ja": "トレーサビリティ（手順書の章 → 約束 → チェック）",
}
_HEADS = {
    "en": ("Runbook chapter", "Promise", "Check", "Schedule", "Severity", "This run"),
    "ja": ("手順書の章", "約束", "チェック", "実施区分", "優先度", "今回の結果"),
}
_RANK = (Outcome.ALERT, Outcome.BROKEN, Outcome.UNDETERMINED, Outcome.BLOCKED, Outcome.WARNING, Outcome.WAIVED)


class Section:
    """The table as a section of the HTML report: `html.add_section(section.title, section)`."""

    def __init__(self, items: Mapping[str, Item], folder: Path, language: str) -> None:
        self._items = items
        self._folder = folder
        self._language = "ja" if language == "ja" else "en"

    @property
    def title(self) -> str:
        return _TITLE[self._language]

    def __call__(self, results: Sequence[Result]) -> str:
        """The section's HTML for the results of this run; a dash where a check was not part of it."""
        from opsverify.reporting.html import table

        try:
            checks = read_checks(self._folder, self._items)
        except ConfigurationError:
            return ""  # pytest has told about that file, and better
        return table(_HEADS[self._language], self._cells(rows(self._items, checks, of_run(results))))

    def _cells(self, table_rows: Iterable[Row]) -> Iterable[tuple[str, ...]]:
        for row in table_rows:
            chapter = f"{row.chapter_title} ({row.chapter})"
            if row.item is None:
                yield (chapter, "–", "–", "–", "–", "–")
                continue
            promise = f"{row.item.title.in_language(self._language)} ({row.item.id})"
            check = row.check.nodeid if row.check else "–"
            level = row.item.severity.value
            yield (chapter, promise, check, ", ".join(row.item.schedule), level, _worst(row.last))


def _worst(last: Sequence[Last]) -> str:
    """Every target's verdict, the worst first; long lists of equal ones are counted."""
    by_verdict: dict[str, list[str]] = {}
    for one in last:
        by_verdict.setdefault(one.verdict, []).append(one.target)
    ranks = {outcome.value: rank for rank, outcome in enumerate(_RANK)}
    ordered = sorted(by_verdict.items(), key=lambda pair: ranks.get(pair[0], len(ranks)))
    return "; ".join(_told(verdict, [t for t in targets if t]) for verdict, targets in ordered) or "–"


def _told(verdict: str, targets: Sequence[str]) -> str:
    if not targets:
        return verdict
    return f"{verdict}: {', '.join(targets)}" if len(targets) <= 4 else f"{verdict}: {len(targets)} targets"
