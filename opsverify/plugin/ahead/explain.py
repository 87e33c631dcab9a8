"""`--explain CHECK`: all there is to know of a check on one page, with or without an environment. Asks no target."""

from __future__ import annotations

import difflib
import inspect
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

import opsverify.facts  # noqa: F401 - registers the facts
from opsverify.config.advice import advice
from opsverify.config.environment import Environment, Target
from opsverify.config.items import CHAPTERS, SCHEDULES, Item
from opsverify.config.loading import Loaded, load_items, one_setting, read_environment
from opsverify.config.yaml_file import Nodes
from opsverify.errors import ConfigurationError, ProbeError
from opsverify.facts.registry import FACTS, Fact
from opsverify.plugin.ahead import specimen
from opsverify.plugin.ahead.plan import WAYS, Exact, about, needed, printed, way_of, wrap
from opsverify.plugin.ahead.scripts import sent
from opsverify.plugin.default_environment import settle
from opsverify.plugin.startup import environment_files, location_of, provided, runbook
from opsverify.reporting.ranges import short
from opsverify.reporting.text import MASK, Redactor
from opsverify.reporting.traceability import Check, read_checks

WORDS = {
    "en": {
        "beyond": "beyond the runbook",
        "chapter": "Chapter",
        "schedule": "Schedule",
        "severity": "Severity",
        "proven": "Proven by",
        "limits": "Limits",
        "no limits": "none: it answers yes or no",
        "settings": "Settings",
        "line": "line {n}",
        "asks": "What it asks",
        "example": "As for an example system; with --env as for yours.",
        "of": "of {kind}: {names}",
        "none of": "of {kind}: none here",
        "needs": "needs",
        "looks": "looks at",
        "sends": "sends",
        "by": "by",
        "faults": "Faults that turn it",
        "no faults": "none is known: report this",
        "proof": "shown by {proof}",
        "to do": "What to do",
        "here": "In {name}",
        "excused": "not applicable: {reason}",
        "excused on": "not applicable: {target}: {reason}",
        "waiver": "waived{of} by {owner} until {until:%Y-%m-%d}: {reason}",
        "mistakes": "{path} has mistakes, and is shown without what is wrong; pytest --env {name} --plan lists them",
        "last": "last results",
        "never": "none: it was never judged here",
        "unknown": "not known: {why}",
        "run": "{verdict} since {since:%Y-%m-%d %H:%M} UTC, {n} runs",
        "run 1": "{verdict} on {since:%Y-%m-%d %H:%M} UTC",
        "before": "before {verdicts}",
    },
    "ja": {
        "beyond": "手順書にない追加項目",
        "chapter": "手順書の章",
        "schedule": "実施区分",
        "severity": "優先度",
        "proven": "チェック関数",
        "limits": "しきい値",
        "no limits": "なし（はい・いいえで判定）",
        "settings": "設定",
        "line": "{n} 行目",
        "asks": "問い合わせの内容",
        "example": "例示用のシステムの場合（--env を付けるとその環境の内容になります）。",
        "of": "対象 {kind}: {names}",
        "none of": "対象 {kind}: この環境にはありません",
        "needs": "必要な権限",
        "looks": "確認箇所",
        "sends": "送信内容",
        "by": "方法",
        "faults": "これを検出する障害",
        "no faults": "登録なし（報告してください）",
        "proof": "{proof} で確認",
        "to do": "対応",
        "here": "{name} では",
        "excused": "対象外: {reason}",
        "excused on": "対象外: {target}: {reason}",
        "waiver": "免除中{of}（担当 {owner}、{until:%Y-%m-%d} まで）: {reason}",
        "mistakes": "{path} に誤りがあり、正しい部分だけを表示しています（一覧は pytest --env {name} --plan）",
        "last": "直近の結果",
        "never": "なし（この環境ではまだ判定していません）",
        "unknown": "不明: {why}",
        "run": "{verdict}（{since:%Y-%m-%d %H:%M} UTC から {n} 回）",
        "run 1": "{verdict}（{since:%Y-%m-%d %H:%M} UTC）",
        "before": "以前は {verdicts}",
    },
}

_SPELLS = 4
"""So many rows of equal results are shown of a check: what it is now, and the last three before."""


@dataclass(frozen=True)
class Place:
    """An environment file that is asked about; `loaded` is what is right of it, None where that is nothing."""

    path: Path
    loaded: Loaded | None
    wrong: bool = False

    @property
    def name(self) -> str:
        return self.path.stem


def text(config: pytest.Config) -> list[str]:
    """The pages of the checks that the command line names; raises ConfigurationError for an id that is none."""
    path = runbook(config)
    items = load_items(path)
    ids = _ids(config.option.explain, items)
    names = settle(config)
    files = environment_files(config, names) if names else []
    places = [_place(config, file, items) for file in files]
    first = next((place.loaded for place in places if place.loaded), None)
    language = config.option.language or (first.environment.language if first else "en")
    checks = read_checks(path.parent, items)
    secrets = {secret for place in places if place.loaded for secret in place.loaded.secrets}
    pages: list[str] = []
    for check_id in ids:
        page = _Page(config, items[check_id], [check for check in checks if check.item == check_id], language, secrets)
        pages += [*([""] if pages else []), *page.lines(places)]
    return printed(pages, Redactor(secrets))


def _ids(asked: Iterable[str], items: Mapping[str, Item]) -> list[str]:
    mistakes, ids = [], []
    for word in dict.fromkeys(asked):
        # As reports and pytest write it: `disk-usage[app1]`, `test_disk_usage`.
        plain = word.partition("[")[0].rpartition("::")[2].strip().lower().removeprefix("test_").replace("_", "-")
        if plain in items:
            ids.append(plain)
            continue
        like = list(dict.fromkeys([*difflib.get_close_matches(plain, items, n=4), *_holding(plain, items)]))[:6]
        hint = f" ({' or '.join(like)}?)" if like else ""
        mistakes.append(f"--explain: found {word!r}, allowed the id of a check{hint}; --traceability lists them")
    if mistakes:
        raise ConfigurationError(mistakes)
    return list(dict.fromkeys(ids))


def _holding(word: str, items: Mapping[str, Item]) -> Iterator[str]:
    """Ids of which a part begins like a part of the word, then those whose titles hold the word."""
    parts = [part for part in word.split("-") if len(part) >= 3]
    yield from (key for key in items if any(own.startswith(part) for part in parts for own in key.split("-")))
    titles = {key: f"{item.title.en} {item.title.ja}".lower() for key, item in items.items()}
    yield from (key for key, title in titles.items() if len(word) >= 3 and word in title)


def _place(config: pytest.Config, path: Path, items: Mapping[str, Item]) -> Place:
    """The environment in a file. Whoever reads about a check need not have its secrets: any value stands for them."""
    try:
        names = re.findall(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", path.read_text(encoding="utf-8-sig"))
        unset = {name: "not-set" for name in names if not os.environ.get(name)}
        reading = read_environment(path, items, {**unset, **provided(config, path, ())})
    except (ConfigurationError, OSError, UnicodeDecodeError):
        return Place(path, None, wrong=True)
    return Place(path, reading.rest, wrong=bool(reading.mistakes))


class _Page:
    """What is said of one check."""

    def __init__(
        self, config: pytest.Config, item: Item, checks: Sequence[Check], language: str, secrets: Iterable[str]
    ) -> None:
        self._config, self._item, self._checks, self._secrets = config, item, checks, tuple(filter(None, secrets))
        self._language, self._words = language, WORDS[language]

    def lines(self, places: Sequence[Place]) -> Iterator[str]:
        item, words = self._item, self._words
        mark = f" ({words['beyond']})" if item.beyond_runbook else ""
        yield from wrap(f"{item.id}: {item.title.in_language(self._language)}{mark}", 0)
        yield ""
        for chapter in item.source:
            yield from wrap(f"{words['chapter']}: {chapter} {CHAPTERS[chapter]}", 2)
        for schedule in item.schedule:
            yield from wrap(f"{words['schedule']}: {schedule} ({SCHEDULES[schedule]})", 2)
        yield from self._limits(places)
        for check in self._checks:
            yield from wrap(f"{words['proven']}: {check.nodeid}: {check.promise}", 2)
        known = [place.loaded.environment for place in places if place.loaded]
        yield from ("", words["faults"])
        yield from self._faults()
        yield from ("", words["to do"])
        yield from self._to_do(known)
        for place in places:
            yield ""
            yield from wrap(words["here"].format(name=self._named(place.path)), 0)
            yield from self._here(place)
        # Last, as it is long.
        yield from ("", words["asks"])
        if not known:
            yield from wrap(words["example"], 2)
        yield from self._asks(known or [specimen.environment()], [p.loaded for p in places if p.loaded])

    def _limits(self, places: Sequence[Place]) -> Iterator[str]:
        """Severity, band and settings as they are in force, each with where it is set."""
        item, words = self._item, self._words
        default = runbook(self._config)
        own = _written(default, (item.id,))
        yield from self._said(words["severity"], item.severity.value, default, own.get(("severity",)))
        band = own.get(("band",))
        yield from self._said(words["limits"], str(item.band or words["no limits"]), default, band)
        for key, value in item.settings.items():
            yield from self._said(f"{words['settings']} {key}", _shown(value), default, own.get(("settings", key)))
        for place in places:
            override = _written(place.path, ("checks", item.id))
            loaded = place.loaded.items[item.id] if place.loaded else None
            for where, line in override.items():
                if len(where) == (1 if where[0] == "severity" else 2):
                    value = f"= {_shown(_in_force(loaded, where))}" if loaded else ""
                    label = f"{place.name}: {'.'.join(where)} {value}".rstrip()
                    yield from wrap(f"{label} ({self._at(place.path, line)})", 4)
            if loaded and loaded.band != item.band:
                yield from wrap(f"{place.name}: {words['limits']}: {loaded.band}", 4)

    def _said(self, name: str, value: str, path: Path, line: int | None) -> Iterator[str]:
        yield from wrap(f"{name}: {value}" + (f" ({self._at(path, line)})" if line else ""), 2)

    def _at(self, path: Path, line: int) -> str:
        return f"{self._named(path)}, {self._words['line'].format(n=line)}"

    def _named(self, path: Path) -> Path:
        root = self._config.rootpath
        return path.relative_to(root) if path.is_relative_to(root) else path

    def _asks(self, environments: Sequence[Environment], loaded: Sequence[Loaded]) -> Iterator[str]:
        """Every question that the check's facts are made of, once, with what it takes and what is sent."""
        words = self._words
        told: set[type] = set()
        for facts in self._facts():
            kind = facts[0].kind
            for number, environment in enumerate(environments):
                item = loaded[number].items[self._item.id] if loaded else self._item
                targets = _targets(environment, kind, facts)
                names = short(target.name for target in targets)
                yield from wrap((words["of"] if targets else words["none of"]).format(kind=kind, names=names), 2)
                for query in (q for t in targets for f in facts for q in f.queries(environment, t, item.settings)):
                    if type(query.question) not in told:
                        told.add(type(query.question))
                        yield from self._question(query)

    def _facts(self) -> Iterator[list[Fact]]:
        """The facts that each function of the check takes, all of one kind of target."""
        for check in self._checks:
            if facts := [FACTS[name] for name in check.arguments if name in FACTS]:
                yield facts

    def _question(self, query: Any) -> Iterator[str]:
        words, question, way = self._words, query.question, way_of(query.probe)
        yield from wrap(f"{way.partition('.')[0]} {type(question).__name__}: {_summary(type(question))}", 4)
        yield from wrap(f"{words['needs']}: {needed(type(question), self._language)}", 6)
        if way in WAYS:
            yield from wrap(f"{words['by']}: {WAYS[way][self._language == 'ja']}", 6)
        if places := ", ".join(dict.fromkeys(about(question))):
            yield from wrap(f"{words['looks']}: {places}", 6)
        for piece in sent(question):
            lines = [self._exact(line) for line in piece.text.splitlines()]
            if len(lines) < 2 and piece.name.startswith("$"):
                yield from wrap(f"{piece.name}: {''.join(lines) or '–'}", 6)
                continue
            yield from wrap(f"{words['sends']} {piece.name}:", 6)
            yield from (Exact(f"      | {line}".rstrip()) for line in lines)

    def _exact(self, line: str) -> str:
        for secret in self._secrets:
            line = line.replace(secret, MASK)
        return "".join(character if character.isprintable() or character == "\t" else "�" for character in line)

    def _faults(self) -> Iterator[str]:
        from rehearsal.faults import FAULTS

        turning = [fault for fault in FAULTS.values() if self._item.id in fault.checks]
        for fault in turning:
            verdicts = {v for subject, v in fault.turns.items() if subject.partition("[")[0] == self._item.id}
            proof = f"; {self._words['proof'].format(proof=fault.proof)}" if fault.proof else ""
            yield from wrap(f"{fault.name}: {fault.title} ({', '.join(sorted(verdicts))}){proof}", 2)
        if not turning:
            yield from wrap(self._words["no faults"], 2)

    def _to_do(self, known: Sequence[Environment]) -> Iterator[str]:
        action = self._item.action.in_language(self._language)
        told: dict[str, dict[str, None]] = {}
        for environment in known:
            for facts in self._facts():
                for target in _targets(environment, facts[0].kind, facts):
                    said = advice(action, environment, target, self._language)
                    told.setdefault(said, {})[target.name] = None
        for said, names in (told or {advice(action, Environment.model_validate({}), None, self._language): {}}).items():
            yield from wrap(said if len(told) < 2 else f"{short(names)}: {said}", 2)

    def _here(self, place: Place) -> Iterator[str]:
        words, check = self._words, self._item.id
        if place.wrong:
            yield from wrap(words["mistakes"].format(path=self._named(place.path), name=place.name), 2)
        if place.loaded is not None:
            environment = place.loaded.environment
            for key, reason in environment.not_applicable.items():
                if key.partition(":")[0] == check:
                    yield from wrap(words["excused"].format(reason=reason if key == check else f"{key}: {reason}"), 2)
            for host in environment.hosts.values():
                if reason := next((r for k, r in host.not_applicable.items() if k.partition(":")[0] == check), ""):
                    yield from wrap(words["excused on"].format(target=host.name, reason=reason), 2)
            for waiver in environment.waivers:
                if waiver.check == check:
                    of = f" [{waiver.target}]" if waiver.target else ""
                    until = waiver.expires.astimezone(UTC)
                    terms = {"of": of, "owner": waiver.owner, "until": until, "reason": waiver.reason}
                    yield from wrap(words["waiver"].format(**terms), 2)
        yield from self._last(place)

    def _last(self, place: Place) -> Iterator[str]:
        """How the check ended the last times, by target, from the history."""
        words = self._words
        try:
            location = location_of(self._config, place.path, one_setting(place.path, "history"))
            if location.off:
                raise ProbeError("history: none")
            from opsverify.history.reading import Reader

            if location.kind == "sqlite" and not Path(location.address).exists():
                found = {}
            else:
                found = Reader(location).ask(lambda store: store.standings([place.name])).get(place.name, {})
        except (ConfigurationError, ProbeError) as error:
            yield from wrap(f"{words['last']}: {words['unknown'].format(why=error)}", 2)
            return
        own = {check: spells for check, spells in found.items() if check.runbook == self._item.id and spells}
        if not own:
            yield from wrap(f"{words['last']}: {words['never']}", 2)
            return
        yield f"  {words['last']}:"
        for check, spells in sorted(own.items(), key=lambda pair: (pair[0].target_kind, pair[0].target)):
            now, before = spells[-1], spells[-_SPELLS:-1]
            said = words["run 1" if now.runs == 1 else "run"].format(verdict=now.verdict, since=now.began, n=now.runs)
            earlier = ", ".join(f"{one.verdict} × {one.runs}" for one in reversed(before))
            yield from wrap(
                f"{check.target}: {said}" + (f", {words['before'].format(verdicts=earlier)}" if earlier else ""), 4
            )


def _targets(environment: Environment, kind: str, facts: Sequence[Fact]) -> list[Target]:
    """The targets of a kind that have all these facts, of every slot."""
    every: list[Target] = list(getattr(environment, kind).values())
    return [
        target
        for target in every
        if all(
            (fact.where is None or fact.where(target)) and not (fact.excuse and fact.excuse(target)) for fact in facts
        )
    ]


def _summary(question: type) -> str:
    """The first sentence of a question's docstring; of its module's where that only names the answer."""
    for text in (inspect.getdoc(question), inspect.getdoc(sys.modules[question.__module__])):
        first = " ".join((text or "").split("\n\n")[0].split()).partition(". ")[0].removesuffix(".")
        if not first.startswith(("Answer:", "Exact counts")):
            break
    return first


def _shown(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return text or "–"


def _in_force(item: Item, where: tuple[str, ...]) -> Any:
    """What an item has at that place: ("band", "below")."""
    value: Any = item
    for part in where:
        value = value.get(part) if isinstance(value, Mapping) else getattr(value, part, None)
    return getattr(value, "value", value)


def _written(path: Path, where: tuple[str, ...]) -> dict[tuple[str, ...], int]:
    """The lines, from 1, in which the keys below a place of a YAML file stand; nothing where there is no such place."""
    nodes = Nodes(path.read_text(encoding="utf-8-sig"), path)
    node = nodes.root
    for part in where:
        pairs = (nodes.pairs(node) or []) if node is not None else []
        node = next((value for key, value in pairs if nodes.value(key) == part), None)
    found: dict[tuple[str, ...], int] = {}

    def walk(one: Any, above: tuple[str, ...]) -> None:
        for key, value in nodes.pairs(one) or []:
            place = (*above, str(nodes.value(key)))
            found[place] = key.start_mark.line + 1
            if len(place) < 2:
                walk(value, place)

    if node is not None:
        walk(node, ())
    return found
